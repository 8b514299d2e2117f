/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Error object. All functions keep errno, so that a caller may look at it
 * before or after it made the message.
 */
#include <ioasis/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Error {
	char *message; /* owned */
};

/* What errp becomes when there is no memory for a message; never freed. */
static Error error_out_of_memory = { (char *)"out of memory" };

/* The text of os_errno: strerror_r never fails and needs no lock. */
static char *error_format(int os_errno, const char *fmt, va_list args)
{
	char reason_buf[128];
	char *message, *with_reason;

	if (vasprintf(&message, fmt, args) < 0)
		return NULL;
	if (!os_errno)
		return message;
	if (asprintf(&with_reason, "%s: %s", message,
		     strerror_r(os_errno, reason_buf, sizeof(reason_buf))) < 0)
		with_reason = NULL;
	free(message);
	return with_reason;
}

/* Takes message over, NULL meaning that there was no memory for it. */
static Error *error_new(char *message)
{
	Error *err = message ? malloc(sizeof(*err)) : NULL;

	if (!err) {
		free(message);
		return &error_out_of_memory;
	}
	err->message = message;
	return err;
}

static void error_setv(Error **errp, int os_errno, const char *fmt, va_list args)
{
	int saved = errno;

	if (!errp)
		return;
	if (*errp)
		abort();
	*errp = error_new(error_format(os_errno, fmt, args));
	errno = saved;
}

void error_setg(Error **errp, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_setv(errp, 0, fmt, args);
	va_end(args);
}

void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_setv(errp, os_errno, fmt, args);
	va_end(args);
}

/* Keeps the old message where there is no memory for the longer one. */
static void error_prependv(Error *err, const char *fmt, va_list args)
{
	int saved = errno;
	char *prefix, *message;

	if (err != &error_out_of_memory && vasprintf(&prefix, fmt, args) >= 0) {
		if (asprintf(&message, "%s%s", prefix, err->message) >= 0) {
			free(err->message);
			err->message = message;
		}
		free(prefix);
	}
	errno = saved;
}

void error_prepend(Error *const *errp, const char *fmt, ...)
{
	va_list args;

	if (!errp || !*errp)
		return;
	va_start(args, fmt);
	error_prependv(*errp, fmt, args);
	va_end(args);
}

void error_propagate(Error **dst, Error *local_err)
{
	if (!local_err)
		return;
	if (dst && !*dst)
		*dst = local_err;
	else
		error_free(local_err);
}

void error_propagate_prepend(Error **dst, Error *local_err, const char *fmt, ...)
{
	va_list args;

	if (local_err && dst && !*dst) {
		va_start(args, fmt);
		error_prependv(local_err, fmt, args);
		va_end(args);
	}
	error_propagate(dst, local_err);
}

const char *error_get_pretty(const Error *err)
{
	return err->message;
}

Error *error_copy(const Error *err)
{
	int saved = errno;
	Error *copy = error_new(strdup(err->message));

	errno = saved;
	return copy;
}

void error_free(Error *err)
{
	int saved = errno;

	if (!err || err == &error_out_of_memory)
		return;
	free(err->message);
	free(err);
	errno = saved;
}
