/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vIOMMUs and virtual devices: VIOMMU_ALLOC, VDEVICE_ALLOC.
 *
 * A virtual device ties a device to a vIOMMU under the number that the guest
 * knows. It goes with its device; what is left then is its id, never reused.
 */
#include "sim/engine/viommu.h"

#include <string.h>

#include "sim/engine/device.h"
#include "sim/engine/eventq.h"
#include "sim/engine/mock.h"

struct vdevice *viommu_find_virt_id(const struct viommu *viommu, uint64_t virt_id)
{
	list_for_each(link, &viommu->vdevs)
	{
		struct vdevice *vdev = container_of(link, struct vdevice, link);

		if (vdev->virt_id == virt_id)
			return vdev;
	}
	return NULL;
}

struct vdevice *viommu_find_device(const struct viommu *viommu, const struct device *dev)
{
	list_for_each(link, &viommu->vdevs)
	{
		struct vdevice *vdev = container_of(link, struct vdevice, link);

		if (vdev->dev == dev)
			return vdev;
	}
	return NULL;
}

static void viommu_destroy(struct engine_object *object)
{
	struct viommu *viommu = container_of(object, struct viommu, object);

	if (viommu->mmap)
		engine_mmap_destroy(viommu->mmap);
	viommu->hwpt->object.users--;
}

static const struct object_ops viommu_ops = { .destroy = viommu_destroy };

int cmd_viommu_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	const struct user_data data = {
		.uptr = cmd->data_uptr,
		.len = cmd->data_len,
		.type = cmd->type,
	};
	struct viommu *viommu;
	struct device *dev;
	struct hwpt *hwpt;
	int rc;

	if (cmd->flags || cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	dev = device_get(ucmd->ctx, cmd->dev_id);
	if (!dev)
		return -ENOENT;
	if (!dev->driver->mock || cmd->type != IOMMU_VIOMMU_TYPE_SELFTEST)
		return -EOPNOTSUPP;
	hwpt = object_get(ucmd->ctx, cmd->hwpt_id, ENGINE_OBJ_HWPT_PAGING);
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->nest_parent)
		return -EINVAL;
	viommu = ucmd_object_alloc(ucmd, sizeof(*viommu), ENGINE_OBJ_VIOMMU, &viommu_ops);
	if (!viommu)
		return -ENOMEM;
	ucmd->new_parent = hwpt->object.id;
	viommu->type = cmd->type;
	viommu->mock = true;
	viommu->hwpt = hwpt;
	hwpt->object.users++;
	list_init(&viommu->vdevs);
	list_init(&viommu->veventqs);

	rc = mock_viommu_init(viommu, data.len ? &data : NULL);
	if (rc)
		return rc;
	cmd->out_viommu_id = viommu->object.id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

static void vdevice_destroy(struct engine_object *object)
{
	struct vdevice *vdev = container_of(object, struct vdevice, object);

	list_remove(&vdev->link);
	vdev->viommu->object.users--;
	vdev->dev->vdev = NULL;
	vdev->dev->object.users--;
}

static const struct object_ops vdevice_ops = { .destroy = vdevice_destroy };

int cmd_vdevice_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct vdevice *vdev;
	struct viommu *viommu;
	struct device *dev;

	viommu = object_get(ucmd->ctx, cmd->viommu_id, ENGINE_OBJ_VIOMMU);
	if (!viommu)
		return -ENOENT;
	dev = device_get(ucmd->ctx, cmd->dev_id);
	if (!dev)
		return -ENOENT;
	if (viommu->mock != dev->driver->mock)
		return -EINVAL;
	if (dev->destroying)
		return -ENOENT;
	if (dev->vdev)
		return -EEXIST;
	vdev = ucmd_object_alloc(ucmd, sizeof(*vdev), ENGINE_OBJ_VDEVICE, &vdevice_ops);
	if (!vdev)
		return -ENOMEM;
	ucmd->new_parent = viommu->object.id;
	list_init(&vdev->link);
	vdev->virt_id = cmd->virt_id;
	vdev->viommu = viommu;
	viommu->object.users++;
	vdev->dev = dev;
	dev->object.users++;
	dev->vdev = vdev;
	if (ctx_should_fail(ucmd->ctx))
		return -ENOMEM;
	if (viommu_find_virt_id(viommu, cmd->virt_id))
		return -EEXIST;
	list_append(&viommu->vdevs, &vdev->link);
	cmd->out_vdevice_id = vdev->object.id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

/* ---- memory of the device file ------------------------------------------------ */

struct engine_mmap *engine_mmap_create(struct engine_object *owner, uint64_t length)
{
	struct engine_ctx *ctx = owner->ctx;
	struct list_link *before = &ctx->mmaps;
	struct engine_mmap *map = ctx_alloc(ctx, sizeof(*map));
	uint64_t offset = ENGINE_PAGE_SIZE;

	if (!map)
		return NULL;
	map->memory = ctx_should_fail(ctx) ? NULL : aligned_alloc(ENGINE_PAGE_SIZE, length);
	if (!map->memory) {
		free(map);
		return NULL;
	}
	memset(map->memory, 0, length);
	list_for_each(link, &ctx->mmaps)
	{
		const struct engine_mmap *other = container_of(link, struct engine_mmap, link);

		if (other->offset - offset >= length) {
			before = link;
			break;
		}
		offset = other->offset + other->length;
	}
	map->owner = owner;
	map->offset = offset;
	map->length = length;
	list_append(before, &map->link);
	return map;
}

void engine_mmap_destroy(struct engine_mmap *map)
{
	list_remove(&map->link);
	free(map->memory);
	free(map);
}

static struct engine_mmap *engine_mmap_find(struct engine_ctx *ctx, uint64_t offset)
{
	list_for_each(link, &ctx->mmaps)
	{
		struct engine_mmap *map = container_of(link, struct engine_mmap, link);

		if (offset >= map->offset && offset - map->offset < map->length)
			return map;
	}
	return NULL;
}

int engine_ctx_mmap(struct engine_ctx *ctx, uint64_t offset, uint64_t length, bool shared,
		    void **page)
{
	struct engine_mmap *map;
	int rc = 0;

	if (!engine_changed(ctx, CHANGE_FILE_MMAP)) /* no fops->mmap (mm/mmap.c, do_mmap()) */
		return -ENODEV;
	if (!length || length % ENGINE_PAGE_SIZE || !shared)
		return -EINVAL;
	ctx_lock(ctx, NULL, NULL);
	map = engine_mmap_find(ctx, offset);
	if (!map || map->offset != offset || map->length != length) {
		rc = -ENXIO;
	} else {
		map->owner->users++;
		map->mapped++;
		*page = map->memory;
	}
	ctx_unlock(ctx);
	return rc;
}

void engine_ctx_munmap(struct engine_ctx *ctx, uint64_t offset)
{
	struct engine_mmap *map;

	ctx_lock(ctx, NULL, NULL);
	map = engine_mmap_find(ctx, offset);
	ENGINE_BUG_ON(!map || !map->mapped);
	map->mapped--;
	map->owner->users--;
	ctx_unlock(ctx);
}

void engine_mmaps_forget(struct engine_ctx *ctx)
{
	list_for_each(link, &ctx->mmaps)
	{
		struct engine_mmap *map = container_of(link, struct engine_mmap, link);

		map->owner->users -= map->mapped;
		map->mapped = 0;
	}
}

/* ---- checks ------------------------------------------------------------------- */

void viommu_verify(struct viommu *viommu)
{
	uint32_t users = 1;

	ENGINE_BUG_ON(!viommu->hwpt->nest_parent || viommu->hwpt->object.users < 2);
	list_for_each(link, &viommu->vdevs)
	{
		ENGINE_BUG_ON(container_of(link, struct vdevice, link)->viommu != viommu);
		users++;
	}
	list_for_each(link, &viommu->veventqs)
	{
		ENGINE_BUG_ON(container_of(link, struct veventq, link)->viommu != viommu);
		users++;
	}
	if (viommu->hw_queues[0]) {
		ENGINE_BUG_ON(viommu->hw_queues[0]->viommu != viommu);
		users++;
	}
	ENGINE_BUG_ON(viommu->object.users < users);
}

void vdevice_verify(struct vdevice *vdev)
{
	ENGINE_BUG_ON(vdev->dev->vdev != vdev);
	ENGINE_BUG_ON(viommu_find_virt_id(vdev->viommu, vdev->virt_id) != vdev);
}

void hw_queue_verify(struct hw_queue *queue)
{
	ENGINE_BUG_ON(!queue->started || !queue->access || !queue->viommu);
	ENGINE_BUG_ON(queue->prev && queue->prev->object.users < 2);
}
