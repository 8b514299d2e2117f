/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VMM tells the kernel's KVM of our files, which the kernel does not know. */
#ifndef IOASIS_SIM_EXEC_KVM_CALLS_H
#define IOASIS_SIM_EXEC_KVM_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

/*
 * Answers KVM_SET_DEVICE_ATTR where it names one of our files to a kvm-vfio device
 * (KVM_DEV_VFIO_FILE_ADD and DEL, which are those of groups too); the kernel does the rest.
 */
void kvm_call_answer(struct fuse_device *device, const struct caller *caller);

#endif
