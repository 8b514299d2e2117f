/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test command (nr 0xa0): dispatch, and the operations that look at page
 * tables, pins and caches or make things happen. Devices are in test_device.c,
 * accesses in test_access.c, dma-bufs in test_dmabuf.c.
 *
 * Source: iommufd/selftest.c.
 */
#include "sim/engine/eventq.h"
#include "sim/engine/mock.h"
#include "sim/engine/viommu.h"

static bool is_page_aligned(uint64_t value)
{
	return !(value & ENGINE_PAGE_MASK);
}

static int test_add_reserved(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	uint64_t start = cmd->add_reserved.start, last;
	struct ioas *ioas;

	if (!cmd->add_reserved.length)
		return -EINVAL;
	if (__builtin_add_overflow(start, cmd->add_reserved.length - 1, &last))
		return -EOVERFLOW;
	ioas = ioas_get(ctx, cmd->id);
	if (!ioas)
		return -ENOENT;
	return iopt_reserve(&ioas->iopt, start, last, NULL);
}

/* ---- the caller's memory ------------------------------------------------------ */

ssize_t test_user_pages(struct engine_ctx *ctx, uint64_t va, size_t max, struct engine_page *pages)
{
	const struct engine_client *client = ctx->call->client;
	struct engine_mm *mm = client->ops->mm_get(client);
	ssize_t count;

	if (!mm)
		return -EFAULT;
	count = mm->ops->pin(mm, va, max, false, pages);
	if (count > 0)
		mm->ops->unpin(mm, va, (size_t)count);
	engine_mm_put(mm);
	return count > 0 ? count : -EFAULT;
}

/* Whether the page at va in the calling process is part of a huge one. */
static bool test_user_page_is_huge(struct engine_ctx *ctx, uint64_t va)
{
	const struct engine_client *client = ctx->call->client;
	struct engine_mm *mm = client->ops->mm_get(client);
	bool huge;

	if (!mm)
		return false;
	huge = mm->ops->huge_page_bytes && mm->ops->huge_page_bytes(mm, va) > ENGINE_PAGE_SIZE;
	engine_mm_put(mm);
	return huge;
}

/* Pages that are asked for at once. */
#define USER_PAGES 64u

/* A window over the caller's pages: what test_user_pages() said last. */
struct user_window {
	struct engine_ctx *ctx;
	uint64_t va;	/* of pages[0] */
	uint64_t end;	/* no page from here on is of interest */
	size_t count;
	struct engine_page pages[USER_PAGES];
};

/* The identity of the page at va; 0 or -EFAULT. */
static int window_page(struct user_window *window, uint64_t va, struct engine_page *page)
{
	uint64_t index = (va - window->va) >> ENGINE_PAGE_SHIFT;
	uint64_t want;
	ssize_t count;

	if (!window->count || va < window->va || index >= window->count) {
		want = (window->end - va + ENGINE_PAGE_MASK) >> ENGINE_PAGE_SHIFT;
		if (want > USER_PAGES || !want)
			want = USER_PAGES;
		count = test_user_pages(window->ctx, va, want, window->pages);
		if (count <= 0)
			return -EFAULT;
		window->va = va;
		window->count = (size_t)count;
		index = 0;
	}
	*page = window->pages[index];
	return 0;
}

/* Whether domain translates iova to this byte of this page. */
static bool domain_maps_to(struct hwpt *hwpt, uint64_t iova, const struct engine_page *page,
			   uint64_t offset)
{
	struct iopt_area *area = iopt_area_first(&hwpt->ioas->iopt, iova, iova, NULL);
	struct engine_page behind;

	if (!area || iopt_pages_revoked(iopt_area_pages(area)))
		return false;
	if ((iopt_area_byte(area, iova) & ENGINE_PAGE_MASK) != offset)
		return false;
	if (iopt_pages_identity(hwpt->object.ctx, iopt_area_pages(area), iopt_area_index(area, iova),
				&behind))
		return false;
	return behind.object == page->object && behind.index == page->index;
}

static int test_check_map(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	uint64_t iova = cmd->check_map.iova, uptr = cmd->check_map.uptr;
	uint64_t length = cmd->check_map.length, step, end;
	struct user_window window = { .ctx = ctx };
	struct engine_page page;
	struct hwpt *hwpt;
	bool bad;
	int rc;

	hwpt = object_get(ctx, cmd->id, ENGINE_OBJ_HWPT_PAGING);
	step = hwpt ? domain_min_page(&hwpt->domain) : MOCK_PAGE_SIZE;
	bad = iova % step || length % step || uptr % step ||
	      __builtin_add_overflow(uptr, length, &end);
	/* Where all mock page tables have the same pages, the range is looked at first. */
	if (bad && !engine_changed(ctx, CHANGE_GENERIC_PAGE_TABLES))
		return -EINVAL;
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->domain.mock || bad)
		return -EINVAL;
	window.end = end;
	for (; length; length -= step, iova += step, uptr += step) {
		rc = window_page(&window, uptr & ~ENGINE_PAGE_MASK, &page);
		if (rc)
			return rc;
		if (!domain_maps_to(hwpt, iova, &page, uptr & ENGINE_PAGE_MASK))
			return -EINVAL;
	}
	return 0;
}

static int test_check_refs(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	uint64_t uptr = cmd->check_refs.uptr, length = cmd->check_refs.length, end;
	struct user_window window = { .ctx = ctx };
	struct engine_page page;
	int rc;

	if (!is_page_aligned(length) || !is_page_aligned(uptr) ||
	    __builtin_add_overflow(uptr, length, &end))
		return -EINVAL;
	window.end = end;
	for (; length; length -= ENGINE_PAGE_SIZE, uptr += ENGINE_PAGE_SIZE) {
		rc = window_page(&window, uptr, &page);
		if (rc)
			return rc;
		/* The kernel counts the pins of a huge page as one, and so does not look. */
		if (engine_page_pins(ctx->engine, &page) != cmd->check_refs.refs &&
		    !test_user_page_is_huge(ctx, uptr))
			return -EIO;
	}
	return 0;
}

/* ---- dirty bits and caches ----------------------------------------------------- */

#define DIRTY_BITS_MAX (16ull << 20 << 3)

/*
 * Sets one dirty bit; whether it counts. Before generic page tables only pages that are
 * mapped did, and the page was looked up by its number in pages of the caller's size.
 */
static int test_set_dirty_page(struct hwpt *hwpt, uint64_t iova, uint64_t page_size, bool *counts)
{
	struct io_pagetable *iopt = &hwpt->ioas->iopt;

	*counts = true;
	if (!engine_changed(hwpt->object.ctx, CHANGE_GENERIC_PAGE_TABLES)) {
		iova = iova / page_size * MOCK_PAGE_SIZE;
		*counts = iopt_area_first(iopt, iova, iova, NULL) != NULL;
	}
	return domain_set_dirty(&hwpt->domain, iopt, iova);
}

/* Sets the dirty bits that the caller's bitmap names; how many in *count. */
static int test_set_dirty(struct hwpt *hwpt, const struct iommu_test_cmd *cmd, uint64_t max,
			  uint64_t *count)
{
	struct engine_ctx *ctx = hwpt->object.ctx;
	uint64_t bytes = (max + 7) / 8, i;
	uint8_t *bits;
	bool counts;
	int rc;

	bits = ctx_alloc(ctx, bytes);
	if (!bits)
		return -ENOMEM;
	rc = ctx_copy_in(ctx, bits, cmd->dirty.uptr, bytes);
	for (i = 0; !rc && i < max; i++) {
		if (!(bits[i / 8] >> (i % 8) & 1))
			continue;
		rc = test_set_dirty_page(hwpt, cmd->dirty.iova + i * cmd->dirty.page_size,
					 cmd->dirty.page_size, &counts);
		*count += counts;
	}
	free(bits);
	return rc;
}

static int test_dirty(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	uint64_t page_size = cmd->dirty.page_size, length = cmd->dirty.length;
	struct hwpt *hwpt;
	uint64_t max, count = 0;
	int rc;

	if (!page_size || !length || cmd->dirty.iova % page_size || length % page_size ||
	    !cmd->dirty.uptr)
		return -EINVAL;
	max = length / page_size;
	if (max > DIRTY_BITS_MAX)
		return -EOVERFLOW;
	hwpt = object_get(ucmd->ctx, cmd->id, ENGINE_OBJ_HWPT_PAGING);
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->domain.mock || !hwpt->domain.dirty_tracking)
		return -EINVAL;
	rc = test_set_dirty(hwpt, cmd, max, &count);
	if (rc)
		return rc;
	cmd->dirty.out_nr_dirty = count;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

static int test_check_iotlb(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	const struct hwpt *hwpt = object_get(ctx, cmd->id, ENGINE_OBJ_HWPT_NESTED);
	uint32_t id = cmd->check_iotlb.id;

	if (!hwpt)
		return -ENOENT;
	if (id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX ||
	    hwpt->domain.iotlb[id] != cmd->check_iotlb.iotlb)
		return -EINVAL;
	return 0;
}

static int test_check_cache(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	const struct device *dev = device_get(ctx, cmd->id);
	uint32_t id = cmd->check_dev_cache.id;

	if (!dev)
		return -ENOENT;
	if (!mock_dev(dev) || id > MOCK_DEV_CACHE_ID_MAX ||
	    mock_dev(dev)->cache[id] != cmd->check_dev_cache.cache)
		return -EINVAL;
	return 0;
}

/* ---- faults and events ----------------------------------------------------------- */

static int test_trigger_iopf(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	const struct fault_request request = {
		.pasid = cmd->trigger_iopf.pasid,
		.grpid = cmd->trigger_iopf.grpid,
		.perm = cmd->trigger_iopf.perm,
		.addr = cmd->trigger_iopf.addr,
	};
	struct device *dev = device_get(ctx, cmd->trigger_iopf.dev_id);

	if (!dev)
		return -ENOENT;
	if (!mock_dev(dev))
		return -EINVAL;
	fault_report(dev, &request);
	return 0;
}

static int test_trigger_vevent(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	struct device *dev = device_get(ctx, cmd->trigger_vevent.dev_id);
	struct iommu_viommu_event_selftest event = { 0 };
	const struct mock_dev *mdev;

	if (!dev)
		return -ENOENT;
	mdev = mock_dev(dev);
	if (!mdev || !mdev->viommu || !mdev->vdev_id)
		return -ENOENT;
	event.virt_id = (uint32_t)mdev->vdev_id;
	return viommu_report_event(mdev->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, &event,
				   sizeof(event));
}

/* How much memory the kernel takes for a batch; it must hold one entry. Here it has no use. */
static int test_set_memory_limit(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	(void)ucmd;
	return cmd->memory_limit.limit < sizeof(uint64_t) + sizeof(uint32_t) ? -EINVAL : 0;
}

/* An operation, and the first kernel with it. */
struct test_op {
	uint32_t since;
	int (*run)(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
};

#define OP(name, major, minor, handler)                                                    \
	[IOMMU_TEST_OP_##name] = { .since = ENGINE_LINUX(major, minor), .run = handler }

static const struct test_op ops[] = {
	OP(ADD_RESERVED, 6, 2, test_add_reserved),
	OP(MOCK_DOMAIN, 6, 2, test_mock_domain),
	OP(MD_CHECK_MAP, 6, 2, test_check_map),
	OP(MD_CHECK_REFS, 6, 2, test_check_refs),
	OP(CREATE_ACCESS, 6, 2, test_create_access),
	OP(DESTROY_ACCESS_PAGES, 6, 2, test_destroy_access_pages),
	OP(ACCESS_PAGES, 6, 2, test_access_pages),
	OP(ACCESS_RW, 6, 2, test_access_rw),
	OP(SET_TEMP_MEMORY_LIMIT, 6, 2, test_set_memory_limit),
	OP(MOCK_DOMAIN_REPLACE, 6, 6, test_mock_domain_replace),
	OP(ACCESS_REPLACE_IOAS, 6, 6, test_access_replace_ioas),
	OP(MOCK_DOMAIN_FLAGS, 6, 7, test_mock_domain),
	OP(DIRTY, 6, 7, test_dirty),
	OP(MD_CHECK_IOTLB, 6, 8, test_check_iotlb),
	OP(TRIGGER_IOPF, 6, 11, test_trigger_iopf),
	OP(DEV_CHECK_CACHE, 6, 13, test_check_cache),
	OP(TRIGGER_VEVENT, 6, 15, test_trigger_vevent),
	OP(PASID_ATTACH, 6, 15, test_pasid_attach),
	OP(PASID_REPLACE, 6, 15, test_pasid_replace),
	OP(PASID_DETACH, 6, 15, test_pasid_detach),
	OP(PASID_CHECK_HWPT, 6, 15, test_pasid_check_hwpt),
	OP(DMABUF_GET, 6, 19, test_dmabuf_get),
	OP(DMABUF_REVOKE, 6, 19, test_dmabuf_revoke),
};

int cmd_test(struct engine_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	const struct test_op *op;

	if (cmd->op >= sizeof(ops) / sizeof(*ops))
		return -EOPNOTSUPP;
	op = &ops[cmd->op];
	if (!op->run || !engine_has(ucmd->ctx, op->since))
		return -EOPNOTSUPP;
	return op->run(ucmd, cmd);
}
