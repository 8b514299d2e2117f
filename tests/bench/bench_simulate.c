/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ioasis bench simulate`: what an event costs with 10, 1,000 and 10,000 guests, and the calls a
 * second of a replay, all in this process. The scenario as it is shipped is bench_guests.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/scenario/load.h"
#include "sim/scenario/replay.h"
#include "sim/scenario/simulate.h"
#include "tests/bench/bench.h"

#define REPLAY_CALLS 1000000u

/* The shipped sim/scenarios/thousand-guests.yaml, but for its length. */
static const char thousand_guests[] = "name: bench\n"
				      "duration: 100ms\n"
				      "host: {iommus: 32}\n"
				      "guest: {count: 1000, memory: 1GiB, page: 2MiB}\n"
				      "nic: {rate: 250Mbit, ring: 128, mode: deferred, burst: 32,\n"
				      "      budget: 64, load: 99%}\n";

/* CPU time: a simulation uses one CPU all the time, whatever else the machine does. */
static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct sample {
	uint64_t calls;
	uint64_t events;
	uint64_t cpu_ns;
};

static int run_text(const char *text, const char *const *settings, size_t settings_count,
		    struct sample *sample)
{
	char path[] = "/tmp/ioasis-bench-XXXXXX", error[SCENARIO_ERROR_BYTES];
	struct simulate_options options = { .seed = 1 };
	struct scenario scenario;
	struct simulate_difference difference;
	struct report report;
	int fd = mkstemp(path), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -EIO;
	close(fd);
	if (!err)
		err = scenario_load(path, settings, settings_count, &scenario, error);
	unlink(path);
	if (err)
		return err;
	sample->cpu_ns = cpu_ns();
	err = simulate_run(&scenario, &options, &report, &difference, error);
	sample->cpu_ns = cpu_ns() - sample->cpu_ns;
	sample->calls = report_get(&report, "calls", "calls");
	sample->events = report_get(&report, "run", "events");
	report_fini(&report);
	scenario_fini(&scenario);
	return err;
}

/* What goes on, without the start: the difference of a longer run and a shorter one. */
static int bench_events(struct bench *bench)
{
	static const struct {
		const char *count;
		const char *duration[2];
		const char *text;
	} sizes[] = {
		{ "guest.count=10", { "duration=1s", "duration=3s" }, "an event of 10 guests" },
		{ "guest.count=1000",
		  { "duration=20ms", "duration=50ms" },
		  "an event of 1,000 guests" },
		{ "guest.count=10000",
		  { "duration=4ms", "duration=8ms" },
		  "an event of 10,000 guests" },
	};
	double event_ns[3];

	for (size_t i = 0; i < 3; i++) {
		struct sample samples[2];

		for (size_t k = 0; k < 2; k++) {
			const char *const settings[] = { sizes[i].count, sizes[i].duration[k] };
			int err = run_text(thousand_guests, settings, 2, &samples[k]);

			if (err)
				return err;
			samples[k].events += samples[k].calls;
		}
		event_ns[i] = (double)(samples[1].cpu_ns - samples[0].cpu_ns) /
			      (double)(samples[1].events - samples[0].events);
		bench_figure(bench, sizes[i].text, event_ns[i], "ns (a call counts as one)");
	}
	/* log2 of the pending events, two a guest: 4.3 and 14.3. */
	bench_at_most(bench, "10,000 guests to 10", event_ns[2] / event_ns[0], 14.3 / 4.3, "");
	return 0;
}

static int bench_replay(struct bench *bench)
{
	struct replay_call *calls = calloc(REPLAY_CALLS + 2, sizeof(*calls));
	struct replay_options options = { .device = NULL };
	char error[REPLAY_ERROR_BYTES];
	struct replay_result result;
	int err;

	if (!calls)
		return -ENOMEM;
	calls[0].op = REPLAY_CONNECT;
	calls[1] = (struct replay_call){ .op = REPLAY_ALLOC_IOAS, .new_id = 1 };
	/* A ring of 512 buffers: the oldest is unmapped, a new one mapped. */
	for (size_t i = 0; i < REPLAY_CALLS; i++) {
		calls[i + 2] = (struct replay_call){
			.op = i % 2 ? REPLAY_MAP : REPLAY_UNMAP,
			.id = 1,
			.ret = i % 2 || i >= 1024 ? 0 : -ENOENT,
			.iova = 0x100000 + i / 2 % 512 * 4096,
			.size = 4096,
		};
	}
	err = replay_run(calls, REPLAY_CALLS + 2, &options, &result, error);
	if (!err && result.same != result.calls)
		err = -EPROTO;
	if (!err)
		bench_at_least(bench, "replayed calls a second",
			       (double)result.calls * 1e9 / (double)result.wall_ns, 500000, "");
	free(calls);
	return err;
}

int bench_simulate(struct bench *bench)
{
	int err = bench_events(bench);

	return err ? err : bench_replay(bench);
}
