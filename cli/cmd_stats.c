/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis stats: how many calls, how they failed, how long they took. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/stats/stats.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/read_traces.h"

struct options {
	enum stats_view view;
	bool json;
};

static bool set_by(void *opaque, const char *value)
{
	return stats_view_find(value, &((struct options *)opaque)->view);
}

static const struct cli_option option_table[] = {
	{ "by", 0, "WHAT", STATS_VIEWS_TEXT,
	  "a row per operation (default), process, thread, space or device", .set = set_by },
	{ "json", 0, NULL, NULL, "print all of it as JSON", CLI_FLAG(struct options, json) },
	{ .name = NULL },
};

static const struct cli_command command = {
	.name = "stats",
	.synopsis = "[OPTIONS] TRACE...",
	.summary = "Counts and times the calls in traces.",
	.details = "Percentiles are known to within 1/32 of themselves; 'time' is the share of\n"
		   "the time of all calls of the same layer (the backend's, the device's).\n\n"
		   "Examples:\n"
		   "  ioasis stats trace\n"
		   "  ioasis stats --by space trace\n"
		   "  ioasis stats --json trace | jq '.operations[] | [.operation, .p99_ns]'",
	.options = option_table,
	.error_status = 3,
};

int cmd_stats(int argc, char **argv)
{
	struct options options = { 0 };
	struct analysis *analysis;
	struct stats *stats;
	int first, status = 3;

	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no trace given; say the folder of a trace");
	analysis = analysis_create();
	stats = analysis ? stats_create(analysis) : NULL;
	if (!stats) {
		analysis_destroy(analysis);
		return cli_fail(&command, "out of memory");
	}
	status = cli_read_traces(&command, analysis, argv + first, argc - first);
	if (status) {
		/* said already */
	} else if (options.json) {
		struct json_object *object = stats_to_json(stats);

		puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
		json_object_put(object);
	} else {
		stats_print(stats, options.view, stdout);
	}
	stats_destroy(stats);
	analysis_destroy(analysis);
	return status;
}
