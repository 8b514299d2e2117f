/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUSE_DEVICE_MINOR 229

bool fuse_mount_is_device(int fd, char *why, size_t size)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	    st.st_rdev == makedev(MISC_MAJOR, FUSE_DEVICE_MINOR))
		return true;
	snprintf(why, size,
		 "/dev/fuse is not the device of FUSE, which is the character device 10:229: make "
		 "it anew, or give the container the device (--device /dev/fuse)");
	return false;
}

static int fuse_open(char *why)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char unsaid[FUSE_MOUNT_WHY_BYTES];

	if (fd >= 0 && fuse_mount_is_device(fd, why ? why : unsaid, FUSE_MOUNT_WHY_BYTES))
		return fd;
	if (fd >= 0) {
		close(fd);
		return -ENODEV;
	}
	fd = -errno;
	if (!why)
		return fd;
	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO)
		snprintf(why, FUSE_MOUNT_WHY_BYTES,
			 "there is no /dev/fuse here: load the kernel module fuse, or give the "
			 "container the device (--device /dev/fuse)");
	else
		snprintf(why, FUSE_MOUNT_WHY_BYTES, "cannot open /dev/fuse: %s", strerror(-fd));
	return fd;
}

/* Takes the fd that fusermount3 sends. -EIO: it sent none. */
static int receive_fd(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -EIO;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EIO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Runs fusermount3 with these arguments; its messages are dropped. Its exit status, or -errno. */
static int helper_run(char *const argv[], int comm_fd)
{
	int status, nothing;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		char number[16];

		nothing = open("/dev/null", O_RDWR);
		if (nothing >= 0)
			dup2(nothing, STDERR_FILENO);
		if (comm_fd >= 0) {
			snprintf(number, sizeof(number), "%d", comm_fd);
			fcntl(comm_fd, F_SETFD, 0);
			setenv("_FUSE_COMMFD", number, 1);
		}
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int mount_by_helper(const char *path, char *why)
{
	char *argv[] = { "fusermount3", "-o", "fsname=ioasis,subtype=ioasis", "--",
			 (char *)(uintptr_t)path, NULL };
	int sockets[2], status, fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	status = helper_run(argv, sockets[0]);
	close(sockets[0]);
	fd = status ? -EPERM : receive_fd(sockets[1]);
	close(sockets[1]);
	if (fd >= 0)
		return fd;
	if (status == 127)
		snprintf(why, FUSE_MOUNT_WHY_BYTES,
			 "mounting needs root or fusermount3 (package fuse3); 'ioasis exec' needs "
			 "neither");
	else
		snprintf(why, FUSE_MOUNT_WHY_BYTES,
			 "fusermount3 does not mount at %s: the file must be yours and writable",
			 path);
	return fd;
}

int fuse_mount_file(const char *path, bool *by_helper, char why[FUSE_MOUNT_WHY_BYTES])
{
	char options[128];
	int fd, err;

	fd = fuse_open(why);
	if (fd < 0)
		return fd;
	snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=%u,group_id=%u,allow_other",
		 fd, S_IFREG | 0666, getuid(), getgid());
	*by_helper = false;
	if (!mount("ioasis", path, FUSE_MOUNT_TYPE, MS_NOSUID | MS_NODEV | MS_NOATIME, options))
		return fd;
	err = -errno;
	close(fd);
	if (err == -EPERM) {
		*by_helper = true;
		return mount_by_helper(path, why);
	}
	if (err == -ENODEV)
		snprintf(why, FUSE_MOUNT_WHY_BYTES, "this kernel has no FUSE file system");
	else
		snprintf(why, FUSE_MOUNT_WHY_BYTES, "cannot mount at %s: %s", path, strerror(-err));
	return err;
}

void fuse_mount_remove(const char *path, bool by_helper)
{
	char *argv[] = { "fusermount3", "-u", "-z", "--", (char *)(uintptr_t)path, NULL };

	if (by_helper)
		helper_run(argv, -1);
	else
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

int fuse_mount_hidden(int *root_fd)
{
	char number[16];
	int fs, fd, err;

	fd = fuse_open(NULL);
	if (fd < 0)
		return fd;
	fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs < 0)
		goto out_errno;
	snprintf(number, sizeof(number), "%d", fd);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "ioasis", 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "fd", number, 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "rootmode", "40700", 0))
		goto out_errno;
	snprintf(number, sizeof(number), "%u", getuid());
	if (fsconfig(fs, FSCONFIG_SET_STRING, "user_id", number, 0))
		goto out_errno;
	snprintf(number, sizeof(number), "%u", getgid());
	if (fsconfig(fs, FSCONFIG_SET_STRING, "group_id", number, 0) ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "allow_other", NULL, 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		goto out_errno;
	*root_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (*root_fd < 0)
		goto out_errno;
	close(fs);
	return fd;

out_errno:
	err = -errno;
	if (fs >= 0)
		close(fs);
	close(fd);
	return err;
}

/* Undoes the \ooo of mountinfo, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

bool fuse_mount_find(const char *path, char *type, size_t type_size)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (!mounts)
		return false;
	while (getline(&line, &size, mounts) > 0) {
		char *fields = line, *point = NULL, *rest = strstr(line, " - ");

		if (!rest)
			continue;
		*rest = '\0';
		rest += 3;
		for (int i = 0; i < 5; i++)
			point = strsep(&fields, " ");
		if (!point)
			continue;
		unescape(point);
		if (strcmp(point, path))
			continue;
		/* The last one is on top. */
		found = true;
		snprintf(type, type_size, "%.*s", (int)strcspn(rest, " \n"), rest);
	}
	free(line);
	fclose(mounts);
	return found;
}

bool fuse_mount_is_dead(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_TYPE, &st) && errno == ENOTCONN;
}

static int inode_of(int fd, const char *path, int flags, uint64_t *device, uint64_t *inode)
{
	struct statx st;

	if (statx(fd, path, flags | AT_STATX_DONT_SYNC, STATX_INO, &st))
		return -errno;
	*device = makedev(st.stx_dev_major, st.stx_dev_minor);
	*inode = st.stx_ino;
	return 0;
}

int fuse_mount_inode_of_fd(int fd, uint64_t *device, uint64_t *inode)
{
	return inode_of(fd, "", AT_EMPTY_PATH, device, inode);
}

int fuse_mount_device_of_fd(int fd, uint64_t *device)
{
	uint64_t inode;

	return inode_of(fd, "", AT_EMPTY_PATH, device, &inode);
}

int fuse_mount_device_of_path(const char *path, uint64_t *device)
{
	uint64_t inode;

	return inode_of(AT_FDCWD, path, 0, device, &inode);
}
