/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty tracking of page tables: HWPT_SET_DIRTY_TRACKING, HWPT_GET_DIRTY_BITMAP.
 *
 * The client's bitmap is only ever added to, and a part of it that cannot be
 * reached is skipped without an error. Source: hw_pagetable.c, io_pagetable.c
 * (iopt_read_and_clear_dirty_data()), iova_bitmap.c.
 */
#include "sim/engine/command.h"
#include "sim/engine/hwpt.h"

int cmd_hwpt_set_dirty_tracking(struct engine_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	bool enable = cmd->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
	struct hwpt *hwpt;

	if (cmd->flags & ~(uint32_t)IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	hwpt = object_get(ucmd->ctx, cmd->hwpt_id, ENGINE_OBJ_HWPT_PAGING);
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->domain.dirty_ops)
		return -EOPNOTSUPP;
	/* Each enabling starts from a clean table, also when tracking is on already. */
	if (enable)
		dirty_set_clear(&hwpt->domain.dirty, 0, UINT64_MAX);
	hwpt->domain.dirty_tracking = enable;
	ctx_commit(ucmd->ctx, &hwpt->object, TRACE_COMMIT_DIRTY_SET, 0, 0, 0, enable);
	return 0;
}

/* The client's bitmap: bit n stands for the page of 1 << page_shift bytes at iova + n pages. */
struct iova_bitmap {
	struct engine_ctx *ctx;
	uint64_t iova;
	uint64_t length; /* bytes of I/O address */
	uint64_t data;	 /* its address in the client */
	unsigned int page_shift;
};

/* Bytes of the bitmap that one page of the client's memory takes at once. */
#define CHUNK_BYTES 4096u

/* Sets bits [bit, last] of the bitmap; gives up at memory that is not there. */
static void bitmap_set_bits(const struct iova_bitmap *bitmap, uint64_t bit, uint64_t last)
{
	uint8_t bytes[CHUNK_BYTES];
	uint64_t i;

	while (bit <= last) {
		uint64_t addr = bitmap->data + bit / 8;
		uint64_t room = (CHUNK_BYTES - addr % CHUNK_BYTES) * 8 - bit % 8;
		uint64_t end = last - bit < room ? last : bit + room - 1;
		size_t len = end / 8 - bit / 8 + 1;

		if (ctx_copy_in(bitmap->ctx, bytes, addr, len))
			return;
		for (i = bit; i <= end; i++)
			bytes[i / 8 - bit / 8] |= (uint8_t)(1u << (i % 8));
		if (ctx_copy_out(bitmap->ctx, addr, bytes, len))
			return;
		if (end == UINT64_MAX)
			return;
		bit = end + 1;
	}
}

/*
 * Records [iova, iova + length): a leaf, cut to the range that was asked for, and
 * so never past the last byte of the bitmap.
 */
static void bitmap_record(void *opaque, uint64_t iova, uint64_t length)
{
	const struct iova_bitmap *bitmap = opaque;
	uint64_t first = iova - bitmap->iova;

	bitmap_set_bits(bitmap, first >> bitmap->page_shift,
			(first + length - 1) >> bitmap->page_shift);
}

/* Source: iommufd_check_iova_range(); its masks are what they are for sizes that
 * are no power of two. */
static int dirty_check_range(const struct io_pagetable *iopt,
			     const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	uint64_t align = iopt->iova_alignment, last;

	if (__builtin_add_overflow(cmd->iova, cmd->length - 1, &last))
		return -EOVERFLOW;
	if ((cmd->iova & (align - 1)) || ((last + 1) & (align - 1)))
		return -EINVAL;
	if (!cmd->page_size)
		return -EINVAL;
	if ((cmd->iova & (cmd->page_size - 1)) || ((last + 1) & (cmd->page_size - 1)))
		return -EINVAL;
	return 0;
}

int cmd_hwpt_get_dirty_bitmap(struct engine_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct iova_bitmap bitmap = { .ctx = ucmd->ctx };
	struct iopt_contig iter;
	struct iopt_area *area;
	struct hwpt *hwpt;
	uint64_t last;
	void *pages;
	int rc;

	if ((cmd->flags & ~(uint32_t)IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) || cmd->__reserved)
		return -EOPNOTSUPP;
	hwpt = object_get(ucmd->ctx, cmd->hwpt_id, ENGINE_OBJ_HWPT_PAGING);
	if (!hwpt)
		return -ENOENT;
	rc = dirty_check_range(&hwpt->ioas->iopt, cmd);
	if (rc)
		return rc;
	if (!hwpt->domain.dirty_ops)
		return -EOPNOTSUPP;
	/* The kernel's iterator with its page of page pointers can fail here. */
	pages = ctx_alloc(ucmd->ctx, 1);
	if (!pages)
		return -ENOMEM;
	free(pages);

	bitmap.iova = cmd->iova;
	bitmap.length = cmd->length;
	bitmap.data = cmd->data;
	bitmap.page_shift = (unsigned int)__builtin_ctzll(cmd->page_size);
	last = cmd->iova + (cmd->length - 1);
	iopt_contig_for_each(&iter, area, &hwpt->ioas->iopt, cmd->iova, last)
		domain_read_and_clear_dirty(&hwpt->domain, &hwpt->ioas->iopt, area, iter.iova,
					    area->last < last ? area->last : last,
					    cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
					    bitmap_record, &bitmap);
	ctx_commit(ucmd->ctx, &hwpt->object, TRACE_COMMIT_DIRTY_READ, cmd->iova, last, cmd->flags,
		   0);
	return 0;
}
