/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver in user space for edu devices without an IOMMU: `noiommu_client CDEV GROUP BDF`.
 * The device at CDEV is bound to an iommufd, which tells it where memory is; the one of GROUP
 * is used the older way. Both copy by physical addresses. Prints a line for each answer.
 */
#include "ioasis/iommufd_abi.h"
#include "sim/engine/vfio_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GROUP_SET_CONTAINER _IO(';', 104)
#define GROUP_GET_DEVICE_FD _IO(';', 106)
#define IOVA 0x100000ull
#define PAGES 8u
#define PAGE 4096u
#define CONFIG_OFFSET ((off_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT)
#define EDU_BUFFER 0x40000ull

static void tell(const char *what, long result)
{
	printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

/* Has edu copy count bytes, and waits until it did. */
static void edu_copy(int device, uint64_t source, uint64_t target, uint64_t count, uint64_t command)
{
	const uint64_t registers[][2] = { { 0x80, source }, { 0x88, target }, { 0x90, count },
					  { 0x98, command | 1 } };
	uint64_t state = 1;

	for (int i = 0; i < 4; i++) {
		if (pwrite(device, &registers[i][1], 8, (off_t)registers[i][0]) != 8)
			perror("register");
	}
	for (int i = 0; i < 1000 && state & 1; i++) {
		if (pread(device, &state, 8, 0x98) != 8)
			perror("register");
		if (state & 1)
			poll(NULL, 0, 5);
	}
}

static void enable(int device)
{
	const uint16_t command = 6; /* memory, bus master */

	tell("enable", pwrite(device, &command, 2, CONFIG_OFFSET + 4));
}

/* Where a byte is; *contiguous: how many bytes from there on are in one piece. */
static uint64_t phys_of(int iommu, uint32_t ioas, uint64_t iova, uint64_t *contiguous)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova, .length = UINT64_MAX,
	};

	if (ioctl(iommu, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd))
		printf("GET_PA: %s\n", strerrorname_np(errno));
	*contiguous = cmd.length;
	return cmd.out_phys;
}

int main(int argc, char **argv)
{
	struct sim_vfio_bind bind = { .argsz = SIM_VFIO_BIND_MIN };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7, .iova = IOVA,
				      .length = PAGES * PAGE };
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .iova = IOVA,
					  .length = PAGES * PAGE };
	int iommu, device, container, group;
	uint64_t first, second, run;
	char *memory;

	if (argc != 4)
		return 3;
	setvbuf(stdout, NULL, _IOLBF, 0);
	iommu = open("/dev/iommu", O_RDWR);
	device = open(argv[1], O_RDWR);
	bind.iommufd = iommu;
	tell("bind", ioctl(device, SIM_VFIO_BIND, &bind));
	tell("space", ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc));
	attach.pt_id = map.ioas_id = unmap.ioas_id = alloc.out_ioas_id;
	tell("attach", ioctl(device, SIM_VFIO_ATTACH, &attach));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	map.user_va = (uintptr_t)memory;
	tell("map", ioctl(iommu, IOMMU_IOAS_MAP, &map));
	first = phys_of(iommu, map.ioas_id, IOVA, &run);
	printf("contiguous from the first byte %" PRIu64 "\n", run);
	second = phys_of(iommu, map.ioas_id, IOVA + PAGE, &run);
	printf("the second page comes %s\n", second == first + PAGE ? "next" : "elsewhere");
	enable(device);
	strcpy(memory, "by physical addresses");
	edu_copy(device, first, EDU_BUFFER, 22, 0);
	edu_copy(device, EDU_BUFFER, second, 22, 2);
	printf("memory '%s'\n", memory + PAGE);

	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(argv[2], O_RDWR);
	tell("container", ioctl(group, GROUP_SET_CONTAINER, &container));
	tell("type 1", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	tell("no IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	device = ioctl(group, GROUP_GET_DEVICE_FD, argv[3]);
	tell("device of the group", device);
	enable(device);
	strcpy(memory, "by the group's device");
	tell("unmap", ioctl(iommu, IOMMU_IOAS_UNMAP, &unmap));
	edu_copy(device, first, EDU_BUFFER, 22, 0);
	edu_copy(device, EDU_BUFFER, second, 22, 2);
	printf("memory '%s'\n", memory + PAGE);
	/* Where no one was told that memory is, there is none. */
	edu_copy(device, EDU_BUFFER, first - 64, 22, 2);
	printf("memory '%s'\n", memory);
	return 0;
}
