/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/rules/rules_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void words_init(struct words *w, const char *path, const char *text, size_t len,
		struct rules_error *error)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	w->at = text;
	w->end = text + len;
	w->line = w->column = 1;
	w->error = error;
}

int words_fail_at(struct words *w, unsigned int line, unsigned int column, const char *fmt, ...)
{
	int used = snprintf(w->error->text, sizeof(w->error->text), "%s:%u:%u: ", w->path, line,
			    column);
	va_list ap;

	if (used < 0 || (size_t)used >= sizeof(w->error->text))
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(w->error->text + used, sizeof(w->error->text) - (size_t)used, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The next word is not what it should be. */
int words_fail_expected(struct words *w, const char *expected)
{
	if (w->word.kind == WORD_END)
		return words_fail_at(w, w->word.line, w->word.column, "the file ends here; expected %s",
			       expected);
	return words_fail_at(w, w->word.line, w->word.column, "found %s%.60s%s; expected %s",
		       w->word.quoted ? "\"" : "'", w->word.text, w->word.quoted ? "\"" : "'",
		       expected);
}

static void text_advance(struct words *w)
{
	if (*w->at == '\n') {
		w->line++;
		w->column = 1;
	} else {
		w->column++;
	}
	w->at++;
}

static bool text_is(const struct words *w, const char *start)
{
	size_t len = strlen(start);

	return (size_t)(w->end - w->at) >= len && !memcmp(w->at, start, len);
}

static int skip_comment(struct words *w)
{
	unsigned int line = w->line, column = w->column;

	while (w->at < w->end && !text_is(w, "*/"))
		text_advance(w);
	if (w->at == w->end)
		return words_fail_at(w, line, column, "this comment never ends; expected */");
	text_advance(w);
	text_advance(w);
	return 0;
}

static int skip_space(struct words *w)
{
	int ret;

	for (;;) {
		if (w->at == w->end) {
			return 0;
		} else if (isspace((unsigned char)*w->at)) {
			text_advance(w);
		} else if (text_is(w, "//") || (*w->at == '#' && w->column == 1)) {
			while (w->at < w->end && *w->at != '\n')
				text_advance(w);
		} else if (text_is(w, "/*")) {
			ret = skip_comment(w);
			if (ret)
				return ret;
		} else {
			return 0;
		}
	}
}

static bool is_id_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static int word_append(struct words *w, size_t *len, char c)
{
	if (*len + 1 >= WORD_MAX)
		return words_fail_at(w, w->word.line, w->word.column,
			       "this word is longer than %d characters", WORD_MAX - 1);
	w->word.text[(*len)++] = c;
	w->word.text[*len] = 0;
	return 0;
}

/* A quoted string; \" is a quote, every other backslash stays (\n is DOT's own). */
static int read_quoted(struct words *w)
{
	size_t len = 0;
	int ret;

	w->word.kind = WORD_ID;
	w->word.quoted = true;
	text_advance(w);
	while (w->at < w->end && *w->at != '"') {
		if (text_is(w, "\\\""))
			text_advance(w);
		if (!*w->at)
			return words_fail_at(w, w->line, w->column, "a zero byte; expected text");
		ret = word_append(w, &len, *w->at);
		if (ret)
			return ret;
		text_advance(w);
	}
	if (w->at == w->end)
		return words_fail_at(w, w->word.line, w->word.column,
			       "this string never ends; expected a closing \"");
	text_advance(w);
	return 0;
}

int words_next(struct words *w)
{
	size_t len = 0;
	int ret = skip_space(w);

	if (ret)
		return ret;
	w->word = (struct word){ .kind = WORD_END, .line = w->line, .column = w->column };
	if (w->at == w->end)
		return 0;
	if (*w->at == '"')
		return read_quoted(w);
	if (text_is(w, "->")) {
		w->word.kind = WORD_ARROW;
		strcpy(w->word.text, "->");
		text_advance(w);
		text_advance(w);
		return 0;
	}
	if (*w->at && strchr("{}[]=;,", *w->at)) {
		w->word.kind = WORD_PUNCT;
		w->word.text[0] = *w->at;
		text_advance(w);
		return 0;
	}
	if (text_is(w, "--"))
		return words_fail_at(w, w->line, w->column,
			       "found '--'; expected '->' (an automaton has directions)");
	if (!is_id_char(*w->at) && *w->at != '-')
		return words_fail_at(w, w->line, w->column, "the character '%c' means nothing here; "
			       "expected a name, a quoted string or one of { } [ ] = ; , ->",
			       isprint((unsigned char)*w->at) ? *w->at : '?');
	w->word.kind = WORD_ID;
	do {
		ret = word_append(w, &len, *w->at);
		if (ret)
			return ret;
		text_advance(w);
	} while (w->at < w->end && is_id_char(*w->at));
	return 0;
}

bool words_is(const struct words *w, const char *text)
{
	return w->word.kind != WORD_END && !w->word.quoted && !strcmp(w->word.text, text);
}

int words_expect(struct words *w, const char *punct, const char *expected)
{
	return words_is(w, punct) ? words_next(w) : words_fail_expected(w, expected);
}
