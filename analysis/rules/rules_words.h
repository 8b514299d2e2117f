/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a DOT file, one at a time with their line and column, so that each
 * error can say where it is and what was expected there.
 */
#ifndef IOASIS_ANALYSIS_RULES_WORDS_H
#define IOASIS_ANALYSIS_RULES_WORDS_H

#include "analysis/rules/rules_automaton.h"

#define WORD_MAX 2048

enum word_kind {
	WORD_END,
	WORD_ID,    /* a name, a number or a quoted string */
	WORD_PUNCT, /* { } [ ] = ; , */
	WORD_ARROW, /* -> */
};

struct word {
	enum word_kind kind;
	bool quoted;
	char text[WORD_MAX];
	unsigned int line;
	unsigned int column;
};

struct words {
	const char *path;
	const char *at, *end;
	unsigned int line, column; /* of `at` */
	struct word word;	   /* the present word */
	struct rules_error *error;
};

/* text of len bytes; path is for messages; error is filled by whatever fails. All borrowed. */
void words_init(struct words *words, const char *path, const char *text, size_t len,
		struct rules_error *error);

/* Goes on to the next word. 0, or -EINVAL with the error filled. */
int words_next(struct words *words);

/* Whether the present word is this one, not in quotes. */
bool words_is(const struct words *words, const char *text);

/* Goes on if the present word is punct; else an error that says what was expected. */
int words_expect(struct words *words, const char *punct, const char *expected);

/* Fills the error and returns -EINVAL: at a place, or at the present word. */
int words_fail_at(struct words *words, unsigned int line, unsigned int column, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));
int words_fail_expected(struct words *words, const char *expected);

#endif
