/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a device without an IOMMU, by its cdev, and IOAS_NOIOMMU_GET_PA a fixed list of
 * questions, and prints a line for each answer: noiommu_probe CDEV IOMMUFD. What Linux 7.3
 * answered for QEMU's edu and nvme lies in noiommu/ beside this file.
 */
#include "ioasis/iommufd_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOVA 0x100000ull
#define AREA_BYTES 16384u

/* The name of an error, else the number. */
static const char *name_of(long rc)
{
	static char numbers[2][24];
	static unsigned int next;
	char *number = numbers[next++ % 2];

	if (rc < 0)
		return strerrorname_np((int)-rc);
	snprintf(number, sizeof(numbers[0]), "%ld", rc);
	return number;
}

static long call(int fd, unsigned int cmd, void *arg)
{
	long rc = ioctl(fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

static uint32_t new_ioas(int iommu)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	call(iommu, IOMMU_IOAS_ALLOC, &alloc);
	return alloc.out_ioas_id;
}

static long map(int iommu, uint32_t ioas, void *memory)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd), .flags = 7, .ioas_id = ioas,
		.user_va = (uintptr_t)memory, .length = AREA_BYTES, .iova = IOVA,
	};

	return call(iommu, IOMMU_IOAS_MAP, &cmd);
}

/* What it attaches to, and what can be made of it. */
static void ask_page_tables(int iommu, uint32_t devid, uint32_t ioas, uint32_t hwpt)
{
	struct iommu_iova_range ranges[16] = { 0 };
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = devid };
	struct iommu_ioas_iova_ranges query = {
		.size = sizeof(query), .ioas_id = ioas, .num_iovas = 16,
		.allowed_iovas = (uintptr_t)ranges,
	};
	struct iommu_viommu_alloc viommu = {
		.size = sizeof(viommu), .type = 1, .dev_id = devid, .hwpt_id = hwpt,
	};
	long rc;

	printf("HW_INFO = %s\n", name_of(call(iommu, IOMMU_GET_HW_INFO, &info)));
	rc = call(iommu, IOMMU_IOAS_IOVA_RANGES, &query);
	printf("IOVA_RANGES = %s n %u align %" PRIx64 " %" PRIx64 "-%" PRIx64 "\n", name_of(rc),
	       query.num_iovas, (uint64_t)query.out_iova_alignment, (uint64_t)ranges[0].start,
	       (uint64_t)ranges[0].last);
	for (uint32_t flags = 0; flags < 16; flags++) {
		struct iommu_hwpt_alloc alloc = {
			.size = sizeof(alloc), .flags = flags, .dev_id = devid, .pt_id = ioas,
		};

		printf("HWPT_ALLOC flags %x = %s\n", flags,
		       name_of(call(iommu, IOMMU_HWPT_ALLOC, &alloc)));
	}
	printf("VIOMMU_ALLOC = %s\n", name_of(call(iommu, IOMMU_VIOMMU_ALLOC, &viommu)));
}

static void ask_get_pa(int iommu, uint32_t ioas)
{
	static const struct {
		uint64_t iova, length;
		uint32_t flags, ioas, reserved;
	} rows[] = {
		{ IOVA, 4096, 0, 0, 0 },	      { IOVA, 1, 0, 0, 0 },
		{ IOVA + 0xabc, 16, 0, 0, 0 },	      { IOVA, AREA_BYTES, 0, 0, 0 },
		{ IOVA + 0x3000, 1 << 20, 0, 0, 0 },  { IOVA + AREA_BYTES, 1, 0, 0, 0 },
		{ IOVA - 4096, 8192, 0, 0, 0 },	      { IOVA, 0, 0, 0, 0 },
		{ UINT64_MAX, 1, 0, 0, 0 },	      { UINT64_MAX - 1, 1, 0, 0, 0 },
		{ IOVA, 1, 1, 0, 0 },		      { IOVA, 1, 0, 0, 1 },
		{ IOVA, 1, 0, 999, 0 },		      { IOVA, UINT64_MAX, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct iommu_ioas_noiommu_get_pa cmd = {
			.size = sizeof(cmd), .flags = rows[i].flags,
			.ioas_id = rows[i].ioas ? rows[i].ioas : ioas,
			.__reserved = rows[i].reserved, .iova = rows[i].iova,
			.length = rows[i].length,
		};
		long rc = call(iommu, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd);
		const char *length = cmd.length <= rows[i].length ? "up to asked" : "more";

		if (rc < 0)
			length = cmd.length == rows[i].length ? "kept" : "changed";
		printf("GET_PA %" PRIx64 "+%" PRIx64 " flags %u id %s = %s length %s phys offset %"
		       PRIx64 "\n", rows[i].iova, rows[i].length, rows[i].flags,
		       rows[i].ioas ? "unknown" : "ours", name_of(rc), length,
		       (uint64_t)cmd.out_phys & 4095);
	}
}

/* Lets go of CAP_SYS_RAWIO, in the effective set alone. */
static void drop_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[0].effective &= ~(1u << CAP_SYS_RAWIO);
	syscall(SYS_capset, &header, data);
}

int main(int argc, char **argv)
{
	struct sim_vfio_bind bind = { .argsz = SIM_VFIO_BIND_MIN };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };
	struct iommu_ioas_noiommu_get_pa cmd;
	uint32_t ioas, other;
	int vfio, iommu;
	void *memory;
	long rc;

	if (argc != 3)
		return 3;
	setvbuf(stdout, NULL, _IOLBF, 0);
	vfio = open(argv[1], O_RDWR);
	printf("open %s\n", vfio < 0 ? name_of(-errno) : "ok");
	iommu = open(argv[2], O_RDWR);
	if (vfio < 0 || iommu < 0)
		return 1;
	bind.iommufd = iommu;
	rc = call(vfio, SIM_VFIO_BIND, &bind);
	printf("BIND = %s devid %u\n", name_of(rc), bind.out_devid);
	ioas = attach.pt_id = new_ioas(iommu);
	rc = call(vfio, SIM_VFIO_ATTACH, &attach);
	printf("ATTACH = %s pt %u\n", name_of(rc), attach.pt_id);
	ask_page_tables(iommu, bind.out_devid, ioas, attach.pt_id);
	memory = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	printf("MAP = %s\n", name_of(map(iommu, ioas, memory)));
	ask_get_pa(iommu, ioas);

	other = new_ioas(iommu);
	map(iommu, other, memory);
	cmd = (struct iommu_ioas_noiommu_get_pa){
		.size = sizeof(cmd), .ioas_id = other, .iova = IOVA, .length = 4096,
	};
	printf("GET_PA of a space without a page table = %s\n",
	       name_of(call(iommu, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd)));
	cmd.size = 32;
	printf("GET_PA size 32 = %s\n", name_of(call(iommu, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd)));
	drop_capability();
	cmd.size = sizeof(cmd);
	cmd.ioas_id = ioas;
	printf("GET_PA without CAP_SYS_RAWIO = %s\n",
	       name_of(call(iommu, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd)));
	close(vfio);
	vfio = open(argv[1], O_RDWR);
	printf("open without CAP_SYS_RAWIO = %s\n", vfio < 0 ? name_of(-errno) : "ok");
	return 0;
}
