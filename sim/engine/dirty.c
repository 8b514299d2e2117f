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

/* Bytes of the bitmap that are held here at once: those in one page of the client's. */
#define WINDOW_BYTES ENGINE_PAGE_SIZE

/*
 * The client's bitmap: bit n stands for the page of 1 << page_shift bytes at iova + n
 * pages. A window of it is read, added to, and written back when the next is needed.
 */
struct iova_bitmap {
	struct engine_ctx *ctx;
	uint64_t iova;
	uint64_t data;	/* its address in the client */
	uint64_t bytes; /* of the whole */
	unsigned int page_shift;
	uint64_t window_first, window_end; /* bytes that are held: [first, end) */
	uint64_t touched_first, touched_end;
	uint8_t window[WINDOW_BYTES];
};

/* Writes back what was added; memory that cannot be written is no error. */
static void bitmap_flush(struct iova_bitmap *bitmap)
{
	uint64_t first = bitmap->touched_first, end = bitmap->touched_end;

	if (first < end)
		ctx_copy_out(bitmap->ctx, bitmap->data + first,
			     bitmap->window + (first - bitmap->window_first), end - first);
	bitmap->window_end = bitmap->window_first;
	bitmap->touched_first = bitmap->touched_end = 0;
}

/* Holds the window around a byte of the bitmap. False: there is no such memory. */
static bool bitmap_load(struct iova_bitmap *bitmap, uint64_t byte)
{
	uint64_t in_page = (bitmap->data + byte) & (WINDOW_BYTES - 1);

	if (byte >= bitmap->window_first && byte < bitmap->window_end)
		return true;
	bitmap_flush(bitmap);
	if (byte >= bitmap->bytes)
		return false;
	bitmap->window_first = byte - (in_page < byte ? in_page : byte);
	bitmap->window_end = byte + (WINDOW_BYTES - in_page);
	if (bitmap->window_end > bitmap->bytes)
		bitmap->window_end = bitmap->bytes;
	if (!ctx_copy_in(bitmap->ctx, bitmap->window, bitmap->data + bitmap->window_first,
			 bitmap->window_end - bitmap->window_first))
		return true;
	bitmap->window_end = bitmap->window_first;
	return false;
}

/* Sets bits [bit, last], up to the first that is in memory that is not there. */
static void bitmap_set_bits(struct iova_bitmap *bitmap, uint64_t bit, uint64_t last)
{
	while (bit <= last && bitmap_load(bitmap, bit / 8)) {
		uint64_t end = bitmap->window_end * 8 - 1;

		if (end > last)
			end = last;
		if (bitmap->touched_first == bitmap->touched_end)
			bitmap->touched_first = bit / 8;
		bitmap->touched_end = end / 8 + 1;
		for (; bit <= end; bit++)
			bitmap->window[bit / 8 - bitmap->window_first] |=
				(uint8_t)(1u << (bit % 8));
	}
}

/*
 * Records [iova, iova + length): a leaf, cut to the range that was asked for, and
 * so never past the last byte of the bitmap. They come by rising address.
 */
static void bitmap_record(void *opaque, uint64_t iova, uint64_t length)
{
	struct iova_bitmap *bitmap = opaque;
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

	if (!cmd->length && engine_changed(iopt->ctx, CHANGE_DIRTY_NEEDS_LENGTH))
		return -EINVAL;
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
	struct iova_bitmap *bitmap;
	struct iopt_contig iter;
	struct iopt_area *area;
	struct hwpt *hwpt;
	uint64_t last;
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
	bitmap = ctx_alloc(ucmd->ctx, sizeof(*bitmap));
	if (!bitmap)
		return -ENOMEM;
	bitmap->ctx = ucmd->ctx;
	bitmap->iova = cmd->iova;
	bitmap->data = cmd->data;
	bitmap->page_shift = (unsigned int)__builtin_ctzll(cmd->page_size);
	bitmap->bytes = ((cmd->length - 1) >> bitmap->page_shift) / 8 + 1;
	last = cmd->iova + (cmd->length - 1);
	iopt_contig_for_each(&iter, area, &hwpt->ioas->iopt, cmd->iova, last) {
		const struct domain_dirty ask = {
			.iova = iter.iova,
			.last = area->last < last ? area->last : last,
			.no_clear = cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
			.record = bitmap_record,
			.opaque = bitmap,
		};

		domain_read_and_clear_dirty(&hwpt->domain, &hwpt->ioas->iopt, area, &ask);
	}
	bitmap_flush(bitmap);
	free(bitmap);
	ctx_commit(ucmd->ctx, &hwpt->object, TRACE_COMMIT_DIRTY_READ, cmd->iova, last, cmd->flags,
		   0);
	return 0;
}
