/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices without an IOMMU, and IOAS_NOIOMMU_GET_PA, which tells their drivers where
 * memory really lies.
 *
 * Their page tables take any address and pin the memory, and nothing else: a device of
 * the simulation that has no IOMMU reaches all memory that an address was told of.
 * Source: iommufd/hwpt_noiommu.c, iommufd_ioas_noiommu_get_pa(), iopt_get_phys().
 */
#include "sim/engine/phys.h"

#include "sim/engine/io_pagetable.h"
#include "sim/engine/pages.h"
#include "sim/engine/sim_device.h"

/* Any power of two from 4 KiB up, as AMD's format takes them, over all of the space. */
#define NOIOMMU_PAGE_SIZES (((1ull << 52) - 1) & ~ENGINE_PAGE_MASK)

static int noiommu_domain_alloc_paging(struct device *dev, struct domain *domain,
				       uint32_t flags, const struct user_data *data)
{
	if (flags || data)
		return -EOPNOTSUPP;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	domain_init_paging(domain, dev->object.ctx, 0, UINT64_MAX, NOIOMMU_PAGE_SIZES);
	domain->noiommu = true;
	return 0;
}

static bool noiommu_dirty_capable(const struct device *dev)
{
	(void)dev;
	return false;
}

static const struct device_driver noiommu_driver = {
	.noiommu = true,
	.domain_alloc_paging = noiommu_domain_alloc_paging,
	.dirty_capable = noiommu_dirty_capable,
};

int engine_device_bind_noiommu(struct engine_ctx *ctx, const struct engine_client *client,
			       struct engine_device **out_device, uint32_t *out_id)
{
	/* Before, a device needed an IOMMU that keeps caches coherent. */
	if (!engine_changed(ctx, CHANGE_NOIOMMU))
		return -EINVAL;
	return sim_device_bind(ctx, client, &noiommu_driver, out_device, out_id);
}

/* The page table that keeps the area's pages: the first that was attached. */
static const struct domain *storage_domain(const struct io_pagetable *iopt)
{
	if (list_empty(&iopt->domains))
		return NULL;
	return container_of(iopt->domains.next, struct domain, iopt.link);
}

/* As far as memory is contiguous from *phys on, up to *length bytes: *length. */
static int contiguous_length(struct engine_ctx *ctx, const struct iopt_area *area, uint64_t iova,
			     uint64_t phys, uint64_t *length)
{
	uint64_t done = ENGINE_PAGE_SIZE - (iova & ENGINE_PAGE_MASK), next_phys;
	int rc;

	/* By pages, as long as one begins inside of the area. */
	while (done < *length && done <= area->last - iova) {
		rc = phys_address(ctx, iopt_area_pages(area), iopt_area_byte(area, iova + done), &next_phys);
		if (rc)
			return rc;
		if (next_phys != phys + done)
			break;
		done += ENGINE_PAGE_SIZE;
	}
	if (done < *length)
		*length = done;
	return 0;
}

static int get_phys(struct engine_ctx *ctx, struct ioas *ioas,
		    struct iommu_ioas_noiommu_get_pa *cmd)
{
	const struct iopt_area *area = iopt_area_first(&ioas->iopt, cmd->iova, cmd->iova, NULL);
	const struct domain *domain = storage_domain(&ioas->iopt);
	uint64_t phys, length = cmd->length;
	int rc;

	if (!area)
		return -ENOENT;
	if (iopt_pages_revoked(iopt_area_pages(area)))
		return -EINVAL;
	if (!domain || !domain->noiommu)
		return -EOPNOTSUPP;
	rc = phys_address(ctx, iopt_area_pages(area), iopt_area_byte(area, cmd->iova), &phys);
	if (!rc)
		rc = contiguous_length(ctx, area, cmd->iova, phys, &length);
	if (rc)
		return rc;
	cmd->out_phys = phys;
	cmd->length = length;
	return 0;
}

int cmd_ioas_noiommu_get_pa(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;
	struct ioas *ioas;
	int rc;

	if (!ucmd->client->ops->capable(ucmd->client, ENGINE_CAP_SYS_RAWIO))
		return -EPERM;
	if (cmd->flags || cmd->__reserved)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (cmd->iova == UINT64_MAX)
		return -EOVERFLOW;
	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	rc = get_phys(ucmd->ctx, ioas, cmd);
	return rc ? rc : ucmd_respond(ucmd, sizeof(*cmd));
}
