/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in its program a call was made: the call stack of another process's thread, while it
 * waits in a system call, with function, file and line.
 *
 *	unwind.c   return addresses, from the thread's stack memory and its program's CFI
 *	symbols.c  addresses to functions and lines
 *	where.c    every different stack once, by number
 *
 * Nothing is needed of the program: no recompiling, no library in it, no root. It may be static,
 * stripped of everything but its unwind tables, or built with frame pointers alone. The stack and
 * program counter are what /proc/PID/task/TID/syscall shows of a thread that waits; the frame
 * pointer, which it does not show, is found in the stack (unwind.c says how). x86-64 only.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef IOASIS_SIM_WHERE_H
#define IOASIS_SIM_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHERE_FRAMES_MAX 32u /* of one stack; what lies further out is left away */

struct where;

/* A place in a program. Texts are owned by struct where and live as long as it. */
struct where_frame {
	uint64_t address;     /* of the call, in the first process that was seen in it */
	const char *function; /* "???" where nothing names it */
	const char *file;     /* path as the compiler saw it; NULL: no debug information */
	unsigned int line;
	const char *object;   /* path of the program or library; "???" where not known */
};

/* True where stacks can be read; false: *why says why not, in words. */
bool where_is_supported(const char **why);

/* NULL: out of memory, or not supported. */
struct where *where_create(void);
void where_destroy(struct where *where);

/*
 * The stack of thread tid of process pid (ids as this process sees them), which waits in a
 * system call till this returns: its number, from 1; 0: it cannot be told. serial: of the address
 * space, never the same for two. Equal stacks have equal numbers, in whatever process.
 */
uint32_t where_capture(struct where *where, uint64_t serial, uint32_t pid, uint32_t tid);

/* The frames of a stack, the innermost first; returns how many. 0 for stack 0. */
size_t where_frames(struct where *where, uint32_t stack,
		    struct where_frame frames[WHERE_FRAMES_MAX]);

/*
 * The same as one text, as the event iommufd_dev:where has it; outer frames that make it longer than
 * WHERE_TEXT_MAX are left away. Lives as long as where; NULL for stack 0.
 */
#define WHERE_TEXT_MAX 4096u

const char *where_text(struct where *where, uint32_t stack);

#endif
