/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices bound to an open file, and what they are attached to.
 *
 * What is attached is a list of (PASID, page table) in the device, PASID 0 being the
 * device's DMA without one. The kernel keeps it in the group: devices of one group have the
 * same page table for the same PASID, or none. Here a device knows the others of its group.
 *
 * All functions need the context's lock. Source: iommufd/device.c.
 */
#ifndef IOASIS_ENGINE_DEVICE_H
#define IOASIS_ENGINE_DEVICE_H

#include "sim/engine/command.h"
#include "sim/engine/hwpt.h"

#define NO_PASID 0u

struct vdevice;
struct viommu;

/* What a device's IOMMU driver does. */
struct device_driver {
	bool mock;
	bool noiommu; /* there is none: page tables only translate, for GET_PA */
	/* Sets up a zeroed domain. data may be NULL. -EOPNOTSUPP, -EINVAL, -EFAULT, -ENOMEM. */
	int (*domain_alloc_paging)(struct device *dev, struct domain *domain, uint32_t flags,
				   const struct user_data *data);
	/* The same for a nested one; NULL: -EOPNOTSUPP. viommu may be NULL. */
	int (*domain_alloc_nested)(struct device *dev, struct domain *domain, uint32_t flags,
				   const struct user_data *data, struct viommu *viommu);
	/* Switches pasid from one domain to another, NULL being the one that blocks all DMA. */
	int (*attach)(struct device *dev, uint32_t pasid, struct hwpt *hwpt, struct hwpt *old);
	/* What GET_HW_INFO gives: *type in and out; room of 64 bytes; the length or -errno. */
	int (*hw_info)(struct device *dev, uint32_t *type, void *data);
	bool (*dirty_capable)(const struct device *dev);
	/* The last user is gone. May be NULL. */
	void (*release)(struct device *dev);
};

/* One attachment: also what a page fault belongs to. */
struct attach {
	struct list_link link; /* in device.attached, by rising pasid */
	struct device *dev;
	uint32_t pasid;
	struct hwpt *hwpt; /* counted */
};

struct device {
	struct engine_object object;
	const struct device_driver *driver;
	void *private; /* the driver's */
	uint32_t max_pasids;
	const struct engine_iommu *iommu; /* what its IOMMU can do, borrowed; NULL: the default */
	struct list_link attached;
	uint32_t group;		    /* of several devices; NO_GROUP: it is alone */
	struct list_link same_group; /* ring of those of this context */
	struct vdevice *vdev; /* weak */
	bool destroying;      /* no new vdevice */
	bool holds_ctx;	      /* bound from outside: the context lives as long */
};

static inline struct device *device_get(struct engine_ctx *ctx, uint32_t id)
{
	return object_get(ctx, id, ENGINE_OBJ_DEVICE);
}

/*
 * Binds a device and publishes its object; the caller counts in its users until
 * device_unbind(). NULL: out of memory.
 */
struct device *device_bind(struct engine_ctx *ctx, const struct device_driver *driver,
			   void *private, uint32_t max_pasids);

/* Detaches all PASIDs, leaves a tombstone for a vdevice, destroys the object. */
void device_unbind(struct device *dev);

#define NO_GROUP UINT32_MAX

/* From now on it is in the group; nothing is attached yet. */
void device_join_group(struct device *dev, uint32_t group);

/* What is attached for pasid, or NULL. */
struct attach *device_attach_find(const struct device *dev, uint32_t pasid);

/* Attaches without counting the device (iommufd_hw_pagetable_attach()). */
int hwpt_attach(struct hwpt *hwpt, struct device *dev, uint32_t pasid);
/* Undoes it; the page table that was attached, its count given back, or NULL. */
struct hwpt *hwpt_detach(struct device *dev, uint32_t pasid);

/*
 * Attaches or replaces: *pt_id names an address space or a page table and
 * becomes the page table's id. -ENOENT, -EINVAL, -EBUSY, and what making and
 * filling a page table can give; nothing changed then.
 */
int device_attach(struct device *dev, uint32_t pasid, uint32_t *pt_id);
int device_replace(struct device *dev, uint32_t pasid, uint32_t *pt_id);
void device_detach(struct device *dev, uint32_t pasid);

void device_verify(struct device *dev);

#endif
