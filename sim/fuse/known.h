/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which open file a descriptor of another process is, known without asking the kernel.
 * A call is an ioctl, or a read.
 *
 * A call that a supervisor sees names a number in its caller's table of open files; a call
 * through FUSE names the open file. A thread's first call on a number is let through to
 * FUSE, where the kernel looks the number up: that is what is believed (a lesson). It holds
 * until a file of these connections is opened, or a descriptor of one is closed in any
 * process: the kernel tells both (OPEN, FLUSH) before the call that does it returns, however
 * it is done (close, dup2, close_range, exec, exit, past the C library or not). A number
 * cannot come to mean another open file without one of both. So a program can neither be
 * served another file than the kernel would take, nor claim one.
 *
 * FLUSH costs each close() of such a file a question to this process, so only connections
 * that a supervisor serves too have it (fuse_device_config.supervised).
 *
 * Threads: all functions may be called from any.
 */
#ifndef IOASIS_SIM_FUSE_KNOWN_H
#define IOASIS_SIM_FUSE_KNOWN_H

#include "sim/process/process.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fuse_open;

#define KNOWN_OPENS 512u
#define KNOWN_LESSONS 64u

/* Descriptor fd of thread tid is open. */
struct known_open {
	uint64_t generation; /* that it was learned in; 0: empty */
	uint64_t serial;     /* process_client_serial() */
	struct fuse_open *open;
	uint32_t pid, tid;
	int fd;
};

/* The call of tid on fd that goes on to FUSE. */
struct known_lesson {
	uint64_t generation;
	uint64_t arg;
	uint32_t tid;
	unsigned int cmd;
	int fd;
};

struct known_opens {
	pthread_mutex_t lock;
	uint64_t generation; /* of the descriptors of all processes; __atomic, changed with lock */
	struct known_open opens[KNOWN_OPENS];	  /* by thread and number */
	struct known_lesson lessons[KNOWN_LESSONS]; /* by thread */
};

void known_opens_init(struct known_opens *known);
void known_opens_fini(struct known_opens *known);

/* What was learned holds no more. Before the OPEN, FLUSH or last reference takes effect. */
void known_opens_change(struct known_opens *known);

/*
 * The open file that fd of the caller is, a reference for fuse_open_put(). NULL: not known.
 * generation, if not NULL: until that changes it is the same.
 */
struct fuse_open *known_opens_find(struct known_opens *known, const struct process_client *pc,
				   int fd, uint64_t *generation);

/* The thread waits in ioctl(fd, cmd, arg), which is let through to FUSE. */
void known_opens_expect(struct known_opens *known, uint32_t tid, int fd, unsigned int cmd,
			uint64_t arg);

/* In the place of a command: a read at offset arg. */
#define KNOWN_BY_READ UINT32_MAX

/* Whether there may be a lesson for the thread. */
bool known_opens_expects(struct known_opens *known, uint32_t tid);

/* The same call has come through FUSE, for open. */
void known_opens_learn(struct known_opens *known, const struct process_client *pc,
		       unsigned int cmd, uint64_t arg, struct fuse_open *open);

#endif
