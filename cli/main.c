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
#include "cli/guard.h"
#include "cli/options.h"
#include "cli/output.h"

enum {
	READS = 1,   /* runs under cli/guard.h: a signal ends it without a result */
	TAKES = 2,   /* the same, but it takes signals itself */
	STATUS_125 = 4, /* of an error of ours, since all others are those of what it runs */
};

struct command_row {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	int flags;
};

static const struct command_row commands[] = {
	{ "bench", cmd_bench, "run the benchmarks, each next to its baseline", 0 },
	{ "check", cmd_check, "check that the rules of DMA mapping hold in traces", READS },
	{ "diff", cmd_diff, "compare two traces, with statistical tests", READS },
	{ "exec", cmd_exec, "run a command with a private fake /dev/iommu", STATUS_125 },
	{ "export", cmd_export, "write a trace for Perfetto, SQLite or as JSON", READS },
	{ "merge", cmd_merge, "join the results of a sweep", READS },
	{ "record", cmd_record, "run a command with tracing on", 0 },
	{ "replay", cmd_replay, "make the calls of a trace again and compare", TAKES },
	{ "report", cmd_report, "make a page of a trace: verdict, tables, pictures", READS },
	{ "serve", cmd_serve, "run a fake /dev/iommu in the foreground", 0 },
	{ "simulate", cmd_simulate, "run a scenario in virtual time", TAKES },
	{ "stats", cmd_stats, "count and time the calls in traces", READS },
	{ "sweep", cmd_sweep, "run a scenario for many settings and seeds", 0 },
	{ "test", cmd_run_test, "run, record, check and judge a command, for CI", STATUS_125 },
	{ "top", cmd_top, "show who maps how much, while it happens", TAKES },
	{ NULL, NULL, NULL, 0 },
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

/* The names of all commands, for suggestions; ends with NULL. */
static const char *command_name(void *opaque, size_t index)
{
	(void)opaque;
	return commands[index].name;
}

static int run_command(const struct command_row *row, int argc, char **argv)
{
	int status;

	if (row->flags & (READS | TAKES))
		return guard_run(row->name, row->flags & TAKES, row->run, argc, argv);
	status = row->run(argc, argv);
	if (output_end(row->name, 0))
		return row->flags & STATUS_125 ? 125 : 3;
	return status;
}

static int run(int argc, char **argv)
{
	const struct command_row *row;
	char *help[] = { argv[0], NULL, "--help", NULL };
	const char *meant;

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
		return output_end("", 0);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("ioasis " IOASIS_VERSION);
		return output_end("", 0);
	}
	for (row = commands; row->name; row++) {
		if (!strcmp(argv[1], row->name))
			return run_command(row, argc - 1, argv + 1);
	}
	meant = cli_nearest(argv[1], strlen(argv[1]), command_name, NULL);
	fprintf(stderr, "ioasis: unknown command '%s'%s%s%s; 'ioasis --help' lists the commands\n",
		argv[1], meant ? " (did you mean '" : "", meant ? meant : "", meant ? "'?)" : "");
	return 3;
}

int main(int argc, char **argv)
{
	output_hold_standard();
	return run(argc, argv);
}
