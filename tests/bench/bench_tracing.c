/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench tracing: what the events of a call cost, off and on.
 *
 * Off: a loop with the test that each call does before and after its ioctl, less
 * the same loop without. On: a map on a device that does nothing, which emits two events,
 * next to two bare tracepoints with the same fields (tests/bench/bare_events.c), in
 * turn in one process. For that the benchmark runs itself under `ioasis record`.
 */
#include "tests/bench/bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/trace.h"
#include "tests/bench/bench_command.h"
#include "tests/bench/bare_events.h"
#include "tracepoints/load.h"

#define CHILD "IOASIS_BENCH_TRACING"
#define OFF_CALLS 200000000u
#define ROUNDS 9
#define ON_CALLS 4000u /* few enough for the buffers to hold all */
#define ON_ROUNDS 45   /* of one and the other in turn */
#define IOAS 1
#define PAGE_BYTES 4096

/* The compiler may keep nothing in registers across this. */
#define barrier() __asm__ volatile("" ::: "memory")

static int device_open(void *opaque, const char *path, int flags)
{
	(void)opaque;
	(void)path;
	(void)flags;
	return 7;
}

static int device_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	(void)opaque;
	(void)fd;
	(void)request;
	(void)arg;
	return 0;
}

static int device_close(void *opaque, int fd)
{
	(void)opaque;
	(void)fd;
	return 0;
}

/* A device that costs nothing. */
static const IOMMUFDDeviceOps device = {
	.open = device_open,
	.ioctl = device_ioctl,
	.close = device_close,
};

static IOMMUFDBackend *backend_make(void)
{
	IOMMUFDBackend *be = iommufd_backend_new("bench");

	if (be && !iommufd_backend_set_device(be, NULL, &device, NULL) &&
	    !iommufd_backend_connect(be, NULL))
		return be;
	iommufd_backend_delete(be, NULL);
	return NULL;
}

static void backend_end(IOMMUFDBackend *be)
{
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

static uint64_t loop_empty(void)
{
	uint64_t start_ns = bench_now_ns();

	for (uint32_t i = 0; i < OFF_CALLS; i++)
		barrier();
	return bench_now_ns() - start_ns;
}

/* Is never called: be has no trace. */
static __attribute__((noinline)) void never(const IOMMUFDBackend *be)
{
	fprintf(stderr, "bench tracing: backend %u is traced\n", be->number);
	abort();
}

static uint64_t loop_off(const IOMMUFDBackend *be)
{
	uint64_t start_ns = bench_now_ns();

	for (uint32_t i = 0; i < OFF_CALLS; i++) {
		if (backend_traced(be))
			never(be);
		barrier();
		if (backend_traced(be))
			never(be);
	}
	return bench_now_ns() - start_ns;
}

/* Of this thread: what else the machine does counts less. */
static uint64_t cpu_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t loop_ours(IOMMUFDBackend *be)
{
	uint64_t start_ns = cpu_now_ns();

	for (uint32_t i = 0; i < ON_CALLS; i++)
		iommufd_backend_map_dma(be, IOAS, (hwaddr)i << 12, PAGE_BYTES, NULL, false);
	return cpu_now_ns() - start_ns;
}

static uint64_t loop_bare(bare_events_fn *emit)
{
	uint64_t start_ns = cpu_now_ns();

	emit(ON_CALLS, 7, IOAS, PAGE_BYTES);
	return cpu_now_ns() - start_ns;
}

static bare_events_fn *bare_events_load(void)
{
	char path[PATH_MAX];
	void *library;

	bench_sibling("tests/bare_events.so", path, sizeof(path));
	library = dlopen(path, RTLD_NOW);
	if (!library)
		fprintf(stderr, "bench tracing: %s\n", dlerror());
	return library ? (bare_events_fn *)dlsym(library, BARE_EVENTS_SYMBOL) : NULL;
}

/* In the traced process: prints the nanoseconds of each round. */
static int run_child(void)
{
	uint64_t ours[ON_ROUNDS], bare[ON_ROUNDS];
	IOMMUFDBackend *be = backend_make();
	bare_events_fn *bare_events = bare_events_load();

	if (!be || !bare_events)
		return -ENOENT;
	loop_ours(be);
	loop_bare(bare_events);
	for (int i = 0; i < ON_ROUNDS; i++) {
		bare[i] = loop_bare(bare_events);
		ours[i] = loop_ours(be);
	}
	for (int i = 0; i < ON_ROUNDS; i++)
		printf("\nround %d: %" PRIu64 " %" PRIu64 " on %d\n", i, ours[i], bare[i],
		       trace_on(be->trace, iommufd_backend, map_dma));
	backend_end(be);
	return 0;
}

static void measure_off(struct bench *bench)
{
	uint64_t with[ROUNDS], without[ROUNDS], off_ns, empty_ns;
	IOMMUFDBackend *be = backend_make();

	if (!be || backend_traced(be)) {
		bench_skip(bench, "off: this process is traced (IOASIS_TRACE)");
		backend_end(be);
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		without[i] = loop_empty();
		with[i] = loop_off(be);
	}
	backend_end(be);
	off_ns = bench_median(with, ROUNDS);
	empty_ns = bench_median(without, ROUNDS);
	bench_at_most(bench, "off, a call",
		      off_ns > empty_ns ? (double)(off_ns - empty_ns) / OFF_CALLS : 0, 0.5, "ns");
}

static bool read_rounds(const char *path, uint64_t *ours, uint64_t *bare)
{
	FILE *file = fopen(path, "re");
	char line[256];
	int rounds = 0;

	while (file && fgets(line, sizeof(line), file)) {
		int round, on;

		if (sscanf(line, "round %d: %" SCNu64 " %" SCNu64 " on %d", &round, &ours[rounds],
			   &bare[rounds], &on) == 4 &&
		    on && round == rounds && ++rounds == ON_ROUNDS)
			break;
	}
	if (file)
		fclose(file);
	return rounds == ON_ROUNDS;
}

static void measure_on(struct bench *bench, const char *scratch)
{
	char ioasis[PATH_MAX], trace[PATH_MAX + 16], output[PATH_MAX + 16];
	char *argv[] = { ioasis, "record", "-o", trace, "--", ioasis, "bench", "tracing", NULL };
	uint64_t ours[ON_ROUNDS], bare[ON_ROUNDS];
	struct bench_cost cost;
	int status;

	snprintf(trace, sizeof(trace), "%s/trace", scratch);
	snprintf(output, sizeof(output), "%s/output", scratch);
	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	setenv(CHILD, "1", 1);
	status = bench_command(argv, output, &cost);
	unsetenv(CHILD);
	if (status || !read_rounds(output, ours, bare)) {
		bench_skip(bench, "on: no traced process could be run (ioasis record: status %d)",
			   status);
		return;
	}
	bench_figure(bench, "on, an event of a map",
		     (double)bench_median(ours, ON_ROUNDS) / ON_CALLS / 2, "ns");
	bench_figure(bench, "on, a bare event with its fields",
		     (double)bench_median(bare, ON_ROUNDS) / ON_CALLS / 2, "ns");
	bench_ratio_at_most(bench, "on, to a bare event", ours, bare, ON_ROUNDS, 1.1);
}

int bench_tracing(struct bench *bench)
{
	char scratch[PATH_MAX];
	int ret;

	if (getenv(CHILD))
		return run_child();
	ret = bench_scratch(scratch, sizeof(scratch));
	if (ret)
		return ret;
	measure_off(bench);
	measure_on(bench, scratch);
	bench_scratch_remove(scratch);
	return 0;
}
