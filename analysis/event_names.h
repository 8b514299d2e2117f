/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event classes and fields by name: used once a class, never an event.
 */
#ifndef IOASIS_ANALYSIS_EVENT_NAMES_H
#define IOASIS_ANALYSIS_EVENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/event.h"
#include "tracepoints/events.h"

/* What all events of a class have in common. */
struct event_class {
	enum event_kind kind;
	enum event_op op;
	bool qemu;
	bool non_exist;
	const struct trace_description *described; /* what the catalogue says of it; NULL: nothing */
};

/* The class of a full name ("iommufd_backend:map_dma"); kind EVENT_OTHER when not ours. */
struct event_class event_class_find(const char *name);

/*
 * Where in struct event the field called name of that class goes: the offset of
 * a uint64_t or int64_t; 0: nowhere.
 */
size_t event_field_offset(const struct event_class *class, const char *name);

#endif
