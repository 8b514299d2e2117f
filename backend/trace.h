/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the events of all calls have in common, and the memory of what lives.
 *
 * Every call does `if (backend_traced(be)) trace_NAME_begin(&call, ...)` before it and the same
 * with trace_NAME after, and nothing else: without tracing these are two predictable branches.
 * Both stand before the call that they are of. op_id is 0 when no event of the call is wanted.
 * `ret` is 0 or -errno. tracepoints/iommufd_backend.def says what events carry.
 */
#ifndef IOASIS_BACKEND_TRACE_H
#define IOASIS_BACKEND_TRACE_H

#include <ioasis/iommufd_abi.h>

#include "backend/object.h"
#include "tracepoints/trace.h"

/* One call under way, on the stack of its thread. */
struct backend_call {
	IOMMUFDBackend *be;
	uint64_t op_id;
	int fd; /* when the call began */
};

static inline struct backend_call backend_call_of(IOMMUFDBackend *be)
{
	return (struct backend_call){ .be = be, .fd = backend_fd(be) };
}

static inline bool backend_traced(const IOMMUFDBackend *be)
{
	return __builtin_expect(be->trace != NULL, 0);
}

/* A backend begins and ends: backend/state.c keeps the list of all. */
void state_backend_add(IOMMUFDBackend *be);
void state_backend_remove(IOMMUFDBackend *be);

/*
 * Emits the state dump when the trace was turned on since the last call of
 * this. Wants no lock of a backend held.
 */
void state_check(void);

/*
 * Begins a call: wanted tells whether one of its events is on. False: none is. Where what lives
 * is remembered the call gets its number anyway: tracing may be turned on, and the state dumped,
 * before it ends.
 */
bool call_begin(struct backend_call *call, bool wanted);

/* Event `name` of this call. */
#define call_wants(call, name)	   trace_on((call)->be->trace, iommufd_backend, name)
#define call_emit(call, name, ...) trace_emit((call)->be->trace, iommufd_backend, name, __VA_ARGS__)

/* Begins a call whose events are NAME_begin and NAME. */
#define call_begins(call, name) \
	call_begin(call, call_wants(call, name##_begin) || call_wants(call, name))

/* The values of CALL_BEGIN and CALL_END in tracepoints/iommufd_backend.def. */
#define CALL_BEGIN_OF(call) (call)->op_id, (call)->be->number, call_tid(call), (call)->fd
#define CALL_END_OF(call)   (call)->op_id, (call)->be->number, (call)->fd

/* The address of the data that a begun call passes: an event of its own, off by default. */
static inline void trace_data(const struct backend_call *call, uint64_t data_ptr)
{
	if (call->op_id)
		call_emit(call, data_ptr, call->op_id, call->be->number, data_ptr);
}

uint32_t call_tid(const struct backend_call *call);

/*
 * What lives, locked, or NULL: what a successful call changed of it is put in and emitted under
 * the same lock; then backend_live_unlock(). The second adds object id if ret is 0.
 */
struct backend_live *call_live_lock(const struct backend_call *call);
struct backend_live *call_live_lock_new(const struct backend_call *call, uint32_t id, int ret);

#endif
