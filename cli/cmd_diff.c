/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis diff: two traces side by side. */
#include <json-c/json.h>
#include <stdio.h>

#include "analysis/stats/diff.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/read_traces.h"

struct diff_options {
	bool json;
};

static const struct cli_option options_table[] = {
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct diff_options, json) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "diff",
	.synopsis = "A B [--json]",
	.summary = "Compares two traces: calls, errors, latencies, fragmentation.",
	.details = "Latencies are compared with a Mann-Whitney test, shares of failed calls with\n"
		   "Fisher's; the p-values are corrected for the number of tests (Holm). A latency\n"
		   "is called slower or faster when p is below 0.01 and the effect (Cliff's delta)\n"
		   "is 0.147 or more. Calls of one run are not quite independent: for a result\n"
		   "that must hold, compare several runs of each.",
	.options = options_table,
	.error_status = 3,
};

int cmd_diff(int argc, char **argv)
{
	struct diff_options options = { 0 };
	struct analysis *analyses[2] = { NULL, NULL };
	struct diff_side *sides[2] = { NULL, NULL };
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (argc - first != 2)
		return cli_fail(&command, "%d traces given; it takes two, A and B", argc - first);
	for (int i = 0; i < 2; i++) {
		analyses[i] = analysis_create();
		sides[i] = diff_side_create();
		if (!analyses[i] || !sides[i] || diff_side_observe(sides[i], analyses[i])) {
			status = cli_fail(&command, "out of memory");
			goto out_destroy;
		}
		status = cli_read_traces(&command, analyses[i], argv + first + i, 1);
		if (status)
			goto out_destroy;
	}
	if (options.json) {
		struct json_object *json = diff_to_json(sides[0], sides[1], argv[first],
							argv[first + 1]);

		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY));
		json_object_put(json);
	} else {
		diff_print(sides[0], sides[1], argv[first], argv[first + 1], stdout);
	}
out_destroy:
	for (int i = 0; i < 2; i++) {
		diff_side_destroy(sides[i]);
		analysis_destroy(analyses[i]);
	}
	return status;
}
