/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OPTION: RLIMIT_MODE of the file, HUGE_PAGES of an address space. Source:
 * ioas.c, main.c (iommufd_option()).
 */
#include <ioasis/iommufd_abi.h>

#include "sim/engine/command.h"
#include "sim/engine/io_pagetable.h"

static int rlimit_mode_set(struct engine_ucmd *ucmd, uint64_t value)
{
	struct engine_ctx *ctx = ucmd->ctx;

	if (!ucmd->client->ops->capable(ucmd->client, ENGINE_CAP_SYS_RESOURCE))
		return -EPERM;
	if (ctx->objects.count)
		return -EBUSY;
	if (value > 1)
		return -EINVAL;
	ctx->account_mode = value ? ACCOUNT_MM : ACCOUNT_USER;
	ctx_commit(ctx, NULL, TRACE_COMMIT_OPTION, 0, 0, IOMMU_OPTION_RLIMIT_MODE, value);
	return 0;
}

static int option_rlimit_mode(struct engine_ucmd *ucmd, struct iommu_option *cmd)
{
	if (cmd->object_id)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case IOMMU_OPTION_OP_GET:
		cmd->val64 = ucmd->ctx->account_mode == ACCOUNT_MM;
		return 0;
	case IOMMU_OPTION_OP_SET:
		return rlimit_mode_set(ucmd, cmd->val64);
	default:
		return -EOPNOTSUPP;
	}
}

static int huge_pages_set(struct ioas *ioas, uint64_t value)
{
	int rc = 0;

	if (value > 1)
		return -EINVAL;
	if (value)
		iopt_enable_large_pages(&ioas->iopt);
	else
		rc = iopt_disable_large_pages(&ioas->iopt);
	if (!rc)
		ctx_commit(ioas->iopt.ctx, &ioas->object, TRACE_COMMIT_OPTION, 0, 0,
			   IOMMU_OPTION_HUGE_PAGES, value);
	return rc;
}

static int option_huge_pages(struct engine_ucmd *ucmd, struct iommu_option *cmd)
{
	struct ioas *ioas = ioas_get(ucmd->ctx, cmd->object_id);

	if (!ioas)
		return -ENOENT;
	switch (cmd->op) {
	case IOMMU_OPTION_OP_GET:
		cmd->val64 = !ioas->iopt.disable_large_pages;
		return 0;
	case IOMMU_OPTION_OP_SET:
		return huge_pages_set(ioas, cmd->val64);
	default:
		return -EOPNOTSUPP;
	}
}

int cmd_option(struct engine_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		rc = option_rlimit_mode(ucmd, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		rc = option_huge_pages(ucmd, cmd);
		break;
	default:
		rc = -EOPNOTSUPP;
	}
	if (rc)
		return rc;
	/* The value goes back on SET too. */
	return ctx_copy_out(ucmd->ctx, ucmd->user_arg + offsetof(struct iommu_option, val64),
			    &cmd->val64, sizeof(cmd->val64));
}
