/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of `bench call`: maps and unmaps a page, again and again.
 *
 *	bench_call_client DEVICE PAIRS
 *
 * Prints the median of what a pair took, in nanoseconds. Built linked dynamically and statically.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "ioasis/iommufd_abi.h"
#include "tests/bench/client_time.h"

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	size_t pairs = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t *times = calloc(pairs + 1, sizeof(*times));
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(argc > 1 ? argv[1] : "", O_RDWR | O_CLOEXEC);

	if (!pairs || !times || page == MAP_FAILED || fd < 0 ||
	    ioctl(fd, IOMMU_IOAS_ALLOC, &alloc)) {
		perror("bench_call_client");
		return 1;
	}
	for (size_t i = 0; i < pairs; i++) {
		struct iommu_ioas_map map = {
			.size = sizeof(map),
			.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
				 IOMMU_IOAS_MAP_WRITEABLE,
			.ioas_id = alloc.out_ioas_id,
			.user_va = (uintptr_t)page,
			.length = 4096,
			.iova = 0x1000000,
		};
		struct iommu_ioas_unmap unmap = {
			.size = sizeof(unmap),
			.ioas_id = alloc.out_ioas_id,
			.iova = map.iova,
			.length = map.length,
		};
		uint64_t begin_ns = client_now_ns();

		if (ioctl(fd, IOMMU_IOAS_MAP, &map) || ioctl(fd, IOMMU_IOAS_UNMAP, &unmap)) {
			perror("bench_call_client");
			return 1;
		}
		times[i] = client_now_ns() - begin_ns;
	}
	printf("%llu\n", (unsigned long long)client_median(times, pairs));
	return 0;
}
