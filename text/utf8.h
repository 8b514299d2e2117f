/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of others (names of programs and machines, paths) may hold any bytes, also a name that was
 * cut inside a character. What ioasis writes is UTF-8: every byte that is of no character becomes
 * U+FFFD.
 */
#ifndef IOASIS_TEXT_UTF8_H
#define IOASIS_TEXT_UTF8_H

#include <stdbool.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the character at text, which ends with 0; 0: the first byte is of no character. */
int utf8_length(const char *text);

bool utf8_is_valid(const char *text);

/* A new copy that is UTF-8, for free(); NULL: out of memory. */
char *utf8_copy(const char *text);

#endif
