/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export to SQLite: a table a thing, for questions that nobody foresaw.
 *
 * SQLite's integers are signed. An address or size of 2^63 or more is stored as
 * the negative number of the same 64 bits; printf('0x%x', iova) shows it right,
 * and the views do that.
 */
#include "analysis/export/export.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/state/live_mappings.h"
#include "text/utf8.h"

static const char tables[] =
	"PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
	"PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;"
	"CREATE TABLE quality (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE losses (machine INT, stream INT, first_ns INT, last_ns INT,"
	"  events INT, packets INT);"
	"CREATE TABLE machines (machine INTEGER PRIMARY KEY, name TEXT, events INT);"
	"CREATE TABLE contexts (context INTEGER PRIMARY KEY, layer TEXT, machine INT, pid INT,"
	"  process TEXT, key INT, born_ns INT, died_ns INT);"
	"CREATE TABLE objects (object INTEGER PRIMARY KEY, context INT REFERENCES contexts,"
	"  id INT, type TEXT, parent INT, born_ns INT, born_op INT, died_ns INT);"
	"CREATE TABLE mappings (object INT REFERENCES objects, iova INT, last INT, bytes INT,"
	"  prot INT, born_ns INT, op_id INT, tid INT, died_ns INT, died_op INT);"
	"CREATE TABLE attachments (object INT REFERENCES objects, device INT, time_ns INT,"
	"  attached INT);"
	"CREATE TABLE ops (op_id INT, op TEXT, layer TEXT, machine INT, pid INT, tid INT,"
	"  context INT REFERENCES contexts, begin_ns INT, end_ns INT, ret INT, error TEXT,"
	"  id INT, new_id INT, iova INT, last INT, size INT, readonly INT, outer_op INT);"
	"CREATE TABLE commits (time_ns INT, object INT REFERENCES objects, seq INT, kind TEXT,"
	"  op_id INT, iova INT, last INT, flags INT, arg INT);"
	"BEGIN;";

/*
 * Made after the rows, which is faster. Only what joins and look-ups need: an index of every call
 * takes as long as a fifth of all rows, and reading all rows is a matter of milliseconds.
 */
static const char indexes[] =
	"CREATE INDEX ops_by_id ON ops (op_id);"
	"CREATE INDEX mappings_by_object ON mappings (object, iova);"
	"CREATE INDEX objects_by_id ON objects (context, id);"
	"CREATE VIEW latency AS SELECT op, layer, count(*) AS calls,"
	"  sum(error IS NOT NULL) AS errors, min(end_ns - begin_ns) AS min_ns,"
	"  CAST(avg(end_ns - begin_ns) AS INT) AS mean_ns, max(end_ns - begin_ns) AS max_ns,"
	"  sum(end_ns - begin_ns) AS total_ns, count(*) * 1e9 / nullif((SELECT l.value - f.value"
	"    FROM quality l, quality f WHERE l.name = 'last_ns' AND f.name = 'first_ns'), 0) AS rate"
	"  FROM ops WHERE end_ns IS NOT NULL GROUP BY op, layer;"
	"CREATE VIEW errors AS SELECT op, error, count(*) AS calls FROM ops"
	"  WHERE error IS NOT NULL GROUP BY op, error ORDER BY calls DESC;"
	"CREATE VIEW lifetimes AS SELECT m.object, c.pid, c.process, o.id AS ioas,"
	"  printf('0x%x', m.iova) AS iova, printf('0x%x', m.last) AS last, m.bytes,"
	"  m.born_ns, m.died_ns, m.died_ns - m.born_ns AS lived_ns, m.op_id, m.died_op"
	"  FROM mappings m JOIN objects o USING (object) JOIN contexts c USING (context);"
	/* Whether a call freed an object: the device's commit says which, or a call says so itself. */
	"CREATE VIEW freed AS SELECT k.object FROM commits k"
	"  WHERE k.kind = 'destroy' AND k.op_id IS NOT NULL"
	"  UNION SELECT o.object FROM objects o JOIN ops p ON p.context = o.context AND p.id = o.id"
	"  WHERE p.op IN ('free_id', 'DESTROY') AND p.error IS NULL AND p.end_ns >= o.born_ns"
	"  AND coalesce(p.begin_ns, p.end_ns) <= o.died_ns AND o.died_ns <= p.end_ns;"
	/* What lived at the end, or went with its file: no call gave it back. */
	"CREATE VIEW left_behind AS SELECT * FROM lifetimes WHERE died_op IS NULL"
	"  AND (died_ns IS NULL OR object NOT IN (SELECT object FROM freed));"
	"CREATE VIEW left_objects AS SELECT o.object, c.pid, c.process, o.id, o.type, o.born_ns,"
	"  o.died_ns, o.born_op FROM objects o JOIN contexts c USING (context)"
	"  WHERE o.born_op IS NOT NULL AND (o.died_ns IS NULL"
	"  OR o.object NOT IN (SELECT object FROM freed));"
	"CREATE VIEW who_mapped AS SELECT c.process, c.pid, o.id AS ioas, count(*) AS mappings,"
	"  sum(m.bytes) AS bytes,"
	"  sum(m.died_op IS NULL AND (m.died_ns IS NULL OR m.object NOT IN (SELECT object FROM freed)))"
	"    AS left FROM mappings m JOIN objects o USING (object) JOIN contexts c USING (context)"
	"  GROUP BY c.context, m.object ORDER BY bytes DESC;"
	"CREATE VIEW top_mappers AS SELECT process, pid, sum(mappings) AS mappings,"
	"  sum(bytes) AS bytes, sum(left) AS left FROM who_mapped GROUP BY process, pid"
	"  ORDER BY bytes DESC;"
	"CREATE VIEW slowest AS SELECT op, layer, end_ns - begin_ns AS took_ns, begin_ns, pid, tid,"
	"  printf('%d:%d', pid, op_id & 4294967295) AS call, op_id, error FROM ops"
	"  WHERE begin_ns IS NOT NULL AND end_ns IS NOT NULL ORDER BY took_ns DESC;"
	"CREATE VIEW percentiles AS WITH timed AS (SELECT op, layer, end_ns - begin_ns AS took,"
	"    row_number() OVER (PARTITION BY op, layer ORDER BY end_ns - begin_ns) AS rank,"
	"    count(*) OVER (PARTITION BY op, layer) AS calls FROM ops"
	"    WHERE begin_ns IS NOT NULL AND end_ns IS NOT NULL)"
	"  SELECT op, layer, max(calls) AS calls,"
	"    max(CASE WHEN rank = (calls * 50 + 99) / 100 THEN took END) AS p50_ns,"
	"    max(CASE WHEN rank = (calls * 90 + 99) / 100 THEN took END) AS p90_ns,"
	"    max(CASE WHEN rank = (calls * 99 + 99) / 100 THEN took END) AS p99_ns,"
	"    max(CASE WHEN rank = (calls * 999 + 999) / 1000 THEN took END) AS p999_ns,"
	"    max(took) AS max_ns FROM timed GROUP BY op, layer;"
	"CREATE VIEW live_bytes AS SELECT time_ns, object,"
	"    sum(change) OVER (PARTITION BY object ORDER BY time_ns, change"
	"      ROWS UNBOUNDED PRECEDING) AS bytes,"
	"    sum(step) OVER (PARTITION BY object ORDER BY time_ns, change"
	"      ROWS UNBOUNDED PRECEDING) AS mappings FROM"
	"  (SELECT born_ns AS time_ns, object, bytes AS change, 1 AS step FROM mappings UNION ALL"
	"   SELECT died_ns, object, -bytes, -1 FROM mappings WHERE died_ns IS NOT NULL);"
	"COMMIT;";

enum statement {
	INSERT_QUALITY,
	INSERT_LOSS,
	INSERT_MACHINE,
	INSERT_CONTEXT,
	END_CONTEXT,
	INSERT_OBJECT,
	END_OBJECT,
	INSERT_MAPPING,
	INSERT_ATTACHMENT,
	INSERT_OP,
	INSERT_COMMIT,
	STATEMENTS,
};

static const char *const statement_texts[STATEMENTS] = {
	[INSERT_QUALITY] = "INSERT INTO quality VALUES (?, ?)",
	[INSERT_LOSS] = "INSERT INTO losses VALUES (?, ?, ?, ?, ?, ?)",
	[INSERT_MACHINE] = "INSERT INTO machines VALUES (?, ?, ?)",
	[INSERT_CONTEXT] = "INSERT INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
	[END_CONTEXT] = "UPDATE contexts SET died_ns = ? WHERE context = ?",
	[INSERT_OBJECT] = "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
	[END_OBJECT] = "UPDATE objects SET died_ns = ? WHERE object = ?",
	[INSERT_MAPPING] = "INSERT INTO mappings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INSERT_ATTACHMENT] = "INSERT INTO attachments VALUES (?, ?, ?, ?)",
	[INSERT_OP] = ("INSERT INTO ops VALUES "
		       "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
	[INSERT_COMMIT] = "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

struct sqlite {
	struct analysis *analysis;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	char error[256]; /* the first one; empty: none */
};

/* ---- running statements ---------------------------------------------------------- */

static void sqlite_failed(struct sqlite *s)
{
	if (!s->error[0])
		snprintf(s->error, sizeof(s->error), "%s", sqlite3_errmsg(s->db));
}

/* Values of one row, bound in their order. */
struct row {
	struct sqlite *s;
	sqlite3_stmt *statement;
	int next;
};

static struct row row_begin(struct sqlite *s, enum statement statement)
{
	return (struct row){ .s = s, .statement = s->statements[statement], .next = 1 };
}

static void row_i64(struct row *row, int64_t value)
{
	sqlite3_bind_int64(row->statement, row->next++, value);
}

static void row_u64(struct row *row, uint64_t value)
{
	row_i64(row, (int64_t)value);
}

/* NULL where present is false. */
static void row_u64_if(struct row *row, bool present, uint64_t value)
{
	if (present)
		row_u64(row, value);
	else
		sqlite3_bind_null(row->statement, row->next++);
}

/* text: NULL for NULL; it stays valid until row_end. What is not UTF-8 becomes U+FFFD. */
static void row_text(struct row *row, const char *text)
{
	char *copy = !text || utf8_is_valid(text) ? NULL : utf8_copy(text);

	if (copy)
		sqlite3_bind_text(row->statement, row->next++, copy, -1, free);
	else
		sqlite3_bind_text(row->statement, row->next++, text, -1, SQLITE_STATIC);
}

/* A name of ours, which is UTF-8. */
static void row_name(struct row *row, const char *name)
{
	sqlite3_bind_text(row->statement, row->next++, name, -1, SQLITE_STATIC);
}

static void row_end(struct row *row)
{
	if (sqlite3_step(row->statement) != SQLITE_DONE)
		sqlite_failed(row->s);
	sqlite3_reset(row->statement);
}

/* ---- observers ----------------------------------------------------------------------- */

static void on_context_begin(void *opaque, const struct state_context *context)
{
	struct sqlite *s = opaque;
	struct row row = row_begin(s, INSERT_CONTEXT);

	row_u64(&row, context->serial);
	row_name(&row, context->layer == STATE_BACKEND ? "backend" : "device");
	row_u64(&row, context->machine);
	row_u64(&row, context->pid);
	row_text(&row, context->process->name);
	row_u64(&row, context->key);
	row_i64(&row, context->born_ns);
	row_end(&row);
}

static void on_context_end(void *opaque, const struct state_context *context, int64_t time_ns)
{
	struct row row = row_begin(opaque, END_CONTEXT);

	row_i64(&row, time_ns);
	row_u64(&row, context->serial);
	row_end(&row);
}

static void on_object_begin(void *opaque, const struct state_object *object)
{
	struct row row = row_begin(opaque, INSERT_OBJECT);

	row_u64(&row, object->serial);
	row_u64(&row, object->context->serial);
	row_u64(&row, object->id);
	row_name(&row, state_object_type_name(object->type));
	row_u64_if(&row, object->parent, object->parent);
	row_i64(&row, object->born_ns);
	row_u64_if(&row, object->born_op, object->born_op);
	row_end(&row);
}

static void on_object_end(void *opaque, const struct state_object *object, int64_t time_ns)
{
	struct row row = row_begin(opaque, END_OBJECT);

	row_i64(&row, time_ns);
	row_u64(&row, object->serial);
	row_end(&row);
}

static void mapping_insert(struct sqlite *s, const struct state_object *object,
			   const struct state_mapping *mapping, bool ended, int64_t died_ns,
			   uint64_t died_op)
{
	struct row row = row_begin(s, INSERT_MAPPING);

	row_u64(&row, object->serial);
	row_u64(&row, mapping->iova);
	row_u64(&row, mapping->last);
	row_u64(&row, mapping->last - mapping->iova + 1);
	row_u64(&row, mapping->prot);
	row_i64(&row, mapping->born_ns);
	row_u64_if(&row, mapping->op_id, mapping->op_id);
	row_u64_if(&row, mapping->tid, mapping->tid);
	row_u64_if(&row, ended, (uint64_t)died_ns);
	row_u64_if(&row, died_op, died_op);
	row_end(&row);
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	mapping_insert(opaque, object, mapping, true, time_ns, op_id);
}

static void on_attach(void *opaque, const struct state_object *object, uint64_t device,
		      bool attached, int64_t time_ns)
{
	struct row row = row_begin(opaque, INSERT_ATTACHMENT);

	row_u64(&row, object->serial);
	row_u64(&row, device);
	row_i64(&row, time_ns);
	row_u64(&row, attached);
	row_end(&row);
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct row row = row_begin(opaque, INSERT_OP);
	char text[32];

	row_u64_if(&row, op->op_id, op->op_id);
	row_name(&row, event_op_name(op->op));
	row_name(&row, op->layer == STATE_BACKEND ? "backend" : "device");
	row_u64(&row, op->machine);
	row_u64(&row, op->pid);
	row_u64_if(&row, op->tid, op->tid);
	row_u64_if(&row, op->context, op->context ? op->context->serial : 0);
	row_u64_if(&row, op->begin_seen, (uint64_t)op->begin_ns);
	row_u64_if(&row, op->returned, (uint64_t)op->end_ns);
	row_u64_if(&row, op->returned, (uint64_t)op->ret);
	row_name(&row, op->returned && op->ret < 0
			       ? export_error_text(op->ret, text) : NULL);
	row_u64_if(&row, op->id, op->id);
	row_u64_if(&row, op->new_id, op->new_id);
	row_u64_if(&row, op->size, op->iova);
	row_u64_if(&row, op->size, op->last);
	row_u64_if(&row, op->size, op->size);
	row_u64(&row, op->readonly);
	row_u64_if(&row, op->outer, op->outer ? op->outer->op_id : 0);
	row_end(&row);
}

static void on_commit(void *opaque, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	struct row row = row_begin(opaque, INSERT_COMMIT);

	(void)op;
	row_i64(&row, commit->time_ns);
	row_u64(&row, object->serial);
	row_u64(&row, commit->seq);
	row_name(&row, export_commit_name(commit->commit_kind));
	row_u64_if(&row, commit->op_id, commit->op_id);
	row_u64(&row, commit->iova);
	row_u64(&row, commit->last);
	row_u64(&row, commit->flags);
	row_u64(&row, commit->arg);
	row_end(&row);
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	struct row row = row_begin(opaque, INSERT_LOSS);

	row_u64(&row, loss->machine);
	row_u64(&row, loss->stream);
	row_i64(&row, loss->first_ns);
	row_i64(&row, loss->last_ns);
	row_u64(&row, loss->events);
	row_u64(&row, loss->packets);
	row_end(&row);
}

static void quality_insert(struct sqlite *s, const char *name, int64_t value)
{
	struct row row = row_begin(s, INSERT_QUALITY);

	row_name(&row, name);
	row_i64(&row, value);
	row_end(&row);
}

static void on_left(void *opaque, const struct state_object *object,
		    const struct state_mapping *mapping)
{
	mapping_insert(opaque, object, mapping, false, 0, 0);
}

static void on_finish(void *opaque)
{
	struct sqlite *s = opaque;
	const struct quality *q = analysis_quality(s->analysis);

	live_mappings_visit(s->analysis, on_left, s);
	for (size_t i = 0; i < q->machines_count; i++) {
		struct row row = row_begin(s, INSERT_MACHINE);

		row_u64(&row, i);
		row_text(&row, q->machines[i].name);
		row_u64(&row, q->machines[i].events);
		row_end(&row);
	}
	quality_insert(s, "events", (int64_t)q->events);
	quality_insert(s, "events_known", (int64_t)q->events_known);
	quality_insert(s, "lost_events", (int64_t)q->lost_events);
	quality_insert(s, "lost_packets", (int64_t)q->lost_packets);
	quality_insert(s, "lost_uncounted", (int64_t)q->lost_uncounted);
	quality_insert(s, "missing_commits", (int64_t)q->seq_gaps);
	quality_insert(s, "streams", (int64_t)q->streams);
	quality_insert(s, "beginning_missing", q->beginning_missing);
	quality_insert(s, "cut_short", q->cut_short);
	quality_insert(s, "first_ns", q->first_ns);
	quality_insert(s, "last_ns", q->last_ns);
	if (sqlite3_exec(s->db, indexes, NULL, NULL, NULL) != SQLITE_OK)
		sqlite_failed(s);
}

static const struct analysis_observer sqlite_observer = {
	.op = on_op,
	.commit = on_commit,
	.context_begin = on_context_begin,
	.context_end = on_context_end,
	.object_begin = on_object_begin,
	.object_end = on_object_end,
	.mapping_end = on_mapping_end,
	.attach = on_attach,
	.loss = on_loss,
	.finish = on_finish,
};

/* ---- opening and closing --------------------------------------------------------------- */

static bool sqlite_close(void *self, char *error, size_t error_size)
{
	struct sqlite *s = self;
	bool ok;

	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	if (sqlite3_close(s->db) != SQLITE_OK)
		sqlite_failed(s);
	ok = !s->error[0];
	if (!ok)
		snprintf(error, error_size, "%s", s->error);
	free(s);
	return ok;
}

/* One thread uses it: no locks. */
#define OPEN_FLAGS (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX)

static void *sqlite_open(struct analysis *analysis, FILE *file, const char *path, char *error,
			 size_t error_size)
{
	struct sqlite *s = calloc(1, sizeof(*s));
	char cause[200];

	(void)file;

	if (!s) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	s->analysis = analysis;
	if (sqlite3_open_v2(path, &s->db, OPEN_FLAGS, NULL) != SQLITE_OK ||
	    sqlite3_exec(s->db, tables, NULL, NULL, NULL) != SQLITE_OK)
		sqlite_failed(s);
	for (int i = 0; i < STATEMENTS && !s->error[0]; i++) {
		if (sqlite3_prepare_v2(s->db, statement_texts[i], -1, &s->statements[i], NULL) !=
		    SQLITE_OK)
			sqlite_failed(s);
	}
	if (s->error[0]) {
		sqlite_close(s, cause, sizeof(cause));
		snprintf(error, error_size, "%s", cause);
		return NULL;
	}
	return s;
}

const struct export_format export_sqlite = {
	.name = "sqlite",
	.help = "tables of calls, commits, mappings with their lives, objects, quality",
	.observer = &sqlite_observer,
	.wants_path = true,
	.open = sqlite_open,
	.close = sqlite_close,
};
