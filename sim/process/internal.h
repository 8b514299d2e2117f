/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of sim/process: the process (an address space) and what each
 * file does with it. table.c knows them all, memory.c finds mappings, file.c open
 * files, process.c the rest.
 */
#ifndef IOASIS_SIM_PROCESS_INTERNAL_H
#define IOASIS_SIM_PROCESS_INTERNAL_H

#include "sim/process/process.h"

#include <pthread.h>

/*
 * One address space of one process, from its first call to its end (or its
 * exec(), after which the process gets another). The held files of /proc belong to
 * the address space, not to the id: after its end they read nothing.
 */
struct process {
	struct engine_mm mm; /* first member; its refs are the process's */
	uint32_t tgid;
	uint64_t serial; /* identity of its private pages; never given out twice */
	int pidfd;
	int mem_fd;  /* /proc/TGID/mem: pinned pages are read and written through it */
	int maps_fd; /* /proc/TGID/maps */
	int folder_fd; /* /proc/TGID */
	bool no_maps_query; /* a kernel before 6.11: read maps as text */
	/* In the table, with its lock: */
	struct process *next_of_bucket, **link_of_bucket; /* NULL: it is in no table */
	struct process *newer, *older;			  /* by use */
	unsigned int thread_slots; /* of the table that refer to it */
	bool identified; /* the two below are read */
	uint32_t pid_ns, start; /* see tracepoints/identity.h */
	struct process_table *table; /* borrowed: outlives every call and every pinned page */
	pthread_mutex_t shared_lock;
	struct process_shared *shared; /* see shared.c */
};

/* A mapping of a process. */
struct process_vma {
	uint64_t start, end; /* [start, end) */
	bool readable, writable, shared;
	uint64_t offset; /* bytes into the file */
	uint64_t inode;	 /* 0: no file */
	uint64_t device; /* makedev() of the file */
	uint64_t page_bytes; /* of its pages, greater for huge ones; 0: not known */
	char name[128];	 /* cut off; empty for anonymous memory */
};

extern const struct engine_mm_ops process_mm_ops;

/* The engine_page.object of page 0 of a file, the same by any way that reaches it. */
uint64_t process_file_identity(uint64_t device, uint64_t inode);

/* ---- process.c ------------------------------------------------------------------- */

/* A row of /proc. */
struct process_status {
	uint32_t tgid;
	uint32_t parent_tgid;
	char name[PROCESS_NAME_BYTES];
};

/* What /proc says of a thread. 0, -ESRCH, -EACCES, -EMFILE, ... */
int process_status_read(uint32_t tid, struct process_status *status);

/*
 * The address space that process tgid has now, in no table yet; serial: see struct
 * process. 0; -ENOMEM; -ESRCH; -EACCES, -EPERM: it may not be looked into; -EMFILE.
 */
int process_create(struct process_table *table, uint32_t tgid, uint64_t serial,
		   struct process **out);

void process_get(struct process *process);
/* Gives a reference back; harmless for NULL. */
void process_put(struct process *process);

/*
 * True while the address space still belongs to someone. Waits for a thread of the
 * process that changes its mappings: never asked with a lock that others need.
 */
bool process_alive(struct process *process);

/* Whether the process has ended (an exec() is no end). Waits for nobody. */
bool process_ended(const struct process *process);

/* Whether tid is a thread of process tgid now (no signal is sent). */
bool process_has_thread(uint32_t tgid, uint32_t tid);

/* Whether both threads run in one address space. */
bool process_same_memory(uint32_t tid_a, uint32_t tid_b);

/* The mapping that holds va, or -EFAULT. */
int process_vma_find(struct process *process, uint64_t va, struct process_vma *vma);

/* A shared mapping of the file that wanted is of, which holds its byte at offset; -EFAULT. */
int process_vma_find_file(struct process *process, const struct process_vma *wanted,
			  uint64_t offset, struct process_vma *vma);

/* ---- table.c --------------------------------------------------------------------- */

/*
 * The process of thread tid, found or made: *process is a new reference, *tgid the
 * thread's own process, whose memory may be another's (vfork). As process_create().
 */
int process_table_resolve(struct process_table *table, uint32_t tid, struct process **process,
			  uint32_t *tgid);

#define PROCESS_OTHERS_MAX 128

/*
 * Other processes of the table, a reference to each, those that called last. Returns how
 * many.
 */
size_t process_table_others(struct process_table *table, const struct process *process,
			    struct process *others[PROCESS_OTHERS_MAX]);

/* ---- file.c ---------------------------------------------------------------------- */

/* The file of an engine_file of process_file_create(), borrowed; -1: of another one. */
int process_file_fd(struct engine_file *file);

/* ---- shared.c -------------------------------------------------------------------- */

/* Pages of this shared mapping are being pinned. */
void process_shared_note(struct process *process, const struct process_vma *vma);

/* All that was noted; with the process. */
void process_shared_forget(struct process *process);

/*
 * Where the pinned page at va of a process that has ended can still be reached: at
 * *other_va of *mem_fd, for *length bytes (not beyond the page). process_shared_done()
 * follows. -EFAULT: nowhere.
 */
int process_shared_reach(struct process *process, uint64_t va, int *mem_fd, uint64_t *other_va,
			 uint64_t *length);
void process_shared_done(struct process *process);

/* An engine_file that owns fd, a file of this process; fd is closed on -ENOMEM, too. */
struct engine_file *process_file_create(struct process_table *table, int fd, int *err);

/* The pid namespace of this process (tracepoints/identity.h). */
uint32_t process_table_pid_ns(const struct process_table *table);

/* What process_table_set_anon_lookup() was given. NULL: none of ours. */
struct engine_anon_file *process_table_find_anon(struct process_table *table, int fd);

#endif
