/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IOAS commands: argument checks in the kernel's order. Source: ioas.c.
 */
#include <ioasis/iommufd_abi.h>

#include "sim/engine/command.h"
#include "sim/engine/heap.h"
#include "sim/engine/io_pagetable.h"
#include "sim/engine/trace.h"

#define MAP_FLAGS \
	(IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/* COPY's flag of the test command: src_iova is {nth area, offset} (MOCK_FLAGS_ACCESS_SYZ). */
#define COPY_FLAG_NTH_AREA (1u << 16)

/* ---- the object --------------------------------------------------------------------- */

static void ioas_destroy(struct engine_object *object)
{
	iopt_fini(&container_of(object, struct ioas, object)->iopt);
}

static const struct object_ops ioas_ops = {
	.destroy = ioas_destroy,
};

struct ioas *ioas_alloc(struct engine_ctx *ctx)
{
	struct ioas *ioas = object_alloc(ctx, sizeof(*ioas), ENGINE_OBJ_IOAS, &ioas_ops);

	if (!ioas)
		return NULL;
	iopt_init(&ioas->iopt, ctx);
	list_init(&ioas->hwpts);
	return ioas;
}

int cmd_ioas_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct ioas *ioas;

	if (cmd->flags)
		return -EOPNOTSUPP;
	ioas = ioas_alloc(ucmd->ctx);
	if (!ioas)
		return -ENOMEM;
	ucmd->new_object = &ioas->object;
	cmd->out_ioas_id = ioas->object.id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

/* ---- ranges ----------------------------------------------------------------------------- */

int cmd_ioas_iova_ranges(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct iommu_iova_range range = { 0 };
	uint32_t room = cmd->num_iovas;
	struct ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;

	cmd->num_iovas = 0;
	cmd->out_iova_alignment = ioas->iopt.iova_alignment;
	while (iopt_next_unreserved(&ioas->iopt, &range.start, &range.last)) {
		if (cmd->num_iovas < room) {
			rc = ctx_copy_out(ucmd->ctx,
					  cmd->allowed_iovas + cmd->num_iovas * sizeof(range),
					  &range, sizeof(range));
			if (rc)
				return rc;
		}
		cmd->num_iovas++;
		if (range.last == UINT64_MAX)
			break;
		range.start = range.last + 1;
	}
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		return rc;
	return cmd->num_iovas > room ? -EMSGSIZE : 0;
}

/* iommufd_ioas_load_iovas(): the caller's ranges into a tree. */
static int allowed_load(struct engine_ctx *ctx, struct span_tree *allowed, uint64_t user_ranges,
			uint32_t num)
{
	struct iommu_iova_range range;
	struct span span;
	int rc;

	for (uint32_t i = 0; i < num; i++) {
		rc = ctx_copy_in(ctx, &range, user_ranges + i * sizeof(range), sizeof(range));
		if (rc)
			return rc;
		if (range.start >= range.last)
			return -EINVAL;
		if (span_tree_first(allowed, range.start, range.last, &span, NULL))
			return -EINVAL;
		if (ctx_should_fail(ctx) ||
		    span_tree_insert(allowed, range.start, range.last, NULL))
			return -ENOMEM;
	}
	return 0;
}

static int allowed_check(struct io_pagetable *iopt, const struct span_tree *allowed)
{
	struct span_pos pos;
	struct span span;
	bool more;

	for (more = span_tree_first(allowed, 0, UINT64_MAX, &span, &pos); more;
	     more = span_tree_next(&pos, UINT64_MAX, &span)) {
		if (iopt_is_reserved(iopt, span.start, span.last))
			return -EADDRINUSE;
	}
	return 0;
}

int cmd_ioas_allow_iovas(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct span_tree allowed;
	struct ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;

	span_tree_init(&allowed, &ucmd->ctx->span_pool);
	rc = allowed_load(ucmd->ctx, &allowed, cmd->allowed_iovas, cmd->num_iovas);
	if (!rc)
		rc = allowed_check(&ioas->iopt, &allowed);
	if (rc) {
		span_tree_fini(&allowed);
		return rc;
	}
	span_tree_fini(&ioas->iopt.allowed);
	ioas->iopt.allowed = allowed;
	ctx_commit(ucmd->ctx, &ioas->object, TRACE_COMMIT_ALLOW, 0, 0, 0, cmd->num_iovas);
	return 0;
}

/* ---- map -------------------------------------------------------------------------------- */

static uint8_t flags_prot(uint32_t flags)
{
	return (flags & IOMMU_IOAS_MAP_WRITEABLE ? ENGINE_PROT_WRITE : 0) |
	       (flags & IOMMU_IOAS_MAP_READABLE ? ENGINE_PROT_READ : 0);
}

static bool flags_have_prot(uint32_t flags)
{
	return flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE);
}

/* Maps fresh pages, whose reference it takes over. */
static int map_pages(struct ioas *ioas, struct iopt_pages *pages, uint64_t start_byte,
		     uint64_t length, uint64_t *iova, uint32_t flags)
{
	struct iopt_slice slice = { pages, start_byte, length };
	int rc;

	rc = iopt_map_slices(ioas, &slice, 1, length, iova, !(flags & IOMMU_IOAS_MAP_FIXED_IOVA),
			     flags_prot(flags), TRACE_COMMIT_MAP, 0);
	if (rc)
		iopt_pages_put(ioas->iopt.ctx, pages);
	return rc;
}

int cmd_ioas_map(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct iopt_pages *pages;
	uint64_t iova = cmd->iova;
	uint64_t start_byte;
	struct ioas *ioas;
	int rc;

	if ((cmd->flags & ~(uint32_t)MAP_FLAGS) || cmd->__reserved)
		return -EOPNOTSUPP;
	if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
		return -EOVERFLOW;
	if (!flags_have_prot(cmd->flags))
		return -EINVAL;
	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;

	trace_user_va(ucmd->ctx, cmd->user_va);
	rc = iopt_pages_alloc_user(ucmd->ctx, cmd->user_va, cmd->length,
				   cmd->flags & IOMMU_IOAS_MAP_WRITEABLE, &pages, &start_byte);
	if (!rc)
		rc = map_pages(ioas, pages, start_byte, cmd->length, &iova, cmd->flags);
	if (rc)
		return rc;
	cmd->iova = iova;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

int cmd_ioas_map_file(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct iopt_pages *pages;
	uint64_t iova = cmd->iova;
	uint64_t start_byte;
	struct ioas *ioas;
	int rc;

	if (cmd->flags & ~(uint32_t)MAP_FLAGS)
		return -EOPNOTSUPP;
	if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
		return -EOVERFLOW;
	if (!flags_have_prot(cmd->flags))
		return -EINVAL;
	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;

	rc = iopt_pages_alloc_fd(ucmd->ctx, cmd->fd, cmd->start, cmd->length,
				 cmd->flags & IOMMU_IOAS_MAP_WRITEABLE, &pages, &start_byte);
	if (!rc)
		rc = map_pages(ioas, pages, start_byte, cmd->length, &iova, cmd->flags);
	if (rc)
		return rc;
	cmd->iova = iova;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

/* ---- copy ------------------------------------------------------------------------------- */

struct slice_list {
	struct iopt_slice *slices;
	size_t count;
	size_t room;
};

static int slice_list_add(struct engine_ctx *ctx, struct slice_list *list,
			  struct iopt_pages *pages, uint64_t start_byte, uint64_t length)
{
	if (ctx_should_fail(ctx))
		return -ENOMEM;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 4;
		struct iopt_slice *slices = heap_resize(ctx->engine->config.heap, list->slices,
							room * sizeof(*slices));

		if (!slices)
			return -ENOMEM;
		list->slices = slices;
		list->room = room;
	}
	list->slices[list->count++] =
		(struct iopt_slice){ iopt_pages_get(pages), start_byte, length };
	return 0;
}

/* iopt_get_pages(): what [iova, iova + length) is made of. References are the list's. */
static int slice_list_get(struct ioas *src, uint64_t iova, uint64_t length,
			  struct slice_list *list)
{
	struct iopt_contig iter;
	struct iopt_area *area;
	uint64_t last;
	int rc;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	iopt_contig_for_each(&iter, area, &src->iopt, iova, last) {
		uint64_t part_last = last < area->last ? last : area->last;

		rc = slice_list_add(src->iopt.ctx, list, iopt_area_pages(area),
				    iopt_area_byte(area, iter.iova), part_last - iter.iova + 1);
		if (rc)
			return rc;
	}
	return iopt_contig_done(&iter) ? 0 : -ENOENT;
}

static void slice_list_put(struct engine_ctx *ctx, struct slice_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		iopt_pages_put(ctx, list->slices[i].pages);
	free(list->slices);
}

/* __iommufd_test_syz_conv_iova(): {nth area, offset} to an address. */
static void copy_nth_area(struct engine_ctx *ctx, struct iommu_ioas_copy *cmd)
{
	uint32_t nth = (uint32_t)cmd->src_iova;
	uint32_t offset = (uint32_t)(cmd->src_iova >> 32);
	struct iopt_area *area;
	struct span_pos pos;
	struct ioas *ioas;

	cmd->flags &= ~COPY_FLAG_NTH_AREA;
	ioas = ioas_get(ctx, cmd->src_ioas_id);
	if (!ioas)
		return;
	area = iopt_area_first(&ioas->iopt, 0, UINT64_MAX, &pos);
	while (area && nth--)
		area = iopt_area_next(&pos, UINT64_MAX);
	cmd->src_iova = area ? area->iova + offset : 0;
}

static int copy_slices(struct engine_ucmd *ucmd, struct slice_list *list)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	uint64_t iova = cmd->dst_iova;
	struct ioas *dst = ioas_get(ucmd->ctx, cmd->dst_ioas_id);
	int rc;

	if (!dst)
		return -ENOENT;
	rc = iopt_map_slices(dst, list->slices, list->count, cmd->length, &iova,
			     !(cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA), flags_prot(cmd->flags),
			     TRACE_COMMIT_COPY, cmd->src_ioas_id);
	if (rc)
		return rc;
	list->count = 0; /* the references are the areas' now */
	cmd->dst_iova = iova;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

int cmd_ioas_copy(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct slice_list list = { 0 };
	struct ioas *src;
	int rc;

	if (cmd->flags & COPY_FLAG_NTH_AREA)
		copy_nth_area(ucmd->ctx, cmd);
	if (cmd->flags & ~(uint32_t)MAP_FLAGS)
		return -EOPNOTSUPP;
	if (cmd->length == UINT64_MAX || cmd->src_iova == UINT64_MAX ||
	    cmd->dst_iova == UINT64_MAX)
		return -EOVERFLOW;
	if (!flags_have_prot(cmd->flags))
		return -EINVAL;
	src = ioas_get(ucmd->ctx, cmd->src_ioas_id);
	if (!src)
		return -ENOENT;

	rc = slice_list_get(src, cmd->src_iova, cmd->length, &list);
	if (!rc)
		rc = copy_slices(ucmd, &list);
	slice_list_put(ucmd->ctx, &list);
	return rc;
}

/* ---- unmap ------------------------------------------------------------------------------ */

int cmd_ioas_unmap(struct engine_ucmd *ucmd)
{
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	bool all = cmd->iova == 0 && cmd->length == UINT64_MAX;
	uint64_t unmapped = 0;
	uint64_t last = UINT64_MAX;
	struct ioas *ioas;
	int rc;

	ioas = ioas_get(ucmd->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	if (!all) {
		if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
			return -EOVERFLOW;
		if (!cmd->length)
			return -EINVAL;
		if (__builtin_add_overflow(cmd->iova, cmd->length - 1, &last))
			return -EOVERFLOW;
	}
	rc = iopt_unmap_range(ioas, cmd->iova, last, &unmapped, all);
	if (rc)
		return rc;
	if (!all && !unmapped)
		return -ENOENT;
	cmd->length = unmapped;
	return ucmd_respond(ucmd, sizeof(*cmd));
}
