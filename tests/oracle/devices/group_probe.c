/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a container, a group and a device of it a fixed list of questions, and prints a line
 * for each answer: group_probe CONTAINER GROUP BDF. What Linux 7.3 answered for QEMU's edu
 * lies beside this file, group-edu.txt.
 */
#include "ioasis/iommufd_abi.h"
#include "sim/engine/vfio_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALL(nr) _IO(';', 100 + (nr))
#define GROUP_GET_STATUS CALL(3)
#define GROUP_SET_CONTAINER CALL(4)
#define GROUP_UNSET_CONTAINER CALL(5)
#define GROUP_GET_DEVICE_FD CALL(6)
#define TYPE1v2 3l
#define EXTENSIONS 14l
#define IOMMU_TYPES 10l

static const char *name_of(int err)
{
	static char number[16];

	switch (err) {
	case EBADF: return "EBADF";
	case EBADFD: return "EBADFD";
	case EBUSY: return "EBUSY";
	case EEXIST: return "EEXIST";
	case EFAULT: return "EFAULT";
	case EINVAL: return "EINVAL";
	case ENODEV: return "ENODEV";
	case ENOENT: return "ENOENT";
	case ENOTTY: return "ENOTTY";
	case EPERM: return "EPERM";
	default:
		snprintf(number, sizeof(number), "errno %d", err);
		return number;
	}
}

/* The result as text: a number, or the name of the error. */
static const char *result_of(long rc)
{
	static char number[32];

	if (rc < 0)
		return name_of(errno);
	snprintf(number, sizeof(number), "%ld", rc);
	return number;
}

static long ask(int fd, unsigned int cmd, const void *arg, const char *line)
{
	long rc = ioctl(fd, cmd, arg);

	printf("%s = %s\n", line, result_of(rc));
	return rc;
}

static void ask_status(int group, const char *when)
{
	uint32_t status[2] = { sizeof(status), 0 };
	long rc = ioctl(group, GROUP_GET_STATUS, status);

	printf("%s: GROUP_GET_STATUS = %s flags %x\n", when, result_of(rc), status[1]);
}

static void ask_extensions(int container)
{
	for (long e = 0; e < EXTENSIONS; e++)
		printf("EXTENSION %ld = %s\n", e, result_of(ioctl(container, VFIO_CHECK_EXTENSION, e)));
}

static const char *open_result(int fd)
{
	return fd < 0 ? name_of(errno) : "ok";
}

static long device_fd(int group, const char *bdf, const char *line)
{
	long fd = ioctl(group, GROUP_GET_DEVICE_FD, bdf);

	printf("%s = %s\n", line, fd < 0 ? name_of(errno) : "fd");
	return fd;
}

static void ask_info(int container)
{
	static const uint32_t sizes[] = { 8, 16, 20, 24, 200, 1024 };
	static uint32_t info[256]; /* argsz, flags, pgsizes, cap_offset, pad, capabilities */

	for (int i = 0; i < 6; i++) {
		uint64_t pgsizes;
		long rc;

		memset(info, 0, sizeof(info));
		info[0] = sizes[i];
		rc = ioctl(container, VFIO_IOMMU_GET_INFO, info);
		memcpy(&pgsizes, info + 2, sizeof(pgsizes));
		printf("GET_INFO argsz %u = %s argsz %u flags %x pgsizes %llx cap %x", sizes[i],
		       result_of(rc), info[0], info[1], (unsigned long long)pgsizes, info[4]);
		for (uint32_t at = sizes[i] == 1024 ? info[4] : 0; at && at < 1024;
		     at = info[at / 4 + 1]) {
			printf(" cap %u v%u", info[at / 4] & 0xffff, info[at / 4] >> 16);
			for (uint32_t k = at / 4 + 2; k < at / 4 + 10; k++)
				printf(" %x", info[k]);
		}
		puts("");
	}
}

static void ask_device(int device, int container)
{
	struct sim_vfio_info info = { .argsz = sizeof(info) };
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = container };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN, .pt_id = 1 };
	long rc = ioctl(device, SIM_VFIO_GET_INFO, &info);

	printf("DEVICE_GET_INFO = %s flags %x regions %u irqs %u\n", result_of(rc), info.flags,
	       info.num_regions, info.num_irqs);
	ask(device, SIM_VFIO_BIND, &bind, "BIND on a group's fd");
	ask(device, SIM_VFIO_ATTACH, &attach, "ATTACH on it");
}

static void ask_map(int container, void *memory, uint64_t iova, uint64_t size, const char *line)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = 3, .vaddr = (uintptr_t)memory, .iova = iova,
		.size = size,
	};

	ask(container, VFIO_IOMMU_MAP_DMA, &map, line);
}

static void ask_unmap(int container, uint64_t iova, uint64_t size, const char *line)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size,
	};
	long rc = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	printf("%s = %s size %llx\n", line, result_of(rc),
	       (unsigned long long)unmap.size);
}

static void ask_mappings(int container)
{
	void *memory = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ask_map(container, memory, 0x100000, 1 << 20, "MAP");
	ask_map(container, memory, 0x100000, 1 << 20, "MAP again");
	ask_map(container, memory, 0xfee00000, 4096, "MAP at MSI");
	ask_map(container, memory, 1ull << 39, 4096, "MAP at 2^39");
	ask_map(container, memory, 1ull << 60, 4096, "MAP at 2^60");
	ask_unmap(container, 0x140000, 0x1000, "UNMAP part");
	ask_unmap(container, 0x100000, 1 << 20, "UNMAP");
}

static void ask_container(int container, int group, const char *bdf)
{
	int none = -1, standard_input = 0;
	char line[64];

	device_fd(group, bdf, "GET_DEVICE_FD before");
	printf("SET_IOMMU before group = %s\n",
	       result_of(ioctl(container, VFIO_SET_IOMMU, TYPE1v2)));
	ask(group, GROUP_SET_CONTAINER, &none, "SET_CONTAINER -1");
	ask(group, GROUP_SET_CONTAINER, &standard_input, "SET_CONTAINER stdin");
	ask(group, GROUP_SET_CONTAINER, &container, "SET_CONTAINER");
	ask(group, GROUP_SET_CONTAINER, &container, "again");
	ask_status(group, "set");
	ask_extensions(container);
	/* This one is left open: what comes later finds the group in use. */
	printf("GET_DEVICE_FD before SET_IOMMU = %s\n",
	       result_of(ioctl(group, GROUP_GET_DEVICE_FD, bdf)));
	for (long type = 0; type < IOMMU_TYPES; type++) {
		snprintf(line, sizeof(line), "SET_IOMMU %ld", type);
		if (type != 1 && type != TYPE1v2)
			printf("%s = %s\n", line, result_of(ioctl(container, VFIO_SET_IOMMU, type)));
	}
	printf("SET_IOMMU 3 = %s\n", result_of(ioctl(container, VFIO_SET_IOMMU, TYPE1v2)));
	printf("SET_IOMMU 3 again = %s\n", result_of(ioctl(container, VFIO_SET_IOMMU, TYPE1v2)));
	ask_info(container);
}

static void ask_iommufd(int group, const char *bdf)
{
	struct iommu_vfio_ioas ioas = { .size = sizeof(ioas), .op = IOMMU_VFIO_IOAS_GET };
	int iommu = open("/dev/iommu", O_RDWR), device;
	long rc;

	ask(group, GROUP_SET_CONTAINER, &iommu, "SET_CONTAINER to an iommufd");
	device = (int)device_fd(group, bdf, "GET_DEVICE_FD");
	rc = ioctl(iommu, IOMMU_VFIO_IOAS, &ioas);
	printf("VFIO_IOAS GET = %s id %u\n", result_of(rc), ioas.ioas_id);
	if (device >= 0)
		close(device);
	close(iommu);
}

int main(int argc, char **argv)
{
	int container, group, again, device;

	if (argc != 4)
		return 3;
	container = open(argv[1], O_RDWR);
	printf("container %s ", open_result(container));
	group = open(argv[2], O_RDWR);
	printf("group %s\n", open_result(group));
	if (container < 0 || group < 0)
		return 1;
	again = open(argv[2], O_RDWR);
	printf("group again %s\n", open_result(again));
	printf("API_VERSION %s\n", result_of(ioctl(container, VFIO_GET_API_VERSION, 0)));
	ask_extensions(container);
	ask_status(group, "fresh");
	ask_container(container, group, argv[3]);
	device_fd(group, "0000:99:00.0", "GET_DEVICE_FD other");
	device = (int)device_fd(group, argv[3], "GET_DEVICE_FD");
	ask_status(group, "device");
	again = (int)device_fd(group, argv[3], "GET_DEVICE_FD twice");
	close(again);
	ask_device(device, container);
	ask_mappings(container);
	ask(group, GROUP_UNSET_CONTAINER, NULL, "UNSET_CONTAINER with device");
	close(device);
	ask(group, GROUP_UNSET_CONTAINER, NULL, "UNSET_CONTAINER");
	ask(group, GROUP_UNSET_CONTAINER, NULL, "again");
	ask_status(group, "unset");
	printf("group nr 99 %s ", result_of(ioctl(group, CALL(-1), 0)));
	printf("109 %s\n", result_of(ioctl(group, CALL(9), 0)));
	ask_iommufd(group, argv[3]);
	return 0;
}
