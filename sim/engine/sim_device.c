/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of a simulation: bound without the test command, with plain pages of
 * 4 KiB, and what their IOMMU is said to do. Their DMA is dma.c.
 */
#include "sim/engine/sim_device.h"
#include "sim/engine/heap.h"

#define DEFAULT_ADDRESS_BITS 48u

static int sim_domain_alloc_paging(struct device *dev, struct domain *domain, uint32_t flags,
				   const struct user_data *data)
{
	if (data)
		return -EOPNOTSUPP;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	domain_init_paging(domain, dev->object.ctx, 0,
			   UINT64_MAX >> (64 - dev->iommu->address_bits), ENGINE_PAGE_SIZE);
	domain->cache_coherent = true;
	domain->dirty_ops = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	return 0;
}

static int sim_attach(struct device *dev, uint32_t pasid, struct hwpt *hwpt, struct hwpt *old)
{
	(void)dev, (void)pasid, (void)hwpt, (void)old;
	return 0;
}

static int sim_hw_info(struct device *dev, uint32_t *type, void *data)
{
	(void)dev, (void)data;
	*type = IOMMU_HW_INFO_TYPE_NONE;
	return 0;
}

static bool sim_dirty_capable(const struct device *dev)
{
	return !dev->iommu->no_dirty_tracking;
}

static const struct device_driver sim_driver = {
	.domain_alloc_paging = sim_domain_alloc_paging,
	.attach = sim_attach,
	.hw_info = sim_hw_info,
	.dirty_capable = sim_dirty_capable,
};

int sim_device_bind(struct engine_ctx *ctx, const struct engine_client *client,
		    const struct device_driver *driver, struct engine_device **out_device,
		    uint32_t *out_id)
{
	struct engine_device *device =
		heap_alloc(ctx->engine->config.heap, 1, sizeof(*device));
	struct engine_call call;

	if (!device)
		return -ENOMEM;
	ctx_lock(ctx, &call, client);
	device->iommu.address_bits = DEFAULT_ADDRESS_BITS;
	device->bdf = UINT32_MAX;
	device->no_iommu = driver->noiommu;
	list_init(&device->listener_link);
	device->dev = device_bind(ctx, driver, NULL, 0);
	if (device->dev) {
		device->dev->iommu = &device->iommu;
		device->dev->holds_ctx = true;
		*out_id = device->dev->object.id;
		ctx_get(ctx);
	}
	ctx_unlock(ctx);
	if (!device->dev) {
		free(device);
		return -ENOMEM;
	}
	device->refs = 1;
	device->ctx = ctx;
	*out_device = device;
	return 0;
}

int engine_device_of_noiommu_group(struct engine_ctx *ctx, struct engine_device **out_device)
{
	struct engine_device *device =
		heap_alloc(ctx->engine->config.heap, 1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	device->bdf = UINT32_MAX;
	device->no_iommu = true;
	list_init(&device->listener_link);
	device->refs = 1;
	device->ctx = ctx;
	ctx_get(ctx);
	*out_device = device;
	return 0;
}

int engine_device_bind(struct engine_ctx *ctx, const struct engine_client *client,
		       struct engine_device **out_device, uint32_t *out_id)
{
	return sim_device_bind(ctx, client, &sim_driver, out_device, out_id);
}

/* IOAPIC_RANGE_START (arch/x86): writes there are interrupts. */
#define MSI_WINDOW_START 0xfee00000u
#define MSI_WINDOW_LAST 0xfeefffffu

void engine_iommu_init(struct engine_iommu *iommu)
{
	*iommu = (struct engine_iommu){
		.address_bits = DEFAULT_ADDRESS_BITS,
		.reserved = { { MSI_WINDOW_START, MSI_WINDOW_LAST } },
		.reserved_count = 1,
	};
}

void engine_device_set_iommu(struct engine_device *device, const struct engine_iommu *iommu)
{
	ctx_lock(device->ctx, NULL, NULL);
	device->iommu = *iommu;
	if (device->dev)
		device->dev->max_pasids = iommu->pasid_bits ? 1u << iommu->pasid_bits : 0;
	ctx_unlock(device->ctx);
}

void engine_device_set_group(struct engine_device *device, uint32_t group)
{
	ctx_lock(device->ctx, NULL, NULL);
	if (device->dev)
		device_join_group(device->dev, group);
	ctx_unlock(device->ctx);
}

void engine_device_set_bdf(struct engine_device *device, uint32_t bdf)
{
	device->bdf = bdf;
}

void engine_device_unbind(struct engine_device *device)
{
	struct engine_ctx *ctx = device->ctx;

	ctx_lock(ctx, NULL, NULL);
	listener_note_end(device);
	if (device->dev)
		device_unbind(device->dev);
	device->dev = NULL;
	device->no_iommu = false;
	ctx_unlock(ctx);
	listeners_tell(ctx);
	ctx_lock(ctx, NULL, NULL);
	list_remove(&device->listener_link);
	ctx_unlock(ctx);
	engine_device_put(device);
}

void engine_device_get(struct engine_device *device)
{
	__atomic_add_fetch(&device->refs, 1, __ATOMIC_RELAXED);
}

void engine_device_put(struct engine_device *device)
{
	struct engine_ctx *ctx = device->ctx;

	if (__atomic_sub_fetch(&device->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(device);
	ctx_put(ctx);
}

int engine_device_attach(struct engine_device *device, const struct engine_client *client,
			 uint32_t pasid, uint32_t *pt_id)
{
	struct engine_call call;
	int rc;

	ctx_lock(device->ctx, &call, client);
	/* As VFIO's ATTACH: the second one moves the device. */
	if (device_attach_find(device->dev, pasid))
		rc = device_replace(device->dev, pasid, pt_id);
	else
		rc = device_attach(device->dev, pasid, pt_id);
	ctx_unlock(device->ctx);
	listeners_tell(device->ctx);
	return rc;
}

void engine_device_detach(struct engine_device *device, uint32_t pasid)
{
	ctx_lock(device->ctx, NULL, NULL);
	device_detach(device->dev, pasid);
	ctx_unlock(device->ctx);
	listeners_tell(device->ctx);
}
