/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/engine_rig.h"

#include <stdlib.h>

static bool heap_fails(void *opaque)
{
	struct rig *rig = opaque;

	return rig->heap_nth && !--rig->heap_nth;
}

void rig_open(struct rig *rig, const struct engine_config *config)
{
	struct engine_config with_test = *config;

	with_test.test_ops = true;
	rig->heap_nth = 0;
	rig->heap = (struct engine_heap){ .fails = heap_fails, .opaque = rig };
	with_test.heap = &rig->heap;
	fake_client_init(&rig->fake, 1);
	rig->fake.takes_pointers = true;
	rig->engine = engine_create(&with_test);
	assert_non_null(rig->engine);
	rig->ctx = engine_ctx_open(rig->engine, &rig->fake.client);
	assert_non_null(rig->ctx);
}

void rig_shut(struct rig *rig)
{
	engine_ctx_release(rig->ctx);
	fake_close_all(&rig->fake);
	engine_destroy(rig->engine);
	fake_client_fini(&rig->fake);
}

int rig_setup(void **state)
{
	const struct engine_config newest = { 0 };
	struct rig *rig = malloc(sizeof(*rig));

	assert_non_null(rig);
	rig_open(rig, &newest);
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	rig_shut(rig);
	free(rig);
	return 0;
}

void rig_close(struct rig *rig, uint32_t fd)
{
	fake_close(&rig->fake, fd);
	engine_ctx_verify(rig->ctx);
}

long rig_call(struct rig *rig, unsigned int cmd, void *arg)
{
	long rc = engine_ctx_ioctl(rig->ctx, &rig->fake.client, cmd, (uint64_t)(uintptr_t)arg);

	engine_ctx_verify(rig->ctx);
	return rc;
}

long rig_try_ioas(struct rig *rig, uint32_t *id)
{
	long rc = fake_ioas_alloc(&rig->fake, rig->ctx, id);

	engine_ctx_verify(rig->ctx);
	return rc;
}

uint32_t rig_ioas(struct rig *rig)
{
	uint32_t id;

	assert_int_equal(rig_try_ioas(rig, &id), 0);
	return id;
}

long rig_try_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages,
		 uint64_t iova)
{
	const uint32_t flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			       IOMMU_IOAS_MAP_WRITEABLE;
	long rc = fake_map(&rig->fake, rig->ctx, ioas, flags, rig_va(first_page),
			   (uint64_t)npages * ENGINE_PAGE_SIZE, &iova);

	engine_ctx_verify(rig->ctx);
	return rc;
}

void rig_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages, uint64_t iova)
{
	assert_int_equal(rig_try_map(rig, ioas, first_page, npages, iova), 0);
}

struct rig_mock rig_mock_domain(struct rig *rig, uint32_t pt_id, uint32_t dev_flags)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = pt_id,
		.mock_domain_flags = { .dev_flags = dev_flags },
	};

	assert_int_equal(rig_call(rig, IOMMU_TEST_CMD, &cmd), 0);
	return (struct rig_mock){ cmd.mock_domain.out_stdev_id, cmd.mock_domain.out_idev_id,
				  cmd.mock_domain.out_hwpt_id };
}

uint32_t rig_hwpt(struct rig *rig, uint32_t idev, uint32_t pt_id, uint32_t flags)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = idev, .pt_id = pt_id
	};

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

uint32_t rig_nested(struct rig *rig, uint32_t idev, uint32_t parent, uint32_t fault_id)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = fault_id ? IOMMU_HWPT_FAULT_ID_VALID : 0,
		.dev_id = idev,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uint64_t)(uintptr_t)&data,
		.fault_id = fault_id,
	};

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

long rig_destroy(struct rig *rig, uint32_t id)
{
	long rc = fake_destroy(&rig->fake, rig->ctx, id);

	engine_ctx_verify(rig->ctx);
	return rc;
}

long rig_unmap(struct rig *rig, uint32_t ioas, uint64_t iova, uint64_t length)
{
	long rc = fake_unmap(&rig->fake, rig->ctx, ioas, iova, &length);

	engine_ctx_verify(rig->ctx);
	return rc;
}

long rig_test(struct rig *rig, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	return rig_call(rig, IOMMU_TEST_CMD, cmd);
}

long rig_check_refs(struct rig *rig, uint32_t first_page, uint32_t npages, uint32_t refs)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = { .uptr = rig_va(first_page),
				.length = (uint64_t)npages * ENGINE_PAGE_SIZE,
				.refs = refs },
	};

	return rig_test(rig, &cmd);
}

long rig_check_map(struct rig *rig, uint32_t hwpt, uint64_t iova, uint32_t page, uint32_t npages)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_MAP,
		.id = hwpt,
		.check_map = { .iova = iova,
			       .uptr = rig_va(page),
			       .length = (uint64_t)npages * ENGINE_PAGE_SIZE },
	};

	return rig_test(rig, &cmd);
}

static void count_object(void *opaque, uint32_t id, enum engine_object_type type,
			 const struct engine_origin *origin)
{
	(void)id, (void)type, (void)origin;
	++*(unsigned int *)opaque;
}

unsigned int rig_objects(struct rig *rig)
{
	const struct engine_visitor visitor = { .object = count_object };
	unsigned int count = 0;

	engine_ctx_visit(rig->ctx, &visitor, &count);
	return count;
}
