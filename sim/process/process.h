/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other processes as clients of the engine: their memory, capabilities, limits
 * and open files.
 *
 * A `process_table` knows the processes that have called so far: one `process`
 * (an engine_mm) for each address space, with a pidfd and the files of /proc held
 * from its first call on, so that a process id given out again never reaches
 * another process. A `process_client` is one call of one thread; it lives on the
 * stack of whoever serves the call.
 *
 * The calling thread must stay inside its call (a FUSE request that is not yet
 * answered, a seccomp notification that is still valid) for as long as its
 * process_client is used: that is what keeps the thread's id its own. A process's
 * memory is read and written only inside its own calls, or where it is pinned.
 *
 * Threads: everything may be called from any thread; a process_client belongs to one.
 */
#ifndef IOASIS_SIM_PROCESS_H
#define IOASIS_SIM_PROCESS_H

#include "sim/engine/engine.h"

struct process;
struct process_table;

/* Makes a table; NULL when out of memory. */
struct process_table *process_table_create(void);

/*
 * Raises this program's limit of open files as far as it goes: each process of a table
 * costs a few files of /proc, and a small limit would be reached by a few dozen.
 */
void process_raise_file_limit(void);

/* Ends it. Address spaces and files that others still hold live on. */
void process_table_destroy(struct process_table *table);

/*
 * Says what engine_anon_file an open file of a client is, for ENGINE_FILE_ANON:
 * find(opaque, fd) with fd a file of this process, borrowed; NULL: none of ours.
 * Set before the first call.
 */
void process_table_set_anon_lookup(struct process_table *table,
				   struct engine_anon_file *(*find)(void *opaque, int fd),
				   void *opaque);

/* One call. `client` is what the engine gets; it is the first member. */
struct process_client {
	struct engine_client client;
	struct process_table *table;
	struct process *process; /* once known; a reference */
	void *opaque;		 /* for the fd_install of whoever set it */
};

/*
 * The operations below another fd_install: copy and replace its two members.
 * fd_install is NULL here.
 */
extern const struct engine_client_ops process_client_ops;

/*
 * Fills pc for a call of thread tid; uid is whom the file belongs to as the
 * kernel told it. ops: NULL for process_client_ops. Asks the system for the
 * process (client.pid) if the thread has not called before. 0; -ESRCH: no such
 * thread; -ENOMEM; -EACCES: this process may not look into that one.
 */
int process_client_init(struct process_client *pc, struct process_table *table,
			const struct engine_client_ops *ops, uint32_t tid, uint32_t uid);

/*
 * Fills pc for another call of the process of first: by thread tid, which is believed to be
 * one of it (see process_client_there()). To be given back as after process_client_init().
 */
void process_client_again(struct process_client *pc, const struct process_client *first,
			  const struct engine_client_ops *ops, uint32_t tid, uint32_t uid);

/*
 * Takes for client.uid the user that its process acts as (the euid of its leader), for a caller
 * of whom the kernel told none.
 */
void process_client_find_uid(struct process_client *pc);

/* Whether the thread is one of the process now. */
bool process_client_there(const struct process_client *pc);

/* Whether the caller's process has its address space for itself: no child of a vfork(). */
bool process_client_owns(const struct process_client *pc);

/* Whether the process has ended. */
bool process_client_ended(const struct process_client *pc);

/* A number for the caller's address space that no other ever has. */
uint64_t process_client_serial(const struct process_client *pc);

/* Gives back what pc holds. */
void process_client_fini(struct process_client *pc);

/*
 * Open file fd of the calling process as a file of this one (close-on-exec, to be
 * closed), or -EBADF. client: that of a process_client.
 */
int process_client_fd_get(const struct engine_client *client, int fd);

/*
 * A file of this process, close-on-exec and to be closed, of which the memory is
 * [*offset, +length), and which may be written with write; -1: the memory has no file that
 * lives in memory, or the process has not got it open. memory->mm: of a process that is in
 * a call of its own.
 */
int process_memory_file(const struct engine_memory *memory, uint64_t length, bool write,
			uint64_t *offset);

#define PROCESS_NAME_BYTES 16 /* TASK_COMM_LEN */

/*
 * The name of the command that process pid was when it last called, as `ps`
 * shows it; "?" if it never called. Copied to name (size bytes).
 */
void process_table_name(struct process_table *table, uint32_t pid, char *name, size_t size);

/*
 * The address space of process pid if it has called and lives: a new reference, for
 * engine_mm_put(). NULL: it has not, or there is no such process.
 */
struct engine_mm *process_table_mm_get(struct process_table *table, uint32_t pid);

/* Whether the system lets this process read the memory of pid; false: *why says why not. */
bool process_readable(uint32_t pid, const char **why);

#endif
