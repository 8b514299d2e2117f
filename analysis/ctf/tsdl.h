/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files that read CTF 1.8's metadata: tsdl_words.c makes words of the text,
 * tsdl_types.c types of words, tsdl.c the trace of both.
 */
#ifndef IOASIS_ANALYSIS_CTF_TSDL_H
#define IOASIS_ANALYSIS_CTF_TSDL_H

#include "analysis/ctf/ctf_type.h"

#define TSDL_WORD_MAX 256u

enum tsdl_token {
	TSDL_END,
	TSDL_WORD,
	TSDL_NUMBER,
	TSDL_TEXT,
	TSDL_ASSIGN_TYPE, /* := */
	TSDL_ELLIPSIS,	  /* ... */
	TSDL_CHAR,	  /* any other character */
};

/* A type that has a name: "uint32_t", "struct packet_context". */
struct tsdl_named {
	const char *name;
	const struct ctf_type *type;
	struct tsdl_named *next;
};

struct tsdl {
	struct ctf_metadata *metadata;
	const char *at;
	enum tsdl_token token;
	char word[TSDL_WORD_MAX]; /* TSDL_WORD, TSDL_TEXT */
	uint64_t number;	  /* TSDL_NUMBER; a negative one as its two's complement */
	char character;		  /* TSDL_CHAR */
	struct tsdl_named *named;
	unsigned int depth;
	int ret; /* once it is not 0 every function gives up */
};

/* Notes the first error; NULL. */
void *tsdl_give_up(struct tsdl *p, int ret);

/* To the next word. */
void tsdl_next(struct tsdl *p);
bool tsdl_is_char(const struct tsdl *p, char c);
bool tsdl_is_word(const struct tsdl *p, const char *word);
/* Passes the character if it is at hand; expect: gives up if it is not. */
bool tsdl_accept_char(struct tsdl *p, char c);
void tsdl_expect_char(struct tsdl *p, char c);
uint64_t tsdl_expect_number(struct tsdl *p);
/* A copy of the word or text at hand, which is then passed; NULL: given up. */
const char *tsdl_take_name(struct tsdl *p);

/* le, be, network or native; true, false or a number. */
enum ctf_order tsdl_parse_order(struct tsdl *p);
bool tsdl_parse_truth(struct tsdl *p);
/* A type by name or in place; NULL: given up. */
struct ctf_type *tsdl_parse_type(struct tsdl *p);
/* Gives type a name for later ones. */
void tsdl_name_type(struct tsdl *p, const char *name, const struct ctf_type *type);

#endif
