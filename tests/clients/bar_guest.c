/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In a guest: what a register of a PCI device costs.
 *
 *	bar_guest BDF READS
 *
 * Maps BAR 0 and reads its first register in batches. Prints `bar-read NS`: the nanoseconds of a
 * read in the median batch.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bench/client_time.h"
#include "tests/clients/guest_device.h"

#define BATCH 200u
#define PAGE 4096u

int main(int argc, char **argv)
{
	size_t batches = argc > 2 ? strtoul(argv[2], NULL, 10) / BATCH : 0;
	uint64_t *times = calloc(batches + 1, sizeof(*times));
	volatile uint32_t *bar;
	char path[128];
	int fd;

	if (!batches || !times)
		return 2;
	guest_device_enable(argv[1]);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", argv[1]);
	fd = open(path, O_RDWR | O_SYNC);
	bar = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED) {
		perror(path);
		return 1;
	}
	for (size_t i = 0; i < batches; i++) {
		uint64_t begin_ns = client_now_ns();

		for (unsigned int k = 0; k < BATCH; k++)
			(void)*bar;
		times[i] = (client_now_ns() - begin_ns) / BATCH;
	}
	printf("register 0x%x\n", *bar);
	printf("bar-read %llu\n", (unsigned long long)client_median(times, batches));
	return 0;
}
