/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/stat_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One call, whichever of them it is. */
struct stat_call {
	int dirfd;
	uint64_t path; /* the caller's address; 0: none */
	uint64_t out;  /* likewise */
	int flags;     /* AT_* */
	bool extended; /* statx */
};

static void call_read(const struct seccomp_data *data, struct stat_call *call)
{
	*call = (struct stat_call){ .dirfd = AT_FDCWD };
	switch (data->nr) {
	case __NR_fstat:
		call->dirfd = (int)data->args[0];
		call->out = data->args[1];
		call->flags = AT_EMPTY_PATH;
		break;
	case __NR_newfstatat:
		call->dirfd = (int)data->args[0];
		call->path = data->args[1];
		call->out = data->args[2];
		call->flags = (int)data->args[3];
		break;
	case __NR_statx:
		call->dirfd = (int)data->args[0];
		call->path = data->args[1];
		call->flags = (int)data->args[2];
		call->out = data->args[4];
		call->extended = true;
		break;
	default: /* stat, lstat */
		call->path = data->args[0];
		call->out = data->args[1];
#ifdef __NR_lstat
		call->flags = data->nr == __NR_lstat ? AT_SYMLINK_NOFOLLOW : 0;
#endif
		break;
	}
}

/* ---- which file ------------------------------------------------------------------------ */

/* The folder that a relative path begins in, as text. */
static bool folder_of(const struct caller *caller, int dirfd, char *folder, size_t size)
{
	char link[64];
	ssize_t len;

	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%u/cwd", caller->notif->pid);
	else
		snprintf(link, sizeof(link), "/proc/%u/fd/%d", caller->notif->pid, dirfd);
	len = readlink(link, folder, size - 1);
	if (len < 0)
		return false;
	folder[len] = '\0';
	return true;
}

/*
 * Our own way to the path, in its root; false: it is nowhere near a device's file, as
 * almost all are. Links elsewhere that lead there are not followed: no device has such.
 */
static bool path_of(const struct caller *caller, const struct stat_call *call, const char *text,
		    char *path, size_t size)
{
	char folder[PATH_MAX] = "";
	const char *self = "/proc/self/", *rest = text;

	if (*text != '/' && !folder_of(caller, call->dirfd, folder, sizeof(folder)))
		return false;
	if (*text != '/' && strncmp(folder, "/dev", 4))
		return false;
	if (*text == '/' && strncmp(text, "/dev/", 5) && strncmp(text, self, strlen(self)))
		return false;
	if (!strncmp(text, self, strlen(self))) {
		rest = text + strlen(self);
		snprintf(folder, sizeof(folder), "/proc/%u", caller->notif->pid);
		return snprintf(path, size, "%s/%s", folder, rest) < (int)size;
	}
	return snprintf(path, size, "/proc/%u/root%s%s%s", caller->notif->pid, folder,
			*text == '/' ? "" : "/", text) < (int)size;
}

/* The file as one of ours: to be closed; -1: none that matters. */
static int file_of(const struct caller *caller, const struct stat_call *call)
{
	int oflags = O_PATH | O_CLOEXEC | (call->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
	char text[PATH_MAX] = "", path[2 * PATH_MAX + 32];

	if (call->path && caller_read_string(caller, call->path, text, sizeof(text)))
		return -1;
	if (!*text)
		return call->flags & AT_EMPTY_PATH && call->dirfd >= 0
			       ? caller_dup_fd(caller, call->dirfd)
			       : -1;
	if (!path_of(caller, call, text, path, sizeof(path)))
		return -1;
	return open(path, oflags);
}

/* ---- the answer -------------------------------------------------------------------------- */

/* The number of the file system that /dev is, which devices are on. */
static dev_t dev_device(void)
{
	struct statx st;

	if (statx(AT_FDCWD, "/dev", AT_STATX_DONT_SYNC, STATX_INO, &st))
		return 0;
	return makedev(st.stx_dev_major, st.stx_dev_minor);
}

static void fill_stat(const struct fuse_device_look *look, struct stat *st)
{
	struct timespec made = {
		.tv_sec = (time_t)(look->made_ns / 1000000000u),
		.tv_nsec = (long)(look->made_ns % 1000000000u),
	};

	memset(st, 0, sizeof(*st));
	st->st_dev = dev_device();
	st->st_ino = look->ino;
	st->st_mode = look->mode;
	st->st_nlink = 1;
	st->st_uid = getuid();
	st->st_gid = getgid();
	st->st_rdev = look->rdev;
	st->st_blksize = 4096;
	st->st_atim = st->st_mtim = st->st_ctim = made;
}

static void fill_statx(const struct fuse_device_look *look, struct statx *st)
{
	struct statx_timestamp made = {
		.tv_sec = (int64_t)(look->made_ns / 1000000000u),
		.tv_nsec = (uint32_t)(look->made_ns % 1000000000u),
	};
	dev_t dev = dev_device();

	memset(st, 0, sizeof(*st));
	st->stx_mask = STATX_BASIC_STATS;
	st->stx_blksize = 4096;
	st->stx_nlink = 1;
	st->stx_uid = getuid();
	st->stx_gid = getgid();
	st->stx_mode = (uint16_t)look->mode;
	st->stx_ino = look->ino;
	st->stx_rdev_major = major(look->rdev);
	st->stx_rdev_minor = minor(look->rdev);
	st->stx_dev_major = major(dev);
	st->stx_dev_minor = minor(dev);
	st->stx_atime = st->stx_mtime = st->stx_ctime = made;
}

void stat_call_answer(struct fuse_device *device, const struct caller *caller)
{
	struct fuse_device_look look;
	struct stat_call call;
	bool ours = false;
	int fd, rc;

	call_read(&caller->notif->data, &call);
	fd = file_of(caller, &call);
	if (fd >= 0) {
		ours = fuse_device_looks(device, fd, &look);
		close(fd);
	}
	if (!ours) {
		caller_continue(caller);
		return;
	}
	if (call.extended) {
		struct statx st;

		fill_statx(&look, &st);
		rc = caller_write(caller, call.out, &st, sizeof(st));
	} else {
		struct stat st;

		fill_stat(&look, &st);
		rc = caller_write(caller, call.out, &st, sizeof(st));
	}
	caller_answer(caller, rc);
}
