/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/error_echo.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A byte of a UTF-8 character that is not its first. */
static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

struct error_echo error_echo(const char *text)
{
	size_t len = strlen(text), head = ECHO_HEAD_BYTES, tail = len - ECHO_TAIL_BYTES;
	struct error_echo out;

	if (len <= ECHO_HEAD_BYTES + ECHO_TAIL_BYTES) {
		snprintf(out.text, sizeof(out.text), "%s", text);
	} else {
		while (head && is_continuation(text[head]))
			head--;
		while (is_continuation(text[tail]))
			tail++;
		snprintf(out.text, sizeof(out.text), "%.*s...%s", (int)head, text, text + tail);
	}
	for (char *c = out.text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return out;
}
