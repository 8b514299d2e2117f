/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis bench: starts the program ioasis-bench, which stands beside this one. */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "ioasis-bench"

int cmd_bench(int argc, char **argv)
{
	char path[PATH_MAX + sizeof(PROGRAM)];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	(void)argc;
	if (len > 0) {
		path[len] = 0;
		strcpy(strrchr(path, '/') + 1, PROGRAM);
		execv(path, argv);
	}
	fprintf(stderr, "ioasis bench: %s, beside the program ioasis, cannot be run: %s; "
			"'make' in the sources builds it\n", PROGRAM, strerror(errno));
	return 3;
}
