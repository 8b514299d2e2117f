/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls of CMD stop and are told to this process (seccomp user
 * notification, seccomp_unotify(2)).
 *
 * Those that FUSE cannot serve: ioctls whose answer is a file descriptor in
 * the caller, mmap of files, and with the test command the few more that its users
 * need; and those that are answered faster this way: ioctls with the numbers of iommufd and
 * VFIO. Every other call passes after a handful of comparisons in the kernel.
 */
#ifndef IOASIS_SIM_EXEC_FILTER_H
#define IOASIS_SIM_EXEC_FILTER_H

#include "ioasis/iommufd_abi.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define FILTER_INSNS_MAX 128

/* include/uapi/linux/vfio.h: both give a file. */
#define FILTER_VFIO_GROUP_GET_DEVICE_FD _IO(IOMMUFD_TYPE, 106)
#define FILTER_VFIO_DEVICE_FEATURE _IO(IOMMUFD_TYPE, 117)

/* The kernel's test command, drivers/iommu/iommufd/iommufd_test.h. */
#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, 0xa0)

struct filter {
	unsigned short count;
	struct sock_filter insns[FILTER_INSNS_MAX];
};

/*
 * Makes the filter. test_ops: also the test command, reads of no bytes, and opening
 * files (see proc_files.h). devices: also calls of VFIO that give a file, those that tell
 * KVM of one, and stat (see stat_calls.h). all_ioctls: all with iommufd's type, and
 * the return from handlers of signals; with devices reads that may be of a register, too.
 */
void filter_build(struct filter *filter, bool test_ops, bool devices, bool all_ioctls);

/*
 * Installs it for the calling thread and all that it starts. Needs CAP_SYS_ADMIN
 * in the user namespace, so that set-user-id programs still work. Returns the
 * listener (close-on-exec); -EBUSY: there is one already (exec in exec); -errno.
 */
int filter_install(const struct filter *filter);

#endif
