/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench export: `export --to sqlite` beside `check` on one trace of 1.4 million events, in turns, by
 * processor time; and how long SQLite alone takes to put as many rows into one table.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench_trace.h"

#define EVENTS 1400000u
#define ROUNDS 5

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Two rows for each call, as ops and commits are, without an index; 0: it failed. */
static uint64_t sqlite_alone(const char *path, uint64_t rows)
{
	uint64_t begin_ns = cpu_ns();
	sqlite3_stmt *insert = NULL;
	sqlite3 *db = NULL;
	bool good;

	good = !sqlite3_open(path, &db) &&
	       !sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
				 "CREATE TABLE t (a, b, c, d, e, f, g, h)", NULL, NULL, NULL) &&
	       !sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", -1, &insert,
				   NULL);
	for (uint64_t i = 0; good && i < rows; i++) {
		for (int column = 1; column <= 8; column++)
			sqlite3_bind_int64(insert, column, (sqlite3_int64)(i << 12));
		good = sqlite3_step(insert) == SQLITE_DONE && !sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	good = good && !sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
	return good ? cpu_ns() - begin_ns : 0;
}

static int compare(struct bench *bench, struct bench_trace *trace)
{
	char ioasis[PATH_MAX], db[PATH_MAX + 16], alone[PATH_MAX + 16];
	char *check[] = { ioasis, "check", trace->path, NULL };
	char *export[] = { ioasis, "export", "--to", "sqlite", "-o", db, trace->path, NULL };
	uint64_t check_ns[ROUNDS], export_ns[ROUNDS], alone_ns;
	struct bench_cost check_cost = { 0 }, export_cost = { 0 };
	double events;

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	snprintf(db, sizeof(db), "%s/trace.db", trace->scratch);
	snprintf(alone, sizeof(alone), "%s/alone.db", trace->scratch);
	for (int i = 0; i < ROUNDS; i++) {
		if (!bench_trace_run(bench, check, trace->output, &check_cost, &check_ns[i]) ||
		    !bench_trace_run(bench, export, NULL, &export_cost, &export_ns[i]))
			return 0;
	}
	events = bench_number_behind(trace->output, "data: ");
	alone_ns = sqlite_alone(alone, (uint64_t)events / 2);
	bench_figure(bench, "events in the trace", events, "events");
	bench_figure(bench, "ioasis check", (double)check_cost.cpu_ns / 1e9, "s");
	bench_figure(bench, "ioasis export --to sqlite", (double)export_cost.cpu_ns / 1e9, "s");
	bench_figure(bench, "SQLite alone, a row of 8 numbers for each two events",
		     (double)alone_ns / 1e9, "s");
	bench_ratio_at_most(bench, "export --to sqlite / check", export_ns, check_ns, ROUNDS, 3);
	return 0;
}

int bench_export(struct bench *bench)
{
	struct bench_trace trace;
	int ret = bench_trace_record(bench, &trace, EVENTS);

	if (!ret)
		ret = compare(bench, &trace);
	bench_trace_remove(&trace);
	return ret == -EIO ? 0 : ret;
}
