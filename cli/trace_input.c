/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trace_input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/guard.h"
#include "cli/remove.h"

#define HEAD_BYTES 512

/* Whether a file with this head is for tar: a tar, or what tar unpacks itself. */
static bool is_for_tar(const unsigned char *head, size_t n)
{
	static const struct {
		size_t at, len;
		const char *bytes;
	} magics[] = {
		{ 257, 5, "ustar" },	 { 0, 2, "\x1f\x8b" },		{ 0, 6, "\xfd" "7zXZ\0" },
		{ 0, 4, "\x28\xb5\x2f\xfd" }, { 0, 3, "BZh" },
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (magics[i].at + magics[i].len <= n &&
		    !memcmp(head + magics[i].at, magics[i].bytes, magics[i].len))
			return true;
	}
	return false;
}

/* Makes a temporary folder for names[index], which goes if we are killed as well. 0 or -errno. */
static int make_folder(struct trace_input *input, size_t index)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/ioasis-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(path))
		return -errno;
	input->folders[index] = strdup(path);
	if (!input->folders[index]) {
		rmdir(path);
		return -ENOMEM;
	}
	guard_remove(path);
	return 0;
}

/* The first line that tar said. */
static void tar_reason(int log, char *reason, size_t size)
{
	ssize_t got = pread(log, reason, size - 1, 0);

	size_t blank;

	reason[got < 0 ? 0 : got] = 0;
	blank = strspn(reason, "\n");
	memmove(reason, reason + blank, strlen(reason + blank) + 1);
	reason[strcspn(reason, "\n")] = 0;
}

/* Unpacks file into folder. 0, or -errno with reason. */
static int unpack(const char *file, const char *folder, char *reason, size_t reason_size)
{
	int log = memfd_create("tar", MFD_CLOEXEC), status = 0;
	pid_t pid = log < 0 ? -1 : fork();

	snprintf(reason, reason_size, "%s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log, STDERR_FILENO);
		execlp("tar", "tar", "--no-same-owner", "--no-same-permissions", "-xf", file, "-C",
		       folder, NULL);
		fprintf(stderr, "tar: %s\n", strerror(errno));
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			break;
	}
	if (pid > 0 && status)
		tar_reason(log, reason, reason_size);
	if (log >= 0)
		close(log);
	return pid < 0 ? -errno : status ? -EINVAL : 0;
}

/* Copies standard input to a file. 0 or -errno. */
static int keep_input(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err = 0;
	char bytes[65536];
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (!err && (got = read(STDIN_FILENO, bytes, sizeof(bytes)))) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || write(fd, bytes, (size_t)got) != got)
			err = errno ? -errno : -ENOSPC;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* Makes names[index] readable as paths[index]. 0, or -errno with error. */
static int open_one(struct trace_input *input, size_t index, char *error, size_t error_size)
{
	const char *name = input->names[index];
	bool is_input = !strcmp(name, "-");
	char path[PATH_MAX], folder[PATH_MAX], reason[256];
	unsigned char head[HEAD_BYTES];
	struct stat st;
	ssize_t got = 0;
	int fd, ret;

	if (is_input) {
		ret = make_folder(input, index);
		if (!ret) {
			snprintf(path, sizeof(path), "%s/input", input->folders[index]);
			ret = keep_input(path);
		}
		if (ret) {
			snprintf(error, error_size, "standard input: %s", strerror(-ret));
			return ret;
		}
		name = path;
	}
	/* What is no plain file is for who reads traces; a live session's address is no file. */
	if (!stat(name, &st) && S_ISREG(st.st_mode)) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);
		if (fd >= 0)
			close(fd);
	}
	if (got > 0 && is_for_tar(head, (size_t)got)) {
		ret = input->folders[index] ? 0 : make_folder(input, index);
		if (ret) {
			snprintf(error, error_size, "a temporary folder: %s", strerror(-ret));
			return ret;
		}
		snprintf(folder, sizeof(folder), "%.4000s/trace", input->folders[index]);
		ret = mkdir(folder, 0700) ? -errno : unpack(name, folder, reason, sizeof(reason));
		if (ret) {
			snprintf(error, error_size, "%s: cannot be unpacked: %s",
				 is_input ? "standard input" : name, reason);
			return ret;
		}
		name = folder;
	}
	input->paths[index] = strdup(name);
	if (input->paths[index])
		return 0;
	snprintf(error, error_size, "out of memory");
	return -ENOMEM;
}

int trace_input_open(struct trace_input *input, char *const *names, size_t count, char *error,
		     size_t error_size)
{
	int ret = 0;

	*input = (struct trace_input){ .count = count };
	input->paths = calloc(count + 1, sizeof(*input->paths));
	input->names = calloc(count + 1, sizeof(*input->names));
	input->folders = calloc(count + 1, sizeof(*input->folders));
	if (!input->paths || !input->names || !input->folders) {
		snprintf(error, error_size, "out of memory");
		ret = -ENOMEM;
	}
	for (size_t i = 0; !ret && i < count; i++) {
		input->names[i] = names[i];
		ret = open_one(input, i, error, error_size);
	}
	if (ret)
		trace_input_close(input);
	return ret;
}

void trace_input_close(struct trace_input *input)
{
	for (size_t i = 0; i < input->count; i++) {
		if (input->paths)
			free(input->paths[i]);
		if (!input->folders || !input->folders[i])
			continue;
		cli_remove_tree(input->folders[i]);
		guard_forget(input->folders[i]);
		free(input->folders[i]);
	}
	free(input->paths);
	free(input->names);
	free(input->folders);
	*input = (struct trace_input){ .count = 0 };
}

void trace_input_rename(const struct trace_input *input, char *error, size_t error_size)
{
	for (size_t i = 0; i < input->count; i++) {
		const char *name = strcmp(input->names[i], "-") ? input->names[i] : "standard input";
		char *at = input->folders[i] ? strstr(error, input->paths[i]) : NULL;
		char rest[1024];

		if (!at)
			continue;
		snprintf(rest, sizeof(rest), "%s", at + strlen(input->paths[i]));
		snprintf(at, error_size - (size_t)(at - error), "%s%s", name, rest);
	}
}
