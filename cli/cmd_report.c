/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis report: a trace as one HTML page. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/check/check.h"
#include "analysis/report/report.h"
#include "analysis/rules/rules.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/read_traces.h"

struct report_options {
	const char *output;
	bool still_running;
	struct rules *rules;
	struct rules_error rules_error;
};

static bool set_rules(void *opaque, const char *value)
{
	struct report_options *options = opaque;

	if (!options->rules_error.text[0])
		rules_add(options->rules, value, &options->rules_error);
	return true;
}

static const struct cli_option options_table[] = {
	{ "output", 'o', "FILE", "the file to write", "where to write the page; - is standard output",
	  CLI_TEXT(struct report_options, output) },
	{ "rules", 0, "FILE", "a file with an automaton",
	  "also check a rule of your own (docs/RULES.md); may be repeated", .set = set_rules },
	{ "still-running", 0, NULL, NULL, "the programs went on: what lives at the end is no leak",
	  CLI_FLAG(struct report_options, still_running) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "report",
	.synopsis = "TRACE... -o FILE.html",
	.summary = "Makes one page of a trace, to open in a browser, offline too.",
	.details = "The page begins with the verdict of `ioasis check` and the data's quality, and\n"
		   "shows the I/O address spaces over time, what was live, calls per second,\n"
		   "latencies, the objects, and each finding on the picture.",
	.options = options_table,
	.error_status = 3,
};

/* ---- from the checkers to the page ------------------------------------------------ */

static int finding_add(struct report *report, const struct check_finding *finding,
		       const char *rule)
{
	struct report_event events[CHECK_WITNESS_MAX];
	struct report_finding found = {
		.rule = rule,
		.status = check_verdict_name(finding->verdict),
		.cause = finding->cause,
		.time_ns = finding->time_ns,
		.machine = finding->machine,
		.pid = finding->pid,
		.object = finding->object,
		.has_range = finding->has_range,
		.iova = finding->iova,
		.last = finding->last,
		.events = events,
		.events_count = finding->witness_count,
	};

	for (unsigned int i = 0; i < finding->witness_count; i++)
		events[i] = (struct report_event){
			.time_ns = finding->witness[i].time_ns,
			.op_id = finding->witness[i].op_id,
			.text = finding->witness[i].text,
		};
	return report_finding(report, &found);
}

/* Violations first, then what is possible, then what is not known. */
static int findings_add(struct report *report, const struct check *check,
			const struct rules *rules)
{
	size_t count;
	const struct check_finding *findings = check_findings(check, &count), *finding;
	const char *name;
	int ret = 0;

	for (int verdict = VERDICT_VIOLATION; verdict > VERDICT_OK && !ret; verdict--) {
		for (size_t i = 0; i < count && !ret; i++) {
			if ((int)findings[i].verdict == verdict)
				ret = finding_add(report, &findings[i],
						  check_rule_name(findings[i].rule));
		}
		for (size_t i = 0; !ret && (finding = rules_finding(rules, i, &name)); i++) {
			if ((int)finding->verdict == verdict)
				ret = finding_add(report, finding, name);
		}
	}
	return ret;
}

static int verdict_add(struct report *report, const struct check *check,
		       const struct rules *rules)
{
	enum check_verdict verdict = check_verdict(check), theirs = rules_verdict(rules);
	char *names = NULL, *broken = NULL;
	size_t names_size, broken_size;
	FILE *names_out = open_memstream(&names, &names_size);
	FILE *broken_out = open_memstream(&broken, &broken_size);
	unsigned int bad = 0, asked = 0;
	int ret = -ENOMEM;

	if (!names_out || !broken_out)
		goto out_close;
	for (int i = 0; i < RULE_COUNT; i++) {
		enum check_rule rule = (enum check_rule)i;

		if (rule == RULE_LATENCY) /* there is no budget here */
			continue;
		fprintf(names_out, "%s%s", asked++ ? ", " : "", check_rule_name(rule));
		if (check_rule_verdict(check, rule) != VERDICT_OK)
			fprintf(broken_out, "%s%s", bad++ ? ", " : "", check_rule_name(rule));
	}
	for (size_t i = 0; i < rules_count(rules); i++) {
		fprintf(names_out, ", %s", rules_name(rules, i));
		asked++;
		if (rules_verdict_of(rules, i) != VERDICT_OK)
			fprintf(broken_out, "%s%s", bad++ ? ", " : "", rules_name(rules, i));
	}
	if (bad)
		fprintf(broken_out, " (%u of %u rules)", bad, asked);
	else
		fprintf(broken_out, "all %u rules hold", asked);
	if (!fflush(names_out) && !fflush(broken_out))
		ret = report_verdict(report,
				     check_verdict_name(theirs > verdict ? theirs : verdict),
				     broken, names);
out_close:
	if (names_out)
		fclose(names_out);
	if (broken_out)
		fclose(broken_out);
	free(names);
	free(broken);
	return ret;
}

/* ---- the command ------------------------------------------------------------------- */

static int page_write(const struct report_options *options, struct report *report,
		      struct analysis *analysis, char **traces, int traces_count)
{
	struct output output;
	int ret = output_begin(&output, options->output);

	if (ret)
		return cli_fail(&command, "%s: %s", output_name(&output), strerror(-ret));
	ret = report_write(report, analysis, traces, (size_t)traces_count, output.file);
	if (ret)
		output_abort(&output);
	else
		ret = output_commit(&output);
	return ret ? cli_fail(&command, "%s: %s", output_name(&output), strerror(-ret)) : 0;
}

static int run(const struct report_options *options, char **traces, int traces_count)
{
	struct analysis *analysis = analysis_create();
	struct report *report = report_create();
	struct check *check = analysis ? check_create(analysis, NULL) : NULL;
	int status;

	if (!report || !check || report_observe(report, analysis) ||
	    rules_observe(options->rules, analysis)) {
		status = cli_fail(&command, "out of memory, or no room for a temporary file");
		goto out_destroy;
	}
	if (options->still_running)
		analysis_set_still_running(analysis);
	status = cli_read_traces(&command, analysis, traces, traces_count);
	if (!status && (findings_add(report, check, options->rules) ||
			verdict_add(report, check, options->rules)))
		status = cli_fail(&command, "out of memory");
	if (!status)
		status = page_write(options, report, analysis, traces, traces_count);
out_destroy:
	report_destroy(report);
	check_destroy(check);
	analysis_destroy(analysis);
	return status;
}

int cmd_report(int argc, char **argv)
{
	struct report_options options = { .rules = rules_create() };
	int status = 3, first;

	if (!options.rules)
		return cli_fail(&command, "out of memory");
	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		goto out_rules;
	if (options.rules_error.text[0])
		status = cli_fail(&command, "%s", options.rules_error.text);
	else if (first == argc)
		status = cli_fail(&command, "no trace given; it takes TRACE... -o FILE.html");
	else if (!options.output)
		status = cli_fail(&command, "no -o given; it names the page to write");
	else
		status = run(&options, argv + first, argc - first);
out_rules:
	rules_destroy(options.rules);
	return status;
}
