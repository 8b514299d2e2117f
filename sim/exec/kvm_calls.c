/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/kvm_calls.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* include/uapi/linux/kvm.h; Debian 12's has the names of groups alone */
#define VFIO_FILE 1u
#define VFIO_FILE_ADD 1u
#define VFIO_FILE_DEL 2u

/* Whether fd of the caller is what KVM_CREATE_DEVICE of KVM_DEV_TYPE_VFIO gave. */
static bool is_kvm_vfio(const struct caller *caller, int fd)
{
	char path[64], target[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", caller->notif->pid, fd);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return !strcmp(target, "anon_inode:kvm-vfio");
}

/* Whether fd of the caller is an open file of ours. */
static bool is_our_file(struct fuse_device *device, const struct caller *caller, int fd)
{
	int dup = caller_dup_fd(caller, fd);
	struct fuse_open *open;

	if (dup < 0)
		return false;
	open = fuse_device_open_get(device, dup);
	close(dup);
	if (!open)
		return false;
	fuse_device_open_put(open);
	return true;
}

void kvm_call_answer(struct fuse_device *device, const struct caller *caller)
{
	const struct seccomp_data *data = &caller->notif->data;
	struct kvm_device_attr attr;
	int32_t fd;

	if (caller_read(caller, data->args[2], &attr, sizeof(attr)) || attr.group != VFIO_FILE ||
	    (attr.attr != VFIO_FILE_ADD && attr.attr != VFIO_FILE_DEL) ||
	    !is_kvm_vfio(caller, (int)data->args[0]) ||
	    caller_read(caller, attr.addr, &fd, sizeof(fd)) || !is_our_file(device, caller, fd)) {
		caller_continue(caller);
		return;
	}
	/* What the kernel would do then, cache coherency and a reference, is for real devices. */
	caller_answer(caller, 0);
}
