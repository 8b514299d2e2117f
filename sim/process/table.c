/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of processes that have called.
 *
 * How a call finds its process without asking /proc each time: a cache from thread
 * to process, believed only when tgkill(tgid, tid, 0) says that the thread is still
 * one of that process, and, for its address space, only while that one is alive:
 * an exec() or a new process under the old id ends it. The child of a vfork() runs
 * in its parent's address space: it uses the parent's row, and is compared anew
 * (kcmp) at each call, because its exec() does not end that space.
 *
 * What a call costs does not depend on how many processes there are or were: rows are
 * found by hash, and each new one has a few of the longest unused looked at, to be
 * forgotten when their process has ended, or when there are too many.
 *
 * With the lock held nothing is asked that may wait for a client.
 */
#include "sim/process/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tracepoints/identity.h"

#define THREAD_SLOTS 1024u
#define BUCKETS 4096u
#define NAMES_KEPT 65536u
#define PROCESSES_KEPT PROCESS_OTHERS_MAX /* without mappings; each holds four fds */
/* Rows that a new one has looked at. More than one, so that the dead grow no fewer. */
#define LOOKED_AT 4u
/* Strangers that a process is compared with, for an address space that is shared. */
#define COMPARED 8u

struct thread_slot {
	uint32_t tid;
	struct process *process; /* a reference; NULL: empty */
};

struct name_slot {
	uint32_t pid;
	char name[PROCESS_NAME_BYTES];
};

struct process_table {
	pthread_mutex_t lock;
	struct thread_slot threads[THREAD_SLOTS]; /* by tid modulo */
	struct process *buckets[BUCKETS];	  /* by tgid modulo; one reference to each row */
	struct process *newest, *oldest;	  /* the same rows, by use */
	unsigned int count;			  /* of them */
	uint64_t next_serial;			  /* __atomic */
	struct engine_anon_file *(*find_anon)(void *opaque, int fd);
	void *find_anon_opaque;
	uint32_t pid_ns; /* of this process */
	struct name_slot names[NAMES_KEPT]; /* by pid modulo */
};

struct process_table *process_table_create(void)
{
	struct process_table *table = calloc(1, sizeof(*table));
	struct trace_identity self;

	if (!table)
		return NULL;
	trace_identity_read("/proc/self", &self);
	table->pid_ns = self.pid_ns;
	pthread_mutex_init(&table->lock, NULL);
	table->next_serial = 1;
	return table;
}

uint32_t process_table_pid_ns(const struct process_table *table)
{
	return table->pid_ns;
}

void process_table_set_anon_lookup(struct process_table *table,
				   struct engine_anon_file *(*find)(void *opaque, int fd),
				   void *opaque)
{
	table->find_anon = find;
	table->find_anon_opaque = opaque;
}

struct engine_anon_file *process_table_find_anon(struct process_table *table, int fd)
{
	return table->find_anon ? table->find_anon(table->find_anon_opaque, fd) : NULL;
}

/* ---- rows, with the lock held ---------------------------------------------------- */

static void use_link(struct process_table *table, struct process *process)
{
	process->newer = NULL;
	process->older = table->newest;
	if (table->newest)
		table->newest->newer = process;
	else
		table->oldest = process;
	table->newest = process;
}

static void use_unlink(struct process_table *table, struct process *process)
{
	*(process->newer ? &process->newer->older : &table->newest) = process->older;
	*(process->older ? &process->older->newer : &table->oldest) = process->newer;
}

static void row_touch(struct process_table *table, struct process *process)
{
	if (!process->link_of_bucket || table->newest == process)
		return;
	use_unlink(table, process);
	use_link(table, process);
}

static struct process *row_find(struct process_table *table, uint32_t tgid)
{
	struct process *process = table->buckets[tgid % BUCKETS];

	while (process && process->tgid != tgid)
		process = process->next_of_bucket;
	return process;
}

/* The table's reference is the caller's no more. */
static void row_add(struct process_table *table, struct process *process)
{
	struct process **bucket = &table->buckets[process->tgid % BUCKETS];

	process->next_of_bucket = *bucket;
	process->link_of_bucket = bucket;
	if (*bucket)
		(*bucket)->link_of_bucket = &process->next_of_bucket;
	*bucket = process;
	use_link(table, process);
	table->count++;
}

static void slot_set(struct thread_slot *slot, uint32_t tid, struct process *process)
{
	struct process *before = slot->process;

	if (process) {
		process_get(process);
		process->thread_slots++;
	}
	slot->tid = tid;
	slot->process = process;
	if (before) {
		before->thread_slots--;
		process_put(before);
	}
}

/* Harmless for one that is in the table no more. */
static void row_forget(struct process_table *table, struct process *process)
{
	if (!process->link_of_bucket)
		return;
	for (size_t i = 0; process->thread_slots && i < THREAD_SLOTS; i++) {
		if (table->threads[i].process == process)
			slot_set(&table->threads[i], 0, NULL);
	}
	*process->link_of_bucket = process->next_of_bucket;
	if (process->next_of_bucket)
		process->next_of_bucket->link_of_bucket = process->link_of_bucket;
	process->link_of_bucket = NULL;
	use_unlink(table, process);
	table->count--;
	process_put(process);
}

/* Whether anyone but the table refers to it: a call, or the engine for its mappings. */
static bool row_is_used(const struct process *process)
{
	return __atomic_load_n(&process->mm.refs, __ATOMIC_RELAXED) > 1 + process->thread_slots;
}

/*
 * Keeps the number of processes, and so of open files, within bounds. One that has
 * mappings stays while it lives: it must be found again as the same address space.
 */
static void rows_make_room(struct process_table *table)
{
	for (unsigned int i = 0; i < LOOKED_AT && table->oldest; i++) {
		struct process *process = table->oldest;

		if (process_ended(process) ||
		    (table->count >= PROCESSES_KEPT && !row_is_used(process)))
			row_forget(table, process);
		else
			row_touch(table, process); /* so that the others' turn comes */
	}
}

void process_table_destroy(struct process_table *table)
{
	if (!table)
		return;
	while (table->oldest)
		row_forget(table, table->oldest);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

/* ---- finding a thread's process -------------------------------------------------- */

/* The row of a process, if that still has this address space: a new reference, or NULL. */
static struct process *find_alive(struct process_table *table, uint32_t tgid)
{
	struct process *process;

	pthread_mutex_lock(&table->lock);
	process = row_find(table, tgid);
	if (process)
		process_get(process);
	pthread_mutex_unlock(&table->lock);
	if (!process || process_alive(process))
		return process;
	/* It called exec(), or its id was given out again. */
	pthread_mutex_lock(&table->lock);
	row_forget(table, process);
	pthread_mutex_unlock(&table->lock);
	process_put(process);
	return NULL;
}

/* Processes that called last, a reference to each. Returns how many. */
static size_t rows_get(struct process_table *table, const struct process *but,
		       struct process **rows, size_t max)
{
	size_t count = 0;

	pthread_mutex_lock(&table->lock);
	for (struct process *p = table->newest; p && count < max; p = p->older) {
		if (p == but)
			continue;
		process_get(p);
		rows[count++] = p;
	}
	pthread_mutex_unlock(&table->lock);
	return count;
}

size_t process_table_others(struct process_table *table, const struct process *process,
			    struct process *others[PROCESS_OTHERS_MAX])
{
	return rows_get(table, process, others, PROCESS_OTHERS_MAX);
}

/*
 * A process that shares its memory with the thread and is none of its ancestors
 * (CLONE_VM with CLONE_PARENT): a new reference, or NULL. Only those that called last
 * are looked at.
 */
static struct process *find_shared(struct process_table *table, uint32_t tid)
{
	struct process *rows[COMPARED], *found = NULL;
	size_t count = rows_get(table, NULL, rows, COMPARED);

	for (size_t i = 0; i < count; i++) {
		if (!found && process_has_thread(rows[i]->tgid, rows[i]->tgid) &&
		    process_same_memory(tid, rows[i]->tgid) && process_alive(rows[i]))
			found = rows[i];
		else
			process_put(rows[i]);
	}
	return found;
}

/*
 * The process whose address space the thread runs in: its own, or that of the
 * ancestor that made it with vfork().
 */
static uint32_t owner_of_memory(const struct process_status *status)
{
	struct process_status up = *status;

	while (up.parent_tgid && process_same_memory(up.tgid, up.parent_tgid)) {
		if (process_status_read(up.parent_tgid, &up))
			break;
	}
	return up.tgid;
}

/* Adds a row, unless another thread of the process was quicker. *process: a reference. */
static int row_make(struct process_table *table, uint32_t tgid, struct process **process)
{
	uint64_t serial = __atomic_fetch_add(&table->next_serial, 1, __ATOMIC_RELAXED);
	struct process *fresh, *other;
	int err = process_create(table, tgid, serial, &fresh);

	if (err)
		return err;
	for (;;) {
		pthread_mutex_lock(&table->lock);
		other = row_find(table, tgid);
		if (!other) {
			rows_make_room(table);
			process_get(fresh);
			row_add(table, fresh);
		}
		pthread_mutex_unlock(&table->lock);
		if (!other)
			break;
		other = find_alive(table, tgid);
		if (!other)
			continue;
		process_put(fresh);
		fresh = other;
		break;
	}
	*process = fresh;
	return 0;
}

static void note_thread(struct process_table *table, uint32_t tid,
			const struct process_status *status, struct process *process)
{
	struct name_slot *name = &table->names[status->tgid % NAMES_KEPT];

	pthread_mutex_lock(&table->lock);
	name->pid = status->tgid;
	memcpy(name->name, status->name, sizeof(name->name));
	row_touch(table, process);
	/* One in its parent's memory is there for now only. */
	if (process->tgid == status->tgid && process->link_of_bucket)
		slot_set(&table->threads[tid % THREAD_SLOTS], tid, process);
	pthread_mutex_unlock(&table->lock);
}

int process_table_resolve(struct process_table *table, uint32_t tid, struct process **process,
			  uint32_t *tgid)
{
	struct process_status status;
	uint32_t owner;
	int err;

	err = process_status_read(tid, &status);
	if (err)
		return err;
	*tgid = status.tgid;
	*process = find_alive(table, status.tgid);
	if (!*process) {
		owner = owner_of_memory(&status);
		if (owner != status.tgid)
			*process = find_alive(table, owner);
		else
			*process = find_shared(table, tid);
		err = *process ? 0 : row_make(table, owner, process);
		if (err)
			return err;
	}
	note_thread(table, tid, &status, *process);
	return 0;
}

static void client_fill(struct process_client *pc, struct process_table *table,
			const struct engine_client_ops *ops, uint32_t tgid, uint32_t tid,
			uint32_t uid)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	pc->table = table;
	pc->opaque = NULL;
	pc->client = (struct engine_client){
		.ops = ops ? ops : &process_client_ops,
		.pid = tgid,
		.tid = tid,
		.uid = uid,
		.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
	};
}

int process_client_init(struct process_client *pc, struct process_table *table,
			const struct engine_client_ops *ops, uint32_t tid, uint32_t uid)
{
	struct thread_slot *slot = &table->threads[tid % THREAD_SLOTS];
	uint32_t tgid = 0;
	int err = 0;

	if (!tid) /* a process that this one's pid namespace cannot name */
		return -ESRCH;
	pthread_mutex_lock(&table->lock);
	pc->process = NULL;
	if (slot->process && slot->tid == tid) {
		pc->process = slot->process;
		process_get(pc->process);
		tgid = pc->process->tgid;
		row_touch(table, pc->process);
	}
	pthread_mutex_unlock(&table->lock);

	if (pc->process && !process_has_thread(tgid, tid)) {
		process_put(pc->process);
		pc->process = NULL;
	}
	if (!pc->process) {
		err = process_table_resolve(table, tid, &pc->process, &tgid);
		if (err)
			return err;
	}
	client_fill(pc, table, ops, tgid, tid, uid);
	return 0;
}

void process_client_again(struct process_client *pc, const struct process_client *first,
			  const struct engine_client_ops *ops, uint32_t tid, uint32_t uid)
{
	pc->process = first->process;
	process_get(pc->process);
	client_fill(pc, first->table, ops, first->client.pid, tid, uid);
}

void process_client_find_uid(struct process_client *pc)
{
	struct stat st;

	/* A folder there is its process's whether it can be dumped or not (task_dump_owner()). */
	if (!fstat(pc->process->folder_fd, &st))
		pc->client.uid = st.st_uid;
}

bool process_client_there(const struct process_client *pc)
{
	return process_has_thread(pc->client.pid, pc->client.tid);
}

bool process_client_owns(const struct process_client *pc)
{
	return pc->process->tgid == pc->client.pid;
}

bool process_client_ended(const struct process_client *pc)
{
	return process_ended(pc->process);
}

uint64_t process_client_serial(const struct process_client *pc)
{
	return pc->process ? pc->process->serial : 0;
}

void process_client_fini(struct process_client *pc)
{
	process_put(pc->process);
	pc->process = NULL;
}

/* ---- look-ups by number ---------------------------------------------------------- */

void process_table_name(struct process_table *table, uint32_t pid, char *name, size_t size)
{
	struct name_slot *slot = &table->names[pid % NAMES_KEPT];

	pthread_mutex_lock(&table->lock);
	snprintf(name, size, "%s", slot->pid == pid && slot->name[0] ? slot->name : "?");
	pthread_mutex_unlock(&table->lock);
}

struct engine_mm *process_table_mm_get(struct process_table *table, uint32_t pid)
{
	struct process *process = find_alive(table, pid);

	return process ? &process->mm : NULL;
}
