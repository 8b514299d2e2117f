/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test command's devices: MOCK_DOMAIN and what attaches them.
 *
 * MOCK_DOMAIN makes three objects: the one that stands for the test driver
 * (stdev), the device that it bound (idev), and a page table by attaching. Only
 * the first can be destroyed by id; the others go with it.
 */
#include "sim/engine/mock.h"

struct selftest_object {
	struct engine_object object;
	struct device *dev; /* counted, as its driver */
};

static void selftest_destroy(struct engine_object *object)
{
	struct device *dev = container_of(object, struct selftest_object, object)->dev;

	device_detach(dev, NO_PASID);
	device_unbind(dev);
}

static const struct object_ops selftest_ops = { .destroy = selftest_destroy };

int test_mock_domain(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_ctx *ctx = ucmd->ctx;
	struct selftest_object *selftest;
	uint32_t pt_id = cmd->id, flags = 0;
	struct mock_dev *mdev;
	struct device *dev;
	int rc;

	selftest = object_alloc(ctx, sizeof(*selftest), ENGINE_OBJ_SELFTEST, &selftest_ops);
	if (!selftest)
		return -ENOMEM;
	if (cmd->op == IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS)
		flags = cmd->mock_domain_flags.dev_flags;
	rc = mock_dev_create(ctx, flags, &mdev);
	if (rc)
		goto out_abort;
	dev = mock_dev_bind(ctx, mdev);
	if (!dev) {
		free(mdev);
		rc = -ENOMEM;
		goto out_abort;
	}
	selftest->dev = dev;
	rc = device_attach(dev, NO_PASID, &pt_id);
	if (rc)
		goto out_unbind;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_stdev_id = selftest->object.id;
	cmd->mock_domain.out_idev_id = dev->object.id;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		goto out_detach;
	object_publish(&selftest->object, dev->object.id);
	return 0;

out_detach:
	device_detach(dev, NO_PASID);
out_unbind:
	device_unbind(dev);
out_abort:
	object_abort(&selftest->object);
	return rc;
}

/* The device of a stdev id; NULL: -ENOENT. */
static struct device *selftest_device(struct engine_ctx *ctx, uint32_t id)
{
	const struct selftest_object *selftest = object_get(ctx, id, ENGINE_OBJ_SELFTEST);

	return selftest ? selftest->dev : NULL;
}

int test_mock_domain_replace(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct device *dev = selftest_device(ucmd->ctx, cmd->id);
	uint32_t pt_id = cmd->mock_domain_replace.pt_id;
	int rc;

	if (!dev)
		return -ENOENT;
	rc = device_replace(dev, NO_PASID, &pt_id);
	if (rc)
		return rc;
	cmd->mock_domain_replace.pt_id = pt_id;
	return ucmd_respond(ucmd, sizeof(*cmd));
}

int test_pasid_attach(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct device *dev = selftest_device(ucmd->ctx, cmd->id);
	uint32_t pasid = cmd->pasid_attach.pasid;
	int rc;

	if (!dev)
		return -ENOENT;
	rc = device_attach(dev, pasid, &cmd->pasid_attach.pt_id);
	if (rc)
		return rc;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		device_detach(dev, pasid);
	return rc;
}

int test_pasid_replace(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct device *dev = selftest_device(ucmd->ctx, cmd->id);
	int rc;

	if (!dev)
		return -ENOENT;
	rc = device_replace(dev, cmd->pasid_attach.pasid, &cmd->pasid_attach.pt_id);
	return rc ? rc : ucmd_respond(ucmd, sizeof(*cmd));
}

int test_pasid_detach(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct device *dev = selftest_device(ucmd->ctx, cmd->id);

	if (!dev)
		return -ENOENT;
	device_detach(dev, cmd->pasid_detach.pasid);
	return 0;
}

int test_pasid_check_hwpt(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	const struct device *dev = selftest_device(ucmd->ctx, cmd->id);
	const struct attach *attach;
	const struct hwpt *hwpt;
	int rc = 0;

	if (!dev)
		return -ENOENT;
	attach = device_attach_find(dev, cmd->pasid_check.pasid);
	if (!cmd->pasid_check.hwpt_id)
		return attach ? -EINVAL : 0;
	hwpt = hwpt_get_any(ucmd->ctx, cmd->pasid_check.hwpt_id, &rc);
	if (!hwpt)
		return rc;
	return attach && attach->hwpt == hwpt ? 0 : -EINVAL;
}
