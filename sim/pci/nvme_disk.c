/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace: the blocks of a file, or of memory without a name.
 *
 * The file is mapped, so that DMA moves its data with one copy (nvme_io.c); all else uses
 * the system calls of files, which tell what went wrong. Nothing here ever touches the
 * mapping itself: a file that another program cuts short would stop this one.
 */
#include "sim/pci/nvme_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_BYTES 65536u

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The size of a file or block device; 0: it is neither. */
static uint64_t file_size(int fd, const struct stat *st)
{
	uint64_t bytes = 0;

	if (S_ISREG(st->st_mode))
		return (uint64_t)st->st_size;
	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &bytes))
		return 0;
	return bytes;
}

static int disk_open_file(struct nvme_disk *disk, const char *path, char why[PCI_WHY_BYTES])
{
	struct stat st;

	/* A pipe or a terminal must not make it wait. */
	disk->fd = open(path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (disk->fd < 0 || fstat(disk->fd, &st)) {
		int err = errno;

		snprintf(why, PCI_WHY_BYTES, "--device nvme: '%.150s' cannot be opened for %s: %s",
			 path, disk->read_only ? "reading" : "reading and writing (or say ro=on)",
			 strerror(err));
		return -err;
	}
	/* Blocks of 4 KiB must fit, as Format may want them. */
	disk->file_bytes = file_size(disk->fd, &st) & ~UINT64_C(4095);
	if (!disk->file_bytes) {
		snprintf(why, PCI_WHY_BYTES,
			 "--device nvme: '%.150s' must be a file or block device of at least 4096 "
			 "bytes",
			 path);
		return -EINVAL;
	}
	disk->identity = fnv1a(fnv1a(UINT64_C(0xcbf29ce484222325), &st.st_dev, sizeof(st.st_dev)),
			       &st.st_ino, sizeof(st.st_ino));
	return 0;
}

static int disk_open_memory(struct nvme_disk *disk, uint64_t bytes, char why[PCI_WHY_BYTES])
{
	struct stat st;

	disk->fd = memfd_create("nvme", MFD_CLOEXEC);
	if (disk->fd < 0 || ftruncate(disk->fd, (off_t)bytes) || fstat(disk->fd, &st)) {
		int err = errno;

		snprintf(why, PCI_WHY_BYTES,
			 "--device nvme: no memory for a disk of %llu bytes: %s",
			 (unsigned long long)bytes, strerror(err));
		return -err;
	}
	disk->file_bytes = bytes;
	disk->identity = fnv1a(UINT64_C(0xcbf29ce484222325), &st.st_ino, sizeof(st.st_ino));
	return 0;
}

int nvme_disk_open(struct nvme_disk *disk, const char *path, uint64_t bytes, bool read_only,
		   char why[PCI_WHY_BYTES])
{
	int err;

	disk->fd = -1;
	disk->read_only = read_only;
	err = path ? disk_open_file(disk, path, why) : disk_open_memory(disk, bytes, why);
	if (err) {
		nvme_disk_close(disk);
		return err;
	}
	disk->map = mmap(NULL, (size_t)disk->file_bytes,
			 read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, disk->fd, 0);
	if (disk->map == MAP_FAILED)
		disk->map = NULL;
	return 0;
}

void nvme_disk_close(struct nvme_disk *disk)
{
	if (disk->map)
		munmap(disk->map, (size_t)disk->file_bytes);
	if (disk->fd >= 0)
		close(disk->fd);
	disk->map = NULL;
	disk->fd = -1;
}

int nvme_disk_read(const struct nvme_disk *disk, uint64_t offset, void *buf, size_t length)
{
	while (length) {
		ssize_t n = pread(disk->fd, buf, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO; /* it was cut short */
		buf = (char *)buf + n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

int nvme_disk_write(const struct nvme_disk *disk, uint64_t offset, const void *buf, size_t length)
{
	while (length) {
		ssize_t n = pwrite(disk->fd, buf, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		buf = (const char *)buf + n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

int nvme_disk_zero(const struct nvme_disk *disk, uint64_t offset, uint64_t length, bool discard)
{
	static const uint8_t zeros[ZERO_BYTES];

	if (discard && !fallocate(disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  (off_t)offset, (off_t)length))
		return 0;
	if (!fallocate(disk->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		       (off_t)length))
		return 0;
	while (length) {
		size_t n = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);
		int err = nvme_disk_write(disk, offset, zeros, n);

		if (err)
			return err;
		offset += n;
		length -= n;
	}
	return 0;
}

int nvme_disk_flush(const struct nvme_disk *disk)
{
	return disk->read_only || !fdatasync(disk->fd) ? 0 : -errno;
}
