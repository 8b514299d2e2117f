/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file behind memory of a client, for another program that is to map it.
 *
 * Only files that live in memory are lent (memfd, /dev/shm, hugetlbfs), and only those
 * that the client itself has open: what it may not write, the other program may not
 * write. Memory of its own has no file.
 */
#include "sim/process/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Whether fd is the mapping's file, in memory, and open for what is wanted. */
static bool is_file_of(int fd, const struct process_vma *vma, bool write)
{
	int flags = fcntl(fd, F_GETFL);
	struct statx st;

	/* Only shmem and hugetlb have seals; no other file system is asked for anything. */
	if (flags < 0 || flags & O_PATH || fcntl(fd, F_GET_SEALS) < 0 ||
	    (flags & O_ACCMODE) == O_WRONLY || (write && (flags & O_ACCMODE) != O_RDWR))
		return false;
	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) &&
	       st.stx_ino == vma->inode &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == vma->device;
}

/* Whether an entry of /proc/PID/fd can be the mapping's file: by its name, which costs little. */
static bool has_name_of(int folder, const char *entry, const struct process_vma *vma)
{
	char name[sizeof(vma->name)];
	ssize_t n = readlinkat(folder, entry, name, sizeof(name));
	size_t length = strlen(vma->name);

	if (n <= 0)
		return false;
	/* Both may be cut off. */
	if (length + 1 == sizeof(vma->name))
		return (size_t)n >= length && !memcmp(name, vma->name, length);
	return (size_t)n == length && !memcmp(name, vma->name, length);
}

/* A file of the process that the mapping is of, or -1. */
static int find_open_file(struct process *process, const struct process_vma *vma, bool write)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;
	int found = -1;

	snprintf(path, sizeof(path), "/proc/%u/fd", process->tgid);
	folder = process_alive(process) ? opendir(path) : NULL;
	if (!folder)
		return -1;
	while (found < 0 && (entry = readdir(folder))) {
		if (!has_name_of(dirfd(folder), entry->d_name, vma))
			continue;
		found = (int)syscall(SYS_pidfd_getfd, process->pidfd, atoi(entry->d_name), 0);
		if (found >= 0 && !is_file_of(found, vma, write)) {
			close(found);
			found = -1;
		}
	}
	closedir(folder);
	return found;
}

static int lend_mapping(struct process *process, uint64_t va, uint64_t length, bool write,
			uint64_t *offset)
{
	struct process_vma first, vma;

	if (process_vma_find(process, va, &first) || !first.shared || !first.inode)
		return -1;
	*offset = first.offset + (va - first.start);
	/* Mappings side by side may be one piece of the file. */
	for (vma = first; vma.end - va < length;) {
		uint64_t at = vma.end;

		if (process_vma_find(process, at, &vma) || vma.start != at || !vma.shared ||
		    vma.inode != first.inode || vma.device != first.device ||
		    vma.offset != *offset + (at - va))
			return -1;
	}
	return find_open_file(process, &first, write);
}

int process_memory_file(const struct engine_memory *memory, uint64_t length, bool write,
			uint64_t *offset)
{
	int fd, flags;

	if (memory->mm)
		return memory->mm->ops == &process_mm_ops ?
			       lend_mapping((struct process *)memory->mm, memory->at, length,
					    write, offset) : -1;
	fd = memory->file ? process_file_fd(memory->file) : -1;
	flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	if (flags < 0 || (write && (flags & O_ACCMODE) != O_RDWR))
		return -1;
	*offset = memory->at;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}
