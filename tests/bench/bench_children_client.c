/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of `bench children`: its children map a page each, one after the other, and end. Then a
 * stranger, who has a device file of its own, makes its first call.
 *
 *	bench_children_client DEVICE CHILDREN
 *
 * Prints in nanoseconds what the first and the last quarter of the children took, and the call.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"
#include "tests/bench/client_time.h"

/* Waits for a byte, then makes a call and tells how long it took. */
static int stranger(const char *device, int begin, int answer)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int fd = open(device, O_RDWR | O_CLOEXEC);
	uint64_t ns;
	char byte;

	if (fd < 0 || read(begin, &byte, 1) != 1)
		return 1;
	ns = client_now_ns();
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		return 1;
	ns = client_now_ns() - ns;
	return write(answer, &ns, sizeof(ns)) != sizeof(ns);
}

static bool child(int fd, uint32_t ioas, void *page, unsigned long number)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)page,
		.length = 4096,
		.iova = 0x1000000 + number * 4096,
	};
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(ioctl(fd, IOMMU_IOAS_MAP, &map) != 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	unsigned long children = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t quarters_ns[4] = { 0 }, call_ns;
	int begin[2], answer[2], fd;

	if (children < 4 || page == MAP_FAILED || pipe(begin) || pipe(answer))
		return 2;
	switch (fork()) {
	case -1:
		return 2;
	case 0:
		return stranger(argv[1], begin[0], answer[1]);
	}
	close(answer[1]);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		return 2;
	for (unsigned long i = 0; i < children; i++) {
		uint64_t ns = client_now_ns();

		if (!child(fd, alloc.out_ioas_id, page, i))
			return 2;
		quarters_ns[i * 4 / children] += client_now_ns() - ns;
	}
	if (write(begin[1], "", 1) != 1 || read(answer[0], &call_ns, sizeof(call_ns)) < 8)
		return 2;
	printf("%llu %llu %llu\n", (unsigned long long)quarters_ns[0],
	       (unsigned long long)quarters_ns[3], (unsigned long long)call_ns);
	return 0;
}
