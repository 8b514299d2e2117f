/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mapping costs when 1,000 live and when 1,000,000 live, in the engine and
 * in two ready-made trees that hold the same intervals; and the memory of each.
 *
 * In order: a queue, the oldest mapping goes and a new one comes behind the
 * newest, as a driver maps its buffers. At random: any mapping goes and comes
 * back; with a million that is the price of cache misses, for every structure.
 * The engine is measured by whole ioctls, the trees by their bare functions.
 * Every measurement runs in a process of its own, whose memory is all its own.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/interval_store.h"

#define FEW 1000u
#define MANY 1000000u
#define VERY_MANY 10000000u
#define LENGTH 4096ull
#define STRIDE 8192ull /* a hole behind each mapping */
#define FIRST 0x1000000ull
#define BATCH 256u
#define BATCHES 800u

/* Nanoseconds an operation, the median of batches; bytes a mapping. */
struct costs {
	uint64_t map, unmap, anywhere, lookup;
	uint64_t bytes;
	bool good;
};

struct run {
	const struct interval_store *ops;
	void *store;
	uint64_t *starts; /* of the live mappings */
	uint32_t count;
	uint32_t oldest; /* in order: index of the oldest */
	uint64_t next;	 /* in order: where the next one goes */
	bool at_random;
	uint64_t random;
	uint32_t batch[BATCH]; /* indexes that the present batch is about */
	uint64_t address[BATCH]; /* and their starts: reading those is no part of a store's cost */
	uint64_t times[4][BATCHES];
};

static uint64_t run_random(struct run *run)
{
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return run->random;
}

static uint64_t resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (!statm)
		return 0;
	if (fscanf(statm, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(statm);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Chooses the mappings of a batch: no one twice. */
static void batch_choose(struct run *run)
{
	uint32_t step = run->count / BATCH;
	uint32_t first = (uint32_t)(run_random(run) % run->count);

	for (uint32_t i = 0; i < BATCH; i++) {
		uint32_t jump = run->at_random && step > 1 ? (uint32_t)(run_random(run) % step) : 0;

		run->batch[i] = run->at_random ? (first + i * step + jump) % run->count :
						 (run->oldest + i) % run->count;
		run->address[i] = run->starts[run->batch[i]];
	}
}

static bool batch_unmap(struct run *run, uint64_t *ns)
{
	uint64_t begin = bench_now_ns();

	for (uint32_t i = 0; i < BATCH; i++) {
		if (!run->ops->unmap(run->store, run->address[i], LENGTH))
			return false;
	}
	*ns = bench_now_ns() - begin;
	return true;
}

static bool batch_map(struct run *run, uint64_t *ns)
{
	uint64_t begin;

	for (uint32_t i = 0; i < BATCH && !run->at_random; i++, run->next += STRIDE)
		run->starts[run->batch[i]] = run->address[i] = run->next;
	begin = bench_now_ns();
	for (uint32_t i = 0; i < BATCH; i++) {
		if (!run->ops->map(run->store, run->address[i], LENGTH))
			return false;
	}
	*ns = bench_now_ns() - begin;
	run->oldest = (run->oldest + BATCH) % run->count;
	return true;
}

static bool batch_map_anywhere(struct run *run, uint64_t *ns)
{
	uint64_t begin = bench_now_ns();

	for (uint32_t i = 0; i < BATCH; i++) {
		if (!run->ops->map_anywhere(run->store, LENGTH, &run->address[i]))
			return false;
	}
	*ns = bench_now_ns() - begin;
	for (uint32_t i = 0; i < BATCH; i++)
		run->starts[run->batch[i]] = run->address[i];
	run->oldest = (run->oldest + BATCH) % run->count;
	return true;
}

static bool batch_lookup(struct run *run, uint64_t *ns)
{
	uint64_t begin = bench_now_ns();

	for (uint32_t i = 0; i < BATCH; i++) {
		if (!run->ops->lookup(run->store, run->address[i] + 8))
			return false;
	}
	*ns = bench_now_ns() - begin;
	run->oldest = (run->oldest + BATCH) % run->count;
	return true;
}

/* Maps count intervals, at addresses in rising order or shuffled. */
static bool run_fill(struct run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		run->starts[i] = FIRST + i * STRIDE;
	run->next = FIRST + run->count * STRIDE;
	for (uint32_t i = run->count - 1; i && run->at_random; i--) {
		uint32_t j = (uint32_t)(run_random(run) % (i + 1));
		uint64_t start = run->starts[i];

		run->starts[i] = run->starts[j];
		run->starts[j] = start;
	}
	for (uint32_t i = 0; i < run->count; i++) {
		if (!run->ops->map(run->store, run->starts[i], LENGTH))
			return false;
	}
	return true;
}

static bool run_measure(struct run *run, struct costs *costs)
{
	uint64_t ignored;

	for (uint32_t i = 0; i < BATCHES; i++) {
		batch_choose(run);
		if (!batch_unmap(run, &run->times[0][i]) || !batch_map(run, &run->times[1][i]))
			return false;
	}
	if (run->ops->prepare_lookup && !run->ops->prepare_lookup(run->store))
		return false;
	for (uint32_t i = 0; i < BATCHES; i++) {
		batch_choose(run);
		if (!batch_lookup(run, &run->times[2][i]))
			return false;
	}
	for (uint32_t i = 0; i < BATCHES && run->ops->map_anywhere; i++) {
		batch_choose(run);
		if (!batch_unmap(run, &ignored) || !batch_map_anywhere(run, &run->times[3][i]))
			return false;
	}
	costs->unmap = bench_median(run->times[0], BATCHES) / BATCH;
	costs->map = bench_median(run->times[1], BATCHES) / BATCH;
	costs->lookup = bench_median(run->times[2], BATCHES) / BATCH;
	costs->anywhere = bench_median(run->times[3], BATCHES) / BATCH;
	return true;
}

/* All of one measurement. measure false: only fill, for the memory. */
static struct costs run_all(const struct interval_store *ops, uint32_t count, bool at_random,
			    bool measure)
{
	static struct run run;
	struct costs costs = { 0 };
	uint64_t before;

	run = (struct run){ .ops = ops, .count = count, .at_random = at_random,
			    .random = 88172645463325252ull };
	run.starts = calloc(count, sizeof(*run.starts));
	if (!run.starts)
		return costs;
	for (uint32_t i = 0; i < count; i++)
		run.starts[i] = i; /* resident before the memory is measured */
	run.store = ops->create();
	if (!run.store)
		goto out_free;
	before = resident_bytes();
	if (run_fill(&run)) {
		costs.bytes = (resident_bytes() - before) / count;
		costs.good = !measure || run_measure(&run, &costs);
	}
	ops->destroy(run.store);
out_free:
	free(run.starts);
	return costs;
}

/* The same in a process of its own. */
static int run_apart(const struct interval_store *ops, uint32_t count, bool at_random,
		     bool measure, struct costs *costs)
{
	ssize_t got;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (!pid) {
		*costs = run_all(ops, count, at_random, measure);
		_exit(write(ends[1], costs, sizeof(*costs)) != sizeof(*costs));
	}
	close(ends[1]);
	got = read(ends[0], costs, sizeof(*costs));
	close(ends[0]);
	waitpid(pid, NULL, 0);
	if (got != sizeof(*costs) || !costs->good)
		return -EIO;
	return 0;
}

/* ---- reports ------------------------------------------------------------------- */

#define BAR_RATIO 4.0
#define BAR_ANYWHERE 2.0
#define BAR_BYTES 130.0

/* few, many: the same cost of a store of each size. bar 0: none. */
static void report_ratio(struct bench *bench, const char *what, uint64_t few, uint64_t many,
			 double bar)
{
	double ratio = few ? (double)many / (double)few : 0;
	char text[160];

	snprintf(text, sizeof(text), "%s, of 1,000", what);
	bench_figure(bench, text, (double)few, "ns");
	snprintf(text, sizeof(text), "%s, of 1,000,000", what);
	bench_figure(bench, text, (double)many, "ns");
	snprintf(text, sizeof(text), "%s, ratio", what);
	if (bar > 0)
		bench_at_most(bench, text, ratio, bar, "");
	else
		bench_figure(bench, text, ratio, "");
}

static int bench_store(struct bench *bench, const struct interval_store *ops, bool at_random)
{
	bool has_bar = ops == &store_engine;
	const char *order = at_random ? "at random" : "in order";
	struct costs few, many;
	char what[64];
	int rc;

	rc = run_apart(ops, FEW, at_random, true, &few);
	if (!rc)
		rc = run_apart(ops, MANY, at_random, true, &many);
	if (rc)
		return rc;
	snprintf(what, sizeof(what), "%s, map, %s", ops->name, order);
	report_ratio(bench, what, few.map, many.map, has_bar ? BAR_RATIO : 0);
	snprintf(what, sizeof(what), "%s, unmap, %s", ops->name, order);
	report_ratio(bench, what, few.unmap, many.unmap, has_bar ? BAR_RATIO : 0);
	snprintf(what, sizeof(what), "%s, look-up, %s", ops->name, order);
	report_ratio(bench, what, few.lookup, many.lookup, has_bar ? BAR_RATIO : 0);
	if (ops->map_anywhere) {
		snprintf(what, sizeof(what), "%s, automatic address, %s", ops->name, order);
		report_ratio(bench, what, few.anywhere, many.anywhere, has_bar ? BAR_ANYWHERE : 0);
	}
	snprintf(what, sizeof(what), "%s, memory a mapping, a million %s", ops->name, order);
	if (has_bar)
		bench_at_most(bench, what, (double)many.bytes, BAR_BYTES, "bytes");
	else
		bench_figure(bench, what, (double)many.bytes, "bytes");
	return 0;
}

#define CHAIN_BYTES (128u << 20)
#define CHAIN_STEPS 2000000u

/*
 * What a load costs that waits for memory: the least that any structure pays for each step of a
 * random access. A walk along a random cycle through 128 MiB of huge pages.
 */
static int bench_memory(struct bench *bench)
{
	size_t lines = CHAIN_BYTES / 64;
	struct run run = { .random = 88172645463325252ull };
	size_t bytes = CHAIN_BYTES + lines * sizeof(uint32_t);
	/* Of its own: what malloc() keeps would be missing in what the stores take. */
	char *chain = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *order = (uint32_t *)(chain + CHAIN_BYTES);
	char *at = chain;
	uint64_t ns;

	if (chain == MAP_FAILED)
		return -ENOMEM;
	madvise(chain, CHAIN_BYTES, MADV_HUGEPAGE);
	for (size_t i = 0; i < lines; i++)
		order[i] = (uint32_t)i;
	for (size_t i = lines - 1; i; i--) {
		size_t j = run_random(&run) % i;
		uint32_t line = order[i];

		order[i] = order[j];
		order[j] = line;
	}
	for (size_t i = 0; i < lines; i++)
		*(char **)(chain + order[i] * (size_t)64) =
			chain + order[(i + 1) % lines] * (size_t)64;
	ns = bench_now_ns();
	for (uint32_t i = 0; i < CHAIN_STEPS; i++)
		at = *(char *volatile *)at;
	ns = bench_now_ns() - ns;
	bench_figure(bench, "a load from memory that no cache has", (double)ns / CHAIN_STEPS, "ns");
	munmap(chain, bytes);
	return 0;
}

int bench_engine(struct bench *bench)
{
	static const struct interval_store *const stores[] = { &store_engine, &store_std_map,
							       &store_glib };
	struct costs costs;
	int rc = bench_memory(bench);

	if (rc)
		return rc;
	for (int at_random = 0; at_random < 2; at_random++) {
		for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++) {
			rc = bench_store(bench, stores[i], at_random);
			if (rc)
				return rc;
		}
	}
	rc = run_apart(&store_engine, VERY_MANY, false, false, &costs);
	if (rc)
		return rc;
	bench_at_most(bench, "engine, memory a mapping, ten million", (double)costs.bytes,
		      BAR_BYTES, "bytes");
	return 0;
}
