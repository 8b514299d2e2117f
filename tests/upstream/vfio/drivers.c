/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of the tests' drivers of DMA engines, which need the kernel's own headers
 * and devices that are not here.
 */
#include <libvfio.h>

static int not_here(struct vfio_pci_device *device)
{
	(void)device;
	return -1;
}

struct vfio_pci_driver_ops dsa_ops = { .name = "dsa", .probe = not_here };
struct vfio_pci_driver_ops ioat_ops = { .name = "ioat", .probe = not_here };
struct vfio_pci_driver_ops igb_ops = { .name = "igb", .probe = not_here };
struct vfio_pci_driver_ops nv_falcon_ops = { .name = "nv_falcon", .probe = not_here };
