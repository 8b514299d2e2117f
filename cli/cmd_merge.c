/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis merge: the results of a sweep as means with confidence intervals, and drawn. */
#include "cli/commands.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/sweep_plan.h"
#include "sim/scenario/merge.h"
#include "text/json_out.h"

#define METRICS_MAX 32

struct options {
	const char *metrics[METRICS_MAX];
	size_t metrics_count;
	const char *draw;
	const char *x;
	bool json, partial;
};

/* A run of a sweep that is not there, or whose file is none of it. */
struct absent {
	char *path;   /* owned, as the others */
	char *reason; /* one line that names the path */
};

struct absents {
	struct absent *items; /* owned */
	size_t count;
};

#define ABSENT_TOLD_MAX 20

static bool set_metric(void *opaque, const char *value)
{
	struct options *options = opaque;

	if (options->metrics_count == METRICS_MAX)
		return false;
	options->metrics[options->metrics_count++] = value;
	return *value;
}

static const struct cli_option option_table[] = {
	{ "metric", 0, "GROUP.NAME", "the name of a number in the results, up to 32 times",
	  "show it, e.g. nic.line_share_ppm (default all that vary)", .set = set_metric },
	{ "draw", 0, "FILE.svg", "a file's name", "draw the first --metric over --x",
	  CLI_TEXT(struct options, draw) },
	{ "x", 0, "KEY", "a key that was varied", "for the drawing (default the first)",
	  CLI_TEXT(struct options, x) },
	{ "partial", 0, NULL, NULL, "go on with the rest where results are missing or damaged",
	  CLI_FLAG(struct options, partial) },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct options, json) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "merge",
	.synopsis = "DIR|FILE.json... [OPTIONS]",
	.summary = "Joins results of 'ioasis simulate --json': means over the seeds.",
	.details = "Runs with the same settings are one line: the mean and its 95 % confidence\n"
		   "interval (Student's t); one run alone has none. In the directory of a sweep it\n"
		   "names the results that are missing or damaged, and then needs --partial.",
	.options = option_table,
	.error_status = 3,
};

static int is_json(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".json");
}

/* What is read: results into merge, what is wrong with others into absents. */
struct reading {
	struct merge *merge;
	struct absents *absents;
	const char *dir;
	bool failed; /* out of memory */
};

static void note_absent(struct reading *reading, const char *path, const char *reason)
{
	struct absents *absents = reading->absents;
	struct absent *items = realloc(absents->items, (absents->count + 1) * sizeof(*items));

	if (!items) {
		reading->failed = true;
		return;
	}
	absents->items = items;
	items += absents->count++;
	*items = (struct absent){ .path = strdup(path), .reason = strdup(reason) };
	reading->failed |= !items->path || !items->reason;
}

static void absents_fini(struct absents *absents)
{
	for (size_t i = 0; i < absents->count; i++) {
		free(absents->items[i].path);
		free(absents->items[i].reason);
	}
	free(absents->items);
}

static void add_file(struct reading *reading, const char *path)
{
	char error[MERGE_ERROR_BYTES];

	if (merge_add(reading->merge, path, error))
		note_absent(reading, path, error);
}

static int add_planned(void *opaque, const struct sweep_planned *run)
{
	struct reading *reading = opaque;
	char path[PATH_MAX], error[PATH_MAX + MERGE_ERROR_BYTES];

	snprintf(path, sizeof(path), "%s/%s", reading->dir, run->name);
	if (access(path, F_OK)) {
		snprintf(error, sizeof(error), "%s: is missing (%s%sseed %" PRIu64 ")", path,
			 run->settings, *run->settings ? ", " : "", run->seed);
		note_absent(reading, path, error);
	} else if (merge_add_run(reading->merge, path, run->settings, run->seed, error)) {
		note_absent(reading, path, error);
	}
	return 0;
}

/* A directory without a plan: all results that lie there. */
static int add_all(struct reading *reading, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_json, alphasort);

	if (count < 0)
		return cli_fail(&command, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		add_file(reading, path);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static int add_path(struct reading *reading, const char *path)
{
	char error[SWEEP_PLAN_ERROR_BYTES];
	struct stat st;
	int ret;

	if (stat(path, &st))
		return cli_fail(&command, "'%s': %s; name the directory of a sweep", path,
				strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		add_file(reading, path);
		return 0;
	}
	reading->dir = path;
	ret = sweep_plan_each(path, add_planned, reading, error);
	if (ret == -ENOENT)
		return add_all(reading, path);
	return ret ? cli_fail(&command, "%s", error) : 0;
}

/* Says what is missing; false: the user did not say that the rest will do. */
static bool tell_absents(const struct options *options, const struct absents *absents)
{
	size_t told = absents->count < ABSENT_TOLD_MAX ? absents->count : ABSENT_TOLD_MAX;

	for (size_t i = 0; i < told; i++)
		fprintf(stderr, "ioasis merge: %s\n", absents->items[i].reason);
	if (told < absents->count)
		fprintf(stderr, "ioasis merge: and %zu more\n", absents->count - told);
	return !absents->count || options->partial;
}

static bool is_wanted(const struct options *options, const struct merge *merge, size_t metric)
{
	if (!options->metrics_count)
		return merge_metric_varies(merge, metric);
	for (size_t i = 0; i < options->metrics_count; i++) {
		if (!strcmp(options->metrics[i], merge_metric_name(merge, metric)))
			return true;
	}
	return false;
}

static void print_table(const struct options *options, const struct merge *merge,
			const struct absents *absents)
{
	printf("%s: %zu runs, %zu settings", merge_scenario(merge), merge_runs_count(merge),
	       merge_points_count(merge));
	if (absents->count)
		printf("; %zu results are missing or damaged", absents->count);
	printf("\n\n%-28s %5s %18s %16s %-5s  %s\n", "number", "runs", "mean", "95 % +-", "unit",
	       "settings");
	for (size_t metric = 0; metric < merge_metrics_count(merge); metric++) {
		if (!is_wanted(options, merge, metric))
			continue;
		for (size_t point = 0; point < merge_points_count(merge); point++) {
			struct merge_stat stat = merge_stat(merge, point, metric);

			char width[32] = "-";

			if (!isnan(stat.half_width))
				snprintf(width, sizeof(width), "%.2f", stat.half_width);
			printf("%-28s %5zu %18.2f %16s %-5s  %s\n", merge_metric_name(merge, metric),
			       stat.count, stat.mean, width, merge_metric_unit(merge, metric),
			       merge_point_settings(merge, point));
		}
	}
}

static void print_json(const struct options *options, const struct merge *merge,
		       const struct absents *absents)
{
	struct json_out json;

	json_out_init(&json, stdout);
	json_out_begin(&json, NULL, '{');
	json_out_string(&json, "scenario", merge_scenario(merge));
	json_out_u64(&json, "runs", merge_runs_count(merge));
	json_out_begin(&json, "missing", '[');
	for (size_t i = 0; i < absents->count; i++) {
		json_out_begin(&json, NULL, '{');
		json_out_string(&json, "file", absents->items[i].path);
		json_out_string(&json, "reason", absents->items[i].reason);
		json_out_end(&json, '}');
	}
	json_out_end(&json, ']');
	json_out_begin(&json, "results", '[');
	for (size_t metric = 0; metric < merge_metrics_count(merge); metric++) {
		if (!is_wanted(options, merge, metric))
			continue;
		for (size_t point = 0; point < merge_points_count(merge); point++) {
			struct merge_stat stat = merge_stat(merge, point, metric);

			json_out_begin(&json, NULL, '{');
			json_out_string(&json, "number", merge_metric_name(merge, metric));
			json_out_string(&json, "unit", merge_metric_unit(merge, metric));
			json_out_string(&json, "settings", merge_point_settings(merge, point));
			json_out_u64(&json, "runs", stat.count);
			json_out_decimal(&json, "mean", stat.mean);
			json_out_decimal(&json, "ci95", stat.half_width);
			json_out_decimal(&json, "min", stat.min);
			json_out_decimal(&json, "max", stat.max);
			json_out_end(&json, '}');
		}
	}
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	putchar('\n');
}

/* The first key of the first point that has settings. */
static const char *first_key(const struct merge *merge, char *buf, size_t size)
{
	for (size_t i = 0; i < merge_points_count(merge); i++) {
		const char *settings = merge_point_settings(merge, i);

		if (*settings) {
			snprintf(buf, size, "%.*s", (int)strcspn(settings, "="), settings);
			return buf;
		}
	}
	return NULL;
}

static int draw(const struct options *options, const struct merge *merge)
{
	char key[64];
	const char *x = options->x ? options->x : first_key(merge, key, sizeof(key));
	struct output output;
	int err;

	if (!x)
		return cli_fail(&command,
				"--draw: nothing was varied, so there is nothing to draw");
	err = output_begin(&output, options->draw);
	if (err)
		return cli_fail(&command, "--draw %s: %s", options->draw, strerror(-err));
	err = merge_draw(merge, (size_t)merge_metric_find(merge, options->metrics[0]), x,
			 output.file);
	if (err) {
		output_abort(&output);
	} else {
		err = output_commit(&output);
		if (err)
			return cli_fail(&command, "--draw %s: %s", options->draw, strerror(-err));
	}
	if (err == -ENOENT)
		return cli_fail(&command, "--x %s: no result has that setting", x);
	return err ? cli_fail(&command, "--draw %s: %s", options->draw, strerror(-err)) : 0;
}

static int merge_all(const struct options *options, struct merge *merge, struct absents *absents,
		     char **paths, int count)
{
	struct reading reading = { .merge = merge, .absents = absents };
	int status = 0;

	for (int i = 0; i < count && !status; i++)
		status = add_path(&reading, paths[i]);
	if (!status && reading.failed)
		status = cli_fail(&command, "out of memory");
	if (status)
		return status;
	if (!tell_absents(options, absents))
		return cli_fail(&command,
				"%zu of %zu results are missing or damaged; remove the damaged, and "
				"the same 'ioasis sweep' makes them; or say --partial",
				absents->count, absents->count + merge_runs_count(merge));
	if (!merge_runs_count(merge))
		return cli_fail(&command, "%s: holds no results; run 'ioasis sweep' first",
				paths[0]);
	for (size_t i = 0; i < options->metrics_count; i++) {
		if (merge_metric_find(merge, options->metrics[i]) < 0)
			return cli_fail(&command,
					"--metric %s: is no number of the results; "
					"--json without it lists those that vary",
					options->metrics[i]);
	}
	merge_sort(merge);
	if (options->json)
		print_json(options, merge, absents);
	else
		print_table(options, merge, absents);
	return options->draw ? draw(options, merge) : 0;
}

int cmd_merge(int argc, char **argv)
{
	struct options options = { .json = false };
	struct absents absents = { .count = 0 };
	struct merge *merge;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no results given; say the directory of a sweep");
	if (options.draw && !options.metrics_count)
		return cli_fail(&command, "--draw needs --metric: which number to draw");
	merge = merge_create();
	if (!merge)
		return cli_fail(&command, "out of memory");
	status = merge_all(&options, merge, &absents, argv + first, argc - first);
	absents_fini(&absents);
	merge_destroy(merge);
	return status;
}
