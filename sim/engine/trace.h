/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events of provider iommufd_dev: open, calls, commits, the state dump.
 */
#ifndef IOASIS_ENGINE_TRACE_H
#define IOASIS_ENGINE_TRACE_H

#include "sim/engine/core.h"

/* Emit open, by client, and release. */
void trace_ctx_open(struct engine_ctx *ctx, const struct engine_client *client);
void trace_ctx_release(struct engine_ctx *ctx);

/*
 * Begins a call, before the lock: its op_id, 0 when no one traces. Dumps the
 * state first if tracing began since the last call.
 */
uint64_t trace_call_begin(struct engine_ctx *ctx, const struct engine_client *client,
			  unsigned int cmd);

/* Whether somebody traces what calls that fail had named. */
bool trace_wants_named(const struct engine_ctx *ctx);

/* Add an id, the range of the first id; at most TRACE_NAMED_IDS. */
void trace_named_id(struct trace_named *named, uint32_t id);
void trace_named_range(struct trace_named *named, uint64_t iova, uint64_t length);

/* Tells what a call that failed had named: an event for each id. */
void trace_call_refused(struct engine_ctx *ctx, uint64_t op_id, const struct trace_named *named);

void trace_call_end(struct engine_ctx *ctx, uint64_t op_id, unsigned int cmd, long ret);

/* DMA of device dev at bdf through page table pt; ret -EFAULT: a fault at bad_iova too. */
void trace_dma(struct engine_ctx *ctx, uint32_t dev, uint32_t pt, uint64_t iova, uint64_t length,
	       bool write, int ret, uint64_t bad_iova, uint32_t bdf);

/* The address that a MAP was given. */
void trace_user_va(struct engine_ctx *ctx, uint64_t user_va);

#endif
