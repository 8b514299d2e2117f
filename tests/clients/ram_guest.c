/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In a guest: a `ram` device that keeps what it was given, also when the guest is moved.
 *
 *	ram_guest BDF
 *
 * Fills the card's memory and a register, prints `filled`, and then, ten times a second, `kept` or
 * what is not as it was. Does not end.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/clients/guest_device.h"

#define REGISTERS_BYTES 4096u
#define MEMORY_BYTES 65536u
#define RING 0x10	/* docs/PCI.md */
#define ADDRESS 0x12345000u

static volatile uint32_t *map(const char *bdf, int bar, size_t bytes)
{
	char path[128];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", bdf, bar);
	fd = open(path, O_RDWR | O_SYNC);
	at = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	return at;
}

static uint32_t pattern(uint32_t word)
{
	return word * 2654435761u + 1;
}

int main(int argc, char **argv)
{
	volatile uint32_t *registers, *memory;

	if (argc < 2)
		return 2;
	guest_device_enable(argv[1]);
	registers = map(argv[1], 0, REGISTERS_BYTES);
	memory = map(argv[1], 2, MEMORY_BYTES);
	registers[RING / 4] = ADDRESS;
	for (uint32_t i = 0; i < MEMORY_BYTES / 4; i++)
		memory[i] = pattern(i);
	printf("filled\n");
	for (;;) {
		uint32_t wrong = 0;

		fflush(stdout);
		usleep(100000);
		for (uint32_t i = 0; i < MEMORY_BYTES / 4; i++)
			wrong += memory[i] != pattern(i);
		if (registers[RING / 4] != ADDRESS)
			printf("the register is 0x%x\n", registers[RING / 4]);
		else if (wrong)
			printf("%u words are wrong\n", wrong);
		else
			printf("kept\n");
	}
}
