/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue of events as data. */
#include "tracepoints/events.h"

#define FIELD(type, name) { TRACE_TYPE_##type, #name },
#define EVENT(provider, name, fields) \
	static const struct trace_field fields_of_##provider##_##name[] = { fields };
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD

const struct trace_description trace_descriptions[TRACE_EVENTS_COUNT] = {
#define FIELD(type, name)
#define EVENT(provider, name, fields)                         \
	[TRACE_##provider##_##name] = {                       \
		#provider ":" #name,                          \
		sizeof(struct trace_##provider##_##name) / 8, \
		fields_of_##provider##_##name,                \
	},
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD
};

#define FIELD(type, name)
#define EVENT(provider, name, fields)                                                    \
	_Static_assert(sizeof(struct trace_##provider##_##name) <= 8 * TRACE_FIELDS_MAX, \
		       #provider ":" #name " has more fields than TRACE_FIELDS_MAX");
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD

const char trace_events_text[] =
#define FIELD(type, name)	      " " #type " " #name
#define EVENT(provider, name, fields) #provider ":" #name fields ";"
#include "tracepoints/events.def"
#undef EVENT
#undef FIELD
	;
