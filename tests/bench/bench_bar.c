/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench bar: a register of the edu device read through its file, which is what a VMM does for
 * its guest's load, beside the other build; and a mapped BAR beside memory.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

#define ROUNDS 9
#define READS "2000"

static bool read_device(char *ioasis, char *device, char *how, uint64_t ns[2])
{
	char client[PATH_MAX];
	char *argv[] = { ioasis, "exec",       "--leak-check",
			 "no",	 "--device",   device,
			 "--",	 client,       "/dev/iommu",
			 "/dev/vfio/devices/vfio0", READS, how, NULL };

	bench_sibling("tests/bench_bar_client", client, sizeof(client));
	return bench_numbers(argv, ns, 2);
}

int bench_bar(struct bench *bench)
{
	char ours[PATH_MAX], other[PATH_MAX];
	uint64_t ours_ns[ROUNDS], other_ns[ROUNDS], bar[ROUNDS], memory[ROUNDS], numbers[2];
	bool has_other = bench_other(bench, "ioasis", other, sizeof(other));

	if (access("/dev/fuse", R_OK | W_OK)) {
		bench_skip(bench, "no /dev/fuse: %s", strerror(errno));
		return 0;
	}
	bench_sibling("ioasis", ours, sizeof(ours));
	for (size_t i = 0; i < ROUNDS; i++) {
		if (!read_device(ours, "edu", NULL, numbers))
			return -EIO;
		ours_ns[i] = numbers[0];
		if (has_other && !read_device(other, "edu", NULL, numbers))
			return -EIO;
		other_ns[i] = numbers[0];
		if (!read_device(ours, "nvme,memory=1M", "map", numbers))
			return -EIO;
		bar[i] = numbers[0];
		memory[i] = numbers[1];
	}
	bench_figure(bench, "a register through the file", (double)bench_median(ours_ns, ROUNDS),
		     "ns");
	bench_ratio_at_most(bench, "a load from a mapped BAR / from memory", bar, memory, ROUNDS, 1.2);
	if (!has_other) {
		bench_skip(bench, "the other build's register: --against DIR is not given");
		return 0;
	}
	bench_ratio_at_most(bench, "a register / the other build", ours_ns, other_ns, ROUNDS, 0.5);
	return 0;
}
