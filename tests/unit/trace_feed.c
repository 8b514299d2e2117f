/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/trace_feed.h"

#include <stdlib.h>
#include <string.h>

void feed_init(struct feed *feed)
{
	memset(feed, 0, sizeof(*feed));
	feed->analysis = analysis_create();
	if (!feed->analysis || quality_machine(analysis_quality(feed->analysis), "host", ""))
		abort();
	feed->last_op = (uint64_t)FEED_PID << 32;
}

void feed_fini(struct feed *feed)
{
	analysis_destroy(feed->analysis);
}

static void tell(struct feed *feed, struct event event, int64_t time_ns, enum event_kind kind)
{
	event.kind = kind;
	event.time_ns = time_ns;
	event.pid = FEED_PID;
	event.name = "event";
	analysis_event(feed->analysis, &event);
}

uint64_t feed_begin(struct feed *feed, int64_t time_ns, const struct event *call)
{
	struct event event = *call;

	event.op_id = ++feed->last_op;
	event.be = 1;
	/* Each call is of a thread of its own, so that calls may overlap. */
	event.tid = FEED_PID + (event.op_id & 0xffff);
	event.ret = 0;
	event.new_id = 0;
	tell(feed, event, time_ns, EVENT_OP_BEGIN);
	return event.op_id;
}

void feed_end(struct feed *feed, int64_t time_ns, uint64_t op_id, const struct event *call)
{
	struct event event = *call;

	event.op_id = op_id;
	event.be = 1;
	tell(feed, event, time_ns, EVENT_OP_END);
}

void feed_call(struct feed *feed, int64_t time_ns, const struct event *call)
{
	uint64_t op_id = feed_begin(feed, time_ns, call);

	feed_end(feed, time_ns + 10, op_id, call);
}

struct event feed_connect(uint64_t users_after)
{
	return (struct event){ .op = OP_CONNECT, .fd = 5, .owned = 1, .users = users_after };
}

struct event feed_disconnect(uint64_t users_after)
{
	return (struct event){ .op = OP_DISCONNECT, .fd = users_after ? 5 : -1,
			       .users = users_after };
}

struct event feed_alloc_ioas(uint64_t id, int64_t ret)
{
	return (struct event){ .op = OP_ALLOC_IOAS, .fd = 5, .new_id = id, .ret = ret };
}

struct event feed_free(uint64_t id)
{
	return (struct event){ .op = OP_FREE_ID, .fd = 5, .id = id };
}

struct event feed_map(uint64_t ioas, uint64_t iova, uint64_t size, int64_t ret)
{
	return (struct event){ .op = OP_MAP_DMA, .fd = 5, .id = ioas, .iova = iova,
			       .size = size, .last = iova_range_of_length(iova, size).last,
			       .has_size = true, .ret = ret };
}

struct event feed_unmap(uint64_t ioas, uint64_t iova, uint64_t size)
{
	struct event event = feed_map(ioas, iova, size, 0);

	event.op = OP_UNMAP_DMA;
	return event;
}

void feed_commit(struct feed *feed, int64_t time_ns, unsigned int kind, uint64_t object,
		 uint64_t iova, uint64_t last, uint64_t flags, uint64_t arg)
{
	struct event event = {
		.ctx = 7,
		.op_id = ++feed->last_op,
		.id = object,
		.seq = ++feed->seqs[object],
		.commit_kind = kind,
		.iova = iova,
		.last = last,
		.flags = flags,
		.arg = arg,
	};

	tell(feed, event, time_ns, EVENT_COMMIT);
}

void feed_commit_lost(struct feed *feed, uint64_t object)
{
	feed->seqs[object]++;
}

void feed_loss(struct feed *feed, int64_t first_ns, int64_t last_ns)
{
	struct event_loss loss = { .first_ns = first_ns, .last_ns = last_ns, .events = 3 };

	analysis_loss(feed->analysis, &loss);
}
