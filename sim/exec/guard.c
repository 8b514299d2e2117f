/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/guard.h"

#include <dirent.h>
#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long processes may take to end after SIGTERM, looked at every POLL_MS. */
#define GRACE_MS 500
#define POLL_MS 10
#define KNOWN_MOUNTS_MAX 64
/* Passes of SIGKILL: a process may fork while the list is read. */
#define KILL_PASSES 100

/* The mount namespace of process name (a number or "self"); 0: gone, or not ours to see. */
static ino_t mount_namespace(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", name);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* Sends signo to every process of namespace but this one and spared; how many there were. */
static unsigned int signal_all(ino_t namespace, pid_t spared, int signo)
{
	DIR *proc = opendir("/proc");
	unsigned int count = 0;
	struct dirent *entry;

	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid <= 1 || pid == getpid() || pid == spared ||
		    mount_namespace(entry->d_name) != namespace)
			continue;
		if (!kill(pid, signo))
			count++;
	}
	closedir(proc);
	return count;
}

static void end_all(const struct guard *guard, pid_t spared, bool polite)
{
	ino_t namespace = mount_namespace("self");
	int waited, pass;

	/* Never the host's: not even when something above went wrong. */
	if (!namespace || !guard->outside || namespace == guard->outside)
		return;
	if (polite && signal_all(namespace, spared, SIGTERM)) {
		for (waited = 0; waited < GRACE_MS && signal_all(namespace, spared, 0);
		     waited += POLL_MS)
			poll(NULL, 0, POLL_MS);
	}
	for (pass = 0; pass < KILL_PASSES && signal_all(namespace, spared, SIGKILL); pass++)
		poll(NULL, 0, 1);
}

/* ---- connections ----------------------------------------------------------------- */

/* FUSE mounts that were there before ours: of an exec around this one, say. */
struct known_mounts {
	unsigned int count;
	int id[KNOWN_MOUNTS_MAX];
};

static bool is_known(const struct known_mounts *known, int id)
{
	for (unsigned int i = 0; i < known->count; i++) {
		if (known->id[i] == id)
			return true;
	}
	return false;
}

/*
 * Notes the FUSE mounts of this namespace in known, or with abort breaks the
 * connection of each that is not known: callers get an error, whoever serves is gone.
 */
static void each_fuse_mount(struct known_mounts *known, bool abort)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[4096], path[2048];
	int id;

	if (!mounts)
		return;
	while (fgets(line, sizeof(line), mounts)) {
		if (!strstr(line, " - fuse") ||
		    sscanf(line, "%d %*d %*s %*s %2047s", &id, path) != 2)
			continue;
		if (abort && !is_known(known, id))
			umount2(path, MNT_FORCE); /* breaks it even where it then says EBUSY */
		else if (!abort && known->count < KNOWN_MOUNTS_MAX)
			known->id[known->count++] = id;
	}
	fclose(mounts);
}

/* ---- the process ------------------------------------------------------------------- */

static _Noreturn void guard_run(const struct guard *guard, pid_t parent,
				struct known_mounts *known)
{
	sigset_t all;

	prctl(PR_SET_NAME, "ioasis-guard");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Nobody shall wait for a pipe or a terminal because of it. */
	close_range(0, ~0u, 0);
	/*
	 * The parent holds the mutex for life. The kernel tells its death (EOWNERDEAD)
	 * before it closes the parent's files: a close that waits for the parent's own
	 * file system would else wait for ever, and PR_SET_PDEATHSIG come never.
	 * (do_exit() of kernel/exit.c: exit_mm(), exit_files(), exit_notify().)
	 */
	pthread_mutex_lock(guard->alive);
	each_fuse_mount(known, true);
	end_all(guard, parent, false);
	_exit(0);
}

int guard_init(struct guard *guard)
{
	*guard = (struct guard){ .pid = -1 };
	guard->outside = mount_namespace("self");
	return guard->outside ? 0 : -ENOENT;
}

/* A mutex that both processes see, held by this thread; NULL: out of memory. */
static pthread_mutex_t *alive_create(void)
{
	pthread_mutex_t *alive = mmap(NULL, sizeof(*alive), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	if (alive == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(alive, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_mutex_lock(alive);
	return alive;
}

int guard_start(struct guard *guard)
{
	struct known_mounts known = { 0 };
	pid_t parent = getpid();

	/* Here, not in the guard: by the time it runs ours may be mounted. */
	each_fuse_mount(&known, false);
	guard->alive = alive_create();
	if (!guard->alive)
		return -ENOMEM;
	guard->pid = fork();
	if (!guard->pid)
		guard_run(guard, parent, &known);
	return guard->pid < 0 ? -errno : 0;
}

void guard_finish(struct guard *guard, bool nobody)
{
	if (guard->pid < 0)
		return;
	if (!nobody)
		end_all(guard, guard->pid, true);
	kill(guard->pid, SIGKILL);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_unlock(guard->alive);
	munmap(guard->alive, sizeof(*guard->alive));
	*guard = (struct guard){ .pid = -1 };
}
