/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that says yes to everything: it gives out ids and checks nothing.
 *
 * The kernel refuses most mistakes of its clients, so a mistake shows in a trace
 * only as an error. This device shows what happens where nobody refuses, which
 * is what the rules of a trace are about: it stands for a buggy device. State is
 * per open file: the next id.
 */
#include "sim/vmm/vmm.h"

#include <errno.h>

#include <ioasis/iommufd_abi.h>

#define NAIVE_FD_FIRST 2000000
#define NAIVE_FDS 16

static uint32_t naive_next_id[NAIVE_FDS]; /* 0: not open; __atomic */

static int naive_open(void *opaque, const char *path, int flags)
{
	(void)opaque;
	(void)path;
	(void)flags;
	for (int i = 0; i < NAIVE_FDS; i++) {
		uint32_t closed = 0;

		if (__atomic_compare_exchange_n(&naive_next_id[i], &closed, 1, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return NAIVE_FD_FIRST + i;
	}
	errno = EMFILE;
	return -1;
}

/* The state of an open file, or NULL. */
static uint32_t *naive_file(int fd)
{
	if (fd < NAIVE_FD_FIRST || fd >= NAIVE_FD_FIRST + NAIVE_FDS ||
	    !__atomic_load_n(&naive_next_id[fd - NAIVE_FD_FIRST], __ATOMIC_ACQUIRE)) {
		errno = EBADF;
		return NULL;
	}
	return &naive_next_id[fd - NAIVE_FD_FIRST];
}

static uint32_t naive_id(uint32_t *next_id)
{
	return __atomic_fetch_add(next_id, 1, __ATOMIC_RELAXED);
}

static int naive_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	uint32_t *next_id = naive_file(fd);

	(void)opaque;
	if (!next_id)
		return -1;
	if (request == IOMMU_IOAS_ALLOC)
		((struct iommu_ioas_alloc *)arg)->out_ioas_id = naive_id(next_id);
	else if (request == IOMMU_HWPT_ALLOC)
		((struct iommu_hwpt_alloc *)arg)->out_hwpt_id = naive_id(next_id);
	return 0;
}

static int naive_close(void *opaque, int fd)
{
	uint32_t *next_id = naive_file(fd);

	(void)opaque;
	if (!next_id)
		return -1;
	__atomic_store_n(next_id, 0, __ATOMIC_RELEASE);
	return 0;
}

const IOMMUFDDeviceOps naive_device_ops = {
	.open = naive_open,
	.ioctl = naive_ioctl,
	.close = naive_close,
};
