/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis check: do the rules hold in these traces? */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "analysis/rules/rules.h"
#include "cli/colour.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/read_traces.h"

struct options {
	struct check_config config;
	bool json;
	bool still_running;
	struct rules *rules;
	struct rules_error rules_error; /* of a wrong file; empty: none */
};

static bool set_rules(void *opaque, const char *value)
{
	struct options *options = opaque;

	if (!options->rules_error.text[0])
		rules_add(options->rules, value, &options->rules_error);
	return true; /* a wrong file has an error of its own */
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
		for (int op = OP_NONE + 1; op < OP_IOCTL; op++)
			config->latency_ns[op] = ns;
		return true;
	}
	for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
		const char *name = event_op_name((enum event_op)op);

		if (strlen(name) == (size_t)(colon - value) &&
		    !memcmp(name, value, strlen(name))) {
			config->latency_ns[op] = ns;
			return true;
		}
	}
	return false;
}

static bool set_leaks(void *opaque, const char *value)
{
	static const char *const names[] = {
		[CHECK_LEAKS_EXIT] = "exit",
		[CHECK_LEAKS_CLOSE] = "close",
		[CHECK_LEAKS_STRICT] = "strict",
	};

	for (int i = 0; i <= CHECK_LEAKS_STRICT; i++) {
		if (!strcmp(value, names[i])) {
			((struct options *)opaque)->config.leaks = (enum check_leaks)i;
			return true;
		}
	}
	return false;
}

static const struct cli_option option_table[] = {
	{ "budget", 0, "[OP:]TIME", "a time as 50us, or CALL:TIME as map_dma:50us",
	  "calls that take longer break the rule 'latency'; may be repeated", .set = set_budget },
	{ "rules", 0, "FILE", "a file with an automaton",
	  "also check a rule of your own (docs/RULES.md); may be repeated", .set = set_rules },
	{ "leaks", 0, "WHEN", "exit, close or strict",
	  "what is a leak: all but what the kernel frees when a process ends (exit, the default), "
	  "that too (close), and all that no call undid (strict)", .set = set_leaks },
	{ "still-running", 0, NULL, NULL, "the programs went on: what lives at the end is no leak",
	  CLI_FLAG(struct options, still_running) },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct options, json) },
	{ .name = NULL },
};

static const struct cli_command command = {
	.name = "check",
	.synopsis = "[OPTIONS] TRACE...",
	.summary = "Checks that the rules of DMA mapping hold in traces.",
	.details = "TRACE is a folder written by 'ioasis record' or LTTng, or net://HOST/... of a\n"
		   "relay daemon. Exit status: 0 the rules hold, 1 one is broken, 2 it cannot be\n"
		   "decided (events were lost, or overlapping calls leave it open), 3 the trace\n"
		   "cannot be read.\n\n"
		   "Examples:\n"
		   "  ioasis check trace                    a folder, or a tar of one\n"
		   "  ioasis check --leaks close trace      what is left at a close is a leak\n"
		   "  ioasis check --budget map_dma:50us trace\n"
		   "  ioasis check qemu.log                 what QEMU logs (docs/ANALYSIS.md)\n"
		   "  ssh host tar c trace | ioasis check -",
	.options = option_table,
	.error_status = 3,
};

/* 0: they hold, 1: one is broken, 2: it cannot be decided. */
static int exit_status(const struct check *check, const struct rules *rules)
{
	switch (rules_verdict_with(rules, check)) {
	case VERDICT_OK:
		return check_exit_status(check);
	case VERDICT_VIOLATION:
		return 1;
	default:
		return 2;
	}
}

static void print_json(const struct check *check, const struct rules *rules)
{
	struct json_object *object = rules_to_json_with(rules, check);

	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
	json_object_put(object);
}

static void print_text(const struct check *check, const struct rules *rules)
{
	char *text = NULL;
	size_t size;
	FILE *file = colour_wanted(stdout) ? open_memstream(&text, &size) : NULL;

	rules_print_with(rules, check, file ? file : stdout);
	if (!file)
		return;
	if (!fclose(file) && text)
		colour_verdicts(text, stdout);
	free(text);
}

static int run(struct options *options, char **traces, int traces_count)
{
	struct analysis *analysis = analysis_create();
	struct check *check = analysis ? check_create(analysis, &options->config) : NULL;
	int status;

	if (!check || rules_observe(options->rules, analysis)) {
		status = cli_fail(&command, "out of memory");
		goto out_destroy;
	}
	if (options->still_running)
		analysis_set_still_running(analysis);
	status = cli_read_traces(&command, analysis, traces, traces_count);
	if (status)
		goto out_destroy;
	if (options->json)
		print_json(check, options->rules);
	else
		print_text(check, options->rules);
	status = exit_status(check, options->rules);
out_destroy:
	check_destroy(check);
	analysis_destroy(analysis);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct options options = { .rules = rules_create() };
	int first, status = 3;

	if (!options.rules)
		return cli_fail(&command, "out of memory");
	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		goto out_rules;
	if (options.rules_error.text[0])
		status = cli_fail(&command, "%s", options.rules_error.text);
	else if (first == argc)
		status = cli_fail(&command, "no trace given; say the folder of a trace");
	else
		status = run(&options, argv + first, argc - first);
out_rules:
	rules_destroy(options.rules);
	return status;
}
