/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/merge.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES     80
#define SETTINGS_BYTES 512

struct run {
	uint64_t seed;
	double *values; /* one a metric; owned */
};

struct point {
	char settings[SETTINGS_BYTES];
	size_t order;	  /* of appearance: the order in which a sweep names its values */
	struct run *runs; /* owned */
	size_t runs_count;
};

struct merge {
	char scenario[NAME_BYTES];
	char (*metrics)[NAME_BYTES]; /* owned */
	size_t metrics_count;
	struct point *points; /* owned */
	size_t points_count;
	size_t runs_count;
};

struct merge *merge_create(void)
{
	return calloc(1, sizeof(struct merge));
}

void merge_destroy(struct merge *merge)
{
	if (!merge)
		return;
	for (size_t i = 0; i < merge->points_count; i++) {
		for (size_t k = 0; k < merge->points[i].runs_count; k++)
			free(merge->points[i].runs[k].values);
		free(merge->points[i].runs);
	}
	free(merge->points);
	free(merge->metrics);
	free(merge);
}

/* ---- reading ------------------------------------------------------------------ */

/* Calls visit for each number of the groups; its name is GROUP.NAME. */
static int each_number(struct json_object *json,
		       int (*visit)(void *opaque, const char *name, double value), void *opaque)
{
	json_object_object_foreach(json, group, members)
	{
		if (!json_object_is_type(members, json_type_object))
			continue;
		json_object_object_foreach(members, key, value)
		{
			char name[NAME_BYTES];
			int err;

			snprintf(name, sizeof(name), "%s.%s", group, key);
			err = visit(opaque, name,
				    json_object_is_type(value, json_type_boolean)
					    ? json_object_get_boolean(value)
					    : json_object_get_double(value));
			if (err)
				return err;
		}
	}
	return 0;
}

static int add_metric(void *opaque, const char *name, double value)
{
	struct merge *merge = opaque;
	void *metrics =
		realloc(merge->metrics, (merge->metrics_count + 1) * sizeof(*merge->metrics));

	(void)value;
	if (!metrics)
		return -ENOMEM;
	merge->metrics = metrics;
	snprintf(merge->metrics[merge->metrics_count++], NAME_BYTES, "%s", name);
	return 0;
}

struct values_request {
	const struct merge *merge;
	double *values;
	size_t count;
};

/* All runs of a scenario have the same numbers in the same order. */
static int take_value(void *opaque, const char *name, double value)
{
	struct values_request *request = opaque;

	if (request->count == request->merge->metrics_count ||
	    strcmp(request->merge->metrics[request->count], name))
		return -EINVAL;
	request->values[request->count++] = value;
	return 0;
}

static void read_settings(struct json_object *json, char settings[SETTINGS_BYTES])
{
	struct json_object *list = NULL;

	settings[0] = 0;
	if (!json_object_object_get_ex(json, "settings", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		size_t length = strlen(settings);

		snprintf(settings + length, SETTINGS_BYTES - length, "%s%s", i ? " " : "",
			 json_object_get_string(json_object_array_get_idx(list, i)));
	}
}

static struct point *point_of(struct merge *merge, const char *settings)
{
	struct point *points;

	for (size_t i = 0; i < merge->points_count; i++) {
		if (!strcmp(merge->points[i].settings, settings))
			return &merge->points[i];
	}
	points = realloc(merge->points, (merge->points_count + 1) * sizeof(*points));
	if (!points)
		return NULL;
	merge->points = points;
	points += merge->points_count;
	*points = (struct point){ .order = merge->points_count++ };
	snprintf(points->settings, sizeof(points->settings), "%s", settings);
	return points;
}

static int fail(char *error, int err, const char *path, const char *why)
{
	snprintf(error, MERGE_ERROR_BYTES, "%s: %s", path, why);
	return err;
}

static int add_run(struct merge *merge, struct json_object *json, uint64_t seed, const char *path,
		   char *error)
{
	char settings[SETTINGS_BYTES];
	struct values_request request = { .merge = merge };
	struct point *point;
	struct run *runs;

	read_settings(json, settings);
	point = point_of(merge, settings);
	if (!point)
		return fail(error, -ENOMEM, path, "out of memory");
	for (size_t i = 0; i < point->runs_count; i++) {
		if (point->runs[i].seed == seed)
			return fail(
				error, -EEXIST, path,
				"its settings and seed are those of another file; take one out");
	}
	request.values = calloc(merge->metrics_count + 1, sizeof(*request.values));
	runs = realloc(point->runs, (point->runs_count + 1) * sizeof(*runs));
	if (runs)
		point->runs = runs;
	if (!runs || !request.values) {
		free(request.values);
		return fail(error, -ENOMEM, path, "out of memory");
	}
	if (each_number(json, take_value, &request) || request.count != merge->metrics_count) {
		free(request.values);
		return fail(error, -EINVAL, path,
			    "its numbers are not those of the files before; merge one scenario");
	}
	runs[point->runs_count++] = (struct run){ .seed = seed, .values = request.values };
	merge->runs_count++;
	return 0;
}

static uint64_t seed_of(struct json_object *json)
{
	return json_object_get_uint64(json_object_object_get(json, "seed"));
}

/* Takes the run in if it is of the scenario of those before. */
static int add_result(struct merge *merge, struct json_object *json, const char *path, char *error)
{
	const char *name = json_object_get_string(json_object_object_get(json, "scenario"));
	int err = 0;

	if (!merge->runs_count && !merge->metrics_count) {
		snprintf(merge->scenario, sizeof(merge->scenario), "%s", name);
		err = each_number(json, add_metric, merge);
	} else if (strcmp(merge->scenario, name)) {
		err = fail(error, -EINVAL, path, "is of another scenario; merge one at a time");
	}
	return err ? err : add_run(merge, json, seed_of(json), path, error);
}

/* The result in the file; NULL with the reason. The caller puts it. */
static struct json_object *read_result(const char *path, int *err, char *error)
{
	struct json_object *json = json_object_from_file(path), *name = NULL, *seed = NULL;

	if (!json) {
		*err = fail(error, -EINVAL, path,
			    "cannot be read as JSON; name results of 'ioasis simulate --json'");
		return NULL;
	}
	if (json_object_is_type(json, json_type_object) &&
	    json_object_object_get_ex(json, "scenario", &name) && name &&
	    json_object_object_get_ex(json, "seed", &seed))
		return json;
	*err = fail(error, -EINVAL, path, "is no result of 'ioasis simulate --json'");
	json_object_put(json);
	return NULL;
}

int merge_add(struct merge *merge, const char *path, char error[MERGE_ERROR_BYTES])
{
	int err = 0;
	struct json_object *json = read_result(path, &err, error);

	if (!json)
		return err;
	err = add_result(merge, json, path, error);
	json_object_put(json);
	return err;
}

int merge_add_run(struct merge *merge, const char *path, const char *settings, uint64_t seed,
		  char error[MERGE_ERROR_BYTES])
{
	int err = 0;
	struct json_object *json = read_result(path, &err, error);
	char found[SETTINGS_BYTES];

	if (!json)
		return err;
	read_settings(json, found);
	if (seed_of(json) != seed || strcmp(found, settings))
		err = fail(error, -EINVAL, path, "is the result of another run");
	else
		err = add_result(merge, json, path, error);
	json_object_put(json);
	return err;
}

/* ---- what there is --------------------------------------------------------------- */

/* What a unit that begins with this letter multiplies by; 1 for all that is none. */
static double unit_factor(const char *unit)
{
	static const struct {
		const char *name;
		double factor;
	} units[] = {
		{ "ns", 1e-9 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "k", 1e3 },
		{ "K", 1e3 },	{ "M", 1e6 },	{ "G", 1e9 },	{ "T", 1e12 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strncmp(unit, units[i].name, strlen(units[i].name)))
			return units[i].factor;
	}
	return 1;
}

/* Numbers in a text count as numbers: 10G is before 100G, and 2MiB before 1GiB. */
static int compare_text(const char *a, const char *b)
{
	while (*a && *b) {
		char *a_end, *b_end;
		double x = strtod(a, &a_end), y = strtod(b, &b_end);

		if (a_end != a && b_end != b) {
			x *= unit_factor(a_end);
			y *= unit_factor(b_end);
			if (x != y)
				return x < y ? -1 : 1;
			a = a_end;
			b = b_end;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *a ? 1 : *b ? -1 : 0;
}

static int compare_points(const void *a, const void *b)
{
	return compare_text(((const struct point *)a)->settings,
			    ((const struct point *)b)->settings);
}

static int compare_runs(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->seed < y->seed ? -1 : x->seed > y->seed;
}

void merge_sort(struct merge *merge)
{
	qsort(merge->points, merge->points_count, sizeof(*merge->points), compare_points);
	/* Sums of floating-point numbers depend on their order: by seed, not by file. */
	for (size_t i = 0; i < merge->points_count; i++)
		qsort(merge->points[i].runs, merge->points[i].runs_count, sizeof(struct run),
		      compare_runs);
}

int merge_metric_find(const struct merge *merge, const char *name)
{
	for (size_t i = 0; i < merge->metrics_count; i++) {
		if (!strcmp(merge->metrics[i], name))
			return (int)i;
	}
	return -1;
}

size_t merge_metrics_count(const struct merge *merge)
{
	return merge->metrics_count;
}

const char *merge_metric_name(const struct merge *merge, size_t metric)
{
	return merge->metrics[metric];
}

const char *merge_metric_unit(const struct merge *merge, size_t metric)
{
	static const struct {
		const char *end, *unit;
	} units[] = {
		{ "_ns", "ns" }, { "_ppm", "ppm" }, { "bytes", "bytes" }, { "_bits", "bit/s" },
		{ "_per_s", "1/s" },
	};
	const char *name = merge->metrics[metric];
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t end = strlen(units[i].end);

		if (length >= end && !strcmp(name + length - end, units[i].end))
			return units[i].unit;
	}
	return "";
}

bool merge_metric_varies(const struct merge *merge, size_t metric)
{
	double first = merge->points[0].runs[0].values[metric];

	for (size_t i = 0; i < merge->points_count; i++) {
		for (size_t k = 0; k < merge->points[i].runs_count; k++) {
			if (merge->points[i].runs[k].values[metric] != first)
				return true;
		}
	}
	return false;
}

size_t merge_points_count(const struct merge *merge)
{
	return merge->points_count;
}

size_t merge_runs_count(const struct merge *merge)
{
	return merge->runs_count;
}

const char *merge_scenario(const struct merge *merge)
{
	return merge->scenario;
}

const char *merge_point_settings(const struct merge *merge, size_t point)
{
	return merge->points[point].settings;
}

const char *merge_point_setting(const struct merge *merge, size_t point, const char *key, char *buf,
				size_t size)
{
	const char *at = merge->points[point].settings;
	size_t length = strlen(key);

	for (; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		if (strncmp(at, key, length) || at[length] != '=')
			continue;
		at += length + 1;
		snprintf(buf, size, "%.*s", (int)strcspn(at, " "), at);
		return buf;
	}
	return NULL;
}

/* Student's t for 95 %, two-sided, by degrees of freedom; beyond 30 nearly the normal's. */
static double student_t(size_t freedom)
{
	static const double t[] = {
		0,     12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179,  2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080,
		2.074, 2.069,  2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
	};

	return freedom < sizeof(t) / sizeof(*t) ? t[freedom] : 1.96 + 2.5 / (double)freedom;
}

struct merge_stat merge_stat(const struct merge *merge, size_t point, size_t metric)
{
	const struct point *p = &merge->points[point];
	struct merge_stat stat = { .count = p->runs_count };
	double squares = 0;

	stat.min = stat.max = p->runs[0].values[metric];
	for (size_t i = 0; i < p->runs_count; i++) {
		double value = p->runs[i].values[metric];

		stat.mean += value / (double)p->runs_count;
		stat.min = value < stat.min ? value : stat.min;
		stat.max = value > stat.max ? value : stat.max;
	}
	if (p->runs_count < 2) {
		stat.half_width = NAN;
		return stat;
	}
	for (size_t i = 0; i < p->runs_count; i++) {
		double off = p->runs[i].values[metric] - stat.mean;

		squares += off * off;
	}
	stat.half_width = student_t(p->runs_count - 1) *
			  sqrt(squares / (double)(p->runs_count - 1) / (double)p->runs_count);
	return stat;
}
