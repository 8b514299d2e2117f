/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/integration/structure.sh adds to a copy of the sources, seen by a program: the new
 * call is made, with a trace of this program's own behind backend and engine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_backend.h>

#include "analysis/event_names.h"
#include "backend/trace_to.h"
#include "sim/fuse/inject.h"
#include "sim/inproc/inproc.h"
#include "tracepoints/trace.h"

static void emit(struct trace *trace, enum trace_event event, const void *fields)
{
	const struct trace_description *described = &trace_descriptions[event];
	const char *text;
	uint64_t number;

	(void)trace;
	if (!strstr(described->name, "ping") && !strstr(described->name, "refused"))
		return;
	printf("  %s:", described->name);
	for (size_t i = 0; i < described->fields_count; i++) {
		const struct trace_field *field = &described->fields[i];

		memcpy(&number, (const char *)fields + 8 * i, 8);
		memcpy(&text, (const char *)fields + 8 * i, 8);
		if (field->type == TRACE_TYPE_str)
			printf(" %s=%s", field->name, text);
		else if (field->type == TRACE_TYPE_id || field->type == TRACE_TYPE_x64 ||
			 field->type == TRACE_TYPE_i32)
			printf(" %s=%" PRId64, field->name, (int64_t)number);
	}
	printf("\n");
}

static uint64_t number(struct trace *trace, enum trace_numbered what)
{
	static uint64_t last;

	(void)trace;
	(void)what;
	return ++last;
}

static uint32_t tid(struct trace *trace)
{
	(void)trace;
	return 1;
}

int main(void)
{
	static const int wanted = 1;
	static const int *all[TRACE_EVENTS_COUNT];
	struct trace trace = { .wanted = all, .emit = emit, .number = number, .tid = tid };
	struct engine_config config = { .trace = &trace };
	struct inproc *device = inproc_create(&config, INPROC_MEMORY_TRUSTED);
	IOMMUFDBackend *be = iommufd_backend_new("b");
	enum event_op op = event_op_of_cmd(IOMMU_PING);
	struct event_class begin = event_class_find("iommufd_backend:ping_ioas_begin");
	struct event_class end = event_class_find("iommufd_backend:ping_ioas");
	uint64_t pong = 0;
	uint32_t ioas = 0;
	int ret;

	printf("ioctl %s, failures %s, call %s\n", event_op_name(op),
	       inject_command_name(IOMMUFD_CMD_PING), event_op_name(event_op_plain(op)));
	printf("begin %d, end %d, ids are watched %d, ioas is the id %d\n",
	       begin.kind == EVENT_OP_BEGIN && begin.op == OP_PING_IOAS,
	       end.kind == EVENT_OP_END && end.op == OP_PING_IOAS, event_op_names_ids(op),
	       event_field_offset(&end, "ioas") == offsetof(struct event, id));

	for (int i = 0; i < TRACE_EVENTS_COUNT; i++)
		all[i] = &wanted;
	backend_trace_to(be, &trace);
	iommufd_backend_set_device(be, NULL, &inproc_device_ops, device);
	iommufd_backend_connect(be, NULL);
	iommufd_backend_alloc_ioas(be, &ioas, NULL);
	ret = iommufd_backend_ping_ioas(be, ioas, &pong);
	printf("answer %d, pong %" PRIu64 "\n", ret, pong);
	iommufd_backend_free_id(be, ioas);
	ret = iommufd_backend_ping_ioas(be, ioas, &pong);
	printf("answer %d once it is freed\n", ret);
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
	inproc_destroy(device);
	return 0;
}
