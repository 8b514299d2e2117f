/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/test_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* drivers/iommu/iommufd/iommufd_test.h */
enum {
	TEST_OP_CREATE_ACCESS = 5,
	TEST_OP_DMABUF_GET = 22,
};

bool test_cmd_gives_file(const struct caller *caller)
{
	struct {
		uint32_t size, op;
	} head;

	if (caller_read(caller, caller->notif->data.args[2], &head, sizeof(head)))
		return false;
	return head.op == TEST_OP_CREATE_ACCESS || head.op == TEST_OP_DMABUF_GET;
}

/* Whether fd is open for that: if not, the kernel says so itself. */
static bool may_move(int fd, bool is_read)
{
	int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;

	if (flags < 0 || flags & O_PATH)
		return false;
	return mode == O_RDWR || mode == (is_read ? O_RDONLY : O_WRONLY);
}

void test_move_nothing(struct fuse_device *device, const struct caller *caller)
{
	int fd = caller_dup_fd(caller, (int)caller->notif->data.args[0]);
	struct engine_anon_file *file = fd < 0 ? NULL : fuse_device_anon_borrow(device, fd);
	bool is_read = caller->notif->data.nr == __NR_read, ours = true;
	char nothing[1] = { 0 };
	ssize_t result = -EINVAL; /* fs/read_write.c, vfs_read() and vfs_write() */

	if (file && is_read)
		result = engine_anon_file_read(file, nothing, 0, true);
	else if (file)
		result = engine_anon_file_write(file, nothing, 0);
	else
		ours = fd >= 0 && fuse_device_owns_fd(device, fd) && may_move(fd, is_read);
	/* Before the answer: a close() by the caller after it is to be the last one. */
	if (fd >= 0)
		close(fd);
	if (ours)
		caller_answer(caller, result);
	else
		caller_continue(caller);
}

/* ---- the knobs of fault injection in debugfs ------------------------------- */

#define DEBUGFS_PATH "/sys/kernel/debug"

static const char *const injectors[] = { "fail_iommufd", "fail_page_alloc", "failslab" };
static const char *const knobs[] = { "ignore-gfp-highmem", "ignore-gfp-wait", "interval",
				     "probability",	   "space",	      "times",
				     "verbose" };

static int make_knobs(const char *injector)
{
	char path[PATH_MAX];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS_PATH "/%s", injector);
	if (mkdir(path, 0755))
		return -errno;
	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		snprintf(path, sizeof(path), DEBUGFS_PATH "/%s/%s", injector, knobs[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

int test_make_debugfs(char *why, size_t size)
{
	int rc = 0;
	size_t i;

	if (!access(DEBUGFS_PATH "/failslab", F_OK))
		return 0;
	/* A kernel without debugfs has no folder to mount on, and its users expect none. */
	if (mount("ioasis", DEBUGFS_PATH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755"))
		return 0;
	for (i = 0; !rc && i < sizeof(injectors) / sizeof(injectors[0]); i++)
		rc = make_knobs(injectors[i]);
	if (rc)
		snprintf(why, size, "cannot fill " DEBUGFS_PATH ": %s", strerror(-rc));
	return rc;
}
