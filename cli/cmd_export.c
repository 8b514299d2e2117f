/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis export: a trace for ui.perfetto.dev, for SQL, for scripts. */
#include <stdlib.h>
#include <string.h>

#include "analysis/export/export.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/read_traces.h"

struct export_options {
	const struct export_format *format;
	const char *output;
};

static bool set_format(void *opaque, const char *value)
{
	struct export_options *options = opaque;

	options->format = export_format_find(value);
	return options->format;
}

static const struct cli_option options_table[] = {
	{ "to", 't', "FORMAT", "perfetto, sqlite or json", "what to write", .set = set_format },
	{ "output", 'o', "FILE", "the file to write", "where to write it; - is standard output",
	  CLI_TEXT(struct export_options, output) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "export",
	.synopsis = "TRACE... --to FORMAT -o FILE",
	.summary = "Writes a trace in a form that other tools read.",
	.details = "FORMAT is\n"
		   "  perfetto  for ui.perfetto.dev: calls by process and thread, live bytes\n"
		   "  sqlite    tables ops, commits, mappings, objects, quality; views\n"
		   "  json      a JSON object a line; the first says how good the data is\n\n"
		   "TRACE is a folder with a CTF trace, as `ioasis record` writes it.\n\n"
		   "Examples:\n"
		   "  ioasis export trace --to sqlite -o trace.db\n"
		   "  ioasis export trace --to json -o - | grep '\"error\"'",
	.options = options_table,
	.error_status = 3,
};

static int export_to(const struct export_options *options, struct analysis *analysis, char **traces,
		     int traces_count, struct output *output)
{
	const struct export_format *format = options->format;
	char error[512] = "";
	void *exporter;
	int status;

	exporter = format->open(analysis, output->file, output->temporary, error, sizeof(error));
	if (!exporter)
		return cli_fail(&command, "%s: %s", output_name(output), error);
	if (analysis_observe(analysis, format->observer, exporter))
		status = cli_fail(&command, "out of memory");
	else
		status = cli_read_traces(&command, analysis, traces, traces_count);
	if (!format->close(exporter, error, sizeof(error)) && !status)
		status = cli_fail(&command, "%s: %s", output_name(output), error);
	return status;
}

static int export(const struct export_options *options, struct analysis *analysis, char **traces,
		  int traces_count)
{
	struct output output;
	int status, err;

	err = options->format->wants_path ? output_begin_named(&output, options->output)
					  : output_begin(&output, options->output);
	if (err)
		return cli_fail(&command, "%s: %s", output_name(&output), strerror(-err));
	status = export_to(options, analysis, traces, traces_count, &output);
	if (status) {
		output_abort(&output); /* a part of an export is none */
		return status;
	}
	err = output_commit(&output);
	return err ? cli_fail(&command, "%s: %s", output_name(&output), strerror(-err)) : 0;
}

int cmd_export(int argc, char **argv)
{
	struct export_options options = { 0 };
	struct analysis *analysis;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no trace given; it takes TRACE... --to FORMAT -o FILE");
	if (!options.format)
		return cli_fail(&command, "no --to given; it is perfetto, sqlite or json");
	if (!options.output)
		return cli_fail(&command, "no -o given; it names the file to write");
	analysis = analysis_create();
	if (!analysis)
		return cli_fail(&command, "out of memory");
	status = export(&options, analysis, argv + first, argc - first);
	analysis_destroy(analysis);
	return status;
}
