/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock IOMMU driver: devices and paging page tables.
 *
 * A mock page table has pages of 2 KiB, half the processor's, so that code that
 * mixes both up is found. Since 6.19 it is AMD's format: the default kind translates
 * only from 16 MiB to 2 GiB; the huge kind takes leaves of 4 KiB and 1 MiB alone.
 * Before, it was an array of pages, and leaves of 1 MiB came with a flag of the device.
 */
#include "sim/engine/mock.h"

#include <string.h>

#include "sim/engine/viommu.h"

/* Any power of two from 2 KiB up to a quarter of what a page table of three levels reaches. */
#define MOCK_PAGE_SIZES (((1ull << 37) - 1) & ~(uint64_t)(MOCK_PAGE_SIZE - 1))
/* What three levels of 512 entries of 2 KiB reach. */
#define MOCK_HUGE_APERTURE_LAST ((1ull << 38) - 1)

/* The MOCK_FLAGS_DEVICE_* that this kernel knows. */
static uint32_t device_flags(const struct engine_ctx *ctx)
{
	uint32_t flags = MOCK_FLAGS_DEVICE_NO_DIRTY;

	if (engine_has(ctx, ENGINE_LINUX(6, 8)) && !engine_changed(ctx, CHANGE_GENERIC_PAGE_TABLES))
		flags |= MOCK_FLAGS_DEVICE_HUGE_IOVA;
	if (engine_has(ctx, ENGINE_LINUX(6, 15)))
		flags |= MOCK_FLAGS_DEVICE_PASID;
	return flags;
}

int mock_dev_create(struct engine_ctx *ctx, uint32_t flags, struct mock_dev **out)
{
	struct mock_dev *mdev;
	uint32_t i;

	if (flags & ~device_flags(ctx))
		return -EINVAL;
	mdev = ctx_alloc(ctx, sizeof(*mdev));
	if (!mdev)
		return -ENOMEM;
	/* Its number, its name, its properties, its place in the bus. */
	for (i = 0; i < 4; i++) {
		if (ctx_should_fail(ctx)) {
			free(mdev);
			return -ENOMEM;
		}
	}
	mdev->flags = flags;
	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		mdev->cache[i] = IOMMU_TEST_DEV_CACHE_DEFAULT;
	*out = mdev;
	return 0;
}

static void mock_release(struct device *dev)
{
	free(mock_dev(dev));
}

static bool mock_dirty_capable(const struct device *dev)
{
	return !(mock_dev(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
}

static int mock_hw_info(struct device *dev, uint32_t *type, void *data)
{
	const struct iommu_test_hw_info info = { .test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL };

	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT && *type != IOMMU_HW_INFO_TYPE_SELFTEST)
		return -EOPNOTSUPP;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	memcpy(data, &info, sizeof(info));
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	return sizeof(info);
}

/* A page table of the kernels before the generic ones: pages of 2 KiB, huge ones by the device. */
static int mock_domain_alloc_xarray(struct device *dev, struct domain *domain,
				    const struct user_data *data)
{
	uint64_t page_sizes = MOCK_PAGE_SIZE;

	if (data)
		return -EOPNOTSUPP;
	if (ctx_should_fail(dev->object.ctx))
		return -ENOMEM;
	if (mock_dev(dev)->flags & MOCK_FLAGS_DEVICE_HUGE_IOVA)
		page_sizes |= MOCK_HUGE_PAGE_SIZE;
	domain_init_paging(domain, dev->object.ctx, MOCK_APERTURE_START, MOCK_APERTURE_LAST,
			   page_sizes);
	domain->per_granule = true;
	domain->iopt.maps_without_rights = true;
	return 0;
}

/* A generic page table: AMD's format with pages of 2 KiB. */
static int mock_domain_alloc_generic(struct device *dev, struct domain *domain,
				     const struct user_data *data)
{
	struct engine_ctx *ctx = dev->object.ctx;
	struct iommu_hwpt_selftest config = { 0 };
	int rc;

	if (data && data->type != IOMMU_HWPT_DATA_SELFTEST && data->type != IOMMU_HWPT_DATA_NONE)
		return -EOPNOTSUPP;
	if (data) {
		rc = user_data_copy_in(ctx, &config, data, IOMMU_HWPT_DATA_SELFTEST,
				       sizeof(config), sizeof(config.iotlb));
		if (rc)
			return rc;
	}
	/* The table and its top level. */
	if (ctx_should_fail(ctx) || ctx_should_fail(ctx))
		return -ENOMEM;
	switch (config.pagetable_type) {
	case MOCK_IOMMUPT_DEFAULT:
		domain_init_paging(domain, dev->object.ctx, MOCK_APERTURE_START,
				   MOCK_APERTURE_LAST, MOCK_PAGE_SIZES);
		break;
	case MOCK_IOMMUPT_HUGE:
		domain_init_paging(domain, dev->object.ctx, 0, MOCK_HUGE_APERTURE_LAST,
				   MOCK_HUGE_PAGE_SIZE | ENGINE_PAGE_SIZE);
		break;
	default:
		return -EOPNOTSUPP;
	}
	domain->whole_entries = engine_changed(ctx, CHANGE_DIRTY_WHOLE_ENTRY);
	return 0;
}

static int mock_domain_alloc_paging(struct device *dev, struct domain *domain, uint32_t flags,
				    const struct user_data *data)
{
	int rc;

	if ((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) && !mock_dirty_capable(dev))
		return -EOPNOTSUPP;
	if (engine_changed(dev->object.ctx, CHANGE_GENERIC_PAGE_TABLES))
		rc = mock_domain_alloc_generic(dev, domain, data);
	else
		rc = mock_domain_alloc_xarray(dev, domain, data);
	if (rc)
		return rc;
	domain->mock = true;
	domain->dirty_ops = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	return 0;
}

/*
 * PASID 1024 is for testing what happens when a driver fails: its second attach
 * without a detach in between does. Source: mock_domain_set_dev_pasid_nop().
 */
static int mock_attach_1024(struct mock_dev *mdev, const struct hwpt *hwpt)
{
	if (!hwpt) {
		mdev->pasid_1024_fails = false;
		return 0;
	}
	mdev->pasid_1024_fails = !mdev->pasid_1024_fails;
	return mdev->pasid_1024_fails ? 0 : -ENOMEM;
}

/* The nested page table's vIOMMU must know the device: -ENOENT. */
static int mock_attach_viommu(struct device *dev, const struct hwpt *hwpt)
{
	struct viommu *viommu = hwpt && hwpt->domain.nested ? hwpt->domain.viommu : NULL;
	struct mock_dev *mdev = mock_dev(dev);
	const struct vdevice *vdev = NULL;

	if (viommu) {
		vdev = viommu_find_device(viommu, dev);
		if (!vdev)
			return -ENOENT;
	}
	if (viommu != mdev->viommu) {
		mdev->viommu = viommu;
		mdev->vdev_id = vdev ? vdev->virt_id : 0;
	}
	return 0;
}

static int mock_attach(struct device *dev, uint32_t pasid, struct hwpt *hwpt, struct hwpt *old)
{
	struct mock_dev *mdev = mock_dev(dev);
	int rc = 0;

	/* A PASID's page table is not asked this: mock_domain_set_dev_pasid_nop(). */
	if (pasid == NO_PASID && hwpt && hwpt->domain.dirty_ops && !mock_dirty_capable(dev))
		return -EINVAL;
	if (pasid == NO_PASID)
		rc = mock_attach_viommu(dev, hwpt);
	else if (pasid == IOMMU_TEST_PASID_RESERVED)
		rc = mock_attach_1024(mdev, hwpt);
	if (rc)
		return rc;
	if (hwpt && hwpt->fault) {
		if (!mdev->iopf_refcount && ctx_should_fail(dev->object.ctx))
			return -ENOMEM;
		mdev->iopf_refcount++;
	}
	if (old && old->fault)
		mdev->iopf_refcount--;
	return 0;
}

static const struct device_driver mock_driver = {
	.mock = true,
	.domain_alloc_paging = mock_domain_alloc_paging,
	.domain_alloc_nested = mock_nested_alloc,
	.attach = mock_attach,
	.hw_info = mock_hw_info,
	.dirty_capable = mock_dirty_capable,
	.release = mock_release,
};

struct device *mock_dev_bind(struct engine_ctx *ctx, struct mock_dev *mdev)
{
	/* Without PASIDs a mock device says that it has one, number 0. */
	uint32_t max_pasids = mdev->flags & MOCK_FLAGS_DEVICE_PASID ? 1u << MOCK_PASID_WIDTH : 1;

	return device_bind(ctx, &mock_driver, mdev, max_pasids);
}
