/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of the sweep where one word more or less is not enough. */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AREA SWEEP_AREA
#define OUT  (SWEEP_AREA + SWEEP_OUT)
#define DATA (SWEEP_AREA + 0x90000u) /* of a nested page table: one word */

#define ASK(name, nr, count, ...)                   \
	do {                                        \
		u32 words[count] = { __VA_ARGS__ }; \
		sweep_ask(name, nr, words, count);  \
	} while (0)

/* What a call gave, as the lines say it. */
static const char *error_name(long r)
{
	return r < 0 ? strerrorname_np(errno) : "-";
}

static void ask_lengths(void)
{
	ASK("map len -1", 0x85, 10, 40, 7, ioas, 0, AREA, 0, 0xffffffff, 0xffffffff, 0x3000000, 0);
	ASK("map len -2", 0x85, 10, 40, 7, ioas, 0, AREA, 0, 0xfffffffe, 0xffffffff, 0x3000000, 0);
	ASK("map len -0x1000", 0x85, 10, 40, 7, ioas, 0, AREA, 0, 0xfffff000, 0xffffffff, 0x3000000,
	    0);
	ASK("map len -0xfff", 0x85, 10, 40, 7, ioas, 0, AREA, 0, 0xfffff001, 0xffffffff, 0x3000000,
	    0);
	ASK("map len -0x1001", 0x85, 10, 40, 7, ioas, 0, AREA, 0, 0xffffefff, 0xffffffff, 0x3000000,
	    0);
	ASK("map len -0xfff va 0", 0x85, 10, 40, 7, ioas, 0, 0, 0, 0xfffff001, 0xffffffff,
	    0x3000000, 0);
	ASK("map len 0 va -1", 0x85, 10, 40, 7, ioas, 0, 0xffffffff, 0xffffffff, 0, 0, 0x3000000,
	    0);
	ASK("map len 2 va -1", 0x85, 10, 40, 7, ioas, 0, 0xffffffff, 0xffffffff, 2, 0, 0x3000000,
	    0);
}

static void ask_dirty(void)
{
	ASK("get_dirty len 0", 0x8c, 12, 48, tracked, 0, 0, 0x1000000, 0, 0, 0, 0x1000, 0, OUT, 0);
	ASK("get_dirty len 0 iova 0", 0x8c, 12, 48, tracked, 0, 0, 0, 0, 0, 0, 0x1000, 0, OUT, 0);
	ASK("get_dirty len 0 pg 0", 0x8c, 12, 48, tracked, 0, 0, 0x1000000, 0, 0, 0, 0, 0, OUT, 0);
	ASK("get_dirty len 0 untracked", 0x8c, 12, 48, hwpt, 0, 0, 0x1000000, 0, 0, 0, 0x1000, 0,
	    OUT, 0);
	ASK("get_dirty iova hi", 0x8c, 12, 48, tracked, 0, 0, 0xfffff000, 0xffffffff, 0x2000, 0,
	    0x1000, 0, OUT, 0);
}

/* The page table with a fault queue on the parent, 0: none. */
static u32 fault_hwpt(void)
{
	u32 words[12] = { 48, 4, idev, parent, 0, 0, 0xdead, 4, DATA, 0, fault, 0 };

	return sweep_call(0x89, words) ? 0 : words[4];
}

static void ask_page_tables(void)
{
	ASK("hwpt fault on ioas", 0x89, 12, 48, 4, idev, ioas, 0, 0, 0, 0, 0, 0, fault, 0);
	ASK("hwpt fault+parent on ioas", 0x89, 12, 48, 5, idev, ioas, 0, 0, 0, 0, 0, 0, fault, 0);
	ASK("hwpt fault+dirty on ioas", 0x89, 12, 48, 6, idev, ioas, 0, 0, 0, 0, 0, 0, fault, 0);
	*(u32 *)(uintptr_t)DATA = 0xbadbeef;
	ASK("hwpt fault on parent, data", 0x89, 12, 48, 4, idev, parent, 0, 0, 0xdead, 4, DATA, 0,
	    fault, 0);
	fault_hwpt();
	ASK("hwpt pasid", 0x89, 12, 48, 8, idev, ioas);
	ASK("hwpt on hwpt no data", 0x89, 12, 48, 0, idev, parent);
	ASK("hwpt on idev", 0x89, 12, 48, 0, idev, idev);
	ASK("hwpt nest on auto hwpt", 0x89, 12, 48, 0, idev, hwpt, 0, 0, 0xdead, 4, DATA);
	ASK("hwpt nest flags parent", 0x89, 12, 48, 1, idev, parent, 0, 0, 0xdead, 4, DATA);
	ASK("hwpt nest bad type", 0x89, 12, 48, 0, idev, parent, 0, 0, 1, 4, DATA);
	ASK("hwpt nest bad len", 0x89, 12, 48, 0, idev, parent, 0, 0, 0xdead, 3, DATA);
	ASK("hwpt nest bad ptr", 0x89, 12, 48, 0, idev, parent, 0, 0, 0xdead, 4, 0x100);
	ASK("hwpt type no len", 0x89, 12, 48, 0, idev, ioas, 0, 0, 0xdead, 0, 0);
	ASK("hwpt len no type", 0x89, 12, 48, 0, idev, ioas, 0, 0, 0, 4, DATA);
}

static void ask_invalidations(void)
{
	ASK("inval paging", 0x8d, 8, 32, parent, OUT, 0, 0xdeadbeef, 8, 1, 0);
	ASK("inval ioas", 0x8d, 8, 32, ioas, OUT, 0, 0xdeadbeef, 8, 1, 0);
	ASK("inval none", 0x8d, 8, 32, 999, OUT, 0, 0xdeadbeef, 8, 1, 0);
	ASK("inval many", 0x8d, 8, 32, nested, OUT, 0, 0xdeadbeef, 8, (1u << 19) + 1, 0);
	ASK("inval 2^19", 0x8d, 8, 32, nested, 0x200, 0, 0xdeadbeef, 8, (1u << 19), 0);
	ASK("inval len 4097", 0x8d, 8, 32, nested, OUT, 0, 0xdeadbeef, 4097, 1, 0);
	ASK("inval len 4096", 0x8d, 8, 32, nested, OUT, 0, 0xdeadbeef, 4096, 1, 0);
	ASK("inval num 0", 0x8d, 8, 32, nested, 0, 0, 0xdeadbeef, 0, 0, 0);
	ASK("inval num 0 bad type", 0x8d, 8, 32, nested, 0, 0, 5, 0, 0, 0);
}

static void ask_hw_info(void)
{
	ASK("hwinfo flag 1", 0x8a, 10, 40, 1, idev, 16, OUT, 0, 0xfeedbeef, 0);
	ASK("hwinfo flag 2", 0x8a, 10, 40, 2, idev, 16, OUT, 0, 0, 0);
	ASK("hwinfo in type", 0x8a, 10, 40, 0, idev, 16, OUT, 0, 0xfeedbeef, 0);
	ASK("hwinfo in type 5", 0x8a, 10, 40, 0, idev, 16, OUT, 0, 5, 0);
	ASK("hwinfo pasid in", 0x8a, 10, 40, 0, idev, 16, OUT, 0, 0, 1);
	ASK("hwinfo res0", 0x8a, 10, 40, 0, idev, 16, OUT, 0, 0, 0x100);
	ASK("hwinfo cap in", 0x8a, 10, 40, 0, idev, 16, OUT, 0, 0, 0, 5, 5);
	ASK("hwinfo len 0", 0x8a, 10, 40, 0, idev, 0, 0, 0, 0, 0);
	ASK("hwinfo len 4096", 0x8a, 10, 40, 0, idev, 4096, OUT, 0, 0, 0);
}

static void ask_destroys(void)
{
	ASK("destroy parent", 0x80, 2, 8, parent);
	ASK("destroy fault", 0x80, 2, 8, fault);
	ASK("destroy idev", 0x80, 2, 8, idev);
	ASK("destroy stdev", 0x80, 2, 8, stdev);
	ASK("destroy tracked", 0x80, 2, 8, tracked);
}

static void answer_fault(u32 cookie, u32 code, const char *name)
{
	const u32 response[2] = { cookie, code };
	long r = write(fault_fd, response, sizeof(response));

	printf("%s %ld %s\n", name, r, error_name(r));
}

static void read_faults(void)
{
	static const size_t counts[] = { 0, 1, 39, 40, 41, 47, 48, 80, 96 };

	fcntl(fault_fd, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		u32 words[64] = { 0 };
		long r = read(fault_fd, words, counts[i]);

		printf("fault read %zu = %ld %s %x %x %x %x\n", counts[i], r, error_name(r),
		       words[1], words[2], words[3], words[4]);
		if (r <= 0)
			continue;
		answer_fault(words[9], 5, "write bad code");
		answer_fault(words[9], 0, "write");
		answer_fault(words[9], 0, "write again");
	}
}

static void ask_faults(void)
{
	u32 hwpt_with_faults;

	sweep_setup();
	*(u32 *)(uintptr_t)DATA = 0xbadbeef;
	hwpt_with_faults = fault_hwpt();
	printf("iopf hwpt %s\n", hwpt_with_faults ? "ok" : "failed");
	ASK("replace to fault hwpt", 0xa0, 18, 72, 10, stdev, 0, hwpt_with_faults);
	ASK("trigger", 0xa0, 18, 72, 15, 0, 0, idev, 0xffffffff, 7, 3, 0x4000, 0);
	ASK("trigger2", 0xa0, 18, 72, 15, 0, 0, idev, 5, 8, 3, 0x5000, 0);
	read_faults();
	ASK("trigger in id other", 0xa0, 18, 72, 15, 0, 0, ioas, 0xffffffff, 7, 3, 0x4000, 0);
	ASK("replace to ioas", 0xa0, 18, 72, 10, stdev, 0, ioas);
	ASK("replace to ioas2", 0xa0, 18, 72, 10, stdev, 0, ioas2);
	ASK("destroy nf", 0x80, 2, 8, hwpt_with_faults);
}

static void ask_mmap(const char *name, int prot, int flags)
{
	void *memory = mmap(NULL, 4096, prot, flags, device_fd, 0);

	printf("%s %s\n", name, memory == MAP_FAILED ? strerrorname_np(errno) : "ok");
}

/* ---- type 1 ---------------------------------------------------------------------- */

static long set_space(void)
{
	u32 words[3] = { 12, ioas, 1 };

	return sweep_call(0x88, words);
}

static void ask_set_iommu(int with_space)
{
	for (unsigned long type = 0; type < 12; type++) {
		long r;

		if (type) {
			sweep_setup();
			if (with_space)
				set_space();
		}
		r = ioctl(device_fd, SWEEP_CMD(102), type);
		printf("set_iommu %d %lu = %ld %s\n", with_space, type, r, error_name(r));
		r = ioctl(device_fd, SWEEP_CMD(102), 1);
		printf("  again %ld %s\n", r, error_name(r));
	}
}

static void ask_type1(int with_space)
{
	char name[64];

	sweep_setup();
	if (with_space)
		printf("vfio_ioas set %s\n", set_space() ? "failed" : "ok");
	for (unsigned long extension = 0; extension < 16; extension++) {
		long r = ioctl(device_fd, SWEEP_CMD(101), extension);

		printf("ext %d %lu = %ld %s\n", with_space, extension, r, error_name(r));
	}
	ask_set_iommu(with_space);
	for (unsigned nr = 103; nr < 123; nr++) {
		for (u32 argsz = 0; argsz <= 48; argsz += 4) {
			u32 words[32] = { argsz };

			snprintf(name, sizeof(name), "vfio %d nr %u argsz %u", with_space, nr,
				 argsz);
			sweep_ask(name, nr, words, 32);
		}
	}
}

void sweep_directed(void)
{
	puts("-- directed");
	sweep_setup();
	ask_lengths();
	ask_dirty();
	ask_page_tables();
	ask_invalidations();
	ask_hw_info();
	ask_destroys();
	ask_faults();
	sweep_setup();
	ask_mmap("mmap shared", PROT_READ, MAP_SHARED);
	ask_mmap("mmap shared exec", PROT_READ | PROT_EXEC, MAP_SHARED);
	ask_mmap("mmap private", PROT_READ, MAP_PRIVATE);
	ask_type1(0);
	ask_type1(1);
}
