/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the page: the template, and in it the data as JSON. All times in the
 * data count from the first event, so that they fit a JavaScript number.
 */
#include "analysis/report/report_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/report/page.h"

static const char *const category_names[REPORT_CATEGORIES] = {
	[REPORT_BY_MAP] = "mapped",
	[REPORT_BY_MAP_FILE] = "mapped from a file",
	[REPORT_BY_COPY] = "copied",
	[REPORT_BY_VFIO] = "mapped by a VFIO call",
	[REPORT_BY_DUMP] = "there when tracing began",
};

static int64_t since(const struct report *report, int64_t time_ns)
{
	int64_t first = report->timeline.first_ns;

	return time_ns > first ? time_ns - first : 0;
}

/* ---- head --------------------------------------------------------------------- */

static void window_write(struct report *report, struct json_out *json, int64_t last_ns)
{
	time_t seconds = (time_t)(report->timeline.first_ns / 1000000000);
	char text[64] = "", begin[96];
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(begin, sizeof(begin), "%s.%09" PRId64 " UTC", text,
		 report->timeline.first_ns % 1000000000);
	json_out_begin(json, "window", '{');
	json_out_string(json, "begin", begin);
	json_out_i64(json, "duration_ns", since(report, last_ns));
	json_out_end(json, '}');
}

static void quality_row(struct json_out *json, const char *name, bool warn, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void quality_row(struct json_out *json, const char *name, bool warn, const char *fmt, ...)
{
	char value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	json_out_begin(json, NULL, '{');
	json_out_string(json, "name", name);
	json_out_string(json, "value", value);
	json_out_bool(json, "warn", warn);
	json_out_end(json, '}');
}

static void quality_write(const struct quality *q, struct json_out *json)
{
	int64_t window = q->events ? q->last_ns - q->first_ns : 0;

	json_out_begin(json, "quality", '[');
	quality_row(json, "Events read", false, "%" PRIu64, q->events);
	quality_row(json, "Window", false, "%" PRId64 ".%06" PRId64 " s", window / 1000000000,
		    window % 1000000000 / 1000);
	quality_row(json, "Streams", false, "%" PRIu64, q->streams);
	if (q->machines_count > 1)
		quality_row(json, "Machines", false, "%zu", q->machines_count);
	quality_row(json, "Lost events", q->lost_events, "%" PRIu64 "%s", q->lost_events,
		    q->lost_uncounted ? " and more, uncounted" : "");
	if (q->lost_packets)
		quality_row(json, "Lost packets", true, "%" PRIu64, q->lost_packets);
	if (q->seq_gaps)
		quality_row(json, "Missing commits", true, "%" PRIu64, q->seq_gaps);
	if (q->beginning_missing)
		quality_row(json, "Beginning", true, "missing");
	if (q->cut_short)
		quality_row(json, "End", true, "a stream ends early");
	json_out_end(json, ']');
}

static void verdict_write(const struct report *report, struct json_out *json)
{
	json_out_begin(json, "verdict", '{');
	json_out_string(json, "status", report->status ? report->status : "unknown");
	json_out_string(json, "text", report->text ? report->text : "no rule was checked");
	json_out_string(json, "rules", report->rules ? report->rules : "none was looked at");
	json_out_end(json, '}');
}

/* ---- findings -------------------------------------------------------------------- */

static void finding_write(const struct report *report, const struct report_finding *f, int space,
			  struct json_out *json)
{
	char text[32];

	json_out_begin(json, NULL, '{');
	json_out_string(json, "rule", f->rule);
	json_out_string(json, "status", f->status);
	json_out_string(json, "cause", f->cause);
	json_out_i64(json, "t_ns", since(report, f->time_ns));
	if (space >= 0)
		json_out_i64(json, "space", space);
	else
		json_out_null(json, "space");
	if (f->has_range) {
		json_out_hex(json, "iova", f->iova);
		json_out_hex(json, "last", f->last);
	} else {
		json_out_null(json, "iova");
		json_out_null(json, "last");
	}
	json_out_begin(json, "events", '[');
	for (size_t i = 0; i < f->events_count; i++) {
		json_out_begin(json, NULL, '{');
		json_out_i64(json, "t_ns", since(report, f->events[i].time_ns));
		json_out_string(json, "op", event_op_id_text(f->events[i].op_id, text));
		json_out_string(json, "text", f->events[i].text);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
	json_out_end(json, '}');
}

/* ---- numbers ----------------------------------------------------------------------- */

static void bins_write(struct json_out *json, const char *key, const uint64_t *bins,
		       unsigned int count)
{
	json_out_begin(json, key, '[');
	for (unsigned int i = 0; i < count; i++)
		json_out_u64(json, NULL, bins[i]);
	json_out_end(json, ']');
}

static void band_write(const struct report *report, struct json_out *json, const char *key,
		       const struct timeline_band *band)
{
	json_out_begin(json, key, '{');
	bins_write(json, "min", band->min, report->timeline.used);
	bins_write(json, "max", band->max, report->timeline.used);
	bins_write(json, "last", band->last, report->timeline.used);
	json_out_end(json, '}');
}

/* The operations by falling number of calls in the curve; returns how many. */
static size_t ops_by_calls(const struct report *report, enum event_op *order)
{
	uint64_t totals[OP_COUNT] = { 0 };
	size_t count = 0;

	for (int op = 0; op < OP_COUNT; op++) {
		size_t at = count;

		if (!report->calls[op])
			continue;
		for (unsigned int i = 0; i < TIMELINE_BINS; i++)
			totals[op] += report->calls[op]->bins[i];
		for (count++; at && totals[order[at - 1]] < totals[op]; at--)
			order[at] = order[at - 1];
		order[at] = (enum event_op)op;
	}
	return count;
}

/* As many curves as there are colours; what is rarer goes into the last one. */
static void calls_write(const struct report *report, struct json_out *json)
{
	enum event_op order[OP_COUNT];
	size_t count = ops_by_calls(report, order), shown = count > 7 ? 6 : count;
	uint64_t others[TIMELINE_BINS] = { 0 };

	json_out_begin(json, "calls", '[');
	for (size_t i = 0; i < shown; i++) {
		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", event_op_name(order[i]));
		bins_write(json, "bins", report->calls[order[i]]->bins, report->timeline.used);
		json_out_end(json, '}');
	}
	for (size_t i = shown; i < count; i++) {
		for (unsigned int k = 0; k < TIMELINE_BINS; k++)
			others[k] += report->calls[order[i]]->bins[k];
	}
	if (shown < count) {
		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", "others");
		bins_write(json, "bins", others, report->timeline.used);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}

static void series_write(const struct report *report, struct json_out *json)
{
	json_out_begin(json, "series", '{');
	json_out_u64(json, "bin_ns", report->timeline.bin_ns);
	band_write(report, json, "bytes", report->bytes);
	band_write(report, json, "mappings", report->mappings);
	calls_write(report, json);
	bins_write(json, "errors", report->errors->bins, report->timeline.used);
	json_out_end(json, '}');
	report_latency_write(report, json);
}

static void errors_write(const struct stats_op *stats, struct json_out *json)
{
	json_out_begin(json, "errors", '[');
	for (int error = 0; error < STATS_ERRNO_MAX; error++) {
		if (!stats->by_errno[error])
			continue;
		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", error && strerrorname_np(error)
						      ? strerrorname_np(error) : "other");
		json_out_u64(json, "count", stats->by_errno[error]);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}

static void op_write(enum event_op op, const struct stats_op *stats, struct json_out *json)
{
	const struct histogram *h = &stats->latency_ns;

	json_out_begin(json, NULL, '{');
	json_out_string(json, "name", event_op_name(op));
	json_out_string(json, "layer", op < OP_IOCTL ? "backend" : "device");
	json_out_u64(json, "calls", stats->calls);
	json_out_u64(json, "bytes", stats->bytes);
	errors_write(stats, json);
	json_out_bool(json, "timed", h->count);
	json_out_u64(json, "p50_ns", histogram_percentile(h, 500000));
	json_out_u64(json, "p90_ns", histogram_percentile(h, 900000));
	json_out_u64(json, "p99_ns", histogram_percentile(h, 990000));
	json_out_u64(json, "p999_ns", histogram_percentile(h, 999000));
	json_out_u64(json, "max_ns", h->max);
	json_out_u64(json, "total_ns", h->sum);
	json_out_u64(json, "mean_ns", h->count ? h->sum / h->count : 0);
	json_out_begin(json, "hist", '[');
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!h->buckets[i])
			continue;
		json_out_begin(json, NULL, '[');
		json_out_u64(json, NULL, histogram_bucket_low(i));
		json_out_u64(json, NULL, histogram_bucket_high(i));
		json_out_u64(json, NULL, h->buckets[i]);
		json_out_end(json, ']');
	}
	json_out_end(json, ']');
	json_out_end(json, '}');
}

/* ---- objects ------------------------------------------------------------------------ */

static void row_write(const struct report *report, const struct report_row *row,
		      unsigned int depth, struct json_out *json)
{
	char more[128] = "";

	if (row->mappings)
		snprintf(more, sizeof(more), "%" PRIu64 " mappings were made", row->mappings);
	else if (row->attaches)
		snprintf(more, sizeof(more), "attached to %" PRIu64 " times", row->attaches);
	json_out_begin(json, NULL, '{');
	json_out_string(json, "name", row->name);
	json_out_string(json, "more", more);
	json_out_u64(json, "depth", depth);
	json_out_u64(json, "kind", row->kind);
	json_out_i64(json, "born_ns", since(report, row->born_ns));
	if (row->died_ns == INT64_MAX)
		json_out_null(json, "died_ns");
	else
		json_out_i64(json, "died_ns", since(report, row->died_ns));
	json_out_end(json, '}');
}

/* Whether holder is what row names as its parent: an id is given out again and again. */
static bool row_holds(const struct report_row *holder, const struct report_row *row)
{
	return holder->serial && holder != row && holder->context == row->context &&
	       holder->id == row->parent && holder->born_ns <= row->died_ns &&
	       row->born_ns <= holder->died_ns;
}

/* The row that holds row, the latest one that fits; NULL: its context does. */
static const struct report_row *row_holder(const struct report *report,
					   const struct report_row *row)
{
	if (!row->parent)
		return NULL;
	for (size_t i = report->rows_count; i-- > 0;) {
		if (row_holds(&report->rows[i], row))
			return &report->rows[i];
	}
	return NULL;
}

/* Writes what is held by holder (NULL: by the context itself). done keeps circles out. */
static void held_write(const struct report *report, uint64_t context,
		       const struct report_row *holder, unsigned int depth, bool *done,
		       struct json_out *json)
{
	for (size_t i = 0; depth < 12 && i < report->rows_count; i++) {
		const struct report_row *row = &report->rows[i];

		if (!row->serial || row->context != context || done[i] ||
		    row_holder(report, row) != holder)
			continue;
		done[i] = true;
		row_write(report, row, depth, json);
		held_write(report, context, row, depth + 1, done, json);
	}
}

static int objects_write(const struct report *report, struct json_out *json)
{
	bool *done = calloc(report->rows_count + 1, sizeof(*done));

	if (!done)
		return -ENOMEM;
	json_out_begin(json, "objects", '[');
	for (size_t i = 0; i < report->rows_count; i++) {
		const struct report_row *row = &report->rows[i];

		if (row->serial)
			continue;
		row_write(report, row, 0, json);
		held_write(report, row->context, NULL, 1, done, json);
	}
	for (size_t i = 0; i < report->rows_count; i++) {
		if (report->rows[i].serial && !done[i])
			row_write(report, &report->rows[i], 0, json);
	}
	json_out_end(json, ']');
	json_out_u64(json, "objects_left_out", report->rows_left_out);
	free(done);
	return 0;
}

/* ---- the page ------------------------------------------------------------------------- */

struct page {
	struct report *report;
	struct analysis *analysis;
	char *const *traces;
	size_t traces_count;
};

static void names_write(struct json_out *json, const char *key, const char *const *names,
			size_t count)
{
	json_out_begin(json, key, '[');
	for (size_t i = 0; i < count; i++)
		json_out_string(json, NULL, names[i]);
	json_out_end(json, ']');
}

static int data_write(struct page *page, FILE *out)
{
	struct report *report = page->report;
	const struct quality *quality = analysis_quality(page->analysis);
	int *index_of = calloc(report->spaces_count + 1, sizeof(*index_of));
	int64_t last_ns = quality->events ? quality->last_ns : report->timeline.first_ns;
	struct json_out json;
	int ret;

	if (!index_of)
		return -ENOMEM;
	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	json_out_string(&json, "version", IOASIS_VERSION);
	names_write(&json, "traces", (const char *const *)page->traces, page->traces_count);
	window_write(report, &json, last_ns);
	verdict_write(report, &json);
	quality_write(quality, &json);
	json_out_begin(&json, "categories", '{');
	names_write(&json, "op", category_names, REPORT_CATEGORIES);
	names_write(&json, "owner", (const char *const *)report->owners, report->owners_count);
	json_out_end(&json, '}');
	ret = report_spaces_write(report, &json, last_ns, index_of);
	json_out_begin(&json, "violations", '[');
	for (size_t i = 0; i < report->findings_count; i++) {
		const struct report_finding *found = &report->findings[i];
		const struct report_space *space = report_space_of(report, found);

		finding_write(report, found, space ? index_of[space - report->spaces] : -1, &json);
	}
	json_out_end(&json, ']');
	json_out_u64(&json, "violations_total", report->findings_total);
	json_out_begin(&json, "ops", '[');
	for (int op = 0; op < OP_COUNT; op++) {
		const struct stats_op *stats = stats_op(report->stats, (enum event_op)op);

		if (stats)
			op_write((enum event_op)op, stats, &json);
	}
	json_out_end(&json, ']');
	series_write(report, &json);
	if (!ret)
		ret = objects_write(report, &json);
	json_out_end(&json, '}');
	free(index_of);
	return ret;
}

/* Writes what stands for a mark of the template. */
static int mark_write(struct page *page, const char *mark, size_t len, FILE *out)
{
	static const struct {
		const char *name;
		const char *texts[4];
	} parts[] = {
		{ "STYLE", { page_css } },
		{ "D3LICENCE", { page_d3_licence } },
		{ "D3", { page_d3_js } },
		{ "SCRIPT", { page_core_js, page_spaces_js, page_charts_js, page_start_js } },
	};

	if (len == 4 && !memcmp(mark, "DATA", 4))
		return data_write(page, out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (strlen(parts[i].name) != len || memcmp(parts[i].name, mark, len))
			continue;
		for (size_t k = 0; k < 4 && parts[i].texts[k]; k++)
			fputs(parts[i].texts[k], out);
	}
	return 0;
}

int report_write(struct report *report, struct analysis *analysis, char *const *traces,
		 size_t traces_count, FILE *out)
{
	struct page page = {
		.report = report,
		.analysis = analysis,
		.traces = traces,
		.traces_count = traces_count,
	};
	const char *at = page_html;
	int ret = report->error;

	while (!ret && *at) {
		const char *mark = strchr(at, '@'), *end;

		if (!mark) {
			fputs(at, out);
			break;
		}
		fwrite(at, 1, (size_t)(mark - at), out);
		end = strchr(mark + 1, '@');
		if (!end)
			return -EINVAL;
		ret = mark_write(&page, mark + 1, (size_t)(end - mark - 1), out);
		at = end + 1;
	}
	if (!ret && (fflush(out) || ferror(out)))
		ret = errno ? -errno : -EIO;
	return ret;
}
