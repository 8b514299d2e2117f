/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A metric over a setting as SVG, readable without colours: each line has its own mark. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/merge.h"

#define WIDTH	    760
#define HEIGHT	    420
#define LEFT	    90
#define RIGHT	    200 /* the legend is there */
#define TOP	    50
#define BOTTOM	    60
#define VALUES_MAX  256
#define SERIES_MAX  16
#define TEXT_BYTES  512
#define MARK_RADIUS 4.0

struct drawing {
	const struct merge *merge;
	size_t metric;
	const char *x;
	FILE *out;
	char values[VALUES_MAX][64]; /* of x, in the order of the points */
	size_t values_count;
	char series[SERIES_MAX][TEXT_BYTES]; /* the other settings */
	size_t series_count;
	double top; /* of the y axis */
};

/* The settings of a point without x. */
static void series_name(const struct drawing *drawing, size_t point, char name[TEXT_BYTES])
{
	const char *at = merge_point_settings(drawing->merge, point);
	size_t x_length = strlen(drawing->x);

	name[0] = 0;
	for (; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		size_t length = strlen(name);

		if (!strncmp(at, drawing->x, x_length) && at[x_length] == '=')
			continue;
		snprintf(name + length, TEXT_BYTES - length, "%s%.*s", length ? " " : "",
			 (int)strcspn(at, " "), at);
	}
}

static size_t find_or_add(char *texts, size_t text_bytes, size_t *count, size_t max,
			  const char *text)
{
	size_t i = 0;

	while (i < *count && strcmp(texts + i * text_bytes, text))
		i++;
	if (i == *count && *count < max)
		snprintf(texts + (*count)++ * text_bytes, text_bytes, "%s", text);
	return i;
}

static void print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static double x_of(const struct drawing *drawing, size_t value)
{
	double room = WIDTH - LEFT - RIGHT;

	return LEFT + room * ((double)value + 0.5) / (double)drawing->values_count;
}

static double y_of(const struct drawing *drawing, double value)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / drawing->top;
}

/* 1, 2 or 5 times a power of ten, so that about five ticks reach the top. */
static double tick_step(double top)
{
	double step = pow(10, floor(log10(top / 5)));

	if (top / step > 25)
		return step * 5;
	return top / step > 10 ? step * 2 : step;
}

static void print_number(FILE *out, double value)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P" };
	size_t unit = 0;

	for (; value >= 10000 && unit < 5; unit++)
		value /= 1000;
	fprintf(out, "%g%s", value, units[unit]);
}

static void draw_axes(const struct drawing *drawing)
{
	double step = tick_step(drawing->top);
	FILE *out = drawing->out;

	for (double value = 0; value <= drawing->top * 1.0001; value += step) {
		double y = y_of(drawing, value);

		fprintf(out,
			"<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#ddd'/>\n"
			"<text x='%d' y='%.1f' text-anchor='end'>",
			LEFT, y, WIDTH - RIGHT, y, LEFT - 8, y + 4);
		print_number(out, value);
		fputs("</text>\n", out);
	}
	for (size_t i = 0; i < drawing->values_count; i++) {
		fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle'>", x_of(drawing, i),
			HEIGHT - BOTTOM + 18);
		print_text(out, drawing->values[i]);
		fputs("</text>\n", out);
	}
	fprintf(out, "<text x='%d' y='%d' text-anchor='middle'>", (LEFT + WIDTH - RIGHT) / 2,
		HEIGHT - 18);
	print_text(out, drawing->x);
	fprintf(out, "</text>\n<text x='%d' y='28' font-size='16'>", LEFT);
	print_text(out, merge_scenario(drawing->merge));
	fputs(": ", out);
	print_text(out, merge_metric_name(drawing->merge, drawing->metric));
	if (*merge_metric_unit(drawing->merge, drawing->metric))
		fprintf(out, " (%s)", merge_metric_unit(drawing->merge, drawing->metric));
	fputs("</text>\n", out);
}

static const char *series_colour(size_t series)
{
	/* Okabe and Ito's colours: told apart by the colour-blind too. */
	static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7",
					       "#e69f00", "#56b4e9", "#000000" };

	return colours[series % (sizeof(colours) / sizeof(*colours))];
}

static void draw_mark(FILE *out, size_t series, double x, double y)
{
	const char *colour = series_colour(series);
	double r = MARK_RADIUS + (double)(series % 3);

	switch (series % 4) {
	case 0:
		fprintf(out,
			"<circle cx='%.1f' cy='%.1f' r='%.1f' fill='none' stroke='%s' "
			"stroke-width='2'/>\n",
			x, y, r, colour);
		break;
	case 1:
		fprintf(out,
			"<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='none' "
			"stroke='%s' stroke-width='2'/>\n",
			x - r, y - r, 2 * r, 2 * r, colour);
		break;
	case 2:
		fprintf(out,
			"<path d='M%.1f %.1fl%.1f %.1fh%.1fz' fill='none' stroke='%s' "
			"stroke-width='2'/>\n",
			x, y - r - 1, r + 1, 2 * r, -2 * (r + 1), colour);
		break;
	default:
		fprintf(out,
			"<path d='M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz' fill='none' "
			"stroke='%s' stroke-width='2'/>\n",
			x, y - r - 1, r + 1, r + 1, -(r + 1), r + 1, -(r + 1), -(r + 1), colour);
	}
}

/* The point with this value of x in this series, or -1. */
static long find_point(const struct drawing *drawing, size_t series, size_t value)
{
	for (size_t i = 0; i < merge_points_count(drawing->merge); i++) {
		char name[TEXT_BYTES], buf[64];
		const char *text =
			merge_point_setting(drawing->merge, i, drawing->x, buf, sizeof(buf));

		series_name(drawing, i, name);
		if (text && !strcmp(text, drawing->values[value]) &&
		    !strcmp(name, drawing->series[series]))
			return (long)i;
	}
	return -1;
}

static void draw_series(const struct drawing *drawing, size_t series)
{
	FILE *out = drawing->out;
	double before_x = 0, before_y = 0;
	bool begun = false;

	for (size_t value = 0; value < drawing->values_count; value++) {
		long point = find_point(drawing, series, value);
		double x = x_of(drawing, value), y;
		struct merge_stat stat;

		if (point < 0)
			continue;
		stat = merge_stat(drawing->merge, (size_t)point, drawing->metric);
		y = y_of(drawing, stat.mean);
		if (begun)
			fprintf(out,
				"<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n",
				before_x, before_y, x, y, series_colour(series));
		if (!isnan(stat.half_width))
			fprintf(out,
				"<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>\n", x,
				y_of(drawing, fmax(stat.mean - stat.half_width, 0)), x,
				y_of(drawing, stat.mean + stat.half_width), series_colour(series));
		draw_mark(out, series, x, y);
		before_x = x;
		before_y = y;
		begun = true;
	}
	if (!*drawing->series[series])
		return;
	draw_mark(out, series, WIDTH - RIGHT + 16, TOP + 20.0 * (double)series);
	fprintf(out, "<text x='%d' y='%.1f'>", WIDTH - RIGHT + 26, TOP + 4 + 20.0 * (double)series);
	print_text(out, drawing->series[series]);
	fputs("</text>\n", out);
}

static void collect(struct drawing *drawing)
{
	for (size_t i = 0; i < merge_points_count(drawing->merge); i++) {
		struct merge_stat stat = merge_stat(drawing->merge, i, drawing->metric);
		char name[TEXT_BYTES], buf[64];
		const char *value =
			merge_point_setting(drawing->merge, i, drawing->x, buf, sizeof(buf));

		if (!value)
			continue;
		series_name(drawing, i, name);
		find_or_add(drawing->values[0], sizeof(drawing->values[0]), &drawing->values_count,
			    VALUES_MAX, value);
		find_or_add(drawing->series[0], sizeof(drawing->series[0]), &drawing->series_count,
			    SERIES_MAX, name);
		drawing->top = fmax(drawing->top, stat.mean);
		drawing->top = fmax(drawing->top, stat.mean + stat.half_width); /* not of NAN */
	}
	if (drawing->top <= 0)
		drawing->top = 1;
	drawing->top *= 1.05;
}

int merge_draw(const struct merge *merge, size_t metric, const char *x, FILE *out)
{
	struct drawing *drawing = calloc(1, sizeof(*drawing));

	if (!drawing)
		return -ENOMEM;
	drawing->merge = merge;
	drawing->metric = metric;
	drawing->x = x;
	drawing->out = out;
	collect(drawing);
	if (!drawing->values_count) {
		free(drawing);
		return -ENOENT;
	}
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	draw_axes(drawing);
	for (size_t i = 0; i < drawing->series_count; i++)
		draw_series(drawing, i);
	fputs("</svg>\n", out);
	free(drawing);
	return 0;
}
