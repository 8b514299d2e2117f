/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *	sweep DEVICE [NUMBER...]
 *
 * Asks DEVICE every command number, or the ones given in hexadecimal, with all sizes of its
 * structure, and each word of it changed; then the questions of sweep_directed.c. A line
 * each. The device is opened anew for every question.
 */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_NR  0x7c
#define LAST_NR	  0xa2
#define TEST_NR	  0xa0
#define MAX_BYTES 104

int device_fd = -1, fault_fd = -1;
u32 ioas, ioas2, stdev, hwpt, idev, tracked, parent, nested, fault;

static const char *device_path;

long sweep_call(unsigned nr, void *argument)
{
	int r = ioctl(device_fd, SWEEP_CMD(nr), argument);

	return r < 0 ? -errno : r;
}

static const char *result_name(long r)
{
	return r < 0 ? strerrorname_np((int)-r) : "ok";
}

static void show(const char *name, long r, const u32 *words, const u32 *before, size_t count)
{
	/* A descriptor's number says nothing. */
	printf("%s = %ld %s", name, r < 0 ? -1 : r > 3 ? 99 : r, result_name(r));
	for (size_t i = 0; i < count; i++) {
		if (words[i] != before[i])
			printf(" [%zu]=%x", i, words[i]);
	}
	putchar('\n');
}

void sweep_ask(const char *name, unsigned nr, u32 *words, size_t count)
{
	u32 before[64];
	long r;

	memcpy(before, words, count * sizeof(*words));
	r = sweep_call(nr, words);
	/* The page sizes of type 1's GET_INFO are the processor's. */
	if (nr == 112) {
		words[2] = before[2];
		words[3] = before[3];
	}
	show(name, r, words, before, count);
}

/* One call of the setup; what fails is told. */
static void make(const char *what, unsigned nr, void *words)
{
	long r = sweep_call(nr, words);

	if (r)
		printf("%s %s\n", what, result_name(r));
}

static void put64(u32 *words, u64 value)
{
	memcpy(words, &value, sizeof(value));
}

static void setup_mocks(void)
{
	const u32 data[1] = { 0xbadbeef };
	u32 device[18] = { 72, 2, ioas };
	u32 dirty[12] = { 48, 2 };
	u32 nesting[12] = { 48, 1 };
	u32 inner[12] = { 48, 0, 0, 0, 0, 0, 0xdead, 4 };
	u32 queue[4] = { 16 };

	make("setup mock", 0xa0, device);
	stdev = device[4];
	hwpt = device[5];
	idev = device[6];
	dirty[2] = nesting[2] = inner[2] = idev;
	dirty[3] = nesting[3] = ioas;
	make("tracked", 0x89, dirty);
	tracked = dirty[4];
	make("parent", 0x89, nesting);
	parent = nesting[4];
	inner[3] = parent;
	put64(inner + 8, (uintptr_t)data);
	make("nested", 0x89, inner);
	nested = inner[4];
	make("fault", 0x8e, queue);
	fault = queue[2];
	fault_fd = (int)queue[3];
}

void sweep_setup(void)
{
	u32 first[3] = { 12 }, second[3] = { 12 };
	u32 map[10] = { 40, 7 };

	if (fault_fd > 0)
		close(fault_fd);
	if (device_fd >= 0)
		close(device_fd);
	fault_fd = -1;
	device_fd = open(device_path, O_RDWR);
	if (device_fd < 0) {
		perror(device_path);
		exit(1);
	}
	make("space", 0x81, first);
	ioas = first[2];
	make("space", 0x81, second);
	ioas2 = second[2];
	map[2] = ioas;
	put64(map + 4, SWEEP_AREA);
	put64(map + 6, 0x4000);
	put64(map + 8, 0x1000000);
	make("setup map", 0x85, map);
	setup_mocks();
}

/* A question that a command can answer, size aside. */
static void plausible(unsigned nr, u32 *words)
{
	const u32 out = SWEEP_AREA + SWEEP_OUT;
	const struct {
		unsigned nr;
		u32 words[11]; /* from word 1 on */
	} questions[] = {
		{ 0x80, { ioas2 } },
		{ 0x82, { ioas } },
		{ 0x83, { 7, ioas2, ioas, 0x1000, 0, 0x2000000, 0, 0x1000000 } },
		{ 0x84, { ioas, 4, 0, out } },
		{ 0x85, { 7, ioas, 0, SWEEP_AREA, 0, 0x1000, 0, 0x3000000 } },
		{ 0x86, { ioas, 0x1000000, 0, 0x4000 } },
		{ 0x87, { 1, 0, ioas } },
		{ 0x88, { ioas, 2 } },
		{ 0x89, { 0, idev, ioas } },
		{ 0x8a, { 0, idev, 16, out } },
		{ 0x8b, { 1, tracked } },
		{ 0x8c, { tracked, 0, 0, 0x1000000, 0, 0x4000, 0, 0x1000, 0, out } },
		{ 0x8d, { nested, out, 0, 0xdeadbeef, 8, 1 } },
		{ 0x8f, { 7, ioas, (u32)-1, 0, 0, 0x1000, 0, 0x3000000 } },
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		if (questions[i].nr == nr)
			memcpy(words + 1, questions[i].words, sizeof(questions[i].words));
	}
}

/* flip: the word that is changed, -1: none. */
static void sweep_one(unsigned nr, u32 size, int flip)
{
	u32 words[64] = { 0 }, before[64];
	char name[64];
	long r;

	sweep_setup();
	plausible(nr, words);
	words[0] = size;
	if (flip > 0)
		words[flip] ^= 0x10000;
	memcpy(before, words, sizeof(words));
	memset((void *)(uintptr_t)(SWEEP_AREA + SWEEP_OUT), 0, 4096);
	r = sweep_call(nr, words);
	if (r >= 0 && nr == 0x8e && words[3]) {
		close((int)words[3]);
		words[3] = before[3];
	}
	snprintf(name, sizeof(name), "nr %x size %u flip %d", nr, size, flip);
	show(name, r, words, before, MAX_BYTES / 4);
}

static void sweep_number(unsigned nr)
{
	for (u32 size = 0; size <= MAX_BYTES; size += 4) {
		sweep_one(nr, size, -1);
		for (int flip = 1; size > 8 && flip < (int)size / 4; flip++)
			sweep_one(nr, size, flip);
	}
}

int main(int argc, char **argv)
{
	void *area = (void *)(uintptr_t)SWEEP_AREA;

	if (argc < 2) {
		fprintf(stderr, "usage: sweep DEVICE [NUMBER...]\n");
		return 2;
	}
	device_path = argv[1];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (mmap(area, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != area) {
		perror("sweep: mmap");
		return 1;
	}
	memset(area, 0, 1 << 20);
	for (int i = 2; i < argc; i++)
		sweep_number((unsigned)strtoul(argv[i], NULL, 16));
	for (unsigned nr = FIRST_NR; argc == 2 && nr <= LAST_NR; nr++) {
		if (nr != TEST_NR)
			sweep_number(nr);
	}
	sweep_directed();
	return 0;
}
