/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page table objects: HWPT_ALLOC, page tables made by attaching, HWPT_INVALIDATE.
 *
 * A paging page table is filled before anyone sees it, and stays filled: every
 * later MAP of its address space goes into it too. So an object of this type
 * that is published is always in its address space's list of domains.
 */
#include "sim/engine/hwpt.h"

#include "sim/engine/device.h"
#include "sim/engine/eventq.h"
#include "sim/engine/mock.h"
#include "sim/engine/viommu.h"

int user_data_copy_in(struct engine_ctx *ctx, void *dst, const struct user_data *data,
		      uint32_t type, size_t size, size_t min_size)
{
	if (data->type != type || data->len < min_size || data->len > size)
		return -EINVAL;
	return ctx_copy_struct_in(ctx, dst, size, data->uptr, data->len);
}

/* ---- the objects' ends ------------------------------------------------------ */

static void hwpt_end(struct hwpt *hwpt)
{
	if (hwpt->domain_ready)
		domain_fini(&hwpt->domain);
	if (hwpt->fault)
		hwpt->fault->queue.object.users--;
}

static void hwpt_paging_destroy(struct engine_object *object)
{
	struct hwpt *hwpt = container_of(object, struct hwpt, object);

	if (!list_empty(&hwpt->link)) {
		list_remove(&hwpt->link);
		iopt_table_remove_domain(&hwpt->ioas->iopt, &hwpt->domain.iopt);
	}
	hwpt_end(hwpt);
	hwpt->ioas->object.users--;
}

static void hwpt_nested_destroy(struct engine_object *object)
{
	struct hwpt *hwpt = container_of(object, struct hwpt, object);

	hwpt_end(hwpt);
	if (hwpt->viommu)
		hwpt->viommu->object.users--;
	else
		hwpt->parent->object.users--;
}

static const struct object_ops hwpt_paging_ops = { .destroy = hwpt_paging_destroy };
static const struct object_ops hwpt_nested_ops = { .destroy = hwpt_nested_destroy };

struct hwpt *hwpt_get_any(struct engine_ctx *ctx, uint32_t id, int *rc)
{
	struct engine_object *object = object_get(ctx, id, ENGINE_OBJ_NONE);

	if (!object) {
		*rc = -ENOENT;
		return NULL;
	}
	if (object->type != ENGINE_OBJ_HWPT_PAGING && object->type != ENGINE_OBJ_HWPT_NESTED) {
		*rc = -EINVAL;
		return NULL;
	}
	return container_of(object, struct hwpt, object);
}

void hwpt_put(struct hwpt *hwpt)
{
	if (hwpt_is_paging(hwpt) && hwpt->auto_domain)
		object_put_and_try_destroy(&hwpt->object);
	else
		hwpt->object.users--;
}

/* ---- making them ------------------------------------------------------------ */

int hwpt_paging_alloc(struct engine_ctx *ctx, struct ioas *ioas, struct device *dev,
		      uint32_t pasid, uint32_t flags, bool attach, const struct user_data *data,
		      struct hwpt **out)
{
	uint32_t valid = (IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			  IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID) &
			 command_flags(ctx, IOMMUFD_CMD_HWPT_ALLOC);
	struct hwpt *hwpt;
	int rc;

	if (!engine_changed(ctx, CHANGE_PAGING_FAULTS))
		valid &= ~(uint32_t)IOMMU_HWPT_FAULT_ID_VALID;
	if (flags & ~valid)
		return -EOPNOTSUPP;
	if ((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) && !dev->driver->dirty_capable(dev))
		return -EOPNOTSUPP;
	if ((flags & IOMMU_HWPT_FAULT_ID_VALID) && (flags & IOMMU_HWPT_ALLOC_NEST_PARENT) &&
	    engine_changed(ctx, CHANGE_NO_PARENT_FAULTS))
		return -EOPNOTSUPP;

	hwpt = object_alloc(ctx, sizeof(*hwpt), ENGINE_OBJ_HWPT_PAGING, &hwpt_paging_ops);
	if (!hwpt)
		return -ENOMEM;
	list_init(&hwpt->link);
	hwpt->pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	hwpt->ioas = ioas;
	ioas->object.users++;

	rc = dev->driver->domain_alloc_paging(dev, &hwpt->domain,
					      flags & ~(uint32_t)IOMMU_HWPT_FAULT_ID_VALID, data);
	if (rc)
		goto out_abort;
	hwpt->domain_ready = true;
	if (attach) {
		rc = hwpt_attach(hwpt, dev, pasid);
		if (rc)
			goto out_abort;
	}
	rc = iopt_table_add_domain(&ioas->iopt, &hwpt->domain.iopt);
	if (rc)
		goto out_detach;
	list_append(&ioas->hwpts, &hwpt->link);
	*out = hwpt;
	return 0;

out_detach:
	if (attach)
		hwpt_detach(dev, pasid);
out_abort:
	object_abort_and_destroy(&hwpt->object);
	return rc;
}

/* The driver's half of a nested page table; the object's counts are set already. */
static int hwpt_nested_fill(struct hwpt *hwpt, struct device *dev, uint32_t flags,
			    const struct user_data *data)
{
	int rc;

	rc = dev->driver->domain_alloc_nested(dev, &hwpt->domain,
					      flags & ~(uint32_t)IOMMU_HWPT_FAULT_ID_VALID, data,
					      hwpt->viommu);
	if (rc) {
		object_abort_and_destroy(&hwpt->object);
		return rc;
	}
	hwpt->domain_ready = true;
	return 0;
}

/* A nested page table on a parent, or on a vIOMMU (then parent is the vIOMMU's). */
static int hwpt_nested_alloc(struct engine_ctx *ctx, struct hwpt *parent, struct viommu *viommu,
			     struct device *dev, uint32_t flags, const struct user_data *data,
			     struct hwpt **out)
{
	struct hwpt *hwpt;

	if (flags & ~((IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID) &
		      command_flags(ctx, IOMMUFD_CMD_HWPT_ALLOC)))
		return -EOPNOTSUPP;
	if (!data->len || !dev->driver->domain_alloc_nested)
		return -EOPNOTSUPP;
	if (!viommu && (parent->auto_domain || !parent->nest_parent ||
			parent->domain.mock != dev->driver->mock))
		return -EINVAL;

	hwpt = object_alloc(ctx, sizeof(*hwpt), ENGINE_OBJ_HWPT_NESTED, &hwpt_nested_ops);
	if (!hwpt)
		return -ENOMEM;
	list_init(&hwpt->link);
	hwpt->pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->parent = parent;
	hwpt->viommu = viommu;
	if (viommu)
		viommu->object.users++;
	else
		parent->object.users++;
	*out = hwpt;
	return hwpt_nested_fill(hwpt, dev, flags, data);
}

/* Makes the page table that the call asks for, by what its pt_id names. */
static int hwpt_alloc_on(struct engine_ucmd *ucmd, struct device *dev,
			 struct engine_object *on, struct hwpt **out)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	const struct user_data data = {
		.uptr = cmd->data_uptr,
		.len = cmd->data_len,
		.type = cmd->data_type,
	};
	struct viommu *viommu;

	switch (on->type) {
	case ENGINE_OBJ_IOAS:
		return hwpt_paging_alloc(ucmd->ctx, container_of(on, struct ioas, object), dev,
					 NO_PASID, cmd->flags, false, data.len ? &data : NULL, out);
	case ENGINE_OBJ_HWPT_PAGING:
		return hwpt_nested_alloc(ucmd->ctx, container_of(on, struct hwpt, object), NULL,
					 dev, cmd->flags, &data, out);
	case ENGINE_OBJ_VIOMMU:
		viommu = container_of(on, struct viommu, object);
		if (viommu->mock != dev->driver->mock)
			return -EINVAL;
		return hwpt_nested_alloc(ucmd->ctx, viommu->hwpt, viommu, dev, cmd->flags, &data,
					 out);
	default:
		return -EINVAL;
	}
}

int cmd_hwpt_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct engine_object *on;
	struct fault_queue *fault;
	struct device *dev;
	struct hwpt *hwpt = NULL;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if ((cmd->data_type == IOMMU_HWPT_DATA_NONE) != (cmd->data_len == 0))
		return -EINVAL;
	dev = device_get(ucmd->ctx, cmd->dev_id);
	if (!dev)
		return -ENOENT;
	on = object_get(ucmd->ctx, cmd->pt_id, ENGINE_OBJ_NONE);
	if (!on)
		return -EINVAL;
	rc = hwpt_alloc_on(ucmd, dev, on, &hwpt);
	if (rc)
		return rc;
	ucmd->new_object = &hwpt->object;
	ucmd->new_parent = cmd->pt_id;

	if (cmd->flags & IOMMU_HWPT_FAULT_ID_VALID) {
		fault = object_get(ucmd->ctx, cmd->fault_id, ENGINE_OBJ_FAULT);
		if (!fault)
			return -ENOENT;
		hwpt->fault = fault;
		fault->queue.object.users++;
	}
	cmd->out_hwpt_id = hwpt->object.id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

/* ---- invalidation ----------------------------------------------------------- */

/* Far above any real batch (hw_pagetable.c, IOMMU_HWPT_INVALIDATE_ENTRY_NUM_MAX). */
#define INVALIDATE_ENTRIES_MAX (1u << 19)

static int hwpt_invalidate(struct engine_ucmd *ucmd, uint32_t *done)
{
	const struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct engine_object *object;

	*done = 0;
	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if (cmd->entry_num && (!cmd->data_uptr || !cmd->entry_len ||
			       cmd->entry_len > ENGINE_PAGE_SIZE ||
			       cmd->entry_num > INVALIDATE_ENTRIES_MAX))
		return -EINVAL;
	object = object_get(ucmd->ctx, cmd->hwpt_id, ENGINE_OBJ_NONE);
	if (!object)
		return -ENOENT;
	switch (object->type) {
	case ENGINE_OBJ_HWPT_NESTED:
		return mock_nested_invalidate(container_of(object, struct hwpt, object), cmd, done);
	case ENGINE_OBJ_VIOMMU:
		return mock_viommu_invalidate(container_of(object, struct viommu, object), cmd,
					      done);
	default:
		/* Before vIOMMUs only nested page tables were looked up. */
		return engine_changed(ucmd->ctx, CHANGE_INVALIDATE_ANY) ? -EINVAL : -ENOENT;
	}
}

int cmd_hwpt_invalidate(struct engine_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct engine_object *object;
	uint32_t done;
	int rc;

	rc = hwpt_invalidate(ucmd, &done);
	if (done) {
		object = ucmd->ctx->objects.slots[cmd->hwpt_id];
		ctx_commit(ucmd->ctx, object, TRACE_COMMIT_INVALIDATE, 0, 0, 0, done);
	}
	/* Written back whatever happened: how far it came. */
	cmd->entry_num = done;
	if (ucmd_respond(ucmd, sizeof(*cmd)))
		return -EFAULT;
	return rc;
}

/* ---- checks ----------------------------------------------------------------- */

void hwpt_verify(struct hwpt *hwpt)
{
	ENGINE_BUG_ON(!hwpt->domain_ready);
	domain_verify(&hwpt->domain);
	if (hwpt_is_paging(hwpt)) {
		ENGINE_BUG_ON(hwpt->domain.nested || !hwpt->ioas || hwpt->parent || hwpt->viommu);
		ENGINE_BUG_ON(list_empty(&hwpt->link) || list_empty(&hwpt->domain.iopt.link));
		ENGINE_BUG_ON(hwpt->auto_domain && hwpt->object.users < 2);
	} else {
		ENGINE_BUG_ON(!hwpt->domain.nested || hwpt->ioas || !hwpt->parent);
		ENGINE_BUG_ON(!hwpt_is_paging(hwpt->parent) || !hwpt->parent->nest_parent);
	}
}
