/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of processes and one call of one thread.
 *
 * How a call finds its process without asking /proc each time: a cache from thread
 * to process, believed only when tgkill(tgid, tid, 0) says that the thread is still
 * one of that process, and, for its address space, only while that one is alive:
 * an exec() or a new process under the old id ends it. The child of a vfork() runs
 * in its parent's address space: it uses the parent's row, and is compared anew
 * (kcmp) at each call, because its exec() does not end that space.
 *
 * Memory is read with process_vm_readv(), not through /proc/PID/mem: the latter
 * disregards protections (FOLL_FORCE in fs/proc/base.c, mem_rw()), the kernel's
 * copy_from_user() does not.
 */
#include "sim/process/process.h"
#include "sim/process/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define THREAD_SLOTS 1024u
#define PROCESSES_KEPT PROCESS_OTHERS_MAX /* without mappings; each holds three fds */
#define NAMES_KEPT 1024u

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
	struct name_slot names[NAMES_KEPT];	  /* by pid modulo */
	struct process *processes;		  /* one reference each */
	unsigned int processes_count;
	uint64_t next_serial;
	uint64_t clock; /* counts look-ups */
	struct engine_anon_file *(*find_anon)(void *opaque, int fd);
	void *find_anon_opaque;
};

struct process_table *process_table_create(void)
{
	struct process_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	pthread_mutex_init(&table->lock, NULL);
	table->next_serial = 1;
	return table;
}

static void process_get(struct process *process)
{
	__atomic_add_fetch(&process->mm.refs, 1, __ATOMIC_RELAXED);
}

void process_put(struct process *process)
{
	if (process)
		engine_mm_put(&process->mm);
}

void process_raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void process_table_destroy(struct process_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < THREAD_SLOTS; i++)
		process_put(table->threads[i].process);
	while (table->processes) {
		struct process *process = table->processes;

		table->processes = process->next;
		process_put(process);
	}
	pthread_mutex_destroy(&table->lock);
	free(table);
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

/* ---- what /proc and the kernel say of a thread ----------------------------------- */

struct thread_status {
	uint32_t tgid;
	uint32_t parent_tgid;
	char name[PROCESS_NAME_BYTES];
};

/* A program chooses its name; the names of others may end on a terminal. */
static void make_printable(char *name)
{
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			*name = '?';
	}
}

/* Reads the thread's row of /proc. 0, -ESRCH, -EACCES, -EMFILE, ... */
static int thread_status_read(uint32_t tid, struct thread_status *status)
{
	char path[64], text[1024], *line;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';

	memset(status, 0, sizeof(*status));
	sscanf(text, "Name:\t%15[^\n]", status->name);
	make_printable(status->name);
	line = strstr(text, "\nTgid:");
	if (!line || sscanf(line, "\nTgid: %u", &status->tgid) != 1)
		return -ESRCH;
	line = strstr(text, "\nPPid:");
	if (line)
		sscanf(line, "\nPPid: %u", &status->parent_tgid);
	return 0;
}

bool process_same_memory(uint32_t tid_a, uint32_t tid_b)
{
	return !syscall(SYS_kcmp, tid_a, tid_b, KCMP_VM, 0, 0);
}

bool process_has_thread(uint32_t tgid, uint32_t tid)
{
	return !syscall(SYS_tgkill, tgid, tid, 0) || errno == EPERM;
}

/* ---- finding a thread's process -------------------------------------------------- */

static int process_create(struct process_table *table, uint32_t tgid, struct process **out)
{
	struct process *process = calloc(1, sizeof(*process));
	char path[64];

	if (!process)
		return -ENOMEM;
	process->mm.ops = &process_mm_ops;
	process->mm.refs = 1;
	process->tgid = tgid;
	process->serial = table->next_serial++;
	process->table = table;
	pthread_mutex_init(&process->shared_lock, NULL);
	process->mem_fd = process->maps_fd = -1;
	process->pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	if (process->pidfd < 0)
		goto out_errno;
	snprintf(path, sizeof(path), "/proc/%u/mem", tgid);
	process->mem_fd = open(path, O_RDWR | O_CLOEXEC);
	if (process->mem_fd < 0)
		goto out_errno;
	snprintf(path, sizeof(path), "/proc/%u/maps", tgid);
	process->maps_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (process->maps_fd < 0)
		goto out_errno;
	*out = process;
	return 0;

out_errno:
	*out = NULL;
	{
		int err = errno == ENOENT ? ESRCH : errno;

		process_put(process);
		return -err;
	}
}

size_t process_table_others(struct process_table *table, const struct process *process,
			    struct process *others[PROCESS_OTHERS_MAX])
{
	size_t count = 0;

	pthread_mutex_lock(&table->lock);
	for (struct process *p = table->processes; p && count < PROCESS_OTHERS_MAX; p = p->next) {
		if (p == process)
			continue;
		process_get(p);
		others[count++] = p;
	}
	pthread_mutex_unlock(&table->lock);
	return count;
}

struct engine_mm *process_table_mm_get(struct process_table *table, uint32_t pid)
{
	struct process *p;

	pthread_mutex_lock(&table->lock);
	for (p = table->processes; p; p = p->next) {
		if (p->tgid == pid && process_alive(p))
			break;
	}
	if (p)
		process_get(p);
	pthread_mutex_unlock(&table->lock);
	return p ? &p->mm : NULL;
}

static void table_forget(struct process_table *table, struct process *process)
{
	struct process **link = &table->processes;

	for (size_t i = 0; i < THREAD_SLOTS; i++) {
		if (table->threads[i].process == process) {
			table->threads[i].process = NULL;
			process_put(process);
		}
	}
	while (*link && *link != process)
		link = &(*link)->next;
	if (*link) {
		*link = process->next;
		table->processes_count--;
		process_put(process);
	}
}

/* Whether anyone but the table refers to it: a call, or the engine for its mappings. */
static bool table_is_used(const struct process_table *table, const struct process *process)
{
	uint32_t ours = 1;

	for (size_t i = 0; i < THREAD_SLOTS; i++)
		ours += table->threads[i].process == process;
	return __atomic_load_n(&process->mm.refs, __ATOMIC_RELAXED) > ours;
}

/*
 * Keeps the number of processes, and so of open files, within bounds. One that has
 * mappings stays: it must be found again as the same address space.
 */
static void table_make_room(struct process_table *table)
{
	while (table->processes_count >= PROCESSES_KEPT) {
		struct process *oldest = NULL;

		for (struct process *p = table->processes; p; p = p->next) {
			if ((!oldest || p->last_use < oldest->last_use) && !table_is_used(table, p))
				oldest = p;
		}
		if (!oldest)
			return;
		table_forget(table, oldest);
	}
}

/* The process of a thread group in the table, if its address space is the thread's. */
static struct process *table_find(struct process_table *table, uint32_t tid, uint32_t tgid)
{
	struct process *p, *next;

	for (p = table->processes; p; p = next) {
		next = p->next;
		if (p->tgid != tgid)
			continue;
		if (process_alive(p))
			return p;
		table_forget(table, p); /* it called exec(), or its id was given out again */
	}
	for (p = table->processes; p; p = p->next) {
		if (process_alive(p) && process_has_thread(p->tgid, p->tgid) &&
		    process_same_memory(tid, p->tgid))
			return p;
	}
	return NULL;
}

/*
 * The process whose address space the thread runs in: its own, or that of the
 * ancestor that made it with vfork().
 */
static uint32_t owner_of_memory(const struct thread_status *status)
{
	struct thread_status up = *status;

	while (up.parent_tgid && process_same_memory(up.tgid, up.parent_tgid)) {
		if (thread_status_read(up.parent_tgid, &up))
			break;
	}
	return up.tgid;
}

/* The slow way, with the lock held: asks /proc. *process: a new reference. */
static int table_resolve(struct process_table *table, uint32_t tid, struct process **process,
			 uint32_t *tgid)
{
	struct thread_slot *slot = &table->threads[tid % THREAD_SLOTS];
	struct thread_status status;
	struct name_slot *name;
	int err;

	err = thread_status_read(tid, &status);
	if (err)
		return err;
	name = &table->names[status.tgid % NAMES_KEPT];
	name->pid = status.tgid;
	memcpy(name->name, status.name, sizeof(name->name));
	*tgid = status.tgid;

	*process = table_find(table, tid, status.tgid);
	if (!*process) {
		table_make_room(table);
		err = process_create(table, owner_of_memory(&status), process);
		if (err)
			return err;
		(*process)->next = table->processes;
		table->processes = *process;
		table->processes_count++;
	}
	process_get(*process);
	(*process)->last_use = ++table->clock;
	if ((*process)->tgid != status.tgid) /* in its parent's memory, for now */
		return 0;
	memcpy((*process)->name, status.name, sizeof(status.name));
	process_put(slot->process);
	slot->tid = tid;
	slot->process = *process;
	process_get(*process);
	return 0;
}

int process_client_init(struct process_client *pc, struct process_table *table,
			const struct engine_client_ops *ops, uint32_t tid, uint32_t uid)
{
	struct thread_slot *slot = &table->threads[tid % THREAD_SLOTS];
	uint32_t tgid = 0;
	struct timespec now;
	int err = 0;

	if (!tid) /* a process that this one's pid namespace cannot name */
		return -ESRCH;
	pthread_mutex_lock(&table->lock);
	pc->process = NULL;
	if (slot->process && slot->tid == tid) {
		pc->process = slot->process;
		process_get(pc->process);
		tgid = pc->process->tgid;
		pc->process->last_use = ++table->clock;
	}
	pthread_mutex_unlock(&table->lock);

	if (pc->process && !process_has_thread(tgid, tid)) {
		process_put(pc->process);
		pc->process = NULL;
	}
	if (!pc->process) {
		pthread_mutex_lock(&table->lock);
		err = table_resolve(table, tid, &pc->process, &tgid);
		pthread_mutex_unlock(&table->lock);
		if (err)
			return err;
	}
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
	return 0;
}

void process_client_fini(struct process_client *pc)
{
	process_put(pc->process);
	pc->process = NULL;
}

void process_table_name(struct process_table *table, uint32_t pid, char *name, size_t size)
{
	struct name_slot *slot = &table->names[pid % NAMES_KEPT];
	const char *found = slot->name;

	pthread_mutex_lock(&table->lock);
	if (slot->pid != pid) { /* another process with a name in this place came since */
		struct process *p = table->processes;

		while (p && p->tgid != pid)
			p = p->next;
		found = p ? p->name : "";
	}
	snprintf(name, size, "%s", found[0] ? found : "?");
	pthread_mutex_unlock(&table->lock);
}

bool process_readable(uint32_t pid, const char **why)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	*why = errno == EACCES || errno == EPERM
		       ? "the system forbids looking into that process: it is another user's or "
			 "protected, or kernel.yama.ptrace_scope is not 0"
		       : strerror(errno);
	return false;
}

/* ---- the operations that the engine uses ----------------------------------------- */

static const struct process_client *to_process_client(const struct engine_client *client)
{
	return (const struct process_client *)client;
}

static int client_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	struct iovec local = { .iov_base = dst, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)src, .iov_len = len };

	if (process_vm_readv((pid_t)client->tid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		return -EFAULT;
	return 0;
}

static int client_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			   size_t len)
{
	struct iovec local = { .iov_base = (void *)(uintptr_t)src, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)dst, .iov_len = len };

	if (process_vm_writev((pid_t)client->tid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		return -EFAULT;
	return 0;
}

static ssize_t client_copy_in_some(const struct engine_client *client, void *dst, uint64_t src,
				   size_t len)
{
	uint64_t in_first = ENGINE_PAGE_SIZE - src % ENGINE_PAGE_SIZE;
	struct iovec local = { .iov_base = dst, .iov_len = len };
	struct iovec remote[2] = { { .iov_base = (void *)(uintptr_t)src, .iov_len = len } };
	unsigned long pieces = 1;
	ssize_t n;

	/* The second page may not be there: an element of its own makes that a short read. */
	if (len > in_first) {
		remote[0].iov_len = in_first;
		remote[1].iov_base = (void *)(uintptr_t)(src + in_first);
		remote[1].iov_len = len - in_first;
		pieces = 2;
	}
	n = process_vm_readv((pid_t)client->tid, &local, 1, remote, pieces, 0);
	return n > 0 || !len ? n : -EFAULT;
}

/* The calling thread's effective set, as the kernel's capable() looks at. */
static bool client_capable(const struct engine_client *client, enum engine_cap cap)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = (int)client->tid,
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };
	unsigned int bit = cap == ENGINE_CAP_IPC_LOCK ? CAP_IPC_LOCK : CAP_SYS_RESOURCE;

	if (syscall(SYS_capget, &header, sets))
		return false;
	return sets[bit / 32].effective & 1u << bit % 32;
}

/* RLIMIT_MEMLOCK from the text that everyone may read. */
static uint64_t memlock_limit_of_proc(uint32_t pid)
{
	char path[64], line[256];
	uint64_t limit = 0; /* what cannot be known is not allowed */
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/limits", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		unsigned long long soft;

		if (strncmp(line, "Max locked memory", 17))
			continue;
		if (sscanf(line + 17, "%llu", &soft) == 1)
			limit = soft;
		else
			limit = UINT64_MAX;
		break;
	}
	fclose(file);
	return limit;
}

static uint64_t client_memlock_limit(const struct engine_client *client)
{
	struct rlimit64 limit;

	/* Allowed for the same user or with CAP_SYS_RESOURCE only. */
	if (prlimit64((pid_t)client->pid, RLIMIT_MEMLOCK, NULL, &limit))
		return memlock_limit_of_proc(client->pid);
	return limit.rlim_cur == RLIM64_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static struct engine_mm *client_mm_get(const struct engine_client *client)
{
	struct process_client *pc = (struct process_client *)to_process_client(client);
	uint32_t tgid;

	/* An exec() since the process was noted gave it other memory. */
	if (!process_alive(pc->process)) {
		struct process *fresh = NULL;
		int err;

		pthread_mutex_lock(&pc->table->lock);
		err = table_resolve(pc->table, client->tid, &fresh, &tgid);
		pthread_mutex_unlock(&pc->table->lock);
		if (err)
			return NULL;
		process_put(pc->process);
		pc->process = fresh;
	}
	process_get(pc->process);
	return &pc->process->mm;
}

static struct engine_file *client_file_get(const struct engine_client *client, int fd, int *err)
{
	int got = process_client_fd_get(client, fd);

	if (got >= 0)
		return process_file_create(to_process_client(client)->table, got, err);
	*err = got;
	return NULL;
}

const struct engine_client_ops process_client_ops = {
	.copy_in = client_copy_in,
	.copy_out = client_copy_out,
	.copy_in_some = client_copy_in_some,
	.capable = client_capable,
	.memlock_limit = client_memlock_limit,
	.mm_get = client_mm_get,
	.file_get = client_file_get,
};
