/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of `ioasis`: each takes argv with its own name first and returns the exit status. */
#ifndef IOASIS_CLI_COMMANDS_H
#define IOASIS_CLI_COMMANDS_H

/* Sorted as in `ioasis --help`. */
int cmd_bench(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_run_test(int argc, char **argv);
int cmd_top(int argc, char **argv);

#endif
