/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO's type 1 container calls on the same file, acting on the address space
 * that VFIO_IOAS chose. Source: vfio_compat.c.
 */
#include "sim/engine/hwpt.h"
#include "sim/engine/vfio_abi.h"

#include <ioasis/iommufd_abi.h>

#include "sim/engine/command.h"
#include "sim/engine/io_pagetable.h"
#include "sim/engine/trace.h"

int cmd_vfio_ioas(struct engine_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct engine_ctx *ctx = ucmd->ctx;
	struct ioas *ioas;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		if (!ctx->vfio_ioas)
			return -ENODEV;
		cmd->ioas_id = ctx->vfio_ioas->object.id;
		return ucmd_respond(ucmd, sizeof(*cmd));
	case IOMMU_VFIO_IOAS_SET:
		ioas = ioas_get(ctx, cmd->ioas_id);
		if (!ioas)
			return -ENOENT;
		ctx->vfio_ioas = ioas;
		return 0;
	case IOMMU_VFIO_IOAS_CLEAR:
		ctx->vfio_ioas = NULL;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int engine_vfio_ioas_ensure(struct engine_ctx *ctx, const struct engine_client *client)
{
	struct engine_call call;
	struct ioas *ioas;
	int rc = 0;

	ctx_lock(ctx, &call, client);
	if (ctx->no_iommu_mode)
		rc = -EINVAL;
	if (rc || ctx->vfio_ioas)
		goto out_unlock;
	ioas = ioas_alloc(ctx);
	rc = ioas ? 0 : -ENOMEM;
	if (rc)
		goto out_unlock;
	object_publish(&ioas->object, 0);
	ctx->vfio_ioas = ioas;
out_unlock:
	ctx_unlock(ctx);
	return rc;
}

int engine_vfio_ioas_id(struct engine_ctx *ctx, const struct engine_client *client, uint32_t *id)
{
	struct engine_call call;
	int rc = -ENODEV;

	ctx_lock(ctx, &call, client);
	if (ctx->vfio_ioas) {
		*id = ctx->vfio_ioas->object.id;
		rc = 0;
	}
	ctx_unlock(ctx);
	return rc;
}

int engine_vfio_set_noiommu(struct engine_ctx *ctx, const struct engine_client *client)
{
	struct engine_call call;
	int rc = 0;

	ctx_lock(ctx, &call, client);
	if (ctx->vfio_ioas)
		rc = -EINVAL;
	else
		ctx->no_iommu_mode = true;
	ctx_unlock(ctx);
	return rc;
}

void engine_ctx_open_as_container(struct engine_ctx *ctx)
{
	ctx->account_mode = ACCOUNT_MM;
}

/* What a call of type 1 names: the space of the file, and a range of it. */
static void name_range(struct engine_ctx *ctx, struct engine_call *call, uint64_t iova,
		       uint64_t size)
{
	if (!ctx->vfio_ioas || !trace_wants_named(ctx))
		return;
	trace_named_id(&call->named, ctx->vfio_ioas->object.id);
	trace_named_range(&call->named, iova, size);
}

static int vfio_map_dma(struct engine_ctx *ctx, struct engine_call *call, uint64_t arg)
{
	struct vfio_iommu_type1_dma_map map;
	struct iopt_slice slice = { 0 };
	uint8_t prot = 0;
	uint64_t iova;
	int rc;

	if (ctx_copy_in(ctx, &map, arg, sizeof(map)))
		return -EFAULT;
	name_range(ctx, call, map.iova, map.size);
	if (map.argsz < sizeof(map) ||
	    (map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)))
		return -EINVAL;
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= ENGINE_PROT_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= ENGINE_PROT_WRITE;
	if (!ctx->vfio_ioas)
		return -ENODEV;

	trace_user_va(ctx, map.vaddr);
	slice.length = map.size;
	iova = map.iova;
	rc = iopt_pages_alloc_user(ctx, map.vaddr, map.size, prot & ENGINE_PROT_WRITE,
				   &slice.pages, &slice.start_byte);
	if (rc)
		return rc;
	rc = iopt_map_slices(ctx->vfio_ioas, &slice, 1, map.size, &iova, false, prot,
			     TRACE_COMMIT_MAP, 0);
	if (rc)
		iopt_pages_put(ctx, slice.pages);
	return rc;
}

/* Type 1, not v2, may unmap a part: cut where the range begins and ends. */
static int unmap_cut(struct io_pagetable *iopt, uint64_t iova, uint64_t size)
{
	int rc = iopt_cut(iopt, iova + size - 1);

	if (!rc && iova)
		rc = iopt_cut(iopt, iova - 1);
	return rc;
}

static int unmap_sized(struct ioas *ioas, const struct vfio_iommu_type1_dma_unmap *unmap,
		       uint64_t *unmapped)
{
	uint64_t last;

	if (!unmap->size)
		return -EINVAL;
	if (__builtin_add_overflow(unmap->iova, unmap->size - 1, &last))
		return -EOVERFLOW;
	return iopt_unmap_range(ioas, unmap->iova, last, unmapped, true);
}

static int vfio_unmap_dma(struct engine_ctx *ctx, struct engine_call *call, uint64_t arg)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	struct ioas *ioas = ctx->vfio_ioas;
	uint64_t unmapped = 0;
	int rc;

	if (ctx_copy_in(ctx, &unmap, arg, sizeof(unmap)))
		return -EFAULT;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL)
		name_range(ctx, call, 0, UINT64_MAX);
	else
		name_range(ctx, call, unmap.iova, unmap.size);
	if (unmap.argsz < sizeof(unmap) || (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL))
		return -EINVAL;
	if (!ioas)
		return -ENODEV;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap.iova || unmap.size)
			return -EINVAL;
		rc = iopt_unmap_range(ioas, 0, UINT64_MAX, &unmapped, true);
	} else {
		if (ioas->iopt.disable_large_pages) {
			rc = unmap_cut(&ioas->iopt, unmap.iova, unmap.size);
			if (rc)
				return rc;
		}
		rc = unmap_sized(ioas, &unmap, &unmapped);
	}
	unmap.size = unmapped;
	if (ctx_copy_out(ctx, arg, &unmap, sizeof(unmap)))
		rc = -EFAULT;
	return rc;
}

/* Whether all page tables keep caches coherent. Source: iommufd_vfio_cc_iommu(). */
static int vfio_cache_coherent(struct engine_ctx *ctx)
{
	if (!ctx->vfio_ioas)
		return -ENODEV;
	list_for_each(link, &ctx->vfio_ioas->hwpts)
	{
		if (!container_of(link, struct hwpt, link)->domain.cache_coherent)
			return 0;
	}
	return 1;
}

static int vfio_check_extension(struct engine_ctx *ctx, uint64_t type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !ctx->no_iommu_mode || !engine_changed(ctx, CHANGE_NOIOMMU_NO_TYPE1);
	case VFIO_NOIOMMU_IOMMU:
		return ctx->engine->config.noiommu || engine_changed(ctx, CHANGE_NOIOMMU);
	case VFIO_DMA_CC_IOMMU:
		return vfio_cache_coherent(ctx);
	default:
		return 0;
	}
}

static int vfio_set_iommu(struct engine_ctx *ctx, const struct engine_client *client,
			  uint64_t type)
{
	if (type == VFIO_NOIOMMU_IOMMU && ctx->no_iommu_mode)
		return client->ops->capable(client, ENGINE_CAP_SYS_RAWIO) ? 0 : -EPERM;
	if ((type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU) || ctx->no_iommu_mode)
		return -EINVAL;
	if (!ctx->vfio_ioas)
		return -ENODEV;
	return type == VFIO_TYPE1_IOMMU ? iopt_disable_large_pages(&ctx->vfio_ioas->iopt) : 0;
}

/* ---- GET_INFO ----------------------------------------------------------------------- */

static uint64_t info_page_sizes(const struct io_pagetable *iopt)
{
	uint64_t sizes = UINT64_MAX;

	list_for_each(link, &iopt->domains)
		sizes &= container_of(link, struct iopt_domain, link)->pgsize_bitmap;
	if (sizes & ENGINE_PAGE_MASK) {
		sizes &= ~ENGINE_PAGE_MASK;
		sizes |= ENGINE_PAGE_SIZE;
	}
	return sizes > iopt->iova_alignment ? sizes : iopt->iova_alignment;
}

/* A capability at address `at` with room for avail bytes. Its size, or -EFAULT. */
typedef int (*fill_cap_fn)(struct ioas *ioas, uint64_t at, size_t avail);

static int fill_cap_dma_avail(struct ioas *ioas, uint64_t at, size_t avail)
{
	const struct vfio_iommu_type1_info_dma_avail cap = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1 },
		.avail = UINT32_MAX,
	};

	if (avail >= sizeof(cap) && ctx_copy_out(ioas->iopt.ctx, at, &cap, sizeof(cap)))
		return -EFAULT;
	return sizeof(cap);
}

static int fill_cap_iova(struct ioas *ioas, uint64_t at, size_t avail)
{
	struct vfio_iommu_type1_info_cap_iova_range cap = {
		.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1 },
	};
	struct vfio_iova_range range = { 0 };
	size_t size = sizeof(cap);

	while (iopt_next_unreserved(&ioas->iopt, &range.start, &range.end)) {
		if (avail >= size + sizeof(range) &&
		    ctx_copy_out(ioas->iopt.ctx, at + size, &range, sizeof(range)))
			return -EFAULT;
		size += sizeof(range);
		cap.nr_iovas++;
		if (range.end == UINT64_MAX)
			break;
		range.start = range.end + 1;
	}
	if (avail >= size && ctx_copy_out(ioas->iopt.ctx, at, &cap, sizeof(cap)))
		return -EFAULT;
	return (int)size;
}

/* Writes the capabilities behind the structure. The size of all, or -EFAULT. */
static int info_fill_caps(struct ioas *ioas, uint64_t arg, uint32_t argsz)
{
	static const fill_cap_fn fill[] = { fill_cap_dma_avail, fill_cap_iova };
	uint32_t total = sizeof(struct vfio_iommu_type1_info);
	uint64_t last_cap = 0;

	for (size_t i = 0; i < sizeof(fill) / sizeof(*fill); i++) {
		size_t avail = argsz > total ? argsz - total : 0;
		int size = fill[i](ioas, arg + total, avail);

		if (size < 0)
			return size;
		if (last_cap && argsz >= total &&
		    ctx_copy_out(ioas->iopt.ctx,
				 last_cap + offsetof(struct vfio_info_cap_header, next), &total,
				 sizeof(total)))
			return -EFAULT;
		last_cap = arg + total;
		total += ((uint32_t)size + 7) & ~7u;
	}
	return (int)total;
}

static int vfio_get_info(struct engine_ctx *ctx, uint64_t arg)
{
	const size_t min = offsetof(struct vfio_iommu_type1_info, cap_offset);
	struct vfio_iommu_type1_info info = { 0 };
	struct ioas *ioas = ctx->vfio_ioas;
	size_t answer;
	int total;

	if (ctx_copy_in(ctx, &info, arg, min))
		return -EFAULT;
	if (info.argsz < min)
		return -EINVAL;
	answer = info.argsz < sizeof(info) ? info.argsz : sizeof(info);
	if (!ioas)
		return -ENODEV;

	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = info_page_sizes(&ioas->iopt);
	total = info_fill_caps(ioas, arg, info.argsz);
	if (total < 0)
		return total;
	if (info.argsz >= (uint32_t)total)
		info.cap_offset = sizeof(info);
	info.argsz = (uint32_t)total;
	return ctx_copy_out(ctx, arg, &info, answer);
}

long vfio_compat_ioctl(struct engine_ctx *ctx, struct engine_call *call, unsigned int cmd,
		       uint64_t arg)
{
	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return vfio_check_extension(ctx, arg);
	case VFIO_SET_IOMMU:
		return vfio_set_iommu(ctx, call->client, arg);
	case VFIO_IOMMU_GET_INFO:
		return vfio_get_info(ctx, arg);
	case VFIO_IOMMU_MAP_DMA:
		return vfio_map_dma(ctx, call, arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return vfio_unmap_dma(ctx, call, arg);
	default:
		return -ENOTTY;
	}
}
