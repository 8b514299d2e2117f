/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mock IOMMU driver behind the test command: devices, page tables of two
 * kinds, nested ones with a tiny cache, vIOMMUs.
 *
 * Source: iommufd/selftest.c.
 */
#ifndef IOASIS_ENGINE_MOCK_H
#define IOASIS_ENGINE_MOCK_H

#include "sim/engine/device.h"
#include "sim/engine/test_abi.h"

/* A mock device: the private part of its struct device. */
struct mock_dev {
	uint32_t flags;		/* MOCK_FLAGS_DEVICE_* */
	struct viommu *viommu;	/* of the nested page table that it is attached to; weak */
	uint64_t vdev_id;	/* its virtual id there */
	uint32_t cache[MOCK_DEV_CACHE_NUM];
	bool pasid_1024_fails;	/* the next attach of that PASID fails */
	uint32_t iopf_refcount; /* attachments that handle page faults */
};

/* Makes one; -EINVAL: unknown flags, -ENOMEM. */
int mock_dev_create(struct engine_ctx *ctx, uint32_t flags, struct mock_dev **out);

/* Binds it; it goes when the device does. NULL: out of memory, mdev is still the caller's. */
struct device *mock_dev_bind(struct engine_ctx *ctx, struct mock_dev *mdev);

/* The mock device behind a device; all devices of the test command are mocks. */
static inline struct mock_dev *mock_dev(const struct device *dev)
{
	return dev->driver->mock ? dev->private : NULL;
}

/* The driver's part of a vIOMMU. data may be NULL. -EINVAL, -EFAULT, -ENOMEM. */
int mock_viommu_init(struct viommu *viommu, const struct user_data *data);

/* Sets up a nested domain. */
int mock_nested_alloc(struct device *dev, struct domain *domain, uint32_t flags,
		      const struct user_data *data, struct viommu *viommu);

/* The driver's invalidations: *done entries were taken before the result. */
int mock_nested_invalidate(struct hwpt *hwpt, const struct iommu_hwpt_invalidate *cmd,
			   uint32_t *done);
int mock_viommu_invalidate(struct viommu *viommu, const struct iommu_hwpt_invalidate *cmd,
			   uint32_t *done);

/* ---- the test command's parts: test_cmd.c calls them --------------------------- */

int test_create_access(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_access_replace_ioas(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_access_pages(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_destroy_access_pages(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_access_rw(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_dmabuf_get(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_dmabuf_revoke(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_mock_domain(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_mock_domain_replace(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_pasid_attach(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_pasid_replace(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_pasid_detach(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);
int test_pasid_check_hwpt(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd);

/* ---- the caller's memory, a run of pages at a time: test_memory.c -------------- */

/*
 * The identities of the pages at va (page-aligned) in the calling process as they
 * are now: at most max; returns how many from the start are there, or -EFAULT.
 */
ssize_t test_user_pages(struct engine_ctx *ctx, uint64_t va, size_t max,
			struct engine_page *pages);

#endif
