/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all parts of the engine share: the kernel, the open file with its one
 * lock, the call that runs, fail points and commit events.
 *
 * Lock order: a context's lock, then the engine's. A handler runs with its
 * context's lock held from begin to end.
 */
#ifndef IOASIS_ENGINE_CORE_H
#define IOASIS_ENGINE_CORE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sim/engine/changes.h"
#include "sim/engine/dma.h"
#include "sim/engine/engine.h"
#include "sim/engine/list.h"
#include "sim/engine/listener.h"
#include "sim/engine/object.h"
#include "sim/engine/slab.h"
#include "sim/engine/span_tree.h"
#include "tracepoints/names.h"

struct iopt_source;
struct ioas;
struct account_table;
struct page_table;
struct phys_table;

#define ENGINE_PAGE_SHIFT 12
#define ENGINE_PAGE_MASK ((uint64_t)ENGINE_PAGE_SIZE - 1)

/* One kernel. */
struct engine {
	struct engine_config config;
	uint32_t linux_version;
	uint32_t open_count; /* contexts that live; atomic */

	pthread_mutex_t lock; /* protects what follows */
	struct account_table *accounts;
	struct phys_table *phys;   /* has a lock of its own */
	struct page_table *pages;  /* pin counts by page identity; only with test_ops */
	uint64_t next_private;	   /* for identities that the engine invents */
};

/* The call that runs in a context. */
/* What a call names: object ids, and the range [iova, +length) of the first one. */
#define TRACE_NAMED_IDS 3u

struct trace_named {
	uint32_t count;
	uint32_t ids[TRACE_NAMED_IDS];
	uint64_t iova, length; /* length 0: no range */
};

struct engine_call {
	const struct engine_client *client;
	uint64_t op_id;
	struct trace_named named; /* of one that fails, while somebody traces it */
};

/* RLIMIT_MODE of a context and of pages: who is charged (IOPT_PAGES_ACCOUNT_*). */
enum account_mode {
	ACCOUNT_NONE,
	ACCOUNT_USER,
	ACCOUNT_MM,
};

/* One open file. */
struct engine_ctx {
	struct engine *engine;
	pthread_mutex_t lock; /* protects all below */
	uint32_t refs;	      /* the open file, bound devices, open access files; atomic */
	struct trace *trace;  /* of the engine's configuration; NULL: none */
	uint64_t number;      /* `ctx` in events */
	bool traced;	      /* the trace knows the state */
	bool orphan;	      /* see engine_ctx_set_orphan() */

	struct engine_quota *quota; /* borrowed; NULL: none */
	struct object_table objects;
	struct slab own_area_slab;   /* struct iopt_own_area */
	struct slab other_area_slab; /* struct iopt_other_area */
	uint64_t areas_count;	     /* of both kinds, mapped */
	struct span_pool span_pool;
	struct iopt_source *source; /* the last caller's memory and user; a reference */
	struct ioas *vfio_ioas;
	bool no_iommu_mode; /* it is the container of a group without an IOMMU */
	uint8_t account_mode; /* enum account_mode, USER or MM */
	uint64_t commit_seq;  /* of events about the file itself (object 0) */
	struct engine_origin origin;

	struct dma_table dma;
	struct listener_table listeners;

	/* NULL when no call runs (release, DMA). */
	const struct engine_call *call;

	struct list_link mmaps; /* struct engine_mmap: what mmap of the file reaches */
	struct list_link changed_files; /* struct engine_anon_file whose pollers are to be told */
	bool any_changed;		/* there are such; atomic, read without the lock */
};

/* True when this kernel is at least that version. */
static inline bool engine_has(const struct engine_ctx *ctx, uint32_t linux_version)
{
	return ctx->engine->linux_version >= linux_version;
}

/* True when this kernel has the change; see changes.h. */
static inline bool engine_changed(const struct engine_ctx *ctx, enum engine_change change)
{
	return engine_change_in(change, ctx->engine->linux_version);
}

/*
 * Keeps the context when its file goes: for bound devices and access files.
 * ctx_put() must be called without the lock; the last one destroys all objects.
 */
void ctx_get(struct engine_ctx *ctx);
void ctx_put(struct engine_ctx *ctx);

/*
 * Takes the lock on behalf of a caller from outside of engine_ctx_ioctl() (the
 * calls on anonymous files, a device's bind, attach, DMA). client may be NULL.
 */
void ctx_lock(struct engine_ctx *ctx, struct engine_call *call,
	      const struct engine_client *client);
void ctx_unlock(struct engine_ctx *ctx);

/* One more of what a quota counts; false: there are as many as there may be. */
static inline bool quota_take(uint64_t *count, uint64_t max)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= max || !max)
		return true;
	__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
	return false;
}

static inline void quota_give(uint64_t *count)
{
	__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
}

/*
 * A point where the kernel can fail: true when the caller's fail_nth counts
 * down to it. Source: iommufd_should_fail(), lib/fault-inject.c.
 */
bool ctx_should_fail(struct engine_ctx *ctx);

/* Zeroed memory that counts as an allocation of the kernel; NULL at a fail point too. free() it. */
void *ctx_alloc(struct engine_ctx *ctx, size_t size);

/*
 * Emits the commit event of a change to object (NULL: to the file itself) and
 * gives it its number. What the arguments mean: enum trace_commit_kind.
 */
void ctx_commit(struct engine_ctx *ctx, struct engine_object *object,
		enum trace_commit_kind kind, uint64_t iova, uint64_t last, uint32_t flags,
		uint64_t arg);

/* Who calls now, for the leak report; zeros when no call runs. */
struct engine_origin ctx_origin(const struct engine_ctx *ctx);

/* Copies to and from the calling process. 0 or -EFAULT; -EFAULT when no call runs. */
int ctx_copy_in(struct engine_ctx *ctx, void *dst, uint64_t src, size_t len);
int ctx_copy_out(struct engine_ctx *ctx, uint64_t dst, const void *src, size_t len);

/* Identities that the engine gives to memory of its own have this bit, clients' have not. */
#define ENGINE_INVENTED_OBJECT (1ull << 62)

/* A broken invariant: prints it and aborts, in every build. */
#define ENGINE_BUG_ON(cond)                                                            \
	do {                                                                           \
		if (__builtin_expect(!!(cond), 0))                                     \
			engine_bug(#cond, __FILE__, __LINE__);                         \
	} while (0)
void engine_bug(const char *what, const char *file, int line) __attribute__((noreturn));

#endif
