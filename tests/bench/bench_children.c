/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench children: what thousands of a client's children that ended cost it, and others. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_command.h"

int bench_children(struct bench *bench)
{
	char ioasis[PATH_MAX], client[PATH_MAX];
	char *argv[] = { ioasis, "exec", "--leak-check", "no", "--", client, "/dev/iommu", "4000",
			 NULL };
	uint64_t ns[3];

	if (access("/dev/fuse", R_OK | W_OK)) {
		bench_skip(bench, "no /dev/fuse: %s", strerror(errno));
		return 0;
	}
	bench_sibling("ioasis", ioasis, sizeof(ioasis));
	bench_sibling("tests/bench_children_client", client, sizeof(client));
	if (!bench_numbers(argv, ns, 3))
		return -EIO;
	bench_figure(bench, "the first thousand children", (double)ns[0] / 1e9, "s");
	bench_at_most(bench, "the fourth thousand to the first", (double)ns[1] / (double)ns[0], 1.5,
		      "");
	bench_at_most(bench, "a stranger's first call then", (double)ns[2] / 1e6, 10, "ms");
	return 0;
}
