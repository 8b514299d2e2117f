/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/des/des.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void des_abort(const char *what)
{
	fprintf(stderr, "simulation: %s\n", what);
	abort();
}

int des_init(struct des *des)
{
	*des = (struct des){ .queue = des_queue_create() };
	return des->queue ? 0 : -ENOMEM;
}

void des_fini(struct des *des)
{
	des_queue_destroy(des->queue);
	des->queue = NULL;
}

des_event_id des_at(struct des *des, uint64_t time_ns, unsigned int priority, des_fire_fn fire,
		    void *opaque, uint64_t arg)
{
	if (time_ns < des->now_ns)
		des_abort("an event was scheduled in the past");
	return des_queue_push(des->queue, time_ns, priority, fire, opaque, arg);
}

des_event_id des_after(struct des *des, uint64_t delay_ns, des_fire_fn fire, void *opaque,
		       uint64_t arg)
{
	uint64_t time_ns;

	if (__builtin_add_overflow(des->now_ns, delay_ns, &time_ns))
		des_abort("virtual time overflows");
	return des_queue_push(des->queue, time_ns, DES_PRIORITY_NORMAL, fire, opaque, arg);
}

bool des_cancel(struct des *des, des_event_id id)
{
	return des_queue_cancel(des->queue, id);
}

bool des_step(struct des *des, uint64_t until_ns)
{
	struct des_event event;
	uint64_t time_ns;

	if (!des_queue_peek(des->queue, &time_ns) || time_ns > until_ns) {
		if (des->now_ns < until_ns)
			des->now_ns = until_ns;
		return false;
	}
	des_queue_pop(des->queue, &event);
	des->now_ns = event.time_ns;
	des->fired_count++;
	event.fire(event.opaque, event.arg);
	return true;
}

uint64_t des_server_use(struct des_server *server, uint64_t now_ns, uint64_t work_ns)
{
	uint64_t start_ns = now_ns;

	if (server->free_at_ns > now_ns) {
		uint64_t wait_ns = server->free_at_ns - now_ns;

		start_ns = server->free_at_ns;
		server->wait_ns += wait_ns;
		server->waited_count++;
		if (wait_ns > server->longest_wait_ns)
			server->longest_wait_ns = wait_ns;
	}
	server->busy_ns += work_ns;
	server->jobs_count++;
	server->free_at_ns = start_ns + work_ns;
	return server->free_at_ns;
}
