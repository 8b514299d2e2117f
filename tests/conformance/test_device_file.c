/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What system calls other than the commands give on the device's file: a character
 * device of the kernel's misc class that has open, release, ioctl and mmap, and no
 * read, write, llseek, poll, fsync, fallocate or fasync (iommufd_fops in
 * drivers/iommu/iommufd/main.c). The generic code in fs/ and mm/ answers the rest.
 *
 * $CONFORMANCE_DEVICE is the device; a character device is the kernel's own. What the
 * fake cannot answer alike stands in the row and in docs/FIDELITY.md.
 * $CONFORMANCE_EXEC=1: the program runs under `ioasis exec`, which can more, and with
 * $CONFORMANCE_TEST_OPS=1 more again. TAP, without cmocka, so that it can be static.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PAGE 4096u

/* Ways to reach the device: each sees more of a client's calls than the one before. */
enum place {
	SERVE,
	EXEC,
	EXEC_TEST_OPS,
	NOWHERE, /* of the fake's; the kernel's device */
};

struct row {
	const char *name;
	long (*call)(int fd, long arg); /* what the system call gives: -1 with errno */
	int oflags;			/* the device is opened with these first */
	long arg;
	long kernel; /* 0 or more, or -errno */
	long fake;   /* where it is told apart: before right_from */
	enum place right_from;
};

#define ALIKE 0, SERVE /* the fake answers as the kernel does, everywhere */

static const char *path;

/* ---- calls ------------------------------------------------------------------------- */

static long call_open(int fd, long arg)
{
	int other = open(path, (int)arg | O_CLOEXEC, 0600);

	(void)fd;
	if (other < 0)
		return -1;
	close(other);
	return 0;
}

static long call_read(int fd, long arg)
{
	char buf[64];

	return read(fd, buf, (size_t)arg);
}

static long call_write(int fd, long arg)
{
	char buf[64] = { 0 };

	return write(fd, buf, (size_t)arg);
}

static long call_pread(int fd, long arg)
{
	char buf[64];

	return pread(fd, buf, sizeof(buf), arg);
}

static long call_pwrite(int fd, long arg)
{
	char buf[64] = { 0 };

	return pwrite(fd, buf, sizeof(buf), arg);
}

static long call_readv(int fd, long arg)
{
	char buf[64];
	struct iovec iov = { buf, (size_t)arg };

	return readv(fd, &iov, 1);
}

static long call_read_nowhere(int fd, long arg)
{
	return read(fd, (void *)(uintptr_t)8, (size_t)arg);
}

static long call_write_nowhere(int fd, long arg)
{
	return write(fd, (void *)(uintptr_t)8, (size_t)arg);
}

static long call_lseek(int fd, long arg)
{
	return lseek(fd, 0, (int)arg);
}

static long call_ftruncate(int fd, long arg)
{
	return ftruncate(fd, arg);
}

static long call_truncate(int fd, long arg)
{
	(void)fd;
	return truncate(path, arg);
}

static long call_fallocate(int fd, long arg)
{
	return fallocate(fd, (int)arg, 0, PAGE);
}

static long call_fsync(int fd, long arg)
{
	return arg ? fdatasync(fd) : fsync(fd);
}

static long call_sync_range(int fd, long arg)
{
	return sync_file_range(fd, 0, arg, SYNC_FILE_RANGE_WRITE);
}

static long call_fadvise(int fd, long arg)
{
	errno = posix_fadvise(fd, 0, 0, (int)arg);
	return errno ? -1 : 0;
}

static long call_readahead(int fd, long arg)
{
	return readahead(fd, 0, (size_t)arg);
}

static long call_sendfile(int fd, long arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	long ret = sendfile(null, fd, NULL, (size_t)arg);
	int err = errno;

	close(null);
	errno = err;
	return ret;
}

static long call_poll(int fd, long arg)
{
	struct pollfd poll_fd = { .fd = fd, .events = (short)arg };

	return poll(&poll_fd, 1, 0) < 0 ? -1 : poll_fd.revents;
}

static long call_epoll(int fd, long arg)
{
	struct epoll_event event = { .events = (uint32_t)arg };
	int epoll = epoll_create1(EPOLL_CLOEXEC), ret, err;

	ret = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	err = errno;
	close(epoll);
	errno = err;
	return ret;
}

/* An ioctl that gives or takes an int. */
static long call_ioctl(int fd, long arg)
{
	long value[8] = { 0 };

	return ioctl(fd, (unsigned long)arg, value);
}

static long call_fioasync(int fd, long arg)
{
	int on = (int)arg;

	return ioctl(fd, FIOASYNC, &on);
}

static long call_setfl(int fd, long arg)
{
	return fcntl(fd, F_SETFL, arg);
}

static long call_lease(int fd, long arg)
{
	return fcntl(fd, F_SETLEASE, arg);
}

static long call_lock(int fd, long arg)
{
	struct flock lock = { .l_type = (short)arg, .l_whence = SEEK_SET, .l_len = 1 };

	return fcntl(fd, F_SETLK, &lock);
}

static long call_flock(int fd, long arg)
{
	return flock(fd, (int)arg);
}

static long call_kind(int fd, long arg)
{
	struct stat st;

	(void)arg;
	return fstat(fd, &st) ? -1 : (long)(st.st_mode & S_IFMT);
}

static long call_getxattr(int fd, long arg)
{
	char buf[64];

	(void)arg;
	return fgetxattr(fd, "user.any", buf, sizeof(buf));
}

static long call_setxattr(int fd, long arg)
{
	(void)arg;
	return fsetxattr(fd, "user.any", "1", 1, 0);
}

static long call_listxattr(int fd, long arg)
{
	(void)arg;
	return flistxattr(fd, NULL, 0);
}

/* arg: flags, and the protection times 2^32. */
static long map(int fd, long arg, size_t length, off_t offset)
{
	void *at = mmap(NULL, length, (int)(arg >> 32), (int)arg, fd, offset);

	if (at == MAP_FAILED)
		return -1;
	munmap(at, length);
	return 0;
}

static long call_mmap(int fd, long arg)
{
	return map(fd, arg, PAGE, 0);
}

static long call_mmap_far(int fd, long arg)
{
	return map(fd, arg, PAGE, 1 << 20);
}

static long call_mmap_odd(int fd, long arg)
{
	return map(fd, arg, PAGE, 1);
}

static long call_mmap_short(int fd, long arg)
{
	return map(fd, arg, 100, 0);
}

static long call_mmap_none(int fd, long arg)
{
	return map(fd, arg, 0, 0);
}

#define PROT(prot) ((long)(prot) << 32)
#define RW (PROT_READ | PROT_WRITE)

/* ---- the rows -------------------------------------------------------------------- */

static const struct row rows[] = {
	{ "it is a character device", call_kind, O_RDWR, 0, S_IFCHR, S_IFREG, NOWHERE },
	{ "open O_RDONLY", call_open, O_RDWR, O_RDONLY, 0, ALIKE },
	{ "open O_WRONLY", call_open, O_RDWR, O_WRONLY, 0, ALIKE },
	{ "open with no access", call_open, O_RDWR, O_ACCMODE, 0, ALIKE },
	{ "open O_TRUNC", call_open, O_RDWR, O_RDWR | O_TRUNC, 0, ALIKE },
	{ "open O_APPEND", call_open, O_RDWR, O_RDWR | O_APPEND, 0, ALIKE },
	{ "open O_NONBLOCK", call_open, O_RDWR, O_RDWR | O_NONBLOCK, 0, ALIKE },
	{ "open O_SYNC", call_open, O_RDWR, O_RDWR | O_SYNC, 0, ALIKE },
	{ "open O_PATH", call_open, O_RDWR, O_PATH, 0, ALIKE },
	{ "open O_CREAT", call_open, O_RDWR, O_RDWR | O_CREAT, 0, ALIKE },
	{ "open O_EXCL", call_open, O_RDWR, O_RDWR | O_CREAT | O_EXCL, -EEXIST, ALIKE },
	{ "open O_DIRECTORY", call_open, O_RDWR, O_RDONLY | O_DIRECTORY, -ENOTDIR, ALIKE },
	{ "open O_DIRECT", call_open, O_RDWR, O_RDWR | O_DIRECT, -EINVAL, ALIKE },
	{ "F_SETFL O_DIRECT", call_setfl, O_RDWR, O_DIRECT, -EINVAL, 0, NOWHERE },
	{ "F_SETFL O_NONBLOCK", call_setfl, O_RDWR, O_NONBLOCK, 0, ALIKE },
	{ "F_SETLK", call_lock, O_RDWR, F_WRLCK, 0, ALIKE },
	{ "F_SETLEASE", call_lease, O_RDONLY, F_RDLCK, -EINVAL, 0, NOWHERE },
	{ "flock", call_flock, O_RDWR, LOCK_EX | LOCK_NB, 0, ALIKE },

	{ "read", call_read, O_RDWR, 1, -EINVAL, ALIKE },
	{ "read of a file not open for it", call_read, O_WRONLY, 1, -EBADF, ALIKE },
	{ "read of nothing", call_read, O_RDWR, 0, -EINVAL, 0, EXEC_TEST_OPS },
	{ "read of nothing from O_PATH", call_read, O_PATH, 0, -EBADF, ALIKE },
	{ "readv of nothing", call_readv, O_RDWR, 0, -EINVAL, 0, NOWHERE },
	{ "read to a bad address", call_read_nowhere, O_RDWR, 1, -EINVAL, -EFAULT, NOWHERE },
	{ "pread", call_pread, O_RDWR, 0, -EINVAL, -ESPIPE, NOWHERE },
	{ "pread before the start", call_pread, O_RDWR, -1, -EINVAL, ALIKE },
	{ "write", call_write, O_RDWR, 1, -EINVAL, ALIKE },
	{ "write to a file not open for it", call_write, O_RDONLY, 1, -EBADF, ALIKE },
	{ "write of nothing", call_write, O_RDWR, 0, -EINVAL, 0, EXEC_TEST_OPS },
	{ "write from a bad address", call_write_nowhere, O_RDWR, 1, -EINVAL, -EFAULT, NOWHERE },
	{ "pwrite", call_pwrite, O_RDWR, 0, -EINVAL, -ESPIPE, NOWHERE },
	{ "sendfile", call_sendfile, O_RDWR, 64, -EINVAL, ALIKE },
	{ "lseek SEEK_SET", call_lseek, O_RDWR, SEEK_SET, -ESPIPE, ALIKE },
	{ "lseek SEEK_CUR", call_lseek, O_RDWR, SEEK_CUR, -ESPIPE, ALIKE },
	{ "lseek SEEK_DATA", call_lseek, O_RDWR, SEEK_DATA, -ESPIPE, ALIKE },
	{ "lseek from nowhere", call_lseek, O_RDWR, 77, -EINVAL, ALIKE },

	{ "ftruncate", call_ftruncate, O_RDWR, 0, -EINVAL, ALIKE },
	{ "ftruncate to a page", call_ftruncate, O_RDWR, PAGE, -EINVAL, ALIKE },
	{ "ftruncate of a file not open for it", call_ftruncate, O_RDONLY, 0, -EINVAL, ALIKE },
	{ "truncate", call_truncate, O_RDWR, 0, -EINVAL, ALIKE },
	{ "fallocate", call_fallocate, O_RDWR, 0, -ENODEV, ALIKE },
	{ "fallocate PUNCH_HOLE", call_fallocate, O_RDWR,
	  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, -ENODEV, ALIKE },
	{ "fallocate COLLAPSE_RANGE", call_fallocate, O_RDWR, FALLOC_FL_COLLAPSE_RANGE, -ENODEV,
	  -EOPNOTSUPP, NOWHERE },
	{ "fallocate of a file not open for it", call_fallocate, O_RDONLY, 0, -EBADF, ALIKE },
	{ "fsync", call_fsync, O_RDWR, 0, -EINVAL, ALIKE },
	{ "fdatasync", call_fsync, O_RDWR, 1, -EINVAL, ALIKE },
	{ "sync_file_range", call_sync_range, O_RDWR, PAGE, -ESPIPE, 0, NOWHERE },
	{ "readahead", call_readahead, O_RDWR, PAGE, -EINVAL, 0, NOWHERE },
	{ "posix_fadvise", call_fadvise, O_RDWR, POSIX_FADV_WILLNEED, 0, ALIKE },
	{ "getxattr", call_getxattr, O_RDWR, 0, -ENODATA, ALIKE },
	{ "setxattr", call_setxattr, O_RDWR, 0, -EPERM, ALIKE },
	{ "listxattr", call_listxattr, O_RDWR, 0, 0, ALIKE },

	{ "poll says always ready", call_poll, O_RDWR, POLLIN | POLLOUT | POLLPRI,
	  POLLIN | POLLOUT, ALIKE },
	{ "epoll", call_epoll, O_RDWR, EPOLLIN, -EPERM, 0, NOWHERE },
	{ "FIOCLEX", call_ioctl, O_RDWR, FIOCLEX, 0, ALIKE },
	{ "FIONBIO", call_ioctl, O_RDWR, FIONBIO, 0, ALIKE },
	{ "FIOASYNC of nothing new", call_ioctl, O_RDWR, FIOASYNC, 0, ALIKE },
	{ "FIOASYNC", call_fioasync, O_RDWR, 1, -ENOTTY, ALIKE },
	{ "FIONREAD", call_ioctl, O_RDWR, FIONREAD, -ENOTTY, 0, NOWHERE },
	{ "FIOQSIZE", call_ioctl, O_RDWR, FIOQSIZE, -ENOTTY, 0, NOWHERE },
	{ "FIGETBSZ", call_ioctl, O_RDWR, FIGETBSZ, 0, ALIKE },
	{ "FS_IOC_GETFLAGS", call_ioctl, O_RDWR, (long)FS_IOC_GETFLAGS, -ENOTTY, ALIKE },
	{ "FS_IOC_SETFLAGS", call_ioctl, O_RDWR, (long)FS_IOC_SETFLAGS, -ENOTTY, ALIKE },
	{ "FS_IOC_FSGETXATTR", call_ioctl, O_RDWR, (long)FS_IOC_FSGETXATTR, -ENOTTY, ALIKE },
	{ "TCGETS", call_ioctl, O_RDWR, TCGETS, -ENOTTY, ALIKE },

	{ "mmap shared", call_mmap, O_RDWR, MAP_SHARED | PROT(RW), -ENXIO, -ENODEV, EXEC },
	{ "mmap shared, nothing", call_mmap, O_RDWR, MAP_SHARED | PROT(PROT_NONE), -ENXIO,
	  -ENODEV, EXEC },
	{ "mmap shared, to execute", call_mmap, O_RDWR, MAP_SHARED | PROT(RW | PROT_EXEC), -EPERM,
	  -ENODEV, EXEC },
	{ "mmap private", call_mmap, O_RDWR, MAP_PRIVATE | PROT(RW), -EINVAL, 0, EXEC },
	{ "mmap private, to execute", call_mmap, O_RDWR, MAP_PRIVATE | PROT(RW | PROT_EXEC),
	  -EINVAL, 0, EXEC },
	{ "mmap far out", call_mmap_far, O_RDWR, MAP_SHARED | PROT(RW), -ENXIO, -ENODEV, EXEC },
	{ "mmap of a part of a page", call_mmap_short, O_RDWR, MAP_SHARED | PROT(RW), -ENXIO,
	  -ENODEV, EXEC },
	{ "mmap inside a page", call_mmap_odd, O_RDWR, MAP_SHARED | PROT(RW), -EINVAL, ALIKE },
	{ "mmap of nothing", call_mmap_none, O_RDWR, MAP_SHARED | PROT(RW), -EINVAL, ALIKE },
	{ "mmap neither shared nor private", call_mmap, O_RDWR, PROT(RW), -EINVAL, ALIKE },
	{ "mmap MAP_SHARED_VALIDATE", call_mmap, O_RDWR, MAP_SHARED_VALIDATE | PROT(RW), -ENXIO,
	  -ENODEV, EXEC },
	{ "mmap MAP_SYNC", call_mmap, O_RDWR, MAP_SHARED_VALIDATE | MAP_SYNC | PROT(RW),
	  -EOPNOTSUPP, ALIKE },
	{ "mmap shared, file not open for it", call_mmap, O_RDONLY, MAP_SHARED | PROT(RW),
	  -EACCES, ALIKE },
	{ "mmap shared, file only to be read", call_mmap, O_RDONLY,
	  MAP_SHARED | PROT(PROT_READ), -EINVAL, -ENODEV, EXEC },
	{ "mmap private, file only to be read", call_mmap, O_RDONLY, MAP_PRIVATE | PROT(RW),
	  -EINVAL, 0, EXEC },
	{ "mmap of O_PATH", call_mmap, O_PATH, MAP_SHARED | PROT(RW), -EBADF, ALIKE },
	{ "mmap of a file only to be written", call_mmap, O_WRONLY, MAP_PRIVATE | PROT(PROT_READ),
	  -EACCES, ALIKE },
};

/* ---- running them --------------------------------------------------------------- */

/* Which device it is; the real one answers right everywhere. */
static enum place place_of_test(const struct stat *st)
{
	const char *exec = getenv("CONFORMANCE_EXEC"), *test_ops = getenv("CONFORMANCE_TEST_OPS");

	if (S_ISCHR(st->st_mode))
		return NOWHERE;
	if (!exec)
		return SERVE;
	return test_ops ? EXEC_TEST_OPS : EXEC;
}

static bool check_row(const struct row *row, unsigned int number, enum place place)
{
	long expected = place >= row->right_from ? row->kernel : row->fake;
	int fd = open(path, row->oflags | O_CLOEXEC);
	long ret = fd < 0 ? -1 : row->call(fd, row->arg);

	if (ret < 0)
		ret = -errno;
	printf("%sok %u - %s\n", ret == expected ? "" : "not ", number, row->name);
	if (ret != expected)
		printf("# %ld (%s), not %ld\n", ret, ret < 0 ? strerror((int)-ret) : "", expected);
	if (fd >= 0)
		close(fd);
	return ret == expected;
}

int main(void)
{
	const unsigned int count = sizeof(rows) / sizeof(*rows);
	bool all = true;
	struct stat st;

	path = getenv("CONFORMANCE_DEVICE");
	if (!path || stat(path, &st)) {
		puts("1..0 # SKIP CONFORMANCE_DEVICE names no device");
		return 0;
	}
	printf("1..%u\n", count);
	for (unsigned int i = 0; i < count; i++)
		all &= check_row(&rows[i], i + 1, place_of_test(&st));
	return !all;
}
