/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of CTF 1.8's metadata: names, numbers, texts, signs. */
#include "analysis/ctf/tsdl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *tsdl_give_up(struct tsdl *p, int ret)
{
	if (!p->ret)
		p->ret = ret;
	return NULL;
}

static void skip_blank(struct tsdl *p)
{
	for (;;) {
		if (isspace((unsigned char)*p->at)) {
			p->at++;
		} else if (p->at[0] == '/' && p->at[1] == '*') {
			const char *end = strstr(p->at + 2, "*/");

			p->at = end ? end + 2 : p->at + strlen(p->at);
		} else if (p->at[0] == '/' && p->at[1] == '/') {
			p->at += strcspn(p->at, "\n");
		} else {
			return;
		}
	}
}

static void take_word(struct tsdl *p, size_t n)
{
	if (n >= TSDL_WORD_MAX) {
		tsdl_give_up(p, -ENOTSUP);
		return;
	}
	memcpy(p->word, p->at, n);
	p->word[n] = 0;
	p->at += n;
	p->token = TSDL_WORD;
}

static void take_text(struct tsdl *p)
{
	size_t n = strcspn(p->at + 1, "\"\\\n");

	if (p->at[1 + n] != '"' || n >= TSDL_WORD_MAX) { /* an escape, too long, or no end */
		tsdl_give_up(p, -ENOTSUP);
		return;
	}
	memcpy(p->word, p->at + 1, n);
	p->word[n] = 0;
	p->at += n + 2;
	p->token = TSDL_TEXT;
}

static void take_number(struct tsdl *p)
{
	bool negative = *p->at == '-';
	char *end;

	errno = 0;
	p->number = strtoull(p->at + negative, &end, 0);
	if (errno || end == p->at + negative) {
		tsdl_give_up(p, -ENOTSUP);
		return;
	}
	end += strspn(end, "uUlL");
	if (negative)
		p->number = -p->number;
	p->at = end;
	p->token = TSDL_NUMBER;
}

void tsdl_next(struct tsdl *p)
{
	size_t n;

	skip_blank(p);
	if (p->ret || !*p->at) {
		p->token = TSDL_END;
		return;
	}
	for (n = 0; isalnum((unsigned char)p->at[n]) || p->at[n] == '_'; n++)
		;
	if (isdigit((unsigned char)*p->at) ||
	    (*p->at == '-' && isdigit((unsigned char)p->at[1]))) {
		take_number(p);
	} else if (n) {
		take_word(p, n);
	} else if (*p->at == '"') {
		take_text(p);
	} else if (!strncmp(p->at, ":=", 2)) {
		p->at += 2;
		p->token = TSDL_ASSIGN_TYPE;
	} else if (!strncmp(p->at, "...", 3)) {
		p->at += 3;
		p->token = TSDL_ELLIPSIS;
	} else {
		p->character = *p->at++;
		p->token = TSDL_CHAR;
	}
	if (p->ret)
		p->token = TSDL_END;
}

bool tsdl_is_char(const struct tsdl *p, char c)
{
	return p->token == TSDL_CHAR && p->character == c;
}

bool tsdl_is_word(const struct tsdl *p, const char *word)
{
	return p->token == TSDL_WORD && !strcmp(p->word, word);
}

bool tsdl_accept_char(struct tsdl *p, char c)
{
	if (!tsdl_is_char(p, c))
		return false;
	tsdl_next(p);
	return true;
}

void tsdl_expect_char(struct tsdl *p, char c)
{
	if (!tsdl_accept_char(p, c))
		tsdl_give_up(p, -ENOTSUP);
}

uint64_t tsdl_expect_number(struct tsdl *p)
{
	uint64_t number = p->number;

	if (p->token != TSDL_NUMBER)
		tsdl_give_up(p, -ENOTSUP);
	tsdl_next(p);
	return number;
}

/* A copy of the word or text at hand, which is then passed. */
const char *tsdl_take_name(struct tsdl *p)
{
	char *name = NULL;

	if (p->token != TSDL_WORD && p->token != TSDL_TEXT)
		return tsdl_give_up(p, -ENOTSUP);
	name = ctf_text(p->metadata, p->word, strlen(p->word));
	if (!name)
		tsdl_give_up(p, -ENOMEM);
	tsdl_next(p);
	return name;
}
