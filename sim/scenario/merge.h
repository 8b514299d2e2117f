/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of many runs, joined: runs with the same settings and different seeds
 * are one point, with the mean of each number and its 95 % confidence interval
 * (Student's t, since runs are few).
 */
#ifndef IOASIS_SCENARIO_MERGE_H
#define IOASIS_SCENARIO_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct merge;

#define MERGE_ERROR_BYTES 512

/* NULL: out of memory. */
struct merge *merge_create(void);
void merge_destroy(struct merge *merge);

/*
 * Adds the JSON of one run. 0, or -errno with one line in error that names path:
 * not readable, not such JSON, of another scenario, or the same run twice.
 */
int merge_add(struct merge *merge, const char *path, char error[MERGE_ERROR_BYTES]);

/* The same; -EINVAL also if the run is not that of these settings ("KEY=VALUE ...") and seed. */
int merge_add_run(struct merge *merge, const char *path, const char *settings, uint64_t seed,
		  char error[MERGE_ERROR_BYTES]);

/* Sorts the points; after the last merge_add() and before what follows. */
void merge_sort(struct merge *merge);

/* The number of a metric ("nic.line_share_ppm"), or -1. */
int merge_metric_find(const struct merge *merge, const char *name);
size_t merge_metrics_count(const struct merge *merge);
const char *merge_metric_name(const struct merge *merge, size_t metric);
/* What it is counted in, from the end of its name: "ns", "ppm", "bytes", "bit/s"; "" a number. */
const char *merge_metric_unit(const struct merge *merge, size_t metric);
/* Whether it is not the same in all runs. */
bool merge_metric_varies(const struct merge *merge, size_t metric);

size_t merge_points_count(const struct merge *merge);
size_t merge_runs_count(const struct merge *merge);
const char *merge_scenario(const struct merge *merge);

/* The settings of a point as "KEY=VALUE KEY=VALUE", and the value of one key or NULL. */
const char *merge_point_settings(const struct merge *merge, size_t point);
const char *merge_point_setting(const struct merge *merge, size_t point, const char *key, char *buf,
				size_t size);

struct merge_stat {
	size_t count;
	double mean;
	double half_width; /* of the 95 % confidence interval; NAN with one run: there is none */
	double min;
	double max;
};

struct merge_stat merge_stat(const struct merge *merge, size_t point, size_t metric);

/*
 * Draws a metric over the values of key x as SVG: points with their intervals, a line
 * and a mark for each combination of the other settings. -ENOENT: no point has x.
 */
int merge_draw(const struct merge *merge, size_t metric, const char *x, FILE *out);

#endif
