/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cost_from.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/analysis.h"
#include "cli/read_traces.h"

#define PAGE_BYTES 4096u
#define SIZES	   52u /* powers of two of pages */

enum kind {
	KIND_MAP,
	KIND_UNMAP,
	KIND_OBJECT,
	KIND_COUNT,
};

/* The latencies of the calls of one kind and size. */
struct samples {
	uint64_t *ns; /* owned */
	size_t count;
	size_t size;
	uint64_t pages; /* sum over the calls */
};

struct measures {
	struct samples samples[KIND_COUNT][SIZES];
	bool out_of_memory;
};

static bool kind_of(const struct state_op *op, enum kind *kind)
{
	switch (op->op) {
	case OP_MAP_DMA:
		*kind = KIND_MAP;
		return true;
	case OP_UNMAP_DMA:
		*kind = KIND_UNMAP;
		return !op->non_exist;
	case OP_ALLOC_IOAS:
	case OP_FREE_ID:
		*kind = KIND_OBJECT;
		return true;
	default:
		return false;
	}
}

static void keep_latency(void *opaque, const struct state_op *op)
{
	struct measures *measures = opaque;
	uint64_t pages = op->size / PAGE_BYTES;
	struct samples *samples;
	enum kind kind;

	if (op->layer != STATE_BACKEND || !op->returned || !op->begin_seen || op->ret ||
	    op->end_ns < op->begin_ns || !kind_of(op, &kind))
		return;
	samples = &measures->samples[kind][pages ? 63 - (unsigned int)__builtin_clzll(pages) : 0];
	if (samples->count == samples->size) {
		size_t size = samples->size ? samples->size * 2 : 256;
		uint64_t *ns = realloc(samples->ns, size * sizeof(*ns));

		if (!ns) {
			measures->out_of_memory = true;
			return;
		}
		samples->ns = ns;
		samples->size = size;
	}
	samples->ns[samples->count++] = (uint64_t)(op->end_ns - op->begin_ns);
	samples->pages += pages;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A fixed part and one a page, both in nanoseconds. */
struct line {
	uint64_t fixed_ns;
	uint64_t page_ns;
	size_t calls;
};

/*
 * Least squares over the sizes, each at its mean number of pages and median latency,
 * with the relative error counting: a weight of 1 / latency squared.
 */
static struct line fit(struct samples *sizes)
{
	double weight = 0, pages_sum = 0, ns_sum = 0, pages_squares = 0, products = 0, slope;
	double determinant, fixed;
	struct line line = { 0 };
	size_t points = 0;

	for (unsigned int i = 0; i < SIZES; i++) {
		double pages, ns, w;

		if (!sizes[i].count)
			continue;
		qsort(sizes[i].ns, sizes[i].count, sizeof(*sizes[i].ns), compare_ns);
		ns = (double)sizes[i].ns[sizes[i].count / 2];
		pages = (double)sizes[i].pages / (double)sizes[i].count;
		w = 1 / ((ns + 1) * (ns + 1));
		weight += w;
		pages_sum += w * pages;
		ns_sum += w * ns;
		pages_squares += w * pages * pages;
		products += w * pages * ns;
		line.calls += sizes[i].count;
		points++;
	}
	if (!points)
		return line;
	determinant = weight * pages_squares - pages_sum * pages_sum;
	slope = points > 1 && determinant > 0
			? (weight * products - pages_sum * ns_sum) / determinant
			: 0;
	slope = slope > 0 ? slope : 0;
	fixed = (ns_sum - slope * pages_sum) / weight;
	line.page_ns = (uint64_t)(slope + 0.5);
	line.fixed_ns = fixed > 0 ? (uint64_t)(fixed + 0.5) : 0;
	return line;
}

static void add_setting(struct cost_from *costs, const char *key, uint64_t ns)
{
	snprintf(costs->settings[costs->count++], COST_FROM_BYTES, "cost.%s=%" PRIu64 "ns", key,
		 ns);
}

static int make_settings(const struct cli_command *command, const char *path,
			 struct measures *measures, struct cost_from *costs)
{
	struct line map = fit(measures->samples[KIND_MAP]);
	struct line unmap = fit(measures->samples[KIND_UNMAP]);
	struct line object = fit(measures->samples[KIND_OBJECT]);

	if (measures->out_of_memory)
		return cli_fail(command, "out of memory");
	if (!map.calls || !unmap.calls)
		return cli_fail(command,
				"--cost-from %s: has no maps or no unmaps that succeeded; record a "
				"longer one",
				path);
	costs->count = 0;
	/* What was measured has the system call in it. */
	add_setting(costs, "call", 0);
	add_setting(costs, "map", map.fixed_ns);
	add_setting(costs, "map_more", 0);
	add_setting(costs, "pin", map.page_ns);
	add_setting(costs, "unmap", unmap.fixed_ns);
	add_setting(costs, "unmap_more", 0);
	add_setting(costs, "unpin", unmap.page_ns);
	if (object.calls)
		add_setting(costs, "object", object.fixed_ns);
	return 0;
}

int cost_from_trace(const struct cli_command *command, char *path, struct cost_from *costs)
{
	static const struct analysis_observer observer = { .op = keep_latency };
	struct measures *measures = calloc(1, sizeof(*measures));
	struct analysis *analysis = analysis_create();
	char *paths[] = { path };
	int status;

	if (!measures || !analysis || analysis_observe(analysis, &observer, measures)) {
		status = cli_fail(command, "out of memory");
		goto out;
	}
	status = cli_read_traces(command, analysis, paths, 1);
	if (!status)
		status = make_settings(command, path, measures, costs);
out:
	analysis_destroy(analysis);
	for (unsigned int k = 0; measures && k < KIND_COUNT; k++) {
		for (unsigned int i = 0; i < SIZES; i++)
			free(measures->samples[k][i].ns);
	}
	free(measures);
	return status;
}
