/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/colour.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool colour_wanted(FILE *file)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return !(no && *no) && terminal && *terminal && strcmp(terminal, "dumb") &&
	       isatty(fileno(file));
}

/* The colour of a verdict's word; NULL: the word is none. */
static const char *colour_of(const char *word, size_t len)
{
	static const struct {
		const char *word, *colour;
	} colours[] = {
		{ "ok", "\033[32m" },		{ "violation", "\033[1;31m" },
		{ "possible", "\033[33m" },	{ "unknown", "\033[33m" },
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
		if (strlen(colours[i].word) == len && !memcmp(colours[i].word, word, len))
			return colours[i].colour;
	}
	return NULL;
}

/*
 * A line that begins with a verdict ("violation: overlap: ..."), ends with one ("verdict: ok"), or
 * is of the table, where the verdict is the second word.
 */
static void line_write(const char *line, size_t len, FILE *out)
{
	size_t first = strcspn(line, " :\n"), second, second_len;
	const char *colour = colour_of(line, first);

	if (colour) {
		fprintf(out, "%s%.*s\033[0m%.*s", colour, (int)first, line, (int)(len - first),
			line + first);
		return;
	}
	second = first + strspn(line + first, ": ");
	second_len = strcspn(line + second, " \n");
	colour = second > first && second + second_len <= len ? colour_of(line + second, second_len)
							       : NULL;
	if (colour && isalpha((unsigned char)*line))
		fprintf(out, "%.*s%s%.*s\033[0m%.*s", (int)second, line, colour, (int)second_len,
			line + second, (int)(len - second - second_len), line + second + second_len);
	else
		fwrite(line, 1, len, out);
}

void colour_verdicts(const char *text, FILE *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		line_write(text, len, out);
		text += len;
	}
}
