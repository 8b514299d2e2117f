/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis: the command line.
 *
 * A command is one row here and one file cli/cmd_NAME.c, which parses its
 * options and calls the library that does the work.
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

struct command_row {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command_row commands[] = {
	{ "bench", cmd_bench, "run the benchmarks, each next to its baseline" },
	{ "check", cmd_check, "check that the rules of DMA mapping hold in traces" },
	{ "diff", cmd_diff, "compare two traces, with statistical tests" },
	{ "exec", cmd_exec, "run a command with a private fake /dev/iommu" },
	{ "export", cmd_export, "write a trace for Perfetto, SQLite or as JSON" },
	{ "merge", cmd_merge, "join the results of a sweep" },
	{ "record", cmd_record, "run a command with tracing on" },
	{ "replay", cmd_replay, "make the calls of a trace again and compare" },
	{ "report", cmd_report, "make a page of a trace: verdict, tables, pictures" },
	{ "serve", cmd_serve, "run a fake /dev/iommu in the foreground" },
	{ "simulate", cmd_simulate, "run a scenario in virtual time" },
	{ "stats", cmd_stats, "count and time the calls in traces" },
	{ "sweep", cmd_sweep, "run a scenario for many settings and seeds" },
	{ "top", cmd_top, "show who maps how much, while it happens" },
	{ NULL, NULL, NULL },
};

static void print_help(void)
{
	const struct command_row *row;

	printf("Usage: ioasis COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	       "A /dev/iommu for any Linux machine, traced and checked.\n\nCommands:\n");
	for (row = commands; row->name; row++)
		printf("  %-10s %s\n", row->name, row->summary);
	printf("\n'ioasis COMMAND --help' tells more of one; 'ioasis --version' the version.\n");
}

int main(int argc, char **argv)
{
	const struct command_row *row;
	char *help[] = { argv[0], NULL, "--help", NULL };

	if (argc < 2) {
		fprintf(stderr, "ioasis: no command given; 'ioasis --help' lists the commands\n");
		return 3;
	}
	if (!strcmp(argv[1], "help") && argc > 2) { /* `help COMMAND` is `COMMAND --help` */
		help[1] = argv[2];
		argv = help;
		argc = 3;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help();
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("ioasis " IOASIS_VERSION);
		return 0;
	}
	for (row = commands; row->name; row++) {
		if (!strcmp(argv[1], row->name))
			return row->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "ioasis: unknown command '%s'; 'ioasis --help' lists the commands\n",
		argv[1]);
	return 3;
}
