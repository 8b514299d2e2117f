/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes pictures of address spaces from the temporary file of mappings.
 *
 * The file is read once. Each address space that is drawn keeps its largest
 * mappings in a heap, and, when it has more than are drawn one by one, a raster:
 * for each cell of time and addresses the share of it that was mapped. A mapping
 * goes into the raster as its change at begin and end, summed up over time at the
 * end, so that it costs the rows that it crosses, however long it lived.
 */
#include "analysis/report/report_internal.h"
#include "tracepoints/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 512
#define ROWS 192 /* of all regions of a space */

struct raster {
	unsigned int rows;
	float *change; /* rows x (COLUMNS + 2): of the mapped share, from one column to the next */
};

struct picture {
	struct report_space *space;
	struct report_mapping *heap; /* the largest so far, the smallest of them first */
	size_t heap_count, heap_max;
	bool rastered;
	struct raster rasters[REPORT_REGIONS_MAX];
};

struct drawing {
	struct report *report;
	int64_t begin_ns, end_ns;
	const struct report_space *found_in[REPORT_FINDINGS_MAX]; /* of each finding */
	struct picture pictures[REPORT_SPACES_MAX];
	size_t count;
};

/* ---- which spaces ----------------------------------------------------------------- */

static bool has_finding(const struct drawing *d, const struct report_space *space)
{
	for (size_t i = 0; i < d->report->findings_count; i++) {
		if (d->found_in[i] == space)
			return true;
	}
	return false;
}

/* Spaces with findings first, then those with the most mappings. */
static bool comes_before(const struct drawing *d, const struct report_space *a,
			 const struct report_space *b)
{
	bool found_a = has_finding(d, a), found_b = has_finding(d, b);

	if (found_a != found_b)
		return found_a;
	return a->mappings > b->mappings;
}

static void choose_spaces(struct drawing *d, int *index_of)
{
	struct report *report = d->report;

	for (size_t i = 0; i < report->findings_count; i++)
		d->found_in[i] = report_space_of(report, &report->findings[i]);
	for (size_t i = 0; i < report->spaces_count; i++) {
		struct report_space *space = &report->spaces[i];
		size_t at = d->count;

		while (at && comes_before(d, space, d->pictures[at - 1].space))
			at--;
		if (at == REPORT_SPACES_MAX)
			continue;
		if (d->count < REPORT_SPACES_MAX)
			d->count++;
		for (size_t k = d->count - 1; k > at; k--)
			d->pictures[k] = d->pictures[k - 1];
		d->pictures[at] = (struct picture){ .space = space };
	}
	for (size_t i = 0; i < report->spaces_count; i++)
		index_of[i] = -1;
	for (size_t i = 0; i < d->count; i++)
		index_of[d->pictures[i].space - report->spaces] = (int)i;
}

/* ---- rasters ------------------------------------------------------------------------ */

/* As the page lays regions out: by the logarithm of their size. */
static double region_weight(const struct report_regions *regions, unsigned int i)
{
	double pages = (double)(regions->last[i] - regions->first[i]) / 4096 + 1;
	double weight = 1;

	while (pages >= 2) {
		pages /= 2;
		weight++;
	}
	return weight + pages - 1;
}

static int rasters_make(struct picture *picture)
{
	const struct report_regions *regions = &picture->space->regions;
	double sum = 0;

	for (unsigned int i = 0; i < regions->count; i++)
		sum += region_weight(regions, i);
	for (unsigned int i = 0; i < regions->count; i++) {
		struct raster *raster = &picture->rasters[i];

		raster->rows = (unsigned int)(ROWS * region_weight(regions, i) / sum);
		if (!raster->rows)
			raster->rows = 1;
		raster->change = calloc((size_t)raster->rows * (COLUMNS + 2), sizeof(float));
		if (!raster->change)
			return -ENOMEM;
	}
	picture->rastered = true;
	return 0;
}

/* A step of `by` in row's share at place `at` in columns (a fraction is spread over two). */
static void raster_step(struct raster *raster, unsigned int row, double at, double by)
{
	float *change = raster->change + (size_t)row * (COLUMNS + 2);
	unsigned int column = at <= 0 ? 0 : at >= COLUMNS ? COLUMNS : (unsigned int)at;
	double part = at <= 0 || at >= COLUMNS ? 0 : at - column;

	change[column] += (float)(by * (1 - part));
	change[column + 1] += (float)(by * part);
}

static void raster_add(const struct drawing *d, struct picture *picture, unsigned int region,
		       const struct report_mapping *m)
{
	const struct report_regions *regions = &picture->space->regions;
	struct raster *raster = &picture->rasters[region];
	double span = (double)(d->end_ns - d->begin_ns) + 1;
	double bytes = (double)(regions->last[region] - regions->first[region]) + 1;
	double from = (double)(m->iova - regions->first[region]) / bytes * raster->rows;
	double to = ((double)(m->last - regions->first[region]) + 1) / bytes * raster->rows;
	double begin = (double)(m->begin_ns - d->begin_ns) / span * COLUMNS;
	double end = m->end_ns == INT64_MAX ? COLUMNS
					    : (double)(m->end_ns - d->begin_ns) / span * COLUMNS;

	for (unsigned int row = (unsigned int)from; row < raster->rows && row < to; row++) {
		double low = from > row ? from : row, high = to < row + 1 ? to : row + 1;

		raster_step(raster, row, begin, high - low);
		raster_step(raster, row, end, low - high);
	}
}

static void base64_write(FILE *file, const unsigned char *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)data[i] << 16 |
				 (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0) |
				 (i + 2 < len ? data[i + 2] : 0);

		putc(digits[three >> 18], file);
		putc(digits[three >> 12 & 63], file);
		putc(i + 1 < len ? digits[three >> 6 & 63] : '=', file);
		putc(i + 2 < len ? digits[three & 63] : '=', file);
	}
}

static int raster_write(const struct raster *raster, struct json_out *json)
{
	size_t len = (size_t)raster->rows * COLUMNS;
	unsigned char *cells = malloc(len);

	if (!cells)
		return -ENOMEM;
	for (unsigned int row = 0; row < raster->rows; row++) {
		const float *change = raster->change + (size_t)row * (COLUMNS + 2);
		double share = 0;

		for (unsigned int column = 0; column < COLUMNS; column++) {
			double shown;

			share += (double)change[column];
			shown = share * 255 + 0.999; /* what is a little mapped is to be seen */
			cells[(size_t)row * COLUMNS + column] =
				share < 1e-5 ? 0 : shown > 255 ? 255 : (unsigned char)shown;
		}
	}
	json_out_begin(json, NULL, '{');
	json_out_u64(json, "columns", COLUMNS);
	json_out_u64(json, "rows", raster->rows);
	json_out_raw(json, "cells");
	putc('"', json->file);
	base64_write(json->file, cells, len);
	putc('"', json->file);
	json_out_end(json, '}');
	free(cells);
	return 0;
}

/* ---- the largest mappings ---------------------------------------------------------- */

/* How much of the picture a mapping takes: time times pages. */
static unsigned __int128 mapping_area(const struct drawing *d, const struct report_mapping *m)
{
	int64_t end = m->end_ns == INT64_MAX ? d->end_ns : m->end_ns;
	uint64_t lived = end > m->begin_ns ? (uint64_t)(end - m->begin_ns) : 0;

	return (unsigned __int128)(lived + 1) * (((m->last - m->iova) >> 12) + 1);
}

static void heap_swap(struct report_mapping *a, struct report_mapping *b)
{
	struct report_mapping t = *a;

	*a = *b;
	*b = t;
}

static void heap_add(const struct drawing *d, struct picture *p, const struct report_mapping *m)
{
	size_t at;

	if (p->heap_count < p->heap_max) {
		at = p->heap_count++;
		p->heap[at] = *m;
		while (at && mapping_area(d, &p->heap[at]) < mapping_area(d, &p->heap[(at - 1) / 2])) {
			heap_swap(&p->heap[at], &p->heap[(at - 1) / 2]);
			at = (at - 1) / 2;
		}
		return;
	}
	if (!p->heap_max || mapping_area(d, m) <= mapping_area(d, &p->heap[0]))
		return;
	p->heap[0] = *m;
	for (at = 0;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < p->heap_count && mapping_area(d, &p->heap[child]) <
							     mapping_area(d, &p->heap[least]))
				least = child;
		}
		if (least == at)
			return;
		heap_swap(&p->heap[at], &p->heap[least]);
		at = least;
	}
}

static int mapping_compare(const void *a, const void *b)
{
	const struct report_mapping *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	if (x->iova != y->iova)
		return x->iova < y->iova ? -1 : 1;
	return x->op_id < y->op_id ? -1 : x->op_id > y->op_id;
}

/* ---- reading and writing -------------------------------------------------------------- */

static unsigned int region_of(const struct report_regions *regions, uint64_t iova)
{
	unsigned int i = regions->count - 1;

	while (i && regions->first[i] > iova)
		i--;
	return i;
}

/*
 * Regions of like size with small gaps between them are drawn as one: a ring of
 * buffers is one thing to look at, but the 128 KiB below a guest's memory are
 * not to vanish beside its gigabytes.
 */
static void regions_tidy(struct report_regions *regions)
{
	for (unsigned int i = 0; i + 1 < regions->count;) {
		uint64_t a = regions->last[i] - regions->first[i];
		uint64_t b = regions->last[i + 1] - regions->first[i + 1];
		uint64_t gap = regions->first[i + 1] - regions->last[i];
		uint64_t large = a > b ? a : b, small = a > b ? b : a;

		if (gap / 8 > large || large / 64 > small) {
			i++;
			continue;
		}
		regions->last[i] = regions->last[i + 1];
		regions->count--;
		for (unsigned int k = i + 1; k < regions->count; k++) {
			regions->first[k] = regions->first[k + 1];
			regions->last[k] = regions->last[k + 1];
		}
		i = 0; /* what is larger now may reach further */
	}
}

static int pictures_prepare(struct drawing *d)
{
	size_t share = d->count ? REPORT_RECTS_MAX / d->count : 0;
	int ret;

	for (size_t i = 0; i < d->count; i++) {
		struct picture *picture = &d->pictures[i];

		regions_tidy(&picture->space->regions);
		picture->heap_max = picture->space->mappings < share ? picture->space->mappings
								     : share;
		if (picture->space->mappings > share) {
			picture->heap_max = share / 4;
			ret = rasters_make(picture);
			if (ret)
				return ret;
		}
		picture->heap = calloc(picture->heap_max + 1, sizeof(*picture->heap));
		if (!picture->heap)
			return -ENOMEM;
	}
	return 0;
}

static int pictures_read(struct drawing *d, const int *index_of)
{
	struct report_mapping m;

	if (fflush(d->report->spool) || fseeko(d->report->spool, 0, SEEK_SET))
		return -errno;
	for (uint64_t i = 0; i < d->report->spooled; i++) {
		struct picture *picture;

		if (fread(&m, sizeof(m), 1, d->report->spool) != 1)
			return -EIO;
		if (index_of[m.space] < 0)
			continue;
		picture = &d->pictures[index_of[m.space]];
		heap_add(d, picture, &m);
		if (picture->rastered)
			raster_add(d, picture, region_of(&picture->space->regions, m.iova), &m);
	}
	return 0;
}

static void rect_write(const struct drawing *d, const struct picture *picture,
		       const struct report_mapping *m, struct json_out *json)
{
	const struct report_regions *regions = &picture->space->regions;
	unsigned int region = region_of(regions, m->iova);

	json_out_raw(json, NULL);
	fprintf(json->file, "[%" PRId64 ",", m->begin_ns - d->begin_ns);
	if (m->end_ns == INT64_MAX)
		fputs("null", json->file);
	else
		fprintf(json->file, "%" PRId64, m->end_ns - d->begin_ns);
	fprintf(json->file, ",%u,%" PRIu64 ",%" PRIu64 ",%u,%u,%u,\"", region,
		m->iova - regions->first[region], m->last - m->iova + 1, m->category, m->owner,
		m->prot);
	if (m->op_id)
		fprintf(json->file, "%" PRIu64 ":%" PRIu64, (uint64_t)TRACE_WORD_PID(m->op_id >> 32),
			m->op_id & UINT32_MAX);
	fputs("\"]", json->file);
}

static int picture_write(const struct drawing *d, struct picture *picture,
			 struct json_out *json)
{
	const struct report_regions *regions = &picture->space->regions;
	char note[256];
	int ret = 0;

	json_out_begin(json, NULL, '{');
	json_out_string(json, "name", picture->space->name);
	if (picture->rastered)
		snprintf(note, sizeof(note), "%" PRIu64 " mappings were made here: the %zu largest "
			 "are drawn one by one, above a raster of how much was mapped.",
			 picture->space->mappings, picture->heap_count);
	else
		snprintf(note, sizeof(note), "%" PRIu64 " mapping%s made here: all are drawn.",
			 picture->space->mappings, picture->space->mappings == 1 ? " was" : "s were");
	json_out_string(json, "note", note);
	json_out_begin(json, "segments", '[');
	for (unsigned int i = 0; i < regions->count; i++) {
		json_out_begin(json, NULL, '{');
		json_out_hex(json, "base", regions->first[i]);
		json_out_u64(json, "bytes", regions->last[i] - regions->first[i] == UINT64_MAX
			     ? UINT64_MAX : regions->last[i] - regions->first[i] + 1);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
	qsort(picture->heap, picture->heap_count, sizeof(*picture->heap), mapping_compare);
	json_out_begin(json, "rects", '[');
	for (size_t i = 0; i < picture->heap_count; i++)
		rect_write(d, picture, &picture->heap[i], json);
	json_out_end(json, ']');
	json_out_begin(json, "rasters", '[');
	for (unsigned int i = 0; picture->rastered && i < regions->count && !ret; i++)
		ret = raster_write(&picture->rasters[i], json);
	json_out_end(json, ']');
	json_out_end(json, '}');
	return ret;
}

int report_spaces_write(struct report *report, struct json_out *json, int64_t end_ns,
			int *index_of)
{
	struct drawing *d = calloc(1, sizeof(*d));
	int ret;

	if (!d)
		return -ENOMEM;
	d->report = report;
	d->begin_ns = report->timeline.first_ns;
	d->end_ns = end_ns > d->begin_ns ? end_ns : d->begin_ns + 1;
	choose_spaces(d, index_of);
	ret = pictures_prepare(d);
	if (!ret)
		ret = pictures_read(d, index_of);
	json_out_begin(json, "spaces", '[');
	for (size_t i = 0; i < d->count && !ret; i++)
		ret = picture_write(d, &d->pictures[i], json);
	json_out_end(json, ']');
	for (size_t i = 0; i < d->count; i++) {
		free(d->pictures[i].heap);
		for (unsigned int k = 0; k < REPORT_REGIONS_MAX; k++)
			free(d->pictures[i].rasters[k].change);
	}
	free(d);
	return ret;
}
