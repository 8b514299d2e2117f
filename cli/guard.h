/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that reads traces runs in a child process.
 *
 * libbabeltrace2 ends the program at some files (an assertion that a real file meets), and it
 * cannot be interrupted in the middle of a damaged one. So the parent waits: whatever becomes of
 * the child, the user gets one line and an exit status, and no part of a file is left.
 *
 * What the child tells its parent (which trace it reads, what to remove) lies in memory that both
 * share. All functions below do nothing in a program without guard_run().
 */
#ifndef IOASIS_CLI_GUARD_H
#define IOASIS_CLI_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Runs run(argc, argv) in a child and returns the exit status. SIGINT, SIGTERM, SIGHUP and SIGQUIT
 * end the child at once, and the status is 128 + the signal's number; takes_signals: as after
 * guard_take_signals(). 3: the child was ended by what it read. Before the first thread.
 */
int guard_run(const char *name, bool takes_signals, int (*run)(int argc, char **argv), int argc,
	      char **argv);

/* The child takes signals itself from now on: they are passed on to it. */
void guard_take_signals(void);

/* Signal number ended the work early: the exit status is 128 + number, and a line says so. */
void guard_interrupted(int number);

/*
 * Path is removed (a folder with all that is in it) when the child does not come to
 * guard_forget(path). False: there is no room to remember it.
 */
bool guard_remove(const char *path);
void guard_forget(const char *path);

/*
 * From begin to end a library reads `path`; what it writes to standard error is kept back, and
 * shown by the parent in one line if it ends the child. The stream stands for standard error
 * meanwhile; borrowed till guard_library_end(). IOASIS_DEBUG=1 keeps nothing back.
 */
FILE *guard_library_begin(const char *path);
void guard_library_end(void);

/* Where to say which trace is read now: size bytes of text, or NULL. */
char *guard_reading(size_t *size);

/*
 * Runs function in a child that no signal of ours ends. Returns what it returned (0 to 255), or -1
 * when something ended the child. May be called with any signals blocked.
 */
int guard_try(int (*function)(void *opaque), void *opaque);

#endif
