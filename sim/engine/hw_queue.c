/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware queues of a vIOMMU: HW_QUEUE_ALLOC.
 *
 * The hardware reads a queue's memory by physical address, so it must be one
 * physical run, and stays pinned and mapped as long as the queue lives.
 */
#include "sim/engine/access.h"
#include "sim/engine/hwpt.h"
#include "sim/engine/viommu.h"

/* [base_addr, base_addr + length) in whole pages. */
static void hw_queue_pages(const struct hw_queue *queue, uint64_t *iova, uint64_t *length)
{
	uint64_t offset = queue->base_addr & ENGINE_PAGE_MASK;

	*iova = queue->base_addr - offset;
	*length = (offset + queue->length + ENGINE_PAGE_MASK) & ~ENGINE_PAGE_MASK;
}

static void hw_queue_destroy(struct engine_object *object)
{
	struct hw_queue *queue = container_of(object, struct hw_queue, object);
	uint64_t iova, length;

	if (queue->started) {
		/*
		 * Of whatever index: the mock driver does not note it (selftest.c,
		 * mock_hw_queue_init_phys()), so index 1 stays taken for good.
		 */
		queue->viommu->hw_queues[0] = NULL;
		if (queue->prev)
			queue->prev->object.users--;
	}
	if (queue->access) {
		hw_queue_pages(queue, &iova, &length);
		access_unpin(queue->access, iova, length);
		access_destroy(queue->access);
	}
	if (queue->viommu)
		queue->viommu->object.users--;
}

static const struct object_ops hw_queue_ops = { .destroy = hw_queue_destroy };

/* Whether [iova, iova + length) of an address space is one physical run of memory. */
static bool is_one_run(struct io_pagetable *iopt, uint64_t iova, uint64_t length)
{
	struct iopt_area *area = iopt_area_first(iopt, iova, iova, NULL);
	int64_t first, last;

	if (length == ENGINE_PAGE_SIZE)
		return true;
	if (area->last - iova < length - 1)
		return false;
	iopt_pages_run(iopt_area_pages(area), iopt_area_byte(area, iova), &first, &last);
	return (int64_t)(iopt_area_byte(area, iova) + (length - 1)) <= last;
}

/*
 * Pins the queue's memory through an access of its own. Source:
 * iommufd_hw_queue_alloc_phys().
 */
static int hw_queue_pin(struct hw_queue *queue, struct viommu *viommu)
{
	struct engine_ctx *ctx = queue->object.ctx;
	uint64_t iova, length, end;
	struct access *access;
	void *pages;
	int rc;

	if (__builtin_add_overflow(queue->length, (queue->base_addr & ENGINE_PAGE_MASK), &end) ||
	    __builtin_add_overflow(end, ENGINE_PAGE_MASK, &end))
		return -ERANGE;
	hw_queue_pages(queue, &iova, &length);
	/* Where the kernel has no memory for an array of that many pages. */
	if (length >> ENGINE_PAGE_SHIFT > INT32_MAX / sizeof(void *))
		return -ENOMEM;
	pages = ctx_alloc(ctx, 1);
	if (!pages)
		return -ENOMEM;
	free(pages);
	access = access_create(ctx, true, NULL);
	if (!access)
		return -ENOMEM;
	rc = access_change_ioas(access, viommu->hwpt->ioas);
	if (rc)
		goto out_destroy;
	rc = access_pin(access, iova, length, false, NULL);
	if (rc)
		goto out_destroy;
	rc = -EFAULT;
	if (!is_one_run(&viommu->hwpt->ioas->iopt, iova, length))
		goto out_unpin;
	queue->access = access;
	return 0;

out_unpin:
	access_unpin(access, iova, length);
out_destroy:
	access_destroy(access);
	return rc;
}

/* The mock driver's half. Source: mock_hw_queue_init_phys(). */
static int hw_queue_start(struct hw_queue *queue, uint32_t index)
{
	struct viommu *viommu = queue->viommu;
	struct hw_queue *prev = NULL;

	if (index >= IOMMU_TEST_HW_QUEUE_MAX)
		return -EINVAL;
	if (viommu->hw_queues[index])
		return -EEXIST;
	if (index) {
		prev = viommu->hw_queues[index - 1];
		if (!prev)
			return -EIO;
		prev->object.users++;
	}
	queue->prev = prev;
	queue->started = true;
	viommu->hw_queues[index] = queue;
	return 0;
}

int cmd_hw_queue_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct hw_queue *queue;
	struct viommu *viommu;
	uint64_t last;
	int rc;

	if (cmd->flags || cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (__builtin_add_overflow(cmd->nesting_parent_iova, cmd->length - 1, &last))
		return -EOVERFLOW;
	viommu = object_get(ucmd->ctx, cmd->viommu_id, ENGINE_OBJ_VIOMMU);
	if (!viommu)
		return -ENOENT;
	if (cmd->type != IOMMU_HW_QUEUE_TYPE_SELFTEST)
		return -EOPNOTSUPP;
	queue = ucmd_object_alloc(ucmd, sizeof(*queue), ENGINE_OBJ_HW_QUEUE, &hw_queue_ops);
	if (!queue)
		return -ENOMEM;
	ucmd->new_parent = viommu->object.id;
	queue->length = cmd->length;
	queue->base_addr = cmd->nesting_parent_iova;
	rc = hw_queue_pin(queue, viommu);
	if (rc)
		return rc;
	queue->viommu = viommu;
	viommu->object.users++;
	rc = hw_queue_start(queue, cmd->index);
	if (rc)
		return rc;
	cmd->out_hw_queue_id = queue->object.id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}
