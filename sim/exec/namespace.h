/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private namespaces for a process and what it starts: a mount namespace whose
 * /dev has an `iommu` of its own, and where the caller is not all-powerful a user
 * namespace that lets it make one.
 *
 * Nothing of it is visible outside, and all of it is gone with the last process
 * inside.
 */
#ifndef IOASIS_SIM_EXEC_NAMESPACE_H
#define IOASIS_SIM_EXEC_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>

#define NAMESPACE_DEVICE_PATH "/dev/iommu"
#define NAMESPACE_VFIO_FOLDER "/dev/vfio/devices"

/*
 * Moves the calling process, which must have a single thread, into namespaces of
 * its own. It keeps its user and group ids: root keeps all ids, another user is
 * alone with its own. It has every capability over the namespaces afterwards.
 *
 * Root that has all capabilities already gets a mount namespace only, so that
 * what a real VMM does to the host (tap devices, cgroups) still works in it.
 *
 * 0, with why empty or what CMD will miss; or -errno with one line in why (size bytes).
 */
int namespace_enter(char *why, size_t size);

/*
 * Makes NAMESPACE_DEVICE_PATH a file to mount over. That of an exec around this one is
 * used again; otherwise /dev becomes a small file system that shows all that /dev has
 * and the new file. Comes after namespace_enter(). 0, or -errno with one line in why.
 */
int namespace_make_device_path(char *why, size_t size);

/*
 * Makes /dev/vfio a folder of this namespace, with_devices with the empty folder
 * NAMESPACE_VFIO_FOLDER in it; what the host has in /dev/vfio is hidden. Comes after namespace_make_device_path(). 0, or -errno with one
 * line in why.
 */
int namespace_make_vfio_folder(bool with_devices, char *why, size_t size);

/*
 * Lets programs that the calling process runs keep the capabilities that the
 * kernel's iommufd asks a caller for, and those to look into other processes,
 * when it is not root: CAP_IPC_LOCK, CAP_SYS_RESOURCE, CAP_SYS_PTRACE. 0 or -errno.
 */
int namespace_keep_capabilities(void);

#endif
