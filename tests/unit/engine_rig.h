/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine with one open file and a client made up for tests: memory of
 * RIG_PAGES pages, files of its own, every capability.
 *
 * rig_call() checks every invariant of the engine after each call.
 */
#ifndef IOASIS_TESTS_ENGINE_RIG_H
#define IOASIS_TESTS_ENGINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "sim/engine/engine.h"
#include "sim/engine/test_abi.h"

#define RIG_PAGES 64u
#define RIG_BYTES (RIG_PAGES * ENGINE_PAGE_SIZE)
#define RIG_FILES 16

struct rig {
	struct engine *engine;
	struct engine_ctx *ctx;
	struct engine_client client;
	struct engine_client_ops ops;
	uint8_t *memory; /* RIG_BYTES, page-aligned: all there is */
	uint32_t fail_nth;
	bool no_fds; /* the client has no number left */
	uint64_t huge_page_bytes;
	pthread_mutex_t files_lock;
	struct {
		struct engine_anon_file *anon;
	} files[RIG_FILES];
};

/* cmocka's setup and teardown: *state becomes a struct rig. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* One ioctl; then engine_ctx_verify(). cmd points at the structure. */
long rig_call(struct rig *rig, unsigned int cmd, void *arg);

/* The last close of a file that a command gave. */
void rig_close(struct rig *rig, uint32_t fd);
/* The same without checking every invariant: other threads may be in calls. */
void rig_close_unchecked(struct rig *rig, uint32_t fd);
struct engine_anon_file *rig_file(struct rig *rig, uint32_t fd);

/* Calls that must succeed; they return the id. */
uint32_t rig_ioas(struct rig *rig);
void rig_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages, uint64_t iova);
struct rig_mock {
	uint32_t stdev, idev, hwpt;
};
struct rig_mock rig_mock_domain(struct rig *rig, uint32_t pt_id, uint32_t dev_flags);
uint32_t rig_hwpt(struct rig *rig, uint32_t idev, uint32_t pt_id, uint32_t flags);
uint32_t rig_nested(struct rig *rig, uint32_t idev, uint32_t parent, uint32_t fault_id);

long rig_destroy(struct rig *rig, uint32_t id);
long rig_unmap(struct rig *rig, uint32_t ioas, uint64_t iova, uint64_t length);
/* An operation of the test command that answers nothing. */
long rig_test(struct rig *rig, struct iommu_test_cmd *cmd);
long rig_check_refs(struct rig *rig, uint32_t first_page, uint32_t npages, uint32_t refs);
long rig_check_map(struct rig *rig, uint32_t hwpt, uint64_t iova, uint32_t page, uint32_t npages);

/* How many objects live. */
unsigned int rig_objects(struct rig *rig);

static inline uint64_t rig_va(const struct rig *rig, uint32_t page)
{
	return (uint64_t)(uintptr_t)rig->memory + (uint64_t)page * ENGINE_PAGE_SIZE;
}

#endif
