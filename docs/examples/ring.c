/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program for docs/TUTORIAL.md: the part of a VMM that sends packets. It maps a buffer for each
 * packet. It has two faults, which -DMENDED mends.
 *
 * Structures and numbers are those of the kernel's <linux/iommufd.h>; <ioasis/iommufd_abi.h> has
 * them where the system does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER 0x4000 /* bytes of a packet's buffer */
#define PACKETS 12

static int iommu;
static uint32_t ioas;

static void *buffer_map(uint64_t *iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas,
		.length = BUFFER,
	};
	void *data = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return NULL;
	map.user_va = (uintptr_t)data;
	if (ioctl(iommu, IOMMU_IOAS_MAP, &map)) {
		munmap(data, BUFFER);
		return NULL;
	}
	*iova = map.iova;
	return data;
}

static void buffer_unmap(void *data, uint64_t iova)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = iova,
		.length = BUFFER,
	};

	if (ioctl(iommu, IOMMU_IOAS_UNMAP, &unmap))
		perror("unmap");
	munmap(data, BUFFER);
}

/* Sends a packet of `length` bytes; one that is too short is refused. */
static int send_packet(int length)
{
	uint64_t iova;
	char *data = buffer_map(&iova);
	int ret = 0;

	if (!data)
		return -errno;
	if (length < 64) {
#ifdef MENDED
		ret = -EINVAL;
		goto out;
#else
		return -EINVAL; /* the fault: the buffer stays mapped */
#endif
	}
	memset(data, 0x55, length);
#ifdef MENDED
out:
#endif
	buffer_unmap(data, iova);
	return ret;
}

int main(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
#ifdef MENDED
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
#endif
	int sent = 0;

	iommu = open("/dev/iommu", O_RDWR);
	if (iommu < 0 || ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc)) {
		perror("/dev/iommu");
		return 1;
	}
	ioas = alloc.out_ioas_id;
	for (int i = 0; i < PACKETS; i++)
		if (send_packet(i % 4 == 3 ? 20 : 1500) == 0)
			sent++;
	printf("sent %d of %d packets\n", sent, PACKETS);
#ifdef MENDED
	destroy.id = ioas;
	if (ioctl(iommu, IOMMU_DESTROY, &destroy))
		perror("destroy");
#endif
	close(iommu);
	return 0;
}
