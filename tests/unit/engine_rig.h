/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine with one open file of a made-up process (fake_client.h) that has every
 * capability and whose structures may be on the test's stack.
 *
 * Every invariant of the engine is checked after each call.
 */
#ifndef IOASIS_TESTS_ENGINE_RIG_H
#define IOASIS_TESTS_ENGINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/engine.h"
#include "sim/engine/test_abi.h"
#include "tests/unit/fake_client.h"

struct rig {
	struct engine *engine;
	struct engine_ctx *ctx;
	struct fake_client fake;
	struct engine_heap heap;
	uint32_t heap_nth; /* the n-th allocation from now on fails; 0: none does */
};

/* cmocka's setup and teardown: *state becomes a struct rig. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* The same with a kernel that is chosen; the test command is always there. */
void rig_open(struct rig *rig, const struct engine_config *config);
void rig_shut(struct rig *rig);

/* One ioctl; then engine_ctx_verify(). cmd points at the structure. */
long rig_call(struct rig *rig, unsigned int cmd, void *arg);

/* The last close of a file that a command gave; then engine_ctx_verify(). */
void rig_close(struct rig *rig, uint32_t fd);

/* Calls that must succeed; they return the id. */
uint32_t rig_ioas(struct rig *rig);
void rig_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages, uint64_t iova);
struct rig_mock {
	uint32_t stdev, idev, hwpt;
};
struct rig_mock rig_mock_domain(struct rig *rig, uint32_t pt_id, uint32_t dev_flags);
uint32_t rig_hwpt(struct rig *rig, uint32_t idev, uint32_t pt_id, uint32_t flags);
uint32_t rig_nested(struct rig *rig, uint32_t idev, uint32_t parent, uint32_t fault_id);

/* The same where they may fail. */
long rig_try_ioas(struct rig *rig, uint32_t *id);
long rig_try_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages,
		 uint64_t iova);

long rig_destroy(struct rig *rig, uint32_t id);
long rig_unmap(struct rig *rig, uint32_t ioas, uint64_t iova, uint64_t length);
/* An operation of the test command that answers nothing. */
long rig_test(struct rig *rig, struct iommu_test_cmd *cmd);
long rig_check_refs(struct rig *rig, uint32_t first_page, uint32_t npages, uint32_t refs);
long rig_check_map(struct rig *rig, uint32_t hwpt, uint64_t iova, uint32_t page, uint32_t npages);

/* How many objects live. */
unsigned int rig_objects(struct rig *rig);

/* The address of a page of the process's memory. */
static inline uint64_t rig_va(uint32_t page)
{
	return FAKE_BASE + (uint64_t)page * ENGINE_PAGE_SIZE;
}

#endif
