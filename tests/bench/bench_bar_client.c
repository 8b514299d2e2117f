/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of `bench bar`: reads a register of BAR 0.
 *
 *	bench_bar_client IOMMU DEVICE READS [map]
 *
 * Prints the nanoseconds of a read: the median of READS with pread(); with `map` of a batch of loads
 * from the mapped BAR, and from memory of its own.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"
#include "sim/vfio/abi.h"
#include "tests/bench/client_time.h"

#define LOADS 1000u

static int open_device(const char *iommu_path, const char *device_path)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct sim_vfio_bind bind = { .argsz = sizeof(bind) };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };
	int iommu = open(iommu_path, O_RDWR), device = open(device_path, O_RDWR);
	uint16_t command = 2;

	bind.iommufd = iommu;
	if (iommu < 0 || device < 0 || ioctl(device, SIM_VFIO_BIND, &bind) ||
	    ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc))
		return -1;
	attach.pt_id = alloc.out_ioas_id;
	if (ioctl(device, SIM_VFIO_ATTACH, &attach) ||
	    pwrite(device, &command, 2, ((off_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT) + 4) != 2)
		return -1;
	return device;
}

/* The median of a load, in thousandths of a nanosecond. */
static uint64_t loads_ps(const volatile uint32_t *word, uint64_t *times, size_t rounds)
{
	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin_ns = client_now_ns();

		for (unsigned int k = 0; k < LOADS; k++)
			(void)*word;
		times[i] = client_now_ns() - begin_ns;
	}
	return client_median(times, rounds) * 1000 / LOADS;
}

int main(int argc, char **argv)
{
	size_t reads = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	uint64_t *times = calloc(reads + 1, sizeof(*times));
	int device = reads && times ? open_device(argv[1], argv[2]) : -1;
	uint32_t value;

	if (device < 0) {
		perror("bench_bar_client");
		return 1;
	}
	if (argc > 4) {
		void *bar = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
		void *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);

		if (bar == MAP_FAILED || own == MAP_FAILED) {
			perror("bench_bar_client: mmap");
			return 1;
		}
		printf("%llu ", (unsigned long long)loads_ps(bar, times, reads));
		printf("%llu\n", (unsigned long long)loads_ps(own, times, reads));
		return 0;
	}
	for (size_t i = 0; i < reads; i++) {
		uint64_t begin_ns = client_now_ns();

		if (pread(device, &value, 4, 0) != 4) {
			perror("bench_bar_client: pread");
			return 1;
		}
		times[i] = client_now_ns() - begin_ns;
	}
	printf("%llu 0\n", (unsigned long long)client_median(times, reads));
	return 0;
}
