/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis diff: two traces side by side. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/stats/diff.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/read_traces.h"

#define LIMITS_MAX 32

struct diff_options {
	struct diff_limit limits[LIMITS_MAX];
	size_t limits_count;
	bool json;
};

/* "slower,tail" and so on. */
static bool set_fail_on(void *opaque, const char *value)
{
	struct diff_options *options = opaque;
	char text[64];

	for (;;) {
		size_t len = strcspn(value, ",");

		if (len >= sizeof(text) || options->limits_count == LIMITS_MAX)
			return false;
		snprintf(text, sizeof(text), "%.*s", (int)len, value);
		if (!diff_limit_parse(text, &options->limits[options->limits_count++]))
			return false;
		if (!value[len])
			return true;
		value += len + 1;
	}
}

static const struct cli_option options_table[] = {
	{ "fail-on", 0, "WHAT,...", "slower, tail, fails, or [CALL.]NUMBER:N% as map_dma.p99:20%",
	  "exit status 1 if B is worse: slower, tail, fails, mean:20%, map_dma.p99:50%, ...; may be "
	  "repeated",
	  .set = set_fail_on },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct diff_options, json) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "diff",
	.synopsis = "[OPTIONS] A B",
	.summary = "Compares two traces: calls, errors, latencies, fragmentation.",
	.details = "Latencies are compared with a Mann-Whitney test, shares of failed calls with\n"
		   "Fisher's; the p-values are corrected for the number of tests (Holm). A latency\n"
		   "is called slower or faster when p is below 0.01 and the effect (Cliff's delta)\n"
		   "is 0.147 or more. A tail that grew moves too few calls for that: it has a test\n"
		   "of its own. Calls of one run are not quite independent: for a result that must\n"
		   "hold, compare several runs of each.\n\n"
		   "With --fail-on the exit status is 1 if something got worse, 2 if nothing did but\n"
		   "events were lost. Numbers: mean, total, rate, p50, p90, p99, p99.9, max, calls;\n"
		   "N% is how much worse B's may be.\n\n"
		   "Examples:\n"
		   "  ioasis diff before after\n"
		   "  ioasis diff --fail-on tail,fails,map_dma.p99:20% before after",
	.options = options_table,
	.error_status = 3,
};

/* Whether events are missing in one of the traces. */
static bool is_lossy(struct analysis *const analyses[2])
{
	return quality_is_lossy(analysis_quality(analyses[0])) ||
	       quality_is_lossy(analysis_quality(analyses[1]));
}

/* Shows what differs. The exit status, or -1: nothing is worse. */
static int show(const struct diff_options *options, struct diff_side *const sides[2], char **names)
{
	struct comparison *comparison = diff_compare(sides[0], sides[1]);
	size_t worse;

	if (!comparison)
		return cli_fail(&command, "out of memory");
	if (options->json) {
		struct json_object *json = diff_to_json(comparison, names[0], names[1]);

		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY));
		json_object_put(json);
	} else {
		diff_print(comparison, names[0], names[1], stdout);
	}
	if (options->limits_count && !options->json)
		putchar('\n');
	worse = diff_check(comparison, options->limits, options->limits_count,
			   options->json ? stderr : stdout);
	free(comparison);
	return worse ? 1 : -1;
}

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
	status = show(&options, sides, argv + first);
	if (status < 0)
		status = options.limits_count && is_lossy(analyses) ? 2 : 0;
out_destroy:
	for (int i = 0; i < 2; i++) {
		diff_side_destroy(sides[i]);
		analysis_destroy(analyses[i]);
	}
	return status;
}
