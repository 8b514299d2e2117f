/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of a simulation: bound without the test command, with plain pages of
 * 4 KiB over 48 bits of address, dirty tracking, and DMA that really moves data.
 */
#include "sim/engine/device.h"
#include "sim/engine/trace.h"

#define SIM_APERTURE_LAST ((1ull << 48) - 1)

static int sim_domain_alloc_paging(struct device *dev, struct domain *domain, uint32_t flags,
				   const struct user_data *data)
{
	if (data)
		return -EOPNOTSUPP;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	domain_init_paging(domain, 0, SIM_APERTURE_LAST, ENGINE_PAGE_SIZE);
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
	(void)dev;
	return true;
}

static const struct device_driver sim_driver = {
	.domain_alloc_paging = sim_domain_alloc_paging,
	.attach = sim_attach,
	.hw_info = sim_hw_info,
	.dirty_capable = sim_dirty_capable,
};

struct engine_device {
	struct engine_ctx *ctx; /* a reference */
	struct device *dev;	/* counted, as its driver */
};

int engine_device_bind(struct engine_ctx *ctx, const struct engine_client *client,
		       struct engine_device **out_device, uint32_t *out_id)
{
	struct engine_device *device = calloc(1, sizeof(*device));
	struct engine_call call;

	if (!device)
		return -ENOMEM;
	ctx_lock(ctx, &call, client);
	device->dev = device_bind(ctx, &sim_driver, NULL, 0);
	if (device->dev) {
		device->dev->holds_ctx = true;
		*out_id = device->dev->object.id;
		ctx_get(ctx);
	}
	ctx_unlock(ctx);
	if (!device->dev) {
		free(device);
		return -ENOMEM;
	}
	device->ctx = ctx;
	*out_device = device;
	return 0;
}

void engine_device_reserve(struct engine_device *device, uint64_t start, uint64_t last)
{
	ctx_lock(device->ctx, NULL, NULL);
	device->dev->reserved_start = start;
	device->dev->reserved_last = last;
	ctx_unlock(device->ctx);
}

void engine_device_unbind(struct engine_device *device)
{
	struct engine_ctx *ctx = device->ctx;

	ctx_lock(ctx, NULL, NULL);
	device_unbind(device->dev);
	ctx_unlock(ctx);
	free(device);
	ctx_put(ctx);
}

int engine_device_attach(struct engine_device *device, const struct engine_client *client,
			 uint32_t *pt_id)
{
	struct engine_call call;
	int rc;

	ctx_lock(device->ctx, &call, client);
	/* As VFIO's ATTACH: the second one moves the device. */
	if (device_attach_find(device->dev, NO_PASID))
		rc = device_replace(device->dev, NO_PASID, pt_id);
	else
		rc = device_attach(device->dev, NO_PASID, pt_id);
	ctx_unlock(device->ctx);
	return rc;
}

void engine_device_detach(struct engine_device *device)
{
	ctx_lock(device->ctx, NULL, NULL);
	device_detach(device->dev, NO_PASID);
	ctx_unlock(device->ctx);
}

/* ---- DMA ----------------------------------------------------------------------- */

/* Moves the part of a DMA that lies in area; pages written become dirty. */
static int dma_area(struct hwpt *paging, struct iopt_area *area, uint64_t iova, uint64_t last,
		    bool write, void *buf)
{
	struct engine_ctx *ctx = paging->object.ctx;
	uint64_t length = last - iova + 1;
	int rc = 0;

	if (!(area->prot & (write ? ENGINE_PROT_WRITE : ENGINE_PROT_READ)))
		return -EFAULT;
	if (buf)
		rc = iopt_pages_rw(ctx, area->pages, iopt_area_byte(area, iova), buf, length, write);
	if (!rc && write && paging->domain.dirty_tracking)
		rc = dirty_set_add(&paging->domain.dirty, iova, last);
	return rc ? -EFAULT : 0;
}

/*
 * Moves [iova, last], area by area, up to the first address that is not mapped or
 * not mapped for this: -EFAULT, and *fault_iova is that address.
 */
static int dma_move(struct hwpt *paging, uint64_t iova, uint64_t last, bool write, char *buf,
		    uint64_t *fault_iova)
{
	struct iopt_contig iter;
	struct iopt_area *area;

	*fault_iova = iova;
	iopt_contig_for_each(&iter, area, &paging->ioas->iopt, iova, last) {
		uint64_t end = area->last < last ? area->last : last;

		*fault_iova = iter.iova;
		if (dma_area(paging, area, iter.iova, end, write,
			     buf ? buf + (iter.iova - iova) : NULL))
			return -EFAULT;
		*fault_iova = end + 1;
	}
	return iopt_contig_done(&iter) ? 0 : -EFAULT;
}

int engine_device_dma(struct engine_device *device, uint64_t iova, uint64_t length, bool write,
		      void *buf, uint64_t *fault_iova)
{
	const struct attach *attach;
	uint64_t last, bad = iova;
	struct hwpt *hwpt = NULL;
	int rc = -EFAULT;

	if (!length)
		return 0;
	ctx_lock(device->ctx, NULL, NULL);
	attach = device_attach_find(device->dev, NO_PASID);
	if (attach)
		hwpt = attach->hwpt;
	if (hwpt && !__builtin_add_overflow(iova, length - 1, &last))
		rc = dma_move(hwpt_find_paging(hwpt), iova, last, write, buf, &bad);
	trace_dma(device->ctx, device->dev->object.id, hwpt ? hwpt->object.id : 0, iova, length,
		  write, rc, bad);
	ctx_unlock(device->ctx);
	if (rc && fault_iova)
		*fault_iova = bad;
	return rc;
}
