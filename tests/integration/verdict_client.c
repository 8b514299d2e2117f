/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Correct programs, and a few that are not, on the backend library or without it: what the
 * verdict must say of them is in tests/integration/verdict.sh.
 *
 *	verdict_client WHAT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_backend.h>

#include "sim/engine/vfio_abi.h"

#define MAP_BYTES (2u << 20)
#define MAP_IOVA 0x200000u

static int expect(int ret, int wanted, const char *what)
{
	if (ret == wanted)
		return 0;
	fprintf(stderr, "verdict_client: %s gave %d instead of %d\n", what, ret, wanted);
	return 1;
}

/* Maps, unmaps everything twice, frees: as QEMU does. */
static int unmap_all(void)
{
	IOMMUFDBackend *be = iommufd_backend_new("verdict");
	void *memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t ioas;
	int failed;

	if (!be || memory == MAP_FAILED || iommufd_backend_connect(be, NULL) ||
	    iommufd_backend_alloc_ioas(be, &ioas, NULL))
		return 1;
	failed = expect(iommufd_backend_map_dma(be, ioas, MAP_IOVA, MAP_BYTES, memory, false), 0,
			"map") |
		 expect(iommufd_backend_unmap_dma(be, ioas, 0, UINT64_MAX), 0, "unmap") |
		 expect(iommufd_backend_unmap_dma(be, ioas, 0, UINT64_MAX), 0, "second unmap");
	iommufd_backend_free_id(be, ioas);
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
	return failed;
}

/*
 * Without the library: VFIO's type 1 interface of the device. iommu: VFIO_TYPE1v2_IOMMU refuses
 * to unmap a part of a mapping, VFIO_TYPE1_IOMMU cuts it, and both are asked for one.
 */
static int type1(unsigned long iommu)
{
	bool cuts = iommu == VFIO_TYPE1_IOMMU;
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_vfio_ioas compat = { .size = sizeof(compat), .op = IOMMU_VFIO_IOAS_SET };
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map), .flags = 3,
						.iova = MAP_IOVA, .size = MAP_BYTES };
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = MAP_IOVA + MAP_BYTES / 4,
						    .size = MAP_BYTES / 4 };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	void *memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC), failed;

	if (fd < 0 || memory == MAP_FAILED || ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		return 1;
	compat.ioas_id = alloc.out_ioas_id;
	map.vaddr = (uintptr_t)memory;
	failed = expect(ioctl(fd, IOMMU_VFIO_IOAS, &compat), 0, "VFIO_IOAS") |
		 expect(ioctl(fd, VFIO_SET_IOMMU, iommu), 0, "SET_IOMMU") |
		 expect(ioctl(fd, VFIO_IOMMU_MAP_DMA, &map), 0, "MAP_DMA") |
		 expect(ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap), cuts ? 0 : -1, "UNMAP_DMA");
	if (cuts) { /* what was cut out is free again */
		map.iova = MAP_IOVA + MAP_BYTES / 4;
		map.size = MAP_BYTES / 4;
		failed |= expect(ioctl(fd, VFIO_IOMMU_MAP_DMA, &map), 0, "MAP_DMA of the hole");
	}
	unmap = (struct vfio_iommu_type1_dma_unmap){ .argsz = sizeof(unmap),
						     .flags = VFIO_DMA_UNMAP_FLAG_ALL };
	failed |= expect(ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap), 0, "UNMAP_DMA of all");
	compat.op = IOMMU_VFIO_IOAS_CLEAR;
	destroy.id = alloc.out_ioas_id;
	failed |= expect(ioctl(fd, IOMMU_VFIO_IOAS, &compat), 0, "VFIO_IOAS") |
		  expect(ioctl(fd, IOMMU_DESTROY, &destroy), 0, "DESTROY");
	close(fd);
	return failed;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "unmap-all"))
		return unmap_all();
	if (!strcmp(what, "exec-twice")) {
		if (unmap_all())
			return 1;
		execl("/proc/self/exe", argv[0], "unmap-all", NULL);
		return 1;
	}
	if (!strcmp(what, "type1-v1"))
		return type1(VFIO_TYPE1_IOMMU);
	if (!strcmp(what, "type1-v2"))
		return type1(VFIO_TYPE1v2_IOMMU);
	fprintf(stderr, "usage: verdict_client unmap-all|exec-twice|type1-v1|type1-v2\n");
	return 2;
}
