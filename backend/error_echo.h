/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the user in error messages: one line, of a length that a person reads. */
#ifndef IOASIS_BACKEND_ERROR_ECHO_H
#define IOASIS_BACKEND_ERROR_ECHO_H

#define ECHO_HEAD_BYTES 80
#define ECHO_TAIL_BYTES 40

struct error_echo {
	char text[ECHO_HEAD_BYTES + sizeof("...") + ECHO_TAIL_BYTES];
};

/*
 * text as it is, or its beginning and end with "..." between if it is longer than
 * they are together; control characters become '?'. For error_setg(errp, "...",
 * error_echo(text).text): it lives until the end of that call.
 */
struct error_echo error_echo(const char *text);

#endif
