/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis check: do the rules hold in these traces? */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/check.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/read_traces.h"

struct options {
	struct check_config config;
	bool json;
	bool still_running;
};

static bool set_json(void *opaque, const char *value)
{
	(void)value;
	((struct options *)opaque)->json = true;
	return true;
}

static bool set_still_running(void *opaque, const char *value)
{
	(void)value;
	((struct options *)opaque)->still_running = true;
	return true;
}

/* "1ms": every call of the backend; "map_dma:50us": this one. */
static bool set_budget(void *opaque, const char *value)
{
	struct check_config *config = &((struct options *)opaque)->config;
	const char *colon = strchr(value, ':');
	uint64_t ns;

	if (!cli_parse_ns(colon ? colon + 1 : value, &ns) || !ns)
		return false;
	if (!colon) {
		for (int op = OP_SET_FD; op < OP_IOCTL; op++)
			config->latency_ns[op] = ns;
		return true;
	}
	for (int op = OP_SET_FD; op < OP_COUNT; op++) {
		const char *name = event_op_name((enum event_op)op);

		if (strlen(name) == (size_t)(colon - value) &&
		    !memcmp(name, value, strlen(name))) {
			config->latency_ns[op] = ns;
			return true;
		}
	}
	return false;
}

static const struct cli_option option_table[] = {
	{ "budget", 0, "[OP:]TIME", "a time as 50us, or CALL:TIME as map_dma:50us",
	  "calls that take longer break the rule 'latency'; may be repeated", set_budget },
	{ "still-running", 0, NULL, NULL, "the programs went on: what lives at the end is no leak",
	  set_still_running },
	{ "json", 0, NULL, NULL, "print JSON", set_json },
	{ .name = NULL },
};

static const struct cli_command command = {
	.name = "check",
	.synopsis = "[OPTIONS] TRACE...",
	.summary = "Checks that the rules of DMA mapping hold in traces.",
	.details = "TRACE is a folder written by 'ioasis record' or LTTng, or net://HOST/... of a\n"
		   "relay daemon. Exit status: 0 the rules hold, 1 one is broken, 2 it cannot be\n"
		   "decided (events were lost, or overlapping calls leave it open), 3 the trace\n"
		   "cannot be read.",
	.options = option_table,
	.error_status = 3,
};

int cmd_check(int argc, char **argv)
{
	struct options options = { 0 };
	struct analysis *analysis;
	struct check *check;
	int first, status = 3;

	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no trace given; say the folder of a trace");
	analysis = analysis_create();
	check = analysis ? check_create(analysis, &options.config) : NULL;
	if (!check) {
		analysis_destroy(analysis);
		return cli_fail(&command, "out of memory");
	}
	if (options.still_running)
		analysis_set_still_running(analysis);
	status = cli_read_traces(&command, analysis, argv + first, argc - first);
	if (status) {
		/* said already */
	} else if (options.json) {
		struct json_object *object = check_to_json(check);

		puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
		json_object_put(object);
		status = check_exit_status(check);
	} else {
		check_print(check, stdout);
		status = check_exit_status(check);
	}
	check_destroy(check);
	analysis_destroy(analysis);
	return status;
}
