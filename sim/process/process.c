/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process as the kernel shows it, and what the engine asks of it in a call.
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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tracepoints/identity.h"

void process_get(struct process *process)
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

/* ---- what /proc and the kernel say of a thread ----------------------------------- */

/* A program chooses its name; the names of others may end on a terminal. */
static void make_printable(char *name)
{
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			*name = '?';
	}
}

int process_status_read(uint32_t tid, struct process_status *status)
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

/* ---- making and ending ------------------------------------------------------------ */

int process_create(struct process_table *table, uint32_t tgid, uint64_t serial,
		   struct process **out)
{
	struct process *process = calloc(1, sizeof(*process));
	char path[64];

	if (!process)
		return -ENOMEM;
	process->mm.ops = &process_mm_ops;
	process->mm.refs = 1;
	process->tgid = tgid;
	process->serial = serial;
	process->table = table;
	pthread_mutex_init(&process->shared_lock, NULL);
	process->mem_fd = process->maps_fd = process->folder_fd = -1;
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
	snprintf(path, sizeof(path), "/proc/%u", tgid);
	process->folder_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process->folder_fd < 0)
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

bool process_ended(const struct process *process)
{
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 1;
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
	static const unsigned int bits[] = {
		[ENGINE_CAP_IPC_LOCK] = CAP_IPC_LOCK,
		[ENGINE_CAP_SYS_RESOURCE] = CAP_SYS_RESOURCE,
		[ENGINE_CAP_SYS_RAWIO] = CAP_SYS_RAWIO,
	};
	const unsigned int bit = bits[cap];

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

		err = process_table_resolve(pc->table, client->tid, &fresh, &tgid);
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

/* The last number of a line such as "NSpid:\t4711\t12": the one in the innermost namespace. */
static uint32_t innermost(const char *status, const char *key, uint32_t otherwise)
{
	const char *line = strstr(status, key), *end = line ? strchr(line + 1, '\n') : NULL;

	if (!end)
		return otherwise;
	while (end > line && end[-1] != '\t' && end[-1] != ' ')
		end--;
	return (uint32_t)strtoul(end, NULL, 10);
}

static void client_identify(const struct engine_client *client, struct trace_identity *identity)
{
	const struct process_client *pc = to_process_client(client);
	struct process *process = pc->process;
	char path[64], text[2048];
	ssize_t got;
	int fd;

	/* Read once, but for the child of a vfork() in its parent's row. */
	if (process->tgid != client->pid ||
	    !__atomic_load_n(&process->identified, __ATOMIC_ACQUIRE)) {
		snprintf(path, sizeof(path), "/proc/%u", client->pid);
		trace_identity_read(path, identity);
		if (process->tgid == client->pid) {
			__atomic_store_n(&process->pid_ns, identity->pid_ns, __ATOMIC_RELAXED);
			__atomic_store_n(&process->start, identity->start, __ATOMIC_RELAXED);
			__atomic_store_n(&process->identified, true, __ATOMIC_RELEASE);
		}
	} else {
		identity->pid_ns = __atomic_load_n(&process->pid_ns, __ATOMIC_RELAXED);
		identity->start = __atomic_load_n(&process->start, __ATOMIC_RELAXED);
	}
	if (!identity->pid_ns || identity->pid_ns == process_table_pid_ns(pc->table))
		return;
	/* In a namespace of its own: the kernel tells its numbers there. */
	snprintf(path, sizeof(path), "/proc/%u/status", client->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = 0;
	identity->pid = innermost(text, "\nNStgid:", identity->pid);
	identity->tid = innermost(text, "\nNSpid:", identity->tid);
}

const struct engine_client_ops process_client_ops = {
	.identify = client_identify,
	.copy_in = client_copy_in,
	.copy_out = client_copy_out,
	.copy_in_some = client_copy_in_some,
	.capable = client_capable,
	.memlock_limit = client_memlock_limit,
	.mm_get = client_mm_get,
	.file_get = client_file_get,
};
