/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOAS_CHANGE_PROCESS: all mappings of the file are charged to the calling
 * process from now on. Only mappings of files can move. Source: ioas.c.
 */
#include <ioasis/iommufd_abi.h>

#include "sim/engine/account.h"
#include "sim/engine/command.h"
#include "sim/engine/io_pagetable.h"

/* Calls visit for each area of each address space until it fails. */
static int for_each_area(struct engine_ctx *ctx, int (*visit)(struct iopt_area *, void *),
			 void *opaque)
{
	struct engine_object *object;
	struct iopt_area *area;
	struct span_pos pos;
	uint32_t id;
	int rc;

	for (id = 0; (object = object_next(ctx, &id)); id++) {
		if (object->type != ENGINE_OBJ_IOAS)
			continue;
		area = iopt_area_first(&((struct ioas *)object)->iopt, 0, UINT64_MAX, &pos);
		for (; area; area = iopt_area_next(&pos, UINT64_MAX)) {
			rc = visit(area, opaque);
			if (rc)
				return rc;
		}
	}
	return 0;
}

struct move {
	struct engine_ctx *ctx;
	struct iopt_source *to;
	uint64_t npages[ACCOUNT_MM + 1]; /* by account mode */
};

static bool needs_charge(const struct iopt_pages *pages, const struct iopt_source *to)
{
	switch ((enum account_mode)pages->account_mode) {
	case ACCOUNT_NONE:
		return false;
	case ACCOUNT_MM:
		return pages->source->mm != to->mm;
	case ACCOUNT_USER:
		return pages->source->uid != to->uid || pages->source->mm != to->mm;
	}
	return true;
}

static int area_is_file(struct iopt_area *area, void *opaque)
{
	(void)opaque;
	return iopt_area_pages(area)->type == IOPT_PAGES_FILE ? 0 : -EINVAL;
}

/* Sums what the new process is to be charged; pages of several areas count once. */
static int area_sum(struct iopt_area *area, void *opaque)
{
	struct iopt_pages *pages = iopt_area_pages(area);
	struct move *move = opaque;

	if (!pages->moving && needs_charge(pages, move->to))
		move->npages[pages->account_mode] += iopt_pages_pinned(pages);
	pages->moving = true;
	return 0;
}

static int area_stay(struct iopt_area *area, void *opaque)
{
	(void)opaque;
	iopt_area_pages(area)->moving = false;
	return 0;
}

static int area_move(struct iopt_area *area, void *opaque)
{
	struct iopt_pages *pages = iopt_area_pages(area);
	struct move *move = opaque;

	if (!pages->moving)
		return 0;
	pages->moving = false;
	if (needs_charge(pages, move->to))
		account_uncharge(move->ctx->engine, pages->account_mode, pages->source,
				 iopt_pages_pinned(pages));
	iopt_source_put(pages->source);
	pages->source = move->to;
	move->to->refs++;
	return 0;
}

static int move_charge(struct move *move)
{
	struct engine *engine = move->ctx->engine;
	int rc;

	rc = account_charge(engine, ACCOUNT_USER, move->to, move->npages[ACCOUNT_USER]);
	if (rc)
		return rc;
	rc = account_charge(engine, ACCOUNT_MM, move->to, move->npages[ACCOUNT_MM]);
	if (rc)
		account_uncharge(engine, ACCOUNT_USER, move->to, move->npages[ACCOUNT_USER]);
	return rc;
}

static void commit_all(struct engine_ctx *ctx, uint32_t pid)
{
	struct engine_object *object;
	uint32_t id;

	for (id = 0; (object = object_next(ctx, &id)); id++) {
		if (object->type == ENGINE_OBJ_IOAS)
			ctx_commit(ctx, object, TRACE_COMMIT_PROCESS, 0, 0, 0, pid);
	}
}

int cmd_ioas_change_process(struct engine_ucmd *ucmd)
{
	const struct iommu_ioas_change_process *cmd = ucmd->cmd;
	const struct engine_client *client = ucmd->client;
	struct move move = { .ctx = ucmd->ctx };
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	rc = for_each_area(ucmd->ctx, area_is_file, NULL);
	if (rc)
		return rc;
	move.to = iopt_source_get_current(ucmd->ctx);
	if (!move.to)
		return -ENOMEM;
	move.to->memlock_limit = client->ops->memlock_limit(client);
	for_each_area(ucmd->ctx, area_sum, &move);
	rc = move_charge(&move);
	for_each_area(ucmd->ctx, rc ? area_stay : area_move, &move);
	if (!rc)
		commit_all(ucmd->ctx, client->pid);
	iopt_source_put(move.to);
	return rc;
}
