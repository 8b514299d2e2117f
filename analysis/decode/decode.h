/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From babeltrace2 messages to events: the same code in `ioasis` and in the
 * babeltrace2 components of analysis/plugin/plugin.c.
 */
#ifndef IOASIS_ANALYSIS_DECODE_H
#define IOASIS_ANALYSIS_DECODE_H

#include <babeltrace2/babeltrace.h>

#include "analysis/event.h"

struct analysis;
struct decoder;

/* Messages that went through a decoder, by kind. */
struct decoder_counts {
	uint64_t events;
	uint64_t streams_begun, streams_ended;
	uint64_t packets_begun, packets_ended;
	uint64_t discarded_events, discarded_packets; /* messages */
	uint64_t inactivity;
};

/* analysis is borrowed. NULL only when out of memory. */
struct decoder *decoder_create(struct analysis *analysis);
void decoder_destroy(struct decoder *decoder);

/*
 * Feeds the analysis with what message says. time_ns: of an event, from its clock's origin; other
 * messages do not need it. 0, -ENOMEM, or -EINVAL: a stream without a clock.
 */
int decoder_message(struct decoder *decoder, const bt_message *message, int64_t time_ns);

/* The same for who has not read the time. */
int decoder_message_untimed(struct decoder *decoder, const bt_message *message);

const struct decoder_counts *decoder_counts(const struct decoder *decoder);

#endif
