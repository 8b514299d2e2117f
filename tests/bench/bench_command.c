/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bench_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/remove.h"
#include "tests/bench/bench.h"

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

int bench_command(char *const argv[], const char *output, struct bench_cost *cost)
{
	uint64_t start_ns = bench_now_ns();
	struct rusage usage;
	int status, fd;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		fd = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (fd < 0)
			_exit(126);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	cost->wall_ns = bench_now_ns() - start_ns;
	cost->cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	cost->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool bench_numbers(char *const argv[], uint64_t *numbers, size_t count)
{
	size_t got = 0;
	int ends[2], status;
	FILE *file;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	file = fdopen(ends[0], "r");
	while (file && got < count && fscanf(file, "%" SCNu64, &numbers[got]) == 1)
		got++;
	if (file)
		fclose(file);
	else
		close(ends[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status && got == count;
}

void bench_sibling(const char *name, char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = 0;
	if (strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	snprintf(path, size, "%s/%s", self, name);
}

int bench_scratch(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/ioasis-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(path) ? 0 : -errno;
}

void bench_scratch_remove(const char *path)
{
	cli_remove_tree(path);
}
