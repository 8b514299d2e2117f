/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/proc_files.h"

#include "sim/exec/fail_nth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIB_PER_PAGE (ENGINE_PAGE_SIZE / 1024u)

/* No path that is of interest is longer. */
#define PATH_BYTES 64

/* Hands fd to the caller as the result of its open(), and closes it here. */
static void give(const struct caller *caller, int fd, int oflags)
{
	if (fd >= 0) {
		int number = caller_add_fd(caller, fd, oflags);

		close(fd);
		fd = number;
	}
	caller_answer(caller, fd);
}

/* ---- fail-nth ---------------------------------------------------------------- */

static ssize_t fail_nth_file_read(void *opaque, char *buf, size_t len, uint64_t offset)
{
	return fail_nth_read(opaque, buf, len, offset);
}

static ssize_t fail_nth_file_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return fail_nth_write(opaque, buf, len);
}

static const struct fuse_device_file_ops fail_nth_file_ops = {
	.read = fail_nth_file_read,
	.write = fail_nth_file_write,
};

static int fail_nth_open(struct fail_nth_table *table, struct fuse_device *device, uint32_t tid,
			 int oflags)
{
	uint32_t *number = fail_nth_get(table, tid);

	return number ? fuse_device_file_open(device, &fail_nth_file_ops, number, oflags) : -ENOMEM;
}

/* ---- status ------------------------------------------------------------------- */

/* The process whose status path names; 0: it is no such path. */
static uint32_t status_path(const char *path, uint32_t tgid)
{
	unsigned int pid;
	int end = 0;

	if (!strcmp(path, "/proc/self/status"))
		return tgid;
	if (sscanf(path, "/proc/%9u/status%n", &pid, &end) != 1 || !end || path[end])
		return 0;
	return pid;
}

/* Copies a line of status, with kib added to the number in it. */
static void put_line(FILE *out, const char *line, const char *name, uint64_t kib)
{
	uint64_t number;

	if (sscanf(line + strlen(name), "%" SCNu64, &number) == 1)
		fprintf(out, "%s\t%8" PRIu64 " kB\n", name, number + kib);
	else
		fputs(line, out);
}

/* A file with the status of process pid, and the engine's pages added; -errno. */
static int status_make(uint32_t pid, uint64_t pinned_pages, uint64_t locked_pages)
{
	char path[PATH_BYTES], line[512];
	int fd = memfd_create("status", MFD_CLOEXEC), rc = -ENOMEM;
	FILE *in, *out;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	in = fopen(path, "re");
	out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	if (!in || !out)
		goto out;
	while (fgets(line, sizeof(line), in)) {
		if (!strncmp(line, "VmPin:", 6))
			put_line(out, line, "VmPin:", pinned_pages * KIB_PER_PAGE);
		else if (!strncmp(line, "VmLck:", 6))
			put_line(out, line, "VmLck:", locked_pages * KIB_PER_PAGE);
		else
			fputs(line, out);
	}
	if (!fflush(out)) {
		/* Opened anew: read-only, from the start. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		rc = open(path, O_RDONLY | O_CLOEXEC);
		if (rc < 0)
			rc = -errno;
	}
out:
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* -ENOENT: the engine holds nothing of the process; the kernel's own file is right. */
static int status_open(struct fuse_device *device, uint32_t pid)
{
	struct engine_mm *mm = process_table_mm_get(fuse_device_processes(device), pid);
	uint64_t pinned_pages, locked_pages;

	if (!mm)
		return -ENOENT;
	engine_mm_charges(fuse_device_engine(device), mm, &pinned_pages, &locked_pages);
	engine_mm_put(mm);
	return pinned_pages ? status_make(pid, pinned_pages, locked_pages) : -ENOENT;
}

/* ---- open ------------------------------------------------------------------------- */

void proc_files_open(struct fail_nth_table *table, struct fuse_device *device,
		     const struct caller *caller)
{
	const struct seccomp_data *data = &caller->notif->data;
	unsigned int at = data->nr == __NR_openat ? 1 : 0; /* where the path is */
	int oflags = (int)data->args[at + 1], fd;
	char path[PATH_BYTES];
	uint32_t id, tgid;

	if (caller_read_string(caller, data->args[at], path, sizeof(path)) ||
	    strncmp(path, "/proc/", 6))
		goto out_continue;
	id = fail_nth_path(path, caller->notif->pid);
	if (id) {
		give(caller, fail_nth_open(table, device, id, oflags), oflags);
		return;
	}
	if (caller_tgid(caller, &tgid))
		goto out_continue;
	id = (oflags & O_ACCMODE) == O_RDONLY ? status_path(path, tgid) : 0;
	fd = id ? status_open(device, id) : -ENOENT;
	if (fd != -ENOENT) {
		give(caller, fd, oflags);
		return;
	}
out_continue:
	caller_continue(caller);
}
