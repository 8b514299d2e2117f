/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that are stopped for the kernel's test command alone (--test-ops):
 * which of its operations give a file, reading nothing.
 * And the folders of fault injection.
 */
#ifndef IOASIS_SIM_EXEC_TEST_CALLS_H
#define IOASIS_SIM_EXEC_TEST_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

#include <stdbool.h>

/* Whether the operation that the caller asks for would put a file into it. */
bool test_cmd_gives_file(const struct caller *caller);

/* Answers a read() or write() of no bytes: the device's files may have an error for it. */
void test_move_nothing(struct fuse_device *device, const struct caller *caller);

/*
 * Makes the folders of fault injection in debugfs's place, whose knobs take what
 * is written and do nothing, where the kernel has none. Comes after
 * namespace_enter(). 0, or -errno with one line in why (size bytes).
 */
int test_make_debugfs(char *why, size_t size);

#endif
