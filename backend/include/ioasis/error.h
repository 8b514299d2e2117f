/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Error object: a message that travels up the call chain.
 *
 * The form is QEMU's (include/qapi/error.h): a function that can fail takes
 * `Error **errp` last. The caller passes NULL (not interested) or the address
 * of an Error * that is NULL. Nothing here prints, and nothing here exits.
 *
 * An Error belongs to whoever holds the pointer: pass it on with
 * error_propagate() or free it with error_free(). Not thread-safe: one Error
 * is used by one thread at a time.
 */
#ifndef IOASIS_ERROR_H
#define IOASIS_ERROR_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct Error Error;

#define IOASIS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * The linker knows the library's functions with ioasis_ before their names, so that a program can
 * also hold QEMU's, and one that was compiled for QEMU's (some return bool where these return int)
 * does not link these by mistake. A source file includes either these headers or QEMU's; with
 * <ioasis/qemu_compat.h> QEMU's own sources call the library.
 */
#define IOASIS_SYMBOL(name) __asm__("ioasis_" #name)

/*
 * Sets *errp to a new Error. No effect if errp is NULL. *errp must be NULL
 * (else abort: two errors at once is a bug of the caller). Out of memory
 * still sets an Error, a static one that says so. Leaves errno as it was.
 */
void error_setg(Error **errp, const char *fmt, ...)
	IOASIS_SYMBOL(error_setg) IOASIS_PRINTF(2, 3);

/*
 * The same, with ": " and the text of os_errno behind the message.
 * os_errno: a positive errno; 0 adds nothing.
 */
void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
	IOASIS_SYMBOL(error_setg_errno) IOASIS_PRINTF(3, 4);

/* Puts a text before the message of *errp; no effect if errp or *errp is NULL. */
void error_prepend(Error *const *errp, const char *fmt, ...)
	IOASIS_SYMBOL(error_prepend) IOASIS_PRINTF(2, 3);

/*
 * Hands local_err to the caller. If dst is NULL or *dst is already set,
 * local_err is freed: the first error wins. No effect if local_err is NULL.
 */
void error_propagate(Error **dst, Error *local_err)
	IOASIS_SYMBOL(error_propagate);

/* The same, with a text put before the message. */
void error_propagate_prepend(Error **dst, Error *local_err, const char *fmt, ...)
	IOASIS_SYMBOL(error_propagate_prepend) IOASIS_PRINTF(3, 4);

/* The message; lives as long as err. err must not be NULL. */
const char *error_get_pretty(const Error *err)
	IOASIS_SYMBOL(error_get_pretty);

/* A copy, to be freed on its own. err must not be NULL. */
Error *error_copy(const Error *err)
	IOASIS_SYMBOL(error_copy);

/* Frees err; NULL is fine. */
void error_free(Error *err)
	IOASIS_SYMBOL(error_free);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
