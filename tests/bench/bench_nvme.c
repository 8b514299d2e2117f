/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench nvme: random reads of 4 KiB at depth 32 by a native driver that rings doorbells in a mapped
 * BAR. The comparison with QEMU's controller needs a guest; `make check-qemu` makes it.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

/* The number that the client prints with its reads a second; 0: none. */
static double reads_a_second(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];
	double reads = 0;

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, " reads a second");

		while (at && at > line && at[-1] >= '0' && at[-1] <= '9')
			at--;
		if (at)
			reads = strtod(at, NULL);
	}
	if (file)
		fclose(file);
	return reads;
}

int bench_nvme(struct bench *bench)
{
	char ioasis[PATH_MAX], client[PATH_MAX], scratch[PATH_MAX], output[PATH_MAX + 16];
	char *argv[] = { ioasis, "exec", "--leak-check", "no", "--device", "nvme,memory=64M", "--",
			 client, "/dev/iommu", "/dev/vfio/devices/vfio0", "3", NULL };
	struct bench_cost cost;
	int ret;

	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	bench_sibling("tests/nvme_client", client, sizeof(client));
	if (access("/dev/fuse", R_OK | W_OK) || access(client, X_OK)) {
		bench_skip(bench, "no /dev/fuse, or tests/nvme_client is not built");
		return 0;
	}
	ret = bench_scratch(scratch, sizeof(scratch));
	if (ret)
		return ret;
	snprintf(output, sizeof(output), "%s/output", scratch);
	ret = bench_command(argv, output, &cost) ? -EIO : 0;
	if (!ret)
		bench_figure(bench, "random reads of 4 KiB, depth 32, native driver",
			     reads_a_second(output), "reads/s");
	bench_skip(bench, "QEMU's nvme in the same guest: make check-qemu compares");
	bench_scratch_remove(scratch);
	return ret;
}
