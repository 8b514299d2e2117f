/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/units.h"

void report_init(struct report *report)
{
	*report = (struct report){ 0 };
}

void report_fini(struct report *report)
{
	free(report->rows);
	report->rows = NULL;
}

void report_add(struct report *report, const char *group, const char *name, const char *text,
		enum report_unit unit, uint64_t value)
{
	if (report->count == report->size) {
		size_t size = report->size ? report->size * 2 : 64;
		struct report_row *rows = realloc(report->rows, size * sizeof(*rows));

		if (!rows) {
			fprintf(stderr, "report: out of memory\n");
			abort();
		}
		report->rows = rows;
		report->size = size;
	}
	report->rows[report->count++] = (struct report_row){ group, name, text, unit, value };
}

void report_warn(struct report *report, const char *fmt, ...)
{
	va_list ap;

	if (report->warnings_count == REPORT_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(report->warnings[report->warnings_count++], REPORT_WARNING_BYTES, fmt, ap);
	va_end(ap);
}

uint64_t report_get(const struct report *report, const char *group, const char *name)
{
	for (size_t i = 0; i < report->count; i++) {
		if (!strcmp(report->rows[i].group, group) && !strcmp(report->rows[i].name, name))
			return report->rows[i].value;
	}
	return UINT64_MAX;
}

uint64_t report_ppm(uint64_t a, uint64_t b)
{
	return b ? (uint64_t)((unsigned __int128)a * 1000000 / b) : 0;
}

const char *report_shown(const struct report_row *row, char buf[REPORT_SHOWN_BYTES])
{
	switch (row->unit) {
	case REPORT_BYTES:
		return units_print_bytes(row->value, buf);
	case REPORT_NS:
		return units_print_time(row->value, buf);
	case REPORT_BITS_PER_S:
		return units_print_rate(row->value, buf);
	case REPORT_PPM:
		return units_print_share(row->value, buf);
	case REPORT_YES_NO:
		return row->value ? "yes" : "no";
	case REPORT_COUNT:
		break;
	}
	return units_print_count(row->value, buf);
}

void report_print(const struct report *report, FILE *out)
{
	const char *group = "";

	for (size_t i = 0; i < report->count; i++) {
		const struct report_row *row = &report->rows[i];
		char buf[REPORT_SHOWN_BYTES];

		fprintf(out, "%-14s %-44s %16s\n", strcmp(group, row->group) ? row->group : "",
			row->text, report_shown(row, buf));
		group = row->group;
	}
}

void report_print_json(const struct report *report, FILE *out)
{
	const char *group = "";

	for (size_t i = 0; i < report->count; i++) {
		const struct report_row *row = &report->rows[i];

		if (strcmp(group, row->group)) {
			fprintf(out, "%s  \"%s\": {\n", *group ? "\n  },\n" : "", row->group);
			group = row->group;
		} else {
			fputs(",\n", out);
		}
		if (row->unit == REPORT_YES_NO)
			fprintf(out, "    \"%s\": %s", row->name, row->value ? "true" : "false");
		else
			fprintf(out, "    \"%s\": %" PRIu64, row->name, row->value);
	}
	if (*group)
		fputs("\n  }", out);
}
