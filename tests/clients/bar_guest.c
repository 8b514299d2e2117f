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
#include <time.h>
#include <unistd.h>

#define BATCH 200u
#define PAGE 4096u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Memory decoding on: the register behind it answers. */
static void enable(const char *bdf)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
}

int main(int argc, char **argv)
{
	size_t batches = argc > 2 ? strtoul(argv[2], NULL, 10) / BATCH : 0;
	uint64_t *times = calloc(batches + 1, sizeof(*times));
	volatile uint32_t *bar;
	char path[128];
	int fd;

	if (!batches || !times)
		return 2;
	enable(argv[1]);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", argv[1]);
	fd = open(path, O_RDWR | O_SYNC);
	bar = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED) {
		perror(path);
		return 1;
	}
	for (size_t i = 0; i < batches; i++) {
		uint64_t begin_ns = now_ns();

		for (unsigned int k = 0; k < BATCH; k++)
			(void)*bar;
		times[i] = (now_ns() - begin_ns) / BATCH;
	}
	qsort(times, batches, sizeof(*times), compare);
	printf("register 0x%x\n", *bar);
	printf("bar-read %llu\n", (unsigned long long)times[batches / 2]);
	return 0;
}
