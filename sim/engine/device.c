/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: bind and unbind, GET_HW_INFO. What they are attached to is attach.c.
 *
 * A device in the table always has its driver as a user, so DESTROY of its id is
 * refused; only unbinding takes it away.
 */
#include "sim/engine/device.h"

#include <string.h>

#include "sim/engine/viommu.h"

static void device_destroy(struct engine_object *object)
{
	struct device *dev = container_of(object, struct device, object);

	if (dev->driver->release)
		dev->driver->release(dev);
}

static const struct object_ops device_ops = { .destroy = device_destroy };

/* The kernel makes a group of its own, and claims the hardware's where there is one. */
static bool group_alloc_fails(struct engine_ctx *ctx, const struct device_driver *driver)
{
	return ctx_should_fail(ctx) || (!driver->noiommu && ctx_should_fail(ctx));
}

struct device *device_bind(struct engine_ctx *ctx, const struct device_driver *driver,
			   void *private, uint32_t max_pasids)
{
	const bool object_first = engine_changed(ctx, CHANGE_BIND_OBJECT_FIRST);
	struct device *dev;

	if (!object_first && group_alloc_fails(ctx, driver))
		return NULL;
	dev = object_alloc(ctx, sizeof(*dev), ENGINE_OBJ_DEVICE, &device_ops);
	if (!dev)
		return NULL;
	if (object_first && group_alloc_fails(ctx, driver)) {
		object_abort(&dev->object);
		return NULL;
	}
	dev->driver = driver;
	dev->private = private;
	dev->max_pasids = max_pasids;
	dev->group = NO_GROUP;
	list_init(&dev->attached);
	list_init(&dev->same_group);
	dev->object.users++;
	object_publish(&dev->object, 0);
	return dev;
}

void device_join_group(struct device *dev, uint32_t group)
{
	struct engine_object *object;
	uint32_t id;

	dev->group = group;
	for (id = 0; (object = object_next(dev->object.ctx, &id)); id++) {
		struct device *other = container_of(object, struct device, object);

		if (object->type != ENGINE_OBJ_DEVICE || other == dev || other->group != group)
			continue;
		list_append(&other->same_group, &dev->same_group);
		return;
	}
}

void device_unbind(struct device *dev)
{
	/*
	 * The kernel relies on the driver to have detached all; its test driver
	 * forgets PASIDs, which leaves the object behind until the last close.
	 */
	while (!list_empty(&dev->attached))
		device_detach(dev, container_of(dev->attached.next, struct attach, link)->pasid);
	list_remove(&dev->same_group);
	dev->destroying = true;
	if (dev->vdev) {
		dev->vdev->object.users++;
		object_destroy_user(&dev->vdev->object, true);
	}
	object_destroy_user(&dev->object, false);
}

/* Room for what any driver's hw_info gives. */
#define HW_INFO_BYTES 64u

/* Fills the caller's buffer: data_len bytes of data, the rest zeros. 0 or -EFAULT. */
static int hw_info_copy_out(struct engine_ctx *ctx, const struct iommu_hw_info *cmd,
			    const void *data, uint32_t data_len)
{
	static const uint8_t zeros[4 * ENGINE_PAGE_SIZE];
	uint32_t done = cmd->data_len < data_len ? cmd->data_len : data_len;

	if (done && ctx_copy_out(ctx, cmd->data_uptr, data, done))
		return -EFAULT;
	while (done < cmd->data_len) {
		uint32_t n = cmd->data_len - done;

		if (n > sizeof(zeros))
			n = sizeof(zeros);
		if (ctx_copy_out(ctx, cmd->data_uptr + done, zeros, n))
			return -EFAULT;
		done += n;
	}
	return 0;
}

int cmd_get_hw_info(struct engine_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	uint8_t data[HW_INFO_BYTES];
	struct device *dev;
	int len, rc;

	if (cmd->flags & ~(IOMMU_HW_INFO_FLAG_INPUT_TYPE &
			   command_flags(ucmd->ctx, IOMMUFD_CMD_GET_HW_INFO)))
		return -EOPNOTSUPP;
	if (cmd->__reserved[0] || cmd->__reserved[1] || cmd->__reserved[2])
		return -EOPNOTSUPP;
	if (!(cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE))
		cmd->in_data_type = IOMMU_HW_INFO_TYPE_DEFAULT;
	dev = device_get(ucmd->ctx, cmd->dev_id);
	if (!dev)
		return -ENOENT;

	if (dev->driver->noiommu)
		return -EOPNOTSUPP;
	len = dev->driver->hw_info(dev, &cmd->out_data_type, data);
	if (len < 0)
		return len;
	rc = hw_info_copy_out(ucmd->ctx, cmd, data, (uint32_t)len);
	if (rc)
		return rc;
	cmd->data_len = (uint32_t)len;
	cmd->out_capabilities = 0;
	if (engine_changed(ucmd->ctx, CHANGE_NO_ATS_TOLD))
		cmd->out_capabilities |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	if (dev->driver->dirty_capable(dev))
		cmd->out_capabilities |= IOMMU_HW_CAP_DIRTY_TRACKING;
	cmd->out_max_pasid_log2 = 0;
	if (dev->max_pasids)
		cmd->out_max_pasid_log2 = (uint8_t)(31 - __builtin_clz(dev->max_pasids));
	return ucmd_respond(ucmd, sizeof(*cmd));
}

void device_verify(struct device *dev)
{
	uint32_t users = 2; /* the table and the driver */
	int64_t before = -1;

	list_for_each(link, &dev->attached)
	{
		const struct attach *attach = container_of(link, struct attach, link);

		ENGINE_BUG_ON(attach->dev != dev || attach->pasid <= before);
		ENGINE_BUG_ON(attach->hwpt->object.users < 2);
		before = attach->pasid;
		users++;
	}
	if (dev->vdev) {
		ENGINE_BUG_ON(dev->vdev->dev != dev);
		users++;
	}
	ENGINE_BUG_ON(dev->object.users != users);
}
