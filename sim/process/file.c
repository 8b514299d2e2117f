/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files of another process: memfds for MAP_FILE, and the engine's own files
 * that come back as arguments.
 *
 * The fd is fetched with pidfd_getfd() and held, so the file outlives the process
 * as it does in the kernel. A client may cut its file short at any time; nothing
 * here touches a mapping of it directly, which would raise SIGBUS.
 */
#include "sim/process/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Linux 6.9: a pidfd of a thread, which may have open files of its own. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

struct process_file {
	struct engine_file file; /* first member */
	int fd;			 /* owned; -1: let go */
};

static int file_fd(struct engine_file *file)
{
	return ((struct process_file *)file)->fd;
}

/*
 * As memfd_pin_folios() (mm/gup.c): only shmem and hugetlb, and nothing past the end, not
 * even the rest of the file's last page: EINVAL.
 */
static ssize_t file_pin(struct engine_file *file, uint64_t first_page, size_t npages, bool write,
			struct engine_page *pages)
{
	struct stat st;
	uint64_t count;

	(void)write;
	if (file->kind != ENGINE_FILE_MEMFD && file->kind != ENGINE_FILE_HUGETLB)
		return -EINVAL;
	if (fstat(file_fd(file), &st))
		return -EINVAL;
	count = (uint64_t)st.st_size / ENGINE_PAGE_SIZE;
	if (first_page >= count)
		return -EINVAL;
	if (npages > count - first_page)
		npages = (size_t)(count - first_page);
	for (size_t i = 0; pages && i < npages; i++) {
		pages[i].object = file->object;
		pages[i].index = first_page + i;
	}
	return (ssize_t)npages;
}

static void file_unpin(struct engine_file *file, uint64_t first_page, size_t npages)
{
	(void)file;
	(void)first_page;
	(void)npages;
}

/*
 * Copies between buf and the file through a mapping of it, with the kernel doing
 * the touching (process_vm_* on ourselves): a file cut short gives EFAULT. Works
 * for huge pages and for memfds whose seals forbid write().
 */
static int file_copy(struct engine_file *file, uint64_t offset, void *buf, size_t len, bool write)
{
	uint64_t unit = file->huge_page_bytes ? file->huge_page_bytes : ENGINE_PAGE_SIZE;
	uint64_t start = offset - offset % unit;
	size_t skip = (size_t)(offset - start);
	size_t length = (skip + len + unit - 1) / unit * unit;
	struct iovec local = { .iov_base = buf, .iov_len = len }, remote;
	ssize_t n;
	char *map;

	map = mmap(NULL, length, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		   file_fd(file), (off_t)start);
	if (map == MAP_FAILED)
		return -EFAULT;
	remote = (struct iovec){ .iov_base = map + skip, .iov_len = len };
	n = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
		  : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	munmap(map, length);
	return n == (ssize_t)len ? 0 : -EFAULT;
}

static int file_read(struct engine_file *file, uint64_t offset, void *dst, size_t len)
{
	if (pread(file_fd(file), dst, len, (off_t)offset) == (ssize_t)len)
		return 0;
	return file_copy(file, offset, dst, len, false);
}

static int file_write(struct engine_file *file, uint64_t offset, const void *src, size_t len)
{
	struct stat st;

	/* write() would make the file longer. */
	if (fstat(file_fd(file), &st) || offset + len > (uint64_t)st.st_size)
		return -EFAULT;
	if (pwrite(file_fd(file), src, len, (off_t)offset) == (ssize_t)len)
		return 0;
	return file_copy(file, offset, (void *)(uintptr_t)src, len, true);
}

static void file_let_go(struct engine_file *file)
{
	struct process_file *pf = (struct process_file *)file;

	if (pf->fd >= 0)
		close(pf->fd);
	pf->fd = -1;
	file->anon = NULL;
}

static void file_free(struct engine_file *file)
{
	file_let_go(file);
	free(file);
}

static const struct engine_file_ops file_ops = {
	.pin = file_pin,
	.unpin = file_unpin,
	.read = file_read,
	.write = file_write,
	.let_go = file_let_go,
	.free = file_free,
};

/*
 * The kernel pins a file's pages for writing whatever it was opened for. One that may only
 * be read is opened again if its mode lets everyone write (a memfd's does): nothing is
 * written here that the client could not write.
 */
static void file_make_writable(struct process_file *pf, mode_t mode)
{
	int flags = fcntl(pf->fd, F_GETFL), fd;
	char path[32];

	if (flags < 0 || (flags & O_ACCMODE) == O_RDWR || !(mode & S_IWOTH))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pf->fd);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* waits for nobody's lease */
	if (fd < 0)
		return;
	close(pf->fd);
	pf->fd = fd;
}

/*
 * Asks no file system but those in memory: it may be one that is slow, hostile, or this
 * process's own, which nobody answers for when the process is killed meanwhile.
 */
static void file_classify(struct process_table *table, struct process_file *pf)
{
	struct engine_file *file = &pf->file;
	struct statfs fs;
	struct statx st;

	file->kind = ENGINE_FILE_OTHER;
	file->anon = process_table_find_anon(table, pf->fd);
	if (file->anon)
		file->kind = ENGINE_FILE_ANON;
	if (statx(pf->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MODE, &st))
		return;
	file->object = process_file_identity(makedev(st.stx_dev_major, st.stx_dev_minor),
					     st.stx_ino);
	/* Only shmem and hugetlb have seals (mm/memfd.c, memfd_file_seals_ptr()). */
	if (file->anon || fcntl(pf->fd, F_GET_SEALS) < 0 || fstatfs(pf->fd, &fs))
		return;
	if (fs.f_type == TMPFS_MAGIC) {
		file->kind = ENGINE_FILE_MEMFD;
	} else if (fs.f_type == HUGETLBFS_MAGIC) {
		file->kind = ENGINE_FILE_HUGETLB;
		file->huge_page_bytes = (uint64_t)fs.f_bsize;
	} else {
		return;
	}
	file_make_writable(pf, st.stx_mode);
}

int process_file_fd(struct engine_file *file)
{
	return file->ops == &file_ops ? file_fd(file) : -1;
}

struct engine_file *process_file_create(struct process_table *table, int fd, int *err)
{
	struct process_file *pf = calloc(1, sizeof(*pf));

	if (!pf) {
		close(fd);
		*err = -ENOMEM;
		return NULL;
	}
	pf->fd = fd;
	pf->file.ops = &file_ops;
	pf->file.refs = 1;
	file_classify(table, pf);
	*err = 0;
	return &pf->file;
}

/* ---- the fd of a client ------------------------------------------------------------ */

/* fget() (fs/file.c) takes no file that was opened with O_PATH. */
static int fd_unless_path(int got)
{
	int flags = fcntl(got, F_GETFL);

	if (flags >= 0 && !(flags & O_PATH))
		return got;
	close(got);
	return -EBADF;
}

/*
 * Whose open files the client's are: a pidfd, -1 for pc->process's, or -EBADF. A caller
 * that was killed leaves a call behind, and its number may be another's by now: what is
 * opened by number is looked at after that.
 */
static int client_pidfd(const struct process_client *pc)
{
	const struct engine_client *client = &pc->client;
	int pidfd = -1;

	/* Its first thread may have ended, and its open files with it. */
	if (client->tid != client->pid)
		pidfd = (int)syscall(SYS_pidfd_open, client->tid, PIDFD_THREAD);
	if (pidfd >= 0 && process_has_thread(client->pid, client->tid))
		return pidfd;
	if (pidfd >= 0)
		close(pidfd);
	if (pc->process->tgid == client->pid)
		return -1;
	/* In its parent's address space (vfork), but with open files of its own. */
	pidfd = (int)syscall(SYS_pidfd_open, client->pid, 0);
	if (pidfd >= 0 && process_same_memory(client->pid, pc->process->tgid))
		return pidfd;
	if (pidfd >= 0)
		close(pidfd);
	return -EBADF;
}

int process_client_fd_get(const struct engine_client *client, int fd)
{
	const struct process_client *pc = (const struct process_client *)client;
	int pidfd = fd < 0 ? -EBADF : client_pidfd(pc), got;

	if (pidfd == -EBADF)
		return -EBADF;
	got = (int)syscall(SYS_pidfd_getfd, pidfd < 0 ? pc->process->pidfd : pidfd, fd, 0);
	if (pidfd >= 0)
		close(pidfd);
	return got < 0 ? -EBADF : fd_unless_path(got);
}
