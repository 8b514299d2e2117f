/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock driver's nested page tables and vIOMMUs: their setup, and invalidation
 * of the few words that they pretend to cache.
 */
#include "sim/engine/mock.h"

#include "sim/engine/viommu.h"

int mock_nested_alloc(struct device *dev, struct domain *domain, uint32_t flags,
		      const struct user_data *data, struct viommu *viommu)
{
	struct iommu_hwpt_selftest config;
	size_t size = sizeof(config);
	int rc;

	if (flags & ~(uint32_t)IOMMU_HWPT_ALLOC_PASID)
		return -EOPNOTSUPP;
	if (data->type != IOMMU_HWPT_DATA_SELFTEST)
		return -EOPNOTSUPP;
	if (!engine_changed(dev->object.ctx, CHANGE_GENERIC_PAGE_TABLES))
		size = offsetof(struct iommu_hwpt_selftest, pagetable_type);
	rc = user_data_copy_in(dev->object.ctx, &config, data, IOMMU_HWPT_DATA_SELFTEST, size,
			       sizeof(config.iotlb));
	if (rc)
		return rc;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	list_init(&domain->iopt.link);
	domain->nested = true;
	domain->mock = true;
	domain->viommu = viommu;
	for (uint32_t i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		domain->iotlb[i] = config.iotlb;
	return 0;
}

/* One entry: a word of what the page table caches, or all. */
static int nested_invalidate_one(struct domain *domain,
				 const struct iommu_hwpt_invalidate_selftest *entry)
{
	if (entry->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (entry->iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	if (!(entry->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)) {
		domain->iotlb[entry->iotlb_id] = 0;
		return 0;
	}
	for (uint32_t i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		domain->iotlb[i] = 0;
	return 0;
}

/* Entries that are read at once where the caller has them in a row. */
#define ENTRIES_AT_ONCE 64u

/*
 * Reads entries from the first-th on: at least one, as many as fit when they lie in a
 * row and are all there. How many, or what the one gave.
 */
static int nested_read_entries(struct hwpt *hwpt, const struct iommu_hwpt_invalidate *cmd,
			       uint32_t first, struct iommu_hwpt_invalidate_selftest *entries)
{
	const size_t size = sizeof(*entries);
	const struct user_data data = {
		.uptr = cmd->data_uptr + (uint64_t)cmd->entry_len * first,
		.len = cmd->entry_len,
		.type = cmd->data_type,
	};
	uint32_t count = cmd->entry_num - first;
	int rc;

	if (count > ENTRIES_AT_ONCE)
		count = ENTRIES_AT_ONCE;
	if (cmd->entry_len == size && count > 1 &&
	    !ctx_copy_in(hwpt->object.ctx, entries, data.uptr, size * count))
		return (int)count;
	rc = user_data_copy_in(hwpt->object.ctx, entries, &data, cmd->data_type, size, size);
	return rc ? rc : 1;
}

int mock_nested_invalidate(struct hwpt *hwpt, const struct iommu_hwpt_invalidate *cmd,
			   uint32_t *done)
{
	struct iommu_hwpt_invalidate_selftest entries[ENTRIES_AT_ONCE];
	int count, rc;

	*done = 0;
	if (cmd->data_type != IOMMU_HWPT_INVALIDATE_DATA_SELFTEST)
		return -EINVAL;
	while (*done < cmd->entry_num) {
		count = nested_read_entries(hwpt, cmd, *done, entries);
		if (count < 0)
			return count;
		for (int i = 0; i < count; i++, ++*done) {
			rc = nested_invalidate_one(&hwpt->domain, &entries[i]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* ---- vIOMMUs ------------------------------------------------------------------ */

#define MMAP_BYTES (2ull * ENGINE_PAGE_SIZE)

int mock_viommu_init(struct viommu *viommu, const struct user_data *data)
{
	struct engine_ctx *ctx = viommu->object.ctx;
	struct iommu_viommu_selftest config;
	const size_t min_size = offsetof(struct iommu_viommu_selftest, out_mmap_offset);
	int rc;

	if (!data)
		return 0;
	rc = user_data_copy_in(ctx, &config, data, IOMMU_VIOMMU_TYPE_SELFTEST, sizeof(config),
			       min_size);
	if (rc)
		return rc;
	viommu->mmap = engine_mmap_create(&viommu->object, MMAP_BYTES);
	if (!viommu->mmap)
		return -ENOMEM;
	/* What was sent comes back twice: in the answer and in the memory. */
	*(uint32_t *)viommu->mmap->memory = config.in_data;
	config.out_data = config.in_data;
	config.out_mmap_length = MMAP_BYTES;
	config.out_mmap_offset = viommu->mmap->offset;
	return ctx_copy_out(ctx, data->uptr, &config, data->len);
}

/* One entry: the caches of the device that has this virtual id. */
static int viommu_invalidate_one(struct viommu *viommu,
				 const struct iommu_viommu_invalidate_selftest *entry)
{
	struct vdevice *vdev;
	struct mock_dev *mdev;

	if (entry->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (entry->cache_id > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;
	vdev = viommu_find_virt_id(viommu, entry->vdev_id);
	if (!vdev)
		return -EINVAL;
	mdev = mock_dev(vdev->dev);
	if (!(entry->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)) {
		mdev->cache[entry->cache_id] = 0;
		return 0;
	}
	for (uint32_t i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		mdev->cache[i] = 0;
	return 0;
}

/*
 * Reads all entries before any takes effect. Source:
 * iommu_copy_struct_from_full_user_array().
 */
static int viommu_read_entries(struct viommu *viommu, const struct iommu_hwpt_invalidate *cmd,
			       struct iommu_viommu_invalidate_selftest *entries)
{
	const size_t size = sizeof(*entries);
	int rc;

	if (cmd->data_type != IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST || !cmd->entry_num)
		return -EINVAL;
	if (cmd->entry_len == size)
		return ctx_copy_in(viommu->object.ctx, entries, cmd->data_uptr,
				   size * cmd->entry_num);
	for (uint32_t i = 0; i < cmd->entry_num; i++) {
		rc = ctx_copy_struct_in(viommu->object.ctx, &entries[i], size,
					cmd->data_uptr + (uint64_t)cmd->entry_len * i,
					cmd->entry_len);
		if (rc)
			return rc;
	}
	return 0;
}

int mock_viommu_invalidate(struct viommu *viommu, const struct iommu_hwpt_invalidate *cmd,
			   uint32_t *done)
{
	struct iommu_viommu_invalidate_selftest *entries;
	int rc;

	/* No entries: a way to ask whether the type is known. */
	*done = 0;
	if (!cmd->entry_num && cmd->data_type == IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST)
		return 0;
	entries = ctx_alloc(viommu->object.ctx, sizeof(*entries) * (cmd->entry_num + 1ull));
	if (!entries)
		return -ENOMEM;
	rc = viommu_read_entries(viommu, cmd, entries);
	while (!rc && *done < cmd->entry_num) {
		rc = viommu_invalidate_one(viommu, &entries[*done]);
		if (!rc)
			++*done;
	}
	free(entries);
	return rc;
}
