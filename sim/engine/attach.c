/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices are attached to: attach, replace, detach, per PASID, with page
 * tables that the client made and with those made on the way.
 *
 * Each attachment counts once in its page table and once in its device. Nothing
 * changes when one of these fails. Source: iommufd/device.c, drivers/iommu/iommu.c.
 */
#include "sim/engine/device.h"
#include "sim/engine/eventq.h"

struct attach *device_attach_find(const struct device *dev, uint32_t pasid)
{
	list_for_each(link, &dev->attached)
	{
		struct attach *attach = container_of(link, struct attach, link);

		if (attach->pasid == pasid)
			return attach;
	}
	return NULL;
}

/* What another device of its group is attached to for pasid, or NULL. */
static struct attach *group_attach_find(const struct device *dev, uint32_t pasid)
{
	list_for_each(link, &dev->same_group)
	{
		struct attach *attach = device_attach_find(
			container_of(link, struct device, same_group), pasid);

		if (attach)
			return attach;
	}
	return NULL;
}

/* Traces an attachment; of a page table that no one sees yet, its maker does it later. */
static void attach_commit(const struct attach *attach, enum trace_commit_kind kind)
{
	if (attach->hwpt->object.published)
		ctx_commit(attach->dev->object.ctx, &attach->hwpt->object, kind, 0, 0,
			   attach->pasid, attach->dev->object.id);
}

/* Tells who listens what the device's DMA without a PASID reaches now, or no more. */
static void attach_note(const struct attach *attach, bool attached)
{
	struct hwpt *paging = hwpt_find_paging(attach->hwpt);

	if (paging && attach->pasid == NO_PASID)
		listeners_note_attach(attach->dev, &paging->ioas->iopt, attached);
}

/* Keeps the list by rising pasid. */
static void attach_insert(struct attach *attach)
{
	struct list_link *before = &attach->dev->attached;

	list_for_each(link, &attach->dev->attached)
	{
		if (container_of(link, struct attach, link)->pasid > attach->pasid) {
			before = link;
			break;
		}
	}
	list_append(before, &attach->link);
}

/*
 * Page tables for PASIDs and others do not mix on one device: -EINVAL. Source:
 * iommufd_hwpt_pasid_compat().
 */
static int attach_check_pasid(const struct hwpt *hwpt, const struct device *dev, uint32_t pasid)
{
	const struct attach *plain = device_attach_find(dev, NO_PASID);

	if (pasid == NO_PASID) {
		list_for_each(link, &dev->attached)
		{
			if (container_of(link, struct attach, link)->pasid != NO_PASID &&
			    !hwpt->pasid_compat)
				return -EINVAL;
		}
		return 0;
	}
	if (!hwpt->pasid_compat || (plain && !plain->hwpt->pasid_compat))
		return -EINVAL;
	return 0;
}

/* Whether the page table is of the device's IOMMU. */
static bool domain_suits(const struct domain *domain, const struct device_driver *driver)
{
	return domain->mock == driver->mock && !domain->noiommu;
}

/* What the IOMMU core checks before the driver: iommu_attach_device_pasid(). */
static int attach_check_core(const struct hwpt *hwpt, const struct device *dev, uint32_t pasid)
{
	if (!domain_suits(&hwpt->domain, dev->driver))
		return -EINVAL;
	if (pasid != NO_PASID && pasid >= dev->max_pasids)
		return -EINVAL;
	return 0;
}

/*
 * The reserved range of the device leaves the address space; -EADDRINUSE: something is
 * mapped or allowed there. Source: iopt_table_enforce_dev_resv_regions().
 */
static int attach_reserve(const struct hwpt *paging, struct device *dev, uint32_t pasid)
{
	if (!paging || pasid != NO_PASID || dev->driver->noiommu)
		return 0;
	if (ctx_should_fail(paging->object.ctx))
		return -EINVAL;
	for (unsigned int i = 0; dev->iommu && i < dev->iommu->reserved_count; i++) {
		int rc = iopt_reserve(&paging->ioas->iopt, dev->iommu->reserved[i].start,
				      dev->iommu->reserved[i].last, dev);

		if (rc) {
			iopt_unreserve(&paging->ioas->iopt, dev);
			return rc;
		}
	}
	return 0;
}

/* It comes back: iopt_remove_reserved_iova(). */
static void attach_unreserve(const struct hwpt *paging, struct device *dev, uint32_t pasid)
{
	if (paging && pasid == NO_PASID)
		iopt_unreserve(&paging->ioas->iopt, dev);
}

/* The device's IOMMU gets the page table; without one there is nothing to do. */
static int attach_hardware(struct hwpt *hwpt, struct device *dev, uint32_t pasid)
{
	int rc;

	if (ctx_should_fail(dev->object.ctx)) /* the handle */
		return -ENOMEM;
	rc = attach_check_core(hwpt, dev, pasid);
	return rc ? rc : dev->driver->attach(dev, pasid, hwpt, NULL);
}

int hwpt_attach(struct hwpt *hwpt, struct device *dev, uint32_t pasid)
{
	const struct attach *of_group = group_attach_find(dev, pasid);
	struct engine_ctx *ctx = dev->object.ctx;
	struct attach *attach;
	int rc;

	if (device_attach_find(dev, pasid))
		return -EBUSY;
	attach = ctx_alloc(ctx, sizeof(*attach));
	if (!attach)
		return -ENOMEM;
	attach->dev = dev;
	attach->pasid = pasid;
	attach->hwpt = hwpt;
	rc = of_group && of_group->hwpt != hwpt ? -EINVAL : 0;
	if (rc)
		goto out_free;
	rc = attach_reserve(hwpt_find_paging(hwpt), dev, pasid);
	if (rc)
		goto out_free;
	/* The hardware is told by the first device of the group. */
	rc = of_group ? 0 : attach_check_pasid(hwpt, dev, pasid);
	if (rc)
		goto out_unreserve;
	if (!of_group && !dev->driver->noiommu) {
		rc = attach_hardware(hwpt, dev, pasid);
		if (rc)
			goto out_unreserve;
	}
	attach_insert(attach);
	hwpt->object.users++;
	attach_commit(attach, TRACE_COMMIT_ATTACH);
	attach_note(attach, true);
	return 0;

out_unreserve:
	attach_unreserve(hwpt_find_paging(hwpt), dev, pasid);
out_free:
	free(attach);
	return rc;
}

struct hwpt *hwpt_detach(struct device *dev, uint32_t pasid)
{
	struct attach *attach = device_attach_find(dev, pasid);
	struct hwpt *hwpt;

	if (!attach)
		return NULL;
	hwpt = attach->hwpt;
	attach_commit(attach, TRACE_COMMIT_DETACH);
	attach_note(attach, false);
	list_remove(&attach->link);
	/* Back to blocking all DMA; this cannot fail. By the last device of the group. */
	if (!dev->driver->noiommu && !group_attach_find(dev, pasid))
		dev->driver->attach(dev, pasid, NULL, hwpt);
	dma_wait_device(dev);
	if (hwpt->fault)
		fault_queue_drop(hwpt->fault, attach);
	free(attach);
	attach_unreserve(hwpt_find_paging(hwpt), dev, pasid);
	hwpt_put(hwpt);
	return hwpt;
}

static int replace_hardware(struct hwpt *hwpt, struct device *dev, uint32_t pasid,
			    struct hwpt *from)
{
	if (ctx_should_fail(dev->object.ctx)) /* the handle */
		return -ENOMEM;
	if (!domain_suits(&hwpt->domain, dev->driver))
		return -EINVAL;
	return dev->driver->attach(dev, pasid, hwpt, from);
}

/* The reserved ranges of all devices of the group: iommufd_group_do_replace_reserved_iova(). */
static int group_reserve(const struct hwpt *paging, struct device *dev, uint32_t pasid)
{
	int rc = attach_reserve(paging, dev, pasid);

	if (rc)
		return rc;
	list_for_each(link, &dev->same_group)
	{
		struct device *other = container_of(link, struct device, same_group);

		if (device_attach_find(other, pasid))
			rc = attach_reserve(paging, other, pasid);
		if (!rc)
			continue;
		attach_unreserve(paging, dev, pasid);
		list_for_each(undo, &dev->same_group)
		{
			if (undo == link)
				break;
			attach_unreserve(paging, container_of(undo, struct device, same_group),
					 pasid);
		}
		return rc;
	}
	return 0;
}

static void group_unreserve(const struct hwpt *paging, struct device *dev, uint32_t pasid)
{
	attach_unreserve(paging, dev, pasid);
	list_for_each(link, &dev->same_group)
	{
		struct device *other = container_of(link, struct device, same_group);

		if (device_attach_find(other, pasid))
			attach_unreserve(paging, other, pasid);
	}
}

/* The attachment is to another page table now; the count of the one before is the caller's. */
static void attach_move(struct attach *attach, struct hwpt *hwpt, bool moves)
{
	struct hwpt *from = attach->hwpt;

	if (from->fault)
		fault_queue_drop(from->fault, attach);
	attach_commit(attach, TRACE_COMMIT_DETACH);
	dma_wait_device(attach->dev);
	if (moves)
		attach_note(attach, false);
	attach->hwpt = hwpt;
	hwpt->object.users++;
	attach_commit(attach, TRACE_COMMIT_ATTACH);
	if (moves)
		attach_note(attach, true);
}

/*
 * As iommufd_device_do_replace(): *old is what the caller must put, NULL for no change. All
 * devices of the group follow.
 */
static int hwpt_replace(struct hwpt *hwpt, struct device *dev, uint32_t pasid, struct hwpt **old)
{
	struct attach *attach = device_attach_find(dev, pasid);
	struct hwpt *paging = hwpt_find_paging(hwpt);
	struct hwpt *from;
	bool moves;
	int rc;

	*old = NULL;
	if (!attach)
		return -EINVAL;
	from = attach->hwpt;
	if (from == hwpt)
		return 0;
	moves = hwpt_find_paging(from)->ioas != paging->ioas;
	if (moves) {
		rc = group_reserve(paging, dev, pasid);
		if (rc)
			return rc;
	}
	rc = attach_check_pasid(hwpt, dev, pasid);
	if (rc)
		goto out_unreserve;
	if (!dev->driver->noiommu) {
		rc = replace_hardware(hwpt, dev, pasid, from);
		if (rc)
			goto out_unreserve;
	}
	if (moves)
		group_unreserve(hwpt_find_paging(from), dev, pasid);
	attach_move(attach, hwpt, moves);
	list_for_each(link, &dev->same_group)
	{
		attach = device_attach_find(container_of(link, struct device, same_group), pasid);
		if (!attach)
			continue;
		attach_move(attach, hwpt, moves);
		hwpt_put(from); /* not the last: the caller has one */
	}
	*old = from;
	return 0;

out_unreserve:
	if (moves)
		group_unreserve(paging, dev, pasid);
	return rc;
}

/* Attaches or replaces; the two ways differ in this alone. */
static int hwpt_switch(struct hwpt *hwpt, struct device *dev, uint32_t pasid, bool replace,
		       struct hwpt **old)
{
	*old = NULL;
	return replace ? hwpt_replace(hwpt, dev, pasid, old) : hwpt_attach(hwpt, dev, pasid);
}

/*
 * The page table of an address space that dev accepts: the first one made by an
 * attach before, else a new one. Source: iommufd_device_auto_get_domain().
 */
static int attach_ioas(struct ioas *ioas, struct device *dev, uint32_t pasid, bool replace,
		       uint32_t *pt_id, struct hwpt **old)
{
	struct engine_ctx *ctx = dev->object.ctx;
	struct hwpt *hwpt;
	int rc;

	list_for_each(link, &ioas->hwpts)
	{
		hwpt = container_of(link, struct hwpt, link);
		if (!hwpt->auto_domain)
			continue;
		rc = hwpt_switch(hwpt, dev, pasid, replace, old);
		/* -EINVAL: this one does not go with the device; any other error ends it. */
		if (rc == -EINVAL)
			continue;
		if (!rc)
			*pt_id = hwpt->object.id;
		return rc;
	}

	rc = hwpt_paging_alloc(ctx, ioas, dev, pasid, 0, !replace, NULL, &hwpt);
	if (rc)
		return rc;
	if (replace) {
		rc = hwpt_replace(hwpt, dev, pasid, old);
		if (rc) {
			object_abort_and_destroy(&hwpt->object);
			return rc;
		}
	}
	hwpt->auto_domain = true;
	*pt_id = hwpt->object.id;
	object_publish(&hwpt->object, ioas->object.id);
	attach_commit(device_attach_find(dev, pasid), TRACE_COMMIT_ATTACH);
	return 0;
}

static int device_change_pt(struct device *dev, uint32_t pasid, uint32_t *pt_id, bool replace)
{
	struct engine_object *object = object_get(dev->object.ctx, *pt_id, ENGINE_OBJ_NONE);
	struct hwpt *old = NULL;
	int rc;

	if (!object)
		return -ENOENT;
	switch (object->type) {
	case ENGINE_OBJ_HWPT_NESTED:
	case ENGINE_OBJ_HWPT_PAGING:
		rc = hwpt_switch(container_of(object, struct hwpt, object), dev, pasid, replace,
				 &old);
		break;
	case ENGINE_OBJ_IOAS:
		rc = attach_ioas(container_of(object, struct ioas, object), dev, pasid, replace,
				 pt_id, &old);
		break;
	default:
		rc = -EINVAL;
	}
	if (!rc && old)
		hwpt_put(old);
	return rc;
}

int device_attach(struct device *dev, uint32_t pasid, uint32_t *pt_id)
{
	int rc = device_change_pt(dev, pasid, pt_id, false);

	if (!rc)
		dev->object.users++;
	return rc;
}

int device_replace(struct device *dev, uint32_t pasid, uint32_t *pt_id)
{
	return device_change_pt(dev, pasid, pt_id, true);
}

void device_detach(struct device *dev, uint32_t pasid)
{
	if (hwpt_detach(dev, pasid))
		dev->object.users--;
}
