/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address space of another process: which pages could be pinned, what they
 * are, and what is in them.
 *
 * Nothing here can keep a page: what the kernel's pin_user_pages() does is
 * answered from the process's mappings (present, permissions, no device memory),
 * and the pages are later read and written where they were. docs/FIDELITY.md says
 * where that shows.
 */
#include "sim/process/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* include/uapi/linux/fs.h since Linux 6.11: asks for one mapping at a time. */
struct procmap_query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};
#define PROCMAP_QUERY_IOCTL _IOWR('f', 17, struct procmap_query)
#define PROCMAP_READABLE 1u
#define PROCMAP_WRITABLE 2u
#define PROCMAP_SHARED 8u

/* A file's pages have the top bit set; an address space's own have its serial number. */
#define IDENTITY_FILE (UINT64_C(1) << 63)

uint64_t process_file_identity(uint64_t device, uint64_t inode)
{
	return IDENTITY_FILE | ((device << 40) ^ inode);
}

/* ---- mappings -------------------------------------------------------------------- */

static int vma_find_by_query(struct process *process, uint64_t va, struct process_vma *vma)
{
	struct procmap_query query = {
		.size = sizeof(query),
		.query_addr = va,
		.vma_name_addr = (uint64_t)(uintptr_t)vma->name,
		.vma_name_size = sizeof(vma->name),
	};

	vma->name[0] = '\0';
	if (ioctl(process->maps_fd, PROCMAP_QUERY_IOCTL, &query)) {
		if (errno != ENAMETOOLONG)
			return errno == ENOENT ? -EFAULT : -errno;
		/* A name that does not fit is a path: no device or special memory has it. */
		query.vma_name_addr = 0;
		query.vma_name_size = 0;
		if (ioctl(process->maps_fd, PROCMAP_QUERY_IOCTL, &query))
			return -EFAULT;
	}
	vma->start = query.vma_start;
	vma->end = query.vma_end;
	vma->readable = query.vma_flags & PROCMAP_READABLE;
	vma->writable = query.vma_flags & PROCMAP_WRITABLE;
	vma->shared = query.vma_flags & PROCMAP_SHARED;
	vma->offset = query.vma_offset;
	vma->inode = query.inode;
	vma->device = makedev(query.dev_major, query.dev_minor);
	vma->page_bytes = query.vma_page_size;
	return 0;
}

/* Reads a line of maps or the head of an entry of smaps; false: it is something else. */
static bool vma_parse(const char *line, struct process_vma *vma)
{
	unsigned long long start, end, offset, inode;
	unsigned int major, minor;
	char prot[5];
	int name_at = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, prot, &offset, &major,
		   &minor, &inode, &name_at) < 7)
		return false;
	*vma = (struct process_vma){
		.start = start,
		.end = end,
		.readable = prot[0] == 'r',
		.writable = prot[1] == 'w',
		.shared = prot[3] == 's',
		.offset = offset,
		.inode = inode,
		.device = makedev(major, minor),
	};
	snprintf(vma->name, sizeof(vma->name), "%s", name_at ? line + name_at : "");
	vma->name[strcspn(vma->name, "\n")] = '\0';
	return true;
}

/* A stream of its own for each reader: threads must not share a file position. */
static FILE *proc_file_open(struct process *process, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", process->tgid, name);
	return process_alive(process) ? fopen(path, "re") : NULL;
}

static int vma_find_by_text(struct process *process, uint64_t va, struct process_vma *vma)
{
	FILE *maps = proc_file_open(process, "maps");
	char *line = NULL;
	size_t size = 0;
	int err = -EFAULT;

	if (!maps)
		return -EFAULT;
	while (getline(&line, &size, maps) > 0) {
		if (!vma_parse(line, vma) || vma->end <= va)
			continue;
		err = vma->start <= va ? 0 : -EFAULT;
		break;
	}
	free(line);
	fclose(maps);
	return err;
}

int process_vma_find(struct process *process, uint64_t va, struct process_vma *vma)
{
	int err;

	if (__atomic_load_n(&process->no_maps_query, __ATOMIC_RELAXED))
		return vma_find_by_text(process, va, vma);
	err = vma_find_by_query(process, va, vma);
	if (err != -ENOTTY)
		return err ? -EFAULT : 0;
	__atomic_store_n(&process->no_maps_query, true, __ATOMIC_RELAXED);
	return vma_find_by_text(process, va, vma);
}

bool process_alive(struct process *process)
{
	struct procmap_query query = { .size = sizeof(query), .query_addr = UINT64_MAX };
	char byte;

	/* ESRCH: no user of the address space is left. The cheapest question there is. */
	if (!__atomic_load_n(&process->no_maps_query, __ATOMIC_RELAXED)) {
		if (!ioctl(process->maps_fd, PROCMAP_QUERY_IOCTL, &query) || errno == ENOENT)
			return true;
		if (errno != ENOTTY)
			return false;
		__atomic_store_n(&process->no_maps_query, true, __ATOMIC_RELAXED);
	}
	/* Here it reads 0 bytes. Else EIO: there is no page at 0, and if there is one, 1. */
	return pread(process->mem_fd, &byte, 1, 0) != 0;
}

int process_vma_find_file(struct process *process, const struct process_vma *wanted,
			  uint64_t offset, struct process_vma *vma)
{
	FILE *maps = proc_file_open(process, "maps");
	char *line = NULL;
	size_t size = 0;
	int err = -EFAULT;

	if (!maps)
		return -EFAULT;
	while (err && getline(&line, &size, maps) > 0) {
		if (vma_parse(line, vma) && vma->shared && vma->inode == wanted->inode &&
		    vma->device == wanted->device && offset >= vma->offset &&
		    offset - vma->offset < vma->end - vma->start)
			err = 0;
	}
	free(line);
	fclose(maps);
	return err;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/*
 * Whether the kernel marked the mapping VM_IO or VM_PFNMAP, which it never pins
 * (check_vma_flags() in mm/gup.c). Only smaps tells, and is slow, so it is asked
 * only of what a driver may have mapped: ordinary files and memory never are.
 */
static bool vma_is_device_memory(struct process *process, const struct process_vma *vma)
{
	struct process_vma other;
	bool found = false, device = false;
	char *line = NULL;
	size_t size = 0;
	FILE *smaps;

	/* A BAR of a device on the fake bus (PCI_MEMORY_NAME in sim/pci/pci_memory.h). */
	if (has_prefix(vma->name, "/memfd:ioasis-bar "))
		return true;
	if (!has_prefix(vma->name, "/dev/") && !has_prefix(vma->name, "anon_inode:") &&
	    !has_prefix(vma->name, "/sys/") && !has_prefix(vma->name, "/proc/") &&
	    !has_prefix(vma->name, "[vvar"))
		return false;
	if (has_prefix(vma->name, "/dev/shm/") || has_prefix(vma->name, "/dev/zero") ||
	    has_prefix(vma->name, "/dev/hugepages/"))
		return false;
	smaps = proc_file_open(process, "smaps");
	if (!smaps)
		return true;
	while (getline(&line, &size, smaps) > 0) {
		if (vma_parse(line, &other)) {
			if (found)
				break;
			found = other.start == vma->start;
		} else if (found && has_prefix(line, "VmFlags:")) {
			device = strstr(line, " io") || strstr(line, " pf");
			break;
		}
	}
	free(line);
	fclose(smaps);
	return device;
}

/*
 * Whether writes to the mapping go through a file system that must know of them:
 * no long-term pin then (writable_file_mapping_allowed() in mm/gup.c, Linux 6.5).
 * Memory files do not; the kernel's own mounts of these are in no mountinfo.
 */
static bool vma_needs_dirty_tracking(struct process *process, const struct process_vma *vma)
{
	static const char *const memory[] = { "tmpfs", "hugetlbfs", "devtmpfs", "ramfs" };
	bool tracked = false;
	char *line = NULL;
	size_t size = 0;
	FILE *mounts;

	if (!vma->shared || !vma->inode)
		return false;
	mounts = proc_file_open(process, "mountinfo");
	if (!mounts)
		return false;
	while (getline(&line, &size, mounts) > 0) {
		unsigned int major, minor;
		char *type = strstr(line, " - "), *end;

		if (!type || sscanf(line, "%*u %*u %u:%u", &major, &minor) != 2 ||
		    makedev(major, minor) != vma->device)
			continue;
		type += 3;
		end = type + strcspn(type, " \n");
		*end = '\0';
		tracked = true;
		for (size_t i = 0; i < sizeof(memory) / sizeof(*memory); i++) {
			if (!strcmp(type, memory[i]))
				tracked = false;
		}
		break;
	}
	free(line);
	fclose(mounts);
	return tracked;
}

/* ---- pins ------------------------------------------------------------------------ */

static struct process *to_process(struct engine_mm *mm)
{
	return (struct process *)mm;
}

/* How many of the pages from va are inside the file that they are of. */
static size_t pages_inside_file(struct process *process, uint64_t va, size_t npages)
{
	size_t good = 0, bad = npages + 1; /* good pages are, bad are not */
	char byte;

	/* One past the end of its file cannot be read, and neither can any after it. */
	while (bad - good > 1) {
		size_t middle = bad == npages + 1 ? npages : good + (bad - good) / 2;
		uint64_t at = va + (middle - 1) * ENGINE_PAGE_SIZE;

		if (pread(process->mem_fd, &byte, 1, (off_t)at) == 1)
			good = middle;
		else
			bad = middle;
	}
	return good;
}

/* Pages of one mapping from va that can be pinned, at most npages. */
static size_t pin_in_vma(struct process *process, const struct process_vma *vma, uint64_t va,
			 size_t npages, bool write, struct engine_page *pages)
{
	uint64_t in_vma = (vma->end - va) / ENGINE_PAGE_SIZE;
	bool by_file = vma->shared && vma->inode;

	/* check_vma_flags() (mm/gup.c): a writable mapping is also written if none may read it. */
	if (write ? !vma->writable : !vma->readable)
		return 0;
	if (vma_is_device_memory(process, vma))
		return 0;
	if (write && vma_needs_dirty_tracking(process, vma))
		return 0;
	if (npages > in_vma)
		npages = (size_t)in_vma;
	if (vma->inode)
		npages = pages_inside_file(process, va, npages);
	if (by_file && npages)
		process_shared_note(process, vma);
	if (!pages)
		return npages;
	for (size_t i = 0; i < npages; i++) {
		if (by_file) {
			pages[i].object = process_file_identity(vma->device, vma->inode);
			pages[i].index =
				(vma->offset + (va - vma->start)) / ENGINE_PAGE_SIZE + i;
		} else {
			pages[i].object = process->serial;
			pages[i].index = va / ENGINE_PAGE_SIZE + i;
		}
	}
	return npages;
}

static ssize_t mm_pin(struct engine_mm *mm, uint64_t va, size_t npages, bool write,
		      struct engine_page *pages)
{
	struct process *process = to_process(mm);
	size_t done = 0;

	while (done < npages) {
		uint64_t at = va + done * ENGINE_PAGE_SIZE;
		struct process_vma vma;
		size_t n;

		if (at < va || process_vma_find(process, at, &vma))
			break;
		n = pin_in_vma(process, &vma, at, npages - done, write,
			       pages ? pages + done : NULL);
		if (!n)
			break;
		done += n;
	}
	return done ? (ssize_t)done : -EFAULT;
}

static void mm_unpin(struct engine_mm *mm, uint64_t va, size_t npages)
{
	(void)mm;
	(void)va;
	(void)npages;
}

/* Some of the len bytes at va, to or from buf; as pread() and pwrite(). */
static ssize_t copy_some(int fd, uint64_t va, void *buf, size_t len, bool write)
{
	return write ? pwrite(fd, buf, len, (off_t)va) : pread(fd, buf, len, (off_t)va);
}

/* The same for a page of a process that has ended. */
static ssize_t copy_some_elsewhere(struct process *process, uint64_t va, void *buf, size_t len,
				   bool write)
{
	uint64_t other_va, length;
	ssize_t n;
	int fd;

	if (process_alive(process) || process_shared_reach(process, va, &fd, &other_va, &length))
		return -1;
	n = copy_some(fd, other_va, buf, len < length ? len : (size_t)length, write);
	process_shared_done(process);
	return n;
}

static int mm_copy(struct process *process, uint64_t va, void *buf, size_t len, bool write)
{
	while (len) {
		ssize_t n = copy_some(process->mem_fd, va, buf, len, write);

		if (n <= 0)
			n = copy_some_elsewhere(process, va, buf, len, write);
		if (n <= 0)
			return -EFAULT;
		buf = (char *)buf + n;
		va += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int mm_read(struct engine_mm *mm, uint64_t va, void *dst, size_t len)
{
	return mm_copy(to_process(mm), va, dst, len, false);
}

static int mm_write(struct engine_mm *mm, uint64_t va, const void *src, size_t len)
{
	return mm_copy(to_process(mm), va, (void *)(uintptr_t)src, len, true);
}

/* What smaps says of the pages of a mapping; where maps cannot be queried. */
static uint64_t vma_page_bytes_by_text(struct process *process, const struct process_vma *vma)
{
	FILE *smaps = proc_file_open(process, "smaps");
	unsigned long long kib = 0;
	struct process_vma other;
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!smaps)
		return 0;
	while (!kib && getline(&line, &size, smaps) > 0) {
		if (vma_parse(line, &other))
			found = other.start == vma->start;
		else if (found && sscanf(line, "KernelPageSize: %llu kB", &kib) == 1)
			break;
	}
	free(line);
	fclose(smaps);
	return kib * 1024;
}

/* Huge pages of hugetlbfs; where the kernel joined pages by itself no one can tell. */
static uint64_t mm_huge_page_bytes(struct engine_mm *mm, uint64_t va)
{
	struct process *process = to_process(mm);
	struct process_vma vma;

	if (process_vma_find(process, va, &vma))
		return ENGINE_PAGE_SIZE;
	/* They always are of a file, if only of one without a name. */
	if (!vma.page_bytes && vma.inode)
		vma.page_bytes = vma_page_bytes_by_text(process, &vma);
	return vma.page_bytes ? vma.page_bytes : ENGINE_PAGE_SIZE;
}

static void mm_free(struct engine_mm *mm)
{
	struct process *process = to_process(mm);

	process_shared_forget(process);
	pthread_mutex_destroy(&process->shared_lock);
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->mem_fd >= 0)
		close(process->mem_fd);
	if (process->maps_fd >= 0)
		close(process->maps_fd);
	if (process->folder_fd >= 0)
		close(process->folder_fd);
	free(process);
}

const struct engine_mm_ops process_mm_ops = {
	.pin = mm_pin,
	.unpin = mm_unpin,
	.read = mm_read,
	.write = mm_write,
	.huge_page_bytes = mm_huge_page_bytes,
	.free = mm_free,
};
