/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/lttng_programs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t lttng_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In the child: LTTng's places are home (a user's), or an empty /run/lttng (root's). */
static void take_home(const char *home)
{
	if (geteuid())
		setenv("LTTNG_HOME", home, 1);
	else if ((!mkdir("/run/lttng", 0755) || errno == EEXIST) && !unshare(CLONE_NEWNS) &&
		 !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		mount("tmpfs", "/run/lttng", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}

pid_t lttng_spawn(char *const argv[], int fd, const char *home)
{
	pid_t parent = getpid(), pid = fork();
	sigset_t none;

	if (pid)
		return pid;
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (home)
		take_home(home);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(STDIN_FILENO);
	open("/dev/null", O_RDONLY);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

bool lttng_wait(pid_t pid, int timeout_ms, int *status)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ready = { .fd = pidfd, .events = POLLIN };
	int64_t until = lttng_now_ms() + timeout_ms;
	int ret = 0;

	while (pidfd >= 0) {
		int64_t left = until - lttng_now_ms();

		ret = left > 0 ? poll(&ready, 1, (int)left) : 0;
		if (ret >= 0 || errno != EINTR)
			break;
	}
	if (pidfd >= 0)
		close(pidfd);
	if (pidfd >= 0 && ret <= 0)
		return false;
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return true;
}

void lttng_last_line(int fd, char *line, size_t size)
{
	char text[4096];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	char *at, *next, *chosen;

	if (got < 0)
		got = 0;
	text[got] = 0;
	chosen = text;
	for (at = text; at && *at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = 0;
		if (strstr(at, "Error:") || !chosen[0])
			chosen = at;
	}
	snprintf(line, size, "%.*s", (int)size - 1, chosen[0] ? chosen : "it gives no reason");
}
