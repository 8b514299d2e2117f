/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

/* pidfd_open() of a thread that does not lead its process (Linux 6.9). */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

bool caller_alive(const struct caller *caller)
{
	return !ioctl(caller->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &caller->notif->id);
}

/* What can be read of len bytes, in one piece; -EFAULT for none. */
static ssize_t read_some(const struct caller *caller, uint64_t from, void *to, size_t len)
{
	struct iovec local = { to, len }, remote = { (void *)(uintptr_t)from, len };
	ssize_t n = process_vm_readv((pid_t)caller->notif->pid, &local, 1, &remote, 1, 0);

	return n > 0 && caller_alive(caller) ? n : -EFAULT;
}

int caller_read(const struct caller *caller, uint64_t from, void *to, size_t len)
{
	return read_some(caller, from, to, len) == (ssize_t)len ? 0 : -EFAULT;
}

int caller_write(const struct caller *caller, uint64_t to, const void *from, size_t len)
{
	struct iovec local = { (void *)(uintptr_t)from, len };
	struct iovec remote = { (void *)(uintptr_t)to, len };

	/* Asked first: the memory of another must not be written to. */
	if (!caller_alive(caller) ||
	    process_vm_writev((pid_t)caller->notif->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		return -EFAULT;
	return 0;
}

int caller_read_string(const struct caller *caller, uint64_t from, char *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		/* Up to the end of the page: the next one may not be there. */
		size_t part = PAGE_BYTES - (from + done) % PAGE_BYTES;
		ssize_t n;

		if (part > size - done)
			part = size - done;
		n = read_some(caller, from + done, to + done, part);
		if (n < 0)
			return -EFAULT;
		if (memchr(to + done, 0, (size_t)n))
			return 0;
		done += (size_t)n;
	}
	return -ENAMETOOLONG;
}

/* The number of /proc/TID/status behind the name; -errno. */
static int status_read(const struct caller *caller, const char *name, uint32_t *value)
{
	char path[40], line[256];
	int rc = -ESRCH;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", caller->notif->pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)))
			continue;
		if (sscanf(line + strlen(name), "%u", value) == 1)
			rc = 0;
		break;
	}
	fclose(file);
	return rc;
}

int caller_tgid(const struct caller *caller, uint32_t *tgid)
{
	return status_read(caller, "Tgid:", tgid);
}

int caller_dup_fd(const struct caller *caller, int fd)
{
	uint32_t tgid;
	long pidfd, dup;
	int rc;

	if (fd < 0)
		return -EBADF;
	pidfd = syscall(SYS_pidfd_open, caller->notif->pid, PIDFD_THREAD);
	if (pidfd < 0 && errno == EINVAL) {
		rc = caller_tgid(caller, &tgid);
		if (rc)
			return rc;
		pidfd = syscall(SYS_pidfd_open, tgid, 0);
	}
	if (pidfd < 0)
		return -errno;
	dup = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	rc = dup < 0 ? -errno : (int)dup;
	close((int)pidfd);
	if (rc >= 0 && !caller_alive(caller)) {
		close(rc);
		return -ESRCH;
	}
	return rc;
}

static int add_fd(const struct caller *caller, int fd, uint32_t flags, int at, int oflags)
{
	struct seccomp_notif_addfd addfd = {
		.id = caller->notif->id,
		.flags = flags,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)at,
		.newfd_flags = (uint32_t)oflags & O_CLOEXEC,
	};
	int n;

	/* EINTR: the caller has a signal that will not wait; ENOENT follows. */
	do {
		n = ioctl(caller->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int caller_add_fd(const struct caller *caller, int fd, int oflags)
{
	return add_fd(caller, fd, 0, 0, oflags);
}

int caller_replace_fd(const struct caller *caller, int fd, int at)
{
	return add_fd(caller, fd, SECCOMP_ADDFD_FLAG_SETFD, at, O_CLOEXEC);
}

static void respond(const struct caller *caller, struct seccomp_notif_resp *resp)
{
	resp->id = caller->notif->id;
	/* ENOENT: it died, or a signal took it out of the call. Nothing to be done. */
	while (ioctl(caller->listener, SECCOMP_IOCTL_NOTIF_SEND, resp) && errno == EINTR)
		;
}

void caller_answer(const struct caller *caller, long result)
{
	struct seccomp_notif_resp resp = { .val = 0 };

	if (result < 0)
		resp.error = (int)result;
	else
		resp.val = result;
	respond(caller, &resp);
}

void caller_continue(const struct caller *caller)
{
	struct seccomp_notif_resp resp = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	respond(caller, &resp);
}
