/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue of events: each is stated once, in the list of its provider, a .def file.
 *
 *	EVENT(iommufd_dev, release, FIELD(u64, ctx))
 *
 * is an event of provider iommufd_dev with one field. From it come the numbers and structures
 * below, LTTng's definition (tracepoints/lttng_event.h) and the description that writers of
 * traces of their own read (tracepoints/describe.c). To add an event is to add its statement; to
 * emit it is trace_emit() of tracepoints/trace.h, with the fields in the order of the statement.
 *
 * The type of a field:
 *	u8, u32, u64, i32	numbers
 *	x32, x64		the same, shown in hex
 *	id, new_id		32 bits: an object that the event names; one that the call gave
 *	va			64 bits, shown in hex: an address in a process. It gives away the
 *				memory layout, so its event is off by default
 *	str			text
 * A field keeps its place and its type for ever: traces are kept. Add fields at the end.
 *
 * Who wants the list for something else defines EVENT(provider, name, fields) and FIELD(type,
 * name), includes "tracepoints/events.def", and undefines both.
 */
#ifndef IOASIS_TRACEPOINTS_EVENTS_H
#define IOASIS_TRACEPOINTS_EVENTS_H

#include <stddef.h>
#include <stdint.h>

/* The number of an event, in this release only: it stands in no trace. */
enum trace_event {
#define FIELD(type, name)
#define EVENT(provider, name, fields) TRACE_##provider##_##name,
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD
	TRACE_EVENTS_COUNT
};

/* In memory every field has 8 bytes, whatever it has in a trace. */
#define TRACE_MEMBER_u8(name)	  uint64_t name;
#define TRACE_MEMBER_u32(name)	  uint64_t name;
#define TRACE_MEMBER_u64(name)	  uint64_t name;
#define TRACE_MEMBER_x32(name)	  uint64_t name;
#define TRACE_MEMBER_x64(name)	  uint64_t name;
#define TRACE_MEMBER_va(name)	  uint64_t name;
#define TRACE_MEMBER_id(name)	  uint64_t name;
#define TRACE_MEMBER_new_id(name) uint64_t name;
#define TRACE_MEMBER_i32(name)	  int64_t name;
#define TRACE_MEMBER_str(name)	  const char *name;

/* The fields of an event: struct trace_iommufd_dev_release { uint64_t ctx; }. */
#define FIELD(type, name) TRACE_MEMBER_##type(name)
#define EVENT(provider, name, fields)      \
	struct trace_##provider##_##name { \
		fields                     \
	};
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD

enum trace_type {
	TRACE_TYPE_u8,
	TRACE_TYPE_u32,
	TRACE_TYPE_u64,
	TRACE_TYPE_x32,
	TRACE_TYPE_x64,
	TRACE_TYPE_va,
	TRACE_TYPE_id,
	TRACE_TYPE_new_id,
	TRACE_TYPE_i32,
	TRACE_TYPE_str,
};

struct trace_field {
	enum trace_type type;
	const char *name;
};

struct trace_description {
	const char *name; /* "iommufd_dev:release" */
	size_t fields_count;
	const struct trace_field *fields;
};

/* What the catalogue says, by enum trace_event. */
extern const struct trace_description trace_descriptions[TRACE_EVENTS_COUNT];

/* The most fields that an event has, and some more. */
#define TRACE_FIELDS_MAX 12

/* The whole catalogue as text: two programs with the same text agree on every event. */
extern const char trace_events_text[];

#endif
