/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long processes may take to end after SIGTERM, looked at every POLL_MS. */
#define GRACE_MS 500
#define POLL_MS 10
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

static _Noreturn void guard_run(const struct guard *guard, int end)
{
	sigset_t all;
	char byte;

	prctl(PR_SET_NAME, "ioasis-guard");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Nobody shall wait for a pipe or a terminal because of it. */
	if (dup2(end, 0) < 0)
		_exit(1);
	close_range(1, ~0u, 0);
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	end_all(guard, 0, false);
	_exit(0);
}

int guard_init(struct guard *guard)
{
	*guard = (struct guard){ .pid = -1, .lifeline = -1 };
	guard->outside = mount_namespace("self");
	return guard->outside ? 0 : -ENOENT;
}

int guard_start(struct guard *guard)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	guard->pid = fork();
	if (!guard->pid) {
		close(ends[1]);
		guard_run(guard, ends[0]);
	}
	close(ends[0]);
	guard->lifeline = ends[1];
	return guard->pid < 0 ? -errno : 0;
}

void guard_finish(struct guard *guard)
{
	if (guard->lifeline < 0)
		return;
	end_all(guard, guard->pid, true);
	if (guard->pid > 0) {
		kill(guard->pid, SIGKILL);
		while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(guard->lifeline);
	*guard = (struct guard){ .pid = -1, .lifeline = -1 };
}
