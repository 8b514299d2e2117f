/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exports, read back: Perfetto's bytes by a decoder of their own with the
 * published field numbers, SQLite by SQL, JSON by json-c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/export/export.h"
#include "analysis/export/proto_out.h"
#include "tests/unit/trace_feed.h"

static char path[] = "/tmp/ioasis-export-XXXXXX";

/* Exports a small trace: a race of two maps, an unmap of nothing, a failed map, one left. */
static void export_as(const struct export_format *format)
{
	struct event connect = feed_connect(1), alloc = feed_alloc_ioas(1, 0);
	struct event a = feed_map(1, 0x1000, 0x1000, 0), b = feed_map(1, 0x8000, 0x2000, 0);
	struct event bad = feed_map(1, 0x1000, 0x1000, -17), unmap = feed_unmap(1, 0x1000, 0x1000);
	struct event high = feed_map(1, 0xfffffffffffff000, 0x1000, 0);
	struct feed feed;
	char error[256] = "";
	uint64_t op_a, op_b;
	FILE *file;
	void *self;
	int fd = mkstemp(strcpy(path, "/tmp/ioasis-export-XXXXXX"));

	assert_true(fd >= 0);
	close(fd);
	feed_init(&feed);
	file = fopen(path, "we");
	assert_non_null(file);
	self = format->open(feed.analysis, file, path, error, sizeof(error));
	assert_non_null(self);
	assert_int_equal(analysis_observe(feed.analysis, format->observer, self), 0);
	feed_call(&feed, 1000, &connect);
	feed_call(&feed, 1100, &alloc);
	op_a = feed_begin(&feed, 2000, &a);
	op_b = feed_begin(&feed, 2005, &b);
	feed_end(&feed, 2020, op_a, &a);
	feed_end(&feed, 2030, op_b, &b);
	feed_call(&feed, 2100, &bad);
	feed_loss(&feed, 2150, 2160);
	feed_call(&feed, 2200, &unmap);
	feed_call(&feed, 2300, &high);
	analysis_finish(feed.analysis, false);
	assert_true(format->close(self, error, sizeof(error)));
	fclose(file);
	feed_fini(&feed);
}

/* ---- Perfetto ---------------------------------------------------------------------- */

struct view {
	const unsigned char *at, *end;
};

static uint64_t varint(struct view *v)
{
	uint64_t value = 0;

	for (int shift = 0;; shift += 7) {
		assert_true(v->at < v->end && shift < 64);
		value |= (uint64_t)(*v->at & 0x7f) << shift;
		if (!(*v->at++ & 0x80))
			return value;
	}
}

/* The next field: its number; its value, or its bytes in *bytes. */
static unsigned int field(struct view *v, uint64_t *value, struct view *bytes)
{
	uint64_t key = varint(v);

	assert_true((key & 7) == 0 || (key & 7) == 2);
	*value = varint(v);
	if ((key & 7) == 2) {
		assert_true(*value <= (uint64_t)(v->end - v->at));
		bytes->at = v->at;
		bytes->end = v->at + *value;
		v->at = bytes->end;
	}
	return (unsigned int)(key >> 3);
}

/* What the packets said. */
struct seen {
	unsigned int packets, begins, ends, instants, counters, threads, processes, cleared;
	uint64_t last_counter[64]; /* by track */
	uint64_t counter_units[64];
	unsigned int open_on[64]; /* slices open on the track */
	unsigned int deepest;
	uint64_t tracks[64];
	char names[128][32]; /* interned, by iid */
	char annotations[32][32];
	unsigned int errors;
};

static void see_annotation(struct seen *seen, struct view v)
{
	struct view text = { 0 }, bytes = { 0 };
	uint64_t value, iid = 0;

	while (v.at < v.end) {
		switch (field(&v, &value, &bytes)) {
		case 1:
			iid = value;
			break;
		case 6:
			text = bytes;
			break;
		}
	}
	assert_in_range(iid, 1, 31);
	assert_true(seen->annotations[iid][0]);
	if (!strcmp(seen->annotations[iid], "error")) {
		assert_int_equal(text.end - text.at, 6);
		assert_memory_equal(text.at, "EEXIST", 6);
		seen->errors++;
	}
}

static void see_event(struct seen *seen, struct view v)
{
	uint64_t type = 0, track = 0, counter = 0, name_iid = 0, value;
	struct view bytes = { 0 };

	while (v.at < v.end) {
		switch (field(&v, &value, &bytes)) {
		case 4:
			see_annotation(seen, bytes);
			break;
		case 9:
			type = value;
			break;
		case 10:
			name_iid = value;
			break;
		case 11:
			track = value;
			break;
		case 30:
			counter = value;
			break;
		}
	}
	assert_in_range(track, 1, 63);
	assert_int_equal(seen->tracks[track], 1);
	if (name_iid)
		assert_true(seen->names[name_iid][0]);
	if (type == 1) {
		seen->begins++;
		if (++seen->open_on[track] > seen->deepest)
			seen->deepest = seen->open_on[track];
	} else if (type == 2) {
		seen->ends++;
		assert_true(seen->open_on[track]-- > 0);
	} else if (type == 3) {
		seen->instants++;
	} else {
		assert_int_equal(type, 4);
		assert_true(seen->counter_units[track]);
		seen->last_counter[track] = counter;
		seen->counters++;
	}
}

static void see_track(struct seen *seen, struct view v)
{
	uint64_t uuid = 0, unit = 0, value;
	struct view bytes = { 0 };

	while (v.at < v.end) {
		switch (field(&v, &value, &bytes)) {
		case 1:
			uuid = value;
			break;
		case 3:
			seen->processes++;
			assert_int_equal(field(&bytes, &value, &(struct view){ 0 }), 1);
			assert_int_equal(value, FEED_PID);
			break;
		case 4:
			seen->threads++;
			break;
		case 8:
			assert_int_equal(field(&bytes, &unit, &(struct view){ 0 }), 3);
			break;
		}
	}
	assert_in_range(uuid, 1, 63);
	seen->tracks[uuid]++;
	seen->counter_units[uuid] = unit;
}

static void see_names(struct seen *seen, struct view v)
{
	struct view name = { 0 }, text = { 0 };
	uint64_t value, iid = 0;

	while (v.at < v.end) {
		unsigned int kind = field(&v, &value, &name);

		assert_in_range(kind, 2, 3); /* event_names, debug_annotation_names */
		while (name.at < name.end) {
			if (field(&name, &value, &text) == 1)
				iid = value;
		}
		assert_in_range(iid, 1, kind == 2 ? 127 : 31);
		memcpy(kind == 2 ? seen->names[iid] : seen->annotations[iid], text.at,
		       (size_t)(text.end - text.at));
	}
}

static void see_packet(struct seen *seen, struct view v)
{
	struct view bytes = { 0 }, event = { 0 }, names = { 0 };
	uint64_t value, sequence = 0;

	seen->packets++;
	while (v.at < v.end) {
		switch (field(&v, &value, &bytes)) {
		case 10:
			sequence = value;
			break;
		case 11:
			event = bytes;
			break;
		case 12:
			names = bytes;
			break;
		case 13:
			seen->cleared += value & 1;
			break;
		case 60:
			see_track(seen, bytes);
			break;
		}
	}
	assert_int_equal(sequence, 1);
	if (names.at)
		see_names(seen, names);
	if (event.at)
		see_event(seen, event);
}

static void test_export_perfetto_decodes_with_the_published_numbers(void **state)
{
	static unsigned char bytes[65536];
	struct seen seen = { 0 };
	struct view v, packet = { 0 };
	uint64_t value;
	bool map_named = false, bytes_right = false, mappings_right = false;
	FILE *file;

	(void)state;
	export_as(&export_perfetto);
	file = fopen(path, "rbe");
	v.at = bytes;
	v.end = bytes + fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	unlink(path);
	while (v.at < v.end) {
		assert_int_equal(field(&v, &value, &packet), 1);
		see_packet(&seen, packet);
	}
	assert_int_equal(seen.cleared, 1);
	assert_int_equal(seen.processes, 1);
	assert_int_equal(seen.threads, 7); /* each call of the feed has a thread */
	assert_int_equal(seen.begins, 8);  /* seven calls and the window of loss */
	assert_int_equal(seen.ends, 8);
	assert_int_equal(seen.deepest, 1);
	assert_int_equal(seen.instants, 1); /* the data's quality */
	assert_int_equal(seen.counters, 8); /* two counters, three maps and an unmap */
	assert_int_equal(seen.errors, 1);
	for (int i = 0; i < 64; i++) {
		map_named |= !strcmp(seen.names[i], "map_dma");
		bytes_right |= seen.counter_units[i] == 3 && seen.last_counter[i] == 0x3000;
		mappings_right |= seen.counter_units[i] == 2 && seen.last_counter[i] == 2;
	}
	assert_true(map_named && bytes_right && mappings_right);
}

static void test_export_perfetto_overlapping_calls_of_a_thread_get_tracks(void **state)
{
	struct event a = feed_map(1, 0x1000, 0x1000, 0), b = feed_map(1, 0x8000, 0x2000, 0);
	struct event events[4];
	struct feed feed;
	char error[256];
	void *self;
	struct seen seen = { 0 };
	static unsigned char bytes[16384];
	struct view v, packet = { 0 };
	uint64_t value;
	FILE *file;
	int fd = mkstemp(strcpy(path, "/tmp/ioasis-export-XXXXXX"));

	(void)state;
	close(fd);
	feed_init(&feed);
	file = fopen(path, "wbe");
	assert_non_null(file);
	self = export_perfetto.open(feed.analysis, file, NULL, error, sizeof(error));
	analysis_observe(feed.analysis, export_perfetto.observer, self);
	/* Without a thread id, as of another tracer: begin a, begin b, end a, end b. */
	for (int i = 0; i < 4; i++) {
		events[i] = i % 2 ? b : a;
		events[i].kind = i < 2 ? EVENT_OP_BEGIN : EVENT_OP_END;
		events[i].op_id = 50 + (uint64_t)i % 2;
		events[i].pid = FEED_PID;
		events[i].be = 1;
		events[i].time_ns = 100 + i;
		analysis_event(feed.analysis, &events[i]);
	}
	analysis_finish(feed.analysis, false);
	assert_true(export_perfetto.close(self, error, sizeof(error)));
	fclose(file);
	feed_fini(&feed);
	file = fopen(path, "rbe");
	v.at = bytes;
	v.end = bytes + fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	unlink(path);
	while (v.at < v.end) {
		field(&v, &value, &packet);
		see_packet(&seen, packet);
	}
	assert_int_equal(seen.begins, 2);
	assert_int_equal(seen.ends, 2);
	assert_int_equal(seen.deepest, 1);
}

static void test_proto_out_message_too_long_says_so(void **state)
{
	struct proto_out out;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	proto_out_init(&out);
	proto_out_bytes(&out, 1, text, sizeof(text));
	assert_int_equal(out.len, 1003);
	proto_out_bytes(&out, 1, text, sizeof(text));
	assert_false(out.full);
	proto_out_bytes(&out, 1, text, sizeof(text));
	assert_true(out.full);
	assert_in_range(out.len, 2006, PROTO_OUT_MAX);
	proto_out_init(&out);
	proto_out_i64(&out, 1, -1);
	assert_int_equal(out.len, 11);
}

/* ---- SQLite -------------------------------------------------------------------------- */

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t value;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static void test_export_sqlite_answers_questions(void **state)
{
	sqlite3 *db;

	(void)state;
	export_as(&export_sqlite);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(ask(db, "SELECT count(*) FROM ops"), 7);
	assert_int_equal(ask(db, "SELECT calls FROM errors WHERE error = 'EEXIST'"), 1);
	assert_int_equal(ask(db, "SELECT end_ns - begin_ns FROM ops WHERE iova = 0x8000"), 25);
	assert_int_equal(ask(db, "SELECT count(*) FROM mappings"), 3);
	assert_int_equal(ask(db, "SELECT count(*) FROM left_behind"), 2);
	assert_int_equal(ask(db, "SELECT count(*) FROM left_behind WHERE iova = "
				 "'0xfffffffffffff000' AND last = '0xffffffffffffffff'"), 1);
	assert_int_equal(ask(db, "SELECT lived_ns FROM lifetimes WHERE iova = '0x1000'"), 190);
	assert_int_equal(ask(db, "SELECT bytes FROM who_mapped"), 0x4000);
	assert_int_equal(ask(db, "SELECT value FROM quality WHERE name = 'lost_events'"), 3);
	assert_int_equal(ask(db, "SELECT events FROM losses WHERE first_ns = 2150"), 3);
	assert_int_equal(ask(db, "SELECT max(max_ns) FROM latency"), 25);
	assert_int_equal(ask(db, "SELECT count(*) FROM objects JOIN contexts USING (context)"), 1);
	assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND "
				 "name LIKE 'ops_by%'"), 1);
	sqlite3_close(db);
	unlink(path);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static void test_export_json_is_an_object_a_line_quality_first(void **state)
{
	char line[4096];
	unsigned int lines = 0, ops = 0, mappings = 0, losses = 0;
	FILE *file;

	(void)state;
	export_as(&export_json);
	file = fopen(path, "re");
	while (fgets(line, sizeof(line), file)) {
		struct json_object *json = json_tokener_parse(line), *type;

		assert_non_null(json);
		assert_true(json_object_object_get_ex(json, "type", &type));
		if (!lines++)
			assert_string_equal(json_object_get_string(type), "quality");
		ops += !strcmp(json_object_get_string(type), "op");
		mappings += !strcmp(json_object_get_string(type), "mapping");
		losses += !strcmp(json_object_get_string(type), "loss");
		json_object_put(json);
	}
	fclose(file);
	unlink(path);
	assert_int_equal(ops, 7);
	assert_int_equal(mappings, 3);
	assert_int_equal(losses, 1);
}

static void test_export_to_where_nothing_can_be_written_is_an_error(void **state)
{
	static const struct export_format *const formats[] = { &export_perfetto, &export_json };
	struct feed feed;
	char error[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		FILE *file = fopen("/dev/full", "we");
		void *self;

		assert_non_null(file);
		feed_init(&feed);
		error[0] = 0;
		self = formats[i]->open(feed.analysis, file, NULL, error, sizeof(error));
		assert_non_null(self);
		analysis_finish(feed.analysis, false);
		assert_false(formats[i]->close(self, error, sizeof(error)));
		assert_true(error[0]);
		assert_ptr_equal(export_format_find(formats[i]->name), formats[i]);
		fclose(file);
		feed_fini(&feed);
	}
	feed_init(&feed);
	error[0] = 0;
	assert_null(export_sqlite.open(feed.analysis, NULL, "/nonexistent/x", error,
				       sizeof(error)));
	assert_true(error[0]);
	feed_fini(&feed);
	assert_ptr_equal(export_format_find("sqlite"), &export_sqlite);
	assert_null(export_format_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_perfetto_decodes_with_the_published_numbers),
		cmocka_unit_test(test_export_perfetto_overlapping_calls_of_a_thread_get_tracks),
		cmocka_unit_test(test_proto_out_message_too_long_says_so),
		cmocka_unit_test(test_export_sqlite_answers_questions),
		cmocka_unit_test(test_export_json_is_an_object_a_line_quality_first),
		cmocka_unit_test(test_export_to_where_nothing_can_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
