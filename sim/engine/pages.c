/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making pages, their references, reading and writing their memory. What is
 * pinned of them is in pins.c.
 */
#include "sim/engine/pages.h"
#include "sim/engine/heap.h"

#include <string.h>

#include "sim/engine/io_pagetable.h"
#include "sim/engine/pins.h"

/* ---- source ------------------------------------------------------------------- */

struct iopt_source *iopt_source_get_current(struct engine_ctx *ctx)
{
	const struct engine_client *client = ctx->call->client;
	struct engine_mm *mm = client->ops->mm_get(client);
	struct iopt_source *source = ctx->source;

	if (!mm)
		return NULL;
	if (source && source->mm == mm && source->uid == client->uid) {
		engine_mm_put(mm);
		source->refs++;
		return source;
	}
	source = heap_alloc(ctx->engine->config.heap, 1, sizeof(*source));
	if (!source) {
		engine_mm_put(mm);
		return NULL;
	}
	/* One reference for the caller and one for ctx->source, which the next call finds. */
	*source = (struct iopt_source){ .refs = 2, .uid = client->uid, .mm = mm };
	source->memlock_limit = client->ops->memlock_limit(client);
	if (ctx->source)
		iopt_source_put(ctx->source);
	ctx->source = source;
	return source;
}

void iopt_source_put(struct iopt_source *source)
{
	if (--source->refs)
		return;
	engine_mm_put(source->mm);
	free(source);
}

/* ---- making pages --------------------------------------------------------------- */

/* Fills what all kinds share. start_byte: where the memory begins in its first page. */
static int pages_init(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t start_byte,
		      uint64_t length, bool writable)
{
	const struct engine_client *client = ctx->call->client;
	struct iopt_source *source = iopt_source_get_current(ctx);

	if (!source)
		return -ENOMEM;
	*pages = (struct iopt_pages){
		.refs = 1,
		.writable = writable,
		.npages = (length + start_byte + ENGINE_PAGE_MASK) >> ENGINE_PAGE_SHIFT,
		.source = source,
	};
	if (client->ops->capable(client, ENGINE_CAP_IPC_LOCK))
		pages->account_mode = ACCOUNT_NONE;
	else
		pages->account_mode = ctx->account_mode;
	return 0;
}

/* iopt_alloc_pages(): what it refuses. */
static bool length_is_bad(uint64_t length)
{
	return !length || length > UINT64_MAX - ENGINE_PAGE_SIZE;
}

int iopt_pages_alloc_user(struct engine_ctx *ctx, uint64_t addr, uint64_t length,
			  bool writable, struct iopt_pages **out, uint64_t *start_byte)
{
	struct iopt_own_area *own;
	struct iopt_pages *pages;
	uint64_t end;

	/* The two checks have changed places. */
	if (length_is_bad(length) && !engine_changed(ctx, CHANGE_WRAP_BEFORE_LENGTH))
		return -EINVAL;
	if (__builtin_add_overflow(addr, length, &end))
		return -EOVERFLOW;
	if (length_is_bad(length))
		return -EINVAL;
	if (ctx_should_fail(ctx))
		return -ENOMEM;
	own = slab_alloc(&ctx->own_area_slab);
	if (!own)
		return -ENOMEM;
	pages = &own->pages;
	*start_byte = addr & ENGINE_PAGE_MASK;
	if (pages_init(ctx, pages, *start_byte, length, writable)) {
		slab_free(&ctx->own_area_slab, own);
		return -ENOMEM;
	}
	pages->type = IOPT_PAGES_USER;
	pages->in_own = true;
	pages->base = addr & ~ENGINE_PAGE_MASK;
	*out = pages;
	return 0;
}

static int file_pages_alloc(struct engine_ctx *ctx, uint64_t start, uint64_t length,
			    bool writable, struct iopt_file_pages **out)
{
	struct iopt_file_pages *pages;
	uint64_t start_byte = start & ENGINE_PAGE_MASK;

	if (length_is_bad(length))
		return -EINVAL;
	pages = ctx_alloc(ctx, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	if (pages_init(ctx, &pages->pages, start_byte, length, writable)) {
		free(pages);
		return -ENOMEM;
	}
	pages->pages.base = start - start_byte;
	*out = pages;
	return 0;
}

/* Takes over the reference of dmabuf on success. */
static int dmabuf_pages_alloc(struct engine_ctx *ctx, struct iopt_dmabuf *dmabuf,
			      uint64_t start, uint64_t length, bool writable,
			      struct iopt_file_pages **out)
{
	int rc;

	if (dmabuf->size <= start + length - 1 || length / ENGINE_PAGE_SIZE >= UINT32_MAX)
		return -EINVAL;
	rc = file_pages_alloc(ctx, start, length, writable, out);
	if (rc)
		return rc;
	(*out)->pages.type = IOPT_PAGES_DMABUF;
	(*out)->pages.account_mode = ACCOUNT_NONE;
	(*out)->revocations = __atomic_load_n(&dmabuf->revocations, __ATOMIC_RELAXED);
	if (__atomic_load_n(&dmabuf->revoked, __ATOMIC_RELAXED)) {
		iopt_source_put((*out)->pages.source);
		free(*out);
		return -ENODEV;
	}
	/* vfio_pci_dma_buf_iommufd_map() */
	if (dmabuf->ranges != 1) {
		iopt_source_put((*out)->pages.source);
		free(*out);
		return -EOPNOTSUPP;
	}
	(*out)->dmabuf = dmabuf;
	return 0;
}

int iopt_pages_alloc_fd(struct engine_ctx *ctx, int fd, uint64_t start, uint64_t length,
			bool writable, struct iopt_pages **out, uint64_t *start_byte)
{
	const struct engine_client *client = ctx->call->client;
	struct iopt_dmabuf *dmabuf = NULL;
	struct iopt_file_pages *pages;
	struct engine_file *file;
	uint64_t last;
	int rc = -EBADF;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(start, length - 1, &last))
		return -EOVERFLOW;
	*start_byte = start & ENGINE_PAGE_MASK;
	file = client->ops->file_get(client, fd, &rc);
	if (!file)
		return rc;
	if (file->kind == ENGINE_FILE_ANON && file->anon &&
	    engine_changed(ctx, CHANGE_MAP_DMABUF))
		dmabuf = engine_anon_file_dmabuf(file->anon);
	if (dmabuf) {
		rc = dmabuf_pages_alloc(ctx, dmabuf, start, length, writable, &pages);
		if (rc)
			dmabuf->put(dmabuf);
		engine_file_put(file);
	} else {
		rc = file_pages_alloc(ctx, start, length, writable, &pages);
		if (rc) {
			engine_file_put(file);
		} else {
			pages->pages.type = IOPT_PAGES_FILE;
			pages->file = file;
			if (file->kind != ENGINE_FILE_MEMFD &&
			    file->kind != ENGINE_FILE_HUGETLB && file->ops->let_go)
				file->ops->let_go(file);
		}
	}
	if (rc)
		return rc;
	*out = &pages->pages;
	return 0;
}

void iopt_pages_put(struct engine_ctx *ctx, struct iopt_pages *pages)
{
	if (--pages->refs)
		return;
	ENGINE_BUG_ON(iopt_pages_pinned(pages));
	iopt_pins_free(pages);
	iopt_source_put(pages->source);
	if (pages->in_own) {
		ENGINE_BUG_ON(pages->own_mapped);
		slab_free(&ctx->own_area_slab, container_of(pages, struct iopt_own_area, pages));
		return;
	}
	if (pages->type == IOPT_PAGES_DMABUF) {
		struct iopt_dmabuf *dmabuf = iopt_file_pages(pages)->dmabuf;

		dmabuf->put(dmabuf);
	} else {
		engine_file_put(iopt_file_pages(pages)->file);
	}
	free(iopt_file_pages(pages));
}

/* ---- where their memory is ---------------------------------------------------------- */

static uint64_t round_up_power(uint64_t value)
{
	return value <= 1 ? 1 : 1ull << (64 - __builtin_clzll(value - 1));
}

void iopt_pages_run(struct iopt_pages *pages, uint64_t byte, int64_t *first, int64_t *last)
{
	struct engine_mm *mm = pages->source->mm;
	uint64_t at = pages->base + byte, size = 0;

	switch ((enum iopt_pages_type)pages->type) {
	case IOPT_PAGES_USER:
		if (mm->ops->huge_page_bytes)
			size = mm->ops->huge_page_bytes(mm, at);
		break;
	case IOPT_PAGES_FILE:
		size = iopt_file_pages(pages)->file->huge_page_bytes;
		break;
	case IOPT_PAGES_DMABUF:
		/* One allocation of the kernel (selftest.c, iommufd_test_dmabuf_get()). */
		size = round_up_power(iopt_file_pages(pages)->dmabuf->size);
		break;
	}
	if (size < ENGINE_PAGE_SIZE)
		size = ENGINE_PAGE_SIZE;
	*first = (int64_t)((at & ~(size - 1)) - pages->base);
	*last = *first + (int64_t)(size - 1);
}

/* ---- their memory ----------------------------------------------------------------- */

int iopt_pages_rw(struct engine_ctx *ctx, struct iopt_pages *pages, uint64_t byte,
		  void *buf, uint64_t length, bool write)
{
	struct engine_mm *mm = pages->source->mm;
	struct engine_file *file;
	uint64_t at = pages->base + byte;

	(void)ctx;
	switch ((enum iopt_pages_type)pages->type) {
	case IOPT_PAGES_USER:
		return write ? mm->ops->write(mm, at, buf, length) :
			       mm->ops->read(mm, at, buf, length);
	case IOPT_PAGES_FILE:
		file = iopt_file_pages(pages)->file;
		return write ? file->ops->write(file, at, buf, length) :
			       file->ops->read(file, at, buf, length);
	case IOPT_PAGES_DMABUF: /* area_rw() refuses it */
		break;
	}
	return -EFAULT;
}
