/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RESET of one function, and hot reset of all on its bus.
 *
 * A function is reset alone when it has FLR, or when it is alone on a bus behind a bridge.
 * Bus 0 has no bridge above it, so nothing there can be hot reset. Source:
 * vfio_pci_core.c, drivers/pci/pci.c (pci_reset_bus_function, pci_bus_resettable).
 */
#include "sim/vfio/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

static bool same_bus(const struct pci_slot *a, const struct pci_slot *b)
{
	return a->address.domain == b->address.domain && a->address.bus == b->address.bus;
}

/* How many functions a reset of the bus reaches; 0: it cannot be reset. */
static unsigned int bus_functions(const struct vfio_device *device)
{
	const struct pci_bus *bus = device->slot->bus;
	unsigned int count = 0;

	if (!device->slot->address.bus)
		return 0;
	for (unsigned int i = 0; i < pci_bus_count(bus); i++)
		count += same_bus(pci_bus_at(bus, i), device->slot);
	return count;
}

bool vfio_can_reset(const struct vfio_device *device)
{
	return pci_function_description(device->function)->flr || bus_functions(device) == 1;
}

/* The power state is D0 after any reset. */
static void power_on(struct vfio_device *device)
{
	const struct pci_config *layout = pci_function_config(device->function);
	uint8_t control;

	if (!layout->pm)
		return;
	pci_function_config_read(device->function, layout->pm + PCI_PM_CTRL, &control, 1);
	control &= (uint8_t)~PCI_PM_CTRL_STATE_MASK;
	pci_function_config_write(device->function, layout->pm + PCI_PM_CTRL, &control, 1);
}

void vfio_device_reset_function(struct vfio_device *device)
{
	power_on(device);
	vfio_dmabufs_revoke(device);
	pci_function_reset(device->function);
	vfio_migration_reset(device);
	vfio_dmabufs_update(device);
}

long vfio_reset(struct vfio_device *device)
{
	if (!vfio_can_reset(device))
		return -EINVAL;
	vfio_device_reset_function(device);
	return 0;
}

/* ---- hot reset ------------------------------------------------------------------- */

/* The id of the device at slot in ctx; 0: it is not bound to it. */
static uint32_t bound_id(const struct pci_slot *slot, const struct engine_ctx *ctx)
{
	struct vfio_device *device = slot->driver_data;
	uint32_t id = 0;

	if (!device)
		return 0;
	pthread_mutex_lock(&device->lock);
	if (device->opens && device->ctx == ctx)
		id = device->devid;
	pthread_mutex_unlock(&device->lock);
	return id;
}

/* iommufd_ctx_has_group() */
static bool has_group(const struct pci_bus *bus, uint32_t group, const struct engine_ctx *ctx)
{
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		if (pci_bus_at(bus, i)->group == group && bound_id(pci_bus_at(bus, i), ctx))
			return true;
	}
	return false;
}

/* vfio_pci_fill_devs(), vfio_iommufd_get_dev_id(). *owned becomes false for one that is not. */
static int32_t devid_for(struct vfio_file *file, const struct pci_slot *slot, bool *owned)
{
	uint32_t id = slot->driver_data ? bound_id(slot, file->ctx) : 0;

	if (id)
		return (int32_t)id;
	if (slot->driver_data && has_group(slot->bus, slot->group, file->ctx))
		return SIM_VFIO_DEVID_OWNED;
	*owned = false;
	return SIM_VFIO_DEVID_NOT_OWNED;
}

long vfio_hot_reset_info(struct vfio_file *file, const struct engine_client *client,
			 uint64_t arg)
{
	struct vfio_device *device = file->device;
	const struct pci_bus *bus = device->slot->bus;
	struct sim_vfio_dependent_device devices[PCI_BUS_FUNCTIONS_MAX];
	struct sim_vfio_hot_reset_info info;
	bool owned = true;
	uint32_t count = 0;

	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	info.flags = 0;
	info.count = bus_functions(device);
	if (!info.count)
		return -ENODEV;
	if (info.count > (info.argsz - sizeof(info)) / sizeof(devices[0]))
		return client->ops->copy_out(client, arg, &info, sizeof(info)) ? -EFAULT :
										  -ENOSPC;
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		const struct pci_slot *slot = pci_bus_at(bus, i);
		struct sim_vfio_dependent_device *entry = &devices[count];

		if (!same_bus(slot, device->slot))
			continue;
		*entry = (struct sim_vfio_dependent_device){
			.segment = slot->address.domain,
			.bus = slot->address.bus,
			.devfn = (uint8_t)(slot->address.slot << 3 | slot->address.function),
		};
		if (file->by_group)
			entry->group_id = slot->group;
		else
			entry->devid = devid_for(file, slot, &owned);
		count++;
	}
	if (!file->by_group)
		info.flags = SIM_VFIO_HOT_RESET_DEV_ID |
			     (owned ? SIM_VFIO_HOT_RESET_DEV_ID_OWNED : 0);
	if (client->ops->copy_out(client, arg + sizeof(info), devices, count * sizeof(devices[0])))
		return -EFAULT;
	return client->ops->copy_out(client, arg, &info, sizeof(info));
}

/* Whether every function on the bus may be reset by whoever has the file, or the groups. */
static bool all_are_owned(struct vfio_file *file, const uint32_t *groups, uint32_t groups_count)
{
	const struct pci_slot *own = file->device->slot;
	bool owned = true;

	for (unsigned int i = 0; i < pci_bus_count(own->bus) && owned; i++) {
		const struct pci_slot *slot = pci_bus_at(own->bus, i);

		if (!same_bus(slot, own))
			continue;
		if (!groups) {
			devid_for(file, slot, &owned);
			continue;
		}
		owned = false;
		for (uint32_t k = 0; k < groups_count && !owned; k++)
			owned = groups[k] == slot->group;
	}
	return owned;
}

/* The groups that the client names by their files. */
static long groups_of(struct vfio_file *file, const struct engine_client *client, uint64_t arg,
		      uint32_t count, uint32_t *groups)
{
	const struct vfio_device_env *env = &file->device->env;
	int32_t fds[PCI_BUS_FUNCTIONS_MAX];

	if (count > bus_functions(file->device))
		return -EINVAL;
	if (client->ops->copy_in(client, fds, arg + sizeof(struct sim_vfio_hot_reset),
				 count * sizeof(fds[0])))
		return -EFAULT;
	for (uint32_t i = 0; i < count; i++) {
		int err = env->group_of_fd ?
				  env->group_of_fd(env->opaque, client, fds[i], &groups[i]) :
				  -EINVAL;

		if (err)
			return err;
	}
	return 0;
}

long vfio_hot_reset(struct vfio_file *file, const struct engine_client *client, uint64_t arg)
{
	const struct pci_slot *own = file->device->slot;
	uint32_t groups[PCI_BUS_FUNCTIONS_MAX];
	struct sim_vfio_hot_reset reset;
	long rc;

	if (client->ops->copy_in(client, &reset, arg, sizeof(reset)))
		return -EFAULT;
	if (reset.argsz < sizeof(reset) || reset.flags)
		return -EINVAL;
	/* Groups are for devices that were opened by their group. */
	if (!!reset.count != file->by_group)
		return -EINVAL;
	if (!bus_functions(file->device))
		return -ENODEV;
	if (reset.count) {
		rc = groups_of(file, client, arg, reset.count, groups);
		if (rc)
			return rc;
	}
	if (!all_are_owned(file, reset.count ? groups : NULL, reset.count))
		return -EINVAL;
	for (unsigned int i = 0; i < pci_bus_count(own->bus); i++) {
		const struct pci_slot *slot = pci_bus_at(own->bus, i);

		if (same_bus(slot, own) && slot->driver_data)
			vfio_device_reset_function(slot->driver_data);
	}
	return 0;
}
