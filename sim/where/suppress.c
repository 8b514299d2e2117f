/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/where/suppress.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "Ioasis:Leak"

enum line_kind { LINE_FUNCTION, LINE_OBJECT, LINE_SOURCE, LINE_ANY_NUMBER };

struct line {
	enum line_kind kind;
	unsigned int number; /* LINE_SOURCE: of the source line; 0: any */
	char *pattern;	     /* owned */
};

struct suppression {
	struct suppression *next;
	size_t count;
	struct line lines[WHERE_FRAMES_MAX];
};

struct suppressions {
	struct suppression *first;
};

struct suppressions *suppressions_create(void)
{
	return calloc(1, sizeof(struct suppressions));
}

static void suppression_free(struct suppression *suppression)
{
	for (size_t i = 0; suppression && i < suppression->count; i++)
		free(suppression->lines[i].pattern);
	free(suppression);
}

void suppressions_destroy(struct suppressions *suppressions)
{
	if (!suppressions)
		return;
	while (suppressions->first) {
		struct suppression *one = suppressions->first;

		suppressions->first = one->next;
		suppression_free(one);
	}
	free(suppressions);
}

/* ---- reading --------------------------------------------------------------------- */

struct reader {
	FILE *file;
	const char *path;
	char *text; /* the line at hand, without blanks around it */
	char *room;
	size_t room_bytes;
	unsigned int number;
	int error; /* errno when no further line could be read */
	char *why;
};

static int fail(const struct reader *reader, const char *what)
{
	snprintf(reader->why, SUPPRESS_WHY_BYTES, "%.100s:%u: %s", reader->path, reader->number,
		 what);
	return -EINVAL;
}

/* The next line that is neither empty nor a comment. False: the end. */
static bool next_line(struct reader *reader)
{
	while (getline(&reader->room, &reader->room_bytes, reader->file) >= 0) {
		char *end;

		reader->number++;
		reader->text = reader->room + strspn(reader->room, " \t");
		end = reader->text + strlen(reader->text);
		while (end > reader->text && strchr(" \t\r\n", end[-1]))
			*--end = 0;
		if (*reader->text && *reader->text != '#')
			return true;
	}
	reader->error = errno;
	return false;
}

static int read_frame(struct reader *reader, struct suppression *one)
{
	struct line *line = &one->lines[one->count];
	const char *text = reader->text, *colon;

	if (one->count == WHERE_FRAMES_MAX)
		return fail(reader, "too many frames: 32 are looked at");
	if (!strcmp(text, "...")) {
		line->kind = LINE_ANY_NUMBER;
		one->count++;
		return 0;
	}
	if (!strncmp(text, "fun:", 4))
		line->kind = LINE_FUNCTION;
	else if (!strncmp(text, "obj:", 4))
		line->kind = LINE_OBJECT;
	else if (!strncmp(text, "src:", 4))
		line->kind = LINE_SOURCE;
	else
		return fail(reader, "a frame is fun:NAME, obj:FILE, src:FILE[:LINE] or '...'");
	line->pattern = strdup(text + 4);
	if (!line->pattern)
		return -ENOMEM;
	one->count++;
	colon = line->kind == LINE_SOURCE ? strrchr(line->pattern, ':') : NULL;
	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
		line->number = (unsigned int)strtoul(colon + 1, NULL, 10);
		line->pattern[colon - line->pattern] = 0;
	}
	return 0;
}

/* Whether "Tool1,Tool2:Kind" names ours. */
static bool is_ours(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && !strcmp(colon, strchr(KIND, ':')) && strstr(text, "Ioasis") &&
	       strstr(text, "Ioasis") < colon;
}

/* After the opening brace: a name, the kind, the frames, the closing brace. */
static int read_block(struct reader *reader, struct suppressions *suppressions)
{
	struct suppression *one = calloc(1, sizeof(*one));
	bool ours;
	int ret = one ? 0 : -ENOMEM;

	if (!ret && (!next_line(reader) || !next_line(reader)))
		ret = fail(reader, "a block has a name and a kind such as " KIND);
	ours = !ret && is_ours(reader->text);
	if (!ret && !strchr(reader->text, ':'))
		ret = fail(reader, "a kind has a tool and a colon, such as " KIND);
	for (;;) {
		if (!ret && !next_line(reader))
			ret = fail(reader, "the block is not closed with '}'");
		if (ret || !strcmp(reader->text, "}"))
			break;
		if (ours)
			ret = read_frame(reader, one);
	}
	if (!ret && ours && !one->count)
		ret = fail(reader, "a block without a frame would suppress everything");
	if (ret || !ours) {
		suppression_free(one);
		return ret;
	}
	one->next = suppressions->first;
	suppressions->first = one;
	return 0;
}

int suppressions_read(struct suppressions *suppressions, const char *path,
		      char why[SUPPRESS_WHY_BYTES])
{
	struct reader reader = { .file = fopen(path, "re"), .path = path, .why = why };
	int ret = 0;

	if (!reader.file) {
		ret = -errno;
		snprintf(why, SUPPRESS_WHY_BYTES, "%.100s: %s", path, strerror(-ret));
		return ret;
	}
	while (!ret && next_line(&reader)) {
		if (!strcmp(reader.text, "{"))
			ret = read_block(&reader, suppressions);
		else
			ret = fail(&reader, "a suppression begins with '{' on a line of its own");
	}
	if (!ret && ferror(reader.file)) { /* a folder, or a disk that fails */
		ret = -reader.error;
		snprintf(why, SUPPRESS_WHY_BYTES, "%.100s: %s", path, strerror(-ret));
	}
	if (ret == -ENOMEM)
		snprintf(why, SUPPRESS_WHY_BYTES, "out of memory");
	free(reader.room);
	fclose(reader.file);
	return ret;
}

/* ---- matching --------------------------------------------------------------------- */

/* Whether pattern is of path, or of its last part. */
static bool file_matches(const char *pattern, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && (!fnmatch(pattern, path, 0) || (slash && !fnmatch(pattern, slash + 1, 0)));
}

static bool line_matches(const struct line *line, const struct where_frame *frame)
{
	switch (line->kind) {
	case LINE_FUNCTION:
		return !fnmatch(line->pattern, frame->function, 0);
	case LINE_OBJECT:
		return !fnmatch(line->pattern, frame->object, 0);
	case LINE_SOURCE:
		return file_matches(line->pattern, frame->file) &&
		       (!line->number || line->number == frame->line);
	case LINE_ANY_NUMBER:
		break;
	}
	return false;
}

static bool matches(const struct line *lines, size_t lines_count, const struct where_frame *frames,
		    size_t count)
{
	if (!lines_count)
		return true; /* what lies further out does not matter */
	if (lines->kind == LINE_ANY_NUMBER) {
		for (size_t skipped = 0; skipped <= count; skipped++) {
			if (matches(lines + 1, lines_count - 1, frames + skipped, count - skipped))
				return true;
		}
		return false;
	}
	return count && line_matches(lines, frames) &&
	       matches(lines + 1, lines_count - 1, frames + 1, count - 1);
}

bool suppressions_match(const struct suppressions *suppressions, const struct where_frame *frames,
			size_t count)
{
	const struct suppression *one = suppressions ? suppressions->first : NULL;

	while (one && !(count && matches(one->lines, one->count, frames, count)))
		one = one->next;
	return one;
}
