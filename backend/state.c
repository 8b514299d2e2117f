/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state dump: a trace turned on while the VMM runs begins with what lives. And the
 * process's end, which tells that what lives in the trace then lived indeed.
 *
 * LTTng tells nobody that a session began, so each traced call looks whether
 * state_begin has become enabled since the last one. Backends that do not
 * remember what lives (IOASIS_TRACE is not `late`) are left out: half a dump
 * would make the analysis believe that nothing else lives.
 */
#include "backend/trace.h"

#include <stdlib.h>

#include "backend/live.h"
#include "backend/trace_to.h"
#include "tracepoints/load.h"
#include "tracepoints/op_id.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static IOMMUFDBackend *list; /* all backends of this process, under list_lock */
static bool dumped;	     /* the dump of the trace that is on was made; __atomic */

void state_backend_add(IOMMUFDBackend *be)
{
	backend_trace_to(be, trace_of_process());
	if (trace_mode == TRACE_MODE_LATE)
		be->live = backend_live_create();
	pthread_mutex_lock(&list_lock);
	be->next = list;
	list = be;
	pthread_mutex_unlock(&list_lock);
}

void backend_trace_to(IOMMUFDBackend *be, struct trace *trace)
{
	pthread_mutex_lock(&list_lock);
	be->trace = trace;
	be->number = trace ? (uint32_t)trace_number(trace, TRACE_NUMBER_BACKEND) : 0;
	if (trace != trace_of_process()) { /* the dump is of that one */
		backend_live_destroy(be->live);
		be->live = NULL;
	}
	pthread_mutex_unlock(&list_lock);
}

void state_backend_remove(IOMMUFDBackend *be)
{
	IOMMUFDBackend **link;

	pthread_mutex_lock(&list_lock);
	for (link = &list; *link != be; link = &(*link)->next)
		;
	*link = be->next;
	pthread_mutex_unlock(&list_lock);
	backend_live_destroy(be->live);
}

static void state_object(void *opaque, uint32_t id)
{
	const IOMMUFDBackend *be = opaque;

	trace_emit(be->trace, iommufd_backend, state_object, be->number, be->fd, id);
}

static void state_mapping(void *opaque, uint32_t ioas, uint64_t iova, uint64_t size, bool readonly)
{
	const IOMMUFDBackend *be = opaque;

	trace_emit(be->trace, iommufd_backend, state_mapping, be->number, be->fd, ioas, iova, size,
		   readonly);
}

static void state_dump(IOMMUFDBackend *be)
{
	static const struct backend_live_visitor visitor = {
		.object = state_object,
		.mapping = state_mapping,
	};

	pthread_mutex_lock(&be->lock);
	backend_live_lock(be->live);
	trace_emit(be->trace, iommufd_backend, state_begin, be->number, be->fd, be->owned,
		   be->users);
	if (backend_live_visit(be->live, &visitor, be))
		trace_emit(be->trace, iommufd_backend, state_end, be->number);
	backend_live_unlock(be->live);
	pthread_mutex_unlock(&be->lock);
}

/* A session turns its events on one by one; a dump wants them all. */
static bool dump_is_whole(const struct trace *trace)
{
	return trace_on(trace, iommufd_backend, state_object) &&
	       trace_on(trace, iommufd_backend, state_mapping) &&
	       trace_on(trace, iommufd_backend, state_end);
}

void state_check(void)
{
	const struct trace *trace = trace_of_process();
	bool on = trace_on(trace, iommufd_backend, state_begin);
	IOMMUFDBackend *be;

	if (__builtin_expect(on == __atomic_load_n(&dumped, __ATOMIC_ACQUIRE), 1))
		return;
	if (on && !dump_is_whole(trace))
		return;
	pthread_mutex_lock(&list_lock);
	if (on && !dumped) {
		for (be = list; be; be = be->next) {
			if (be->live)
				state_dump(be);
		}
	}
	__atomic_store_n(&dumped, on, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&list_lock);
}

static void process_end(void)
{
	uint64_t last = trace_op_id_last();

	if ((uint32_t)last)
		trace_emit(trace_of_process(), iommufd_backend, process_end, last);
}

/* Before main(), so that it runs after the program's own handlers, which may still call. */
__attribute__((constructor)) static void process_end_init(void)
{
	atexit(process_end);
}
