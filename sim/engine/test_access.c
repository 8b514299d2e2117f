/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test command's accesses: a file in the client stands for an access, through
 * which the client pins, reads and writes what an address space maps.
 *
 * Each pin is an item with a number of its own; an unmap gives back the items that
 * it touches. The file may come with a call on another open iommufd than its own:
 * then the call goes on under that one's lock.
 */
#include <fcntl.h>

#include "sim/engine/access.h"
#include "sim/engine/anon_file.h"
#include "sim/engine/mock.h"

/* No pin and no copy is larger (selftest.c). */
#define LENGTH_MAX (16ull << 20)

struct access_file {
	struct engine_anon_file file;
	struct access *access; /* counted, as its driver; NULL: not set up */
	bool pins;
	uint32_t next_id;
};

struct access_item {
	struct list_link link; /* in access.items */
	uint64_t iova;
	uint64_t length; /* bytes */
	uint32_t id;
};

static void item_destroy(struct access *access, struct access_item *item)
{
	list_remove(&item->link);
	access_unpin(access, item->iova, item->length);
	free(item);
}

static void test_access_unmap(struct access *access, uint64_t iova, uint64_t length)
{
	uint64_t last = iova + (length - 1);

	list_for_each(link, &access->items)
	{
		struct access_item *item = container_of(link, struct access_item, link);

		if (iova <= item->iova + (item->length - 1) && last >= item->iova)
			item_destroy(access, item);
	}
}

/* ---- the file ------------------------------------------------------------------- */

static void access_file_release(struct engine_anon_file *file)
{
	struct access_file *af = container_of(file, struct access_file, file);

	ctx_lock(file->ctx, NULL, NULL);
	access_destroy(af->access);
	ctx_unlock(file->ctx);
	ctx_put(file->ctx);
}

static void access_file_free(struct engine_anon_file *file)
{
	free(container_of(file, struct access_file, file));
}

static const struct anon_file_ops access_file_ops = {
	.kind = ENGINE_ANON_ACCESS,
	.release = access_file_release,
	.free = access_file_free,
};

/* Gives the file to the process; its number or -errno. */
static int access_file_install(struct engine_ucmd *ucmd, struct access_file *af)
{
	const struct engine_client *client = ucmd->client;
	int fd = -ENOMEM;

	if (client->ops->fd_install && !ctx_should_fail(ucmd->ctx))
		fd = client->ops->fd_install(client, &af->file, O_RDWR | O_CLOEXEC);
	/* Whatever kept it from getting a number, the kernel's test says this. */
	if (fd < 0)
		return -ENOMEM;
	ctx_get(ucmd->ctx);
	return fd;
}

int test_create_access(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	uint32_t flags = cmd->create_access.flags;
	struct engine_ctx *ctx = ucmd->ctx;
	struct access_file *af;
	struct ioas *ioas;
	int fd, rc;

	if (flags & ~(uint32_t)MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	af = ctx_alloc(ctx, sizeof(*af));
	if (!af)
		return -ENOMEM;
	anon_file_init(&af->file, &access_file_ops, ctx);
	af->pins = flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	rc = -ENOMEM;
	af->access = access_create(ctx, af->pins, test_access_unmap);
	if (!af->access)
		goto out_put;
	rc = -ENOENT;
	ioas = ioas_get(ctx, cmd->id);
	if (!ioas)
		goto out_destroy;
	rc = access_change_ioas(af->access, ioas);
	if (rc)
		goto out_destroy;
	fd = access_file_install(ucmd, af);
	if (fd < 0) {
		rc = fd;
		goto out_destroy;
	}
	cmd->create_access.out_access_fd = (uint32_t)fd;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (!rc)
		return 0;
	ucmd->client->ops->fd_remove(ucmd->client, fd);
	/* Not the last reference: the call that runs here has the open file. */
	ctx_put(ctx);
out_destroy:
	access_destroy(af->access);
out_put:
	anon_file_put(&af->file);
	return rc;
}

/* ---- a call on an access ----------------------------------------------------------- */

/* While a call works on an access: where it came from. */
struct access_use {
	struct engine_ucmd *ucmd;
	struct engine_ctx *from;
	struct engine_file *file;
	struct access_file *af;
};

/* Hands the call that runs under the lock of from over to that of to. */
static void ctx_switch(struct engine_ucmd *ucmd, struct engine_ctx *from, struct engine_ctx *to)
{
	const struct engine_call *call = from->call;

	if (from == to)
		return;
	ctx_unlock(from);
	pthread_mutex_lock(&to->lock);
	to->call = call;
	ucmd->ctx = to;
}

/* The access behind fd, under the lock of its context. -EBADFD: fd is none. */
static int access_use_begin(struct access_use *use, struct engine_ucmd *ucmd, uint32_t fd)
{
	struct engine_anon_file *anon;

	use->ucmd = ucmd;
	use->from = ucmd->ctx;
	anon = anon_file_get_fd(ucmd->ctx, (int)fd, ENGINE_ANON_ACCESS, &use->file);
	if (!anon) {
		if (use->file)
			engine_file_put(use->file);
		return -EBADFD;
	}
	use->af = container_of(anon, struct access_file, file);
	ctx_switch(ucmd, use->from, anon->ctx);
	return 0;
}

static void access_use_end(struct access_use *use)
{
	ctx_switch(use->ucmd, use->ucmd->ctx, use->from);
	engine_file_put(use->file);
}

int test_access_replace_ioas(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct access_use use;
	struct ioas *ioas;
	int rc = access_use_begin(&use, ucmd, cmd->id);

	if (rc)
		return rc;
	ioas = ioas_get(ucmd->ctx, cmd->access_replace_ioas.ioas_id);
	rc = ioas ? access_change_ioas(use.af->access, ioas) : -ENOENT;
	access_use_end(&use);
	return rc;
}

/*
 * An address that is the nth area and an offset into it, for fuzzers that cannot
 * guess addresses. Source: iommufd_test_syz_conv_iova().
 */
static uint64_t test_syz_iova(const struct access *access, uint64_t iova)
{
	uint32_t nth = (uint32_t)iova, offset = (uint32_t)(iova >> 32);
	struct iopt_area *area;
	struct span_pos pos;

	if (!access->ioas)
		return 0;
	area = iopt_area_first(&access->ioas->iopt, 0, UINT64_MAX, &pos);
	for (; area && nth; nth--)
		area = iopt_area_next(&pos, UINT64_MAX);
	return area ? area->iova + offset : 0;
}

/* -EBADE: the pages are not those at uptr in the caller; -EFAULT: there are none. */
static int test_check_pages(struct engine_ctx *ctx, uint64_t uptr, const struct engine_page *pages,
			    uint64_t count)
{
	struct engine_page here[64];
	uint64_t done = 0;

	while (done < count) {
		uint64_t want = count - done < 64 ? count - done : 64;
		ssize_t got = test_user_pages(ctx, uptr + (done << ENGINE_PAGE_SHIFT), want, here);

		if (got <= 0)
			return -EFAULT;
		for (ssize_t i = 0; i < got; i++) {
			if (here[i].object != pages[done + (uint64_t)i].object ||
			    here[i].index != pages[done + (uint64_t)i].index)
				return -EBADE;
		}
		done += (uint64_t)got;
	}
	return 0;
}

/* Pins, compares, and keeps the pin as an item; its id in *id. */
static int test_pin(struct engine_ctx *ctx, struct access_file *af,
		    const struct iommu_test_cmd *cmd, uint64_t iova, uint32_t *id)
{
	uint64_t length = cmd->access_pages.length, uptr = cmd->access_pages.uptr;
	uint64_t offset = iova & ENGINE_PAGE_MASK;
	uint64_t npages = (offset + length + ENGINE_PAGE_MASK) >> ENGINE_PAGE_SHIFT;
	bool write = cmd->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE;
	struct engine_page *pages;
	struct access_item *item;
	int rc;

	pages = ctx_alloc(ctx, (npages + 1) * sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	rc = access_pin(af->access, iova, length, write, pages);
	if (rc)
		goto out_free;
	if (uptr) {
		rc = test_check_pages(ctx, uptr - offset, pages, npages);
		if (rc)
			goto out_unpin;
	}
	rc = -ENOMEM;
	item = ctx_alloc(ctx, sizeof(*item));
	if (!item)
		goto out_unpin;
	item->iova = iova;
	item->length = length;
	item->id = *id = af->next_id++;
	list_append(&af->access->items, &item->link);
	free(pages);
	return 0;

out_unpin:
	access_unpin(af->access, iova, length);
out_free:
	free(pages);
	return rc;
}

static struct access_item *item_find(const struct access *access, uint32_t id)
{
	list_for_each(link, &access->items)
	{
		struct access_item *item = container_of(link, struct access_item, link);

		if (item->id == id)
			return item;
	}
	return NULL;
}

int test_access_pages(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	uint32_t flags = cmd->access_pages.flags;
	uint64_t iova = cmd->access_pages.iova;
	struct access_use use;
	int rc;

	if (cmd->access_pages.length > LENGTH_MAX)
		return -ENOMEM;
	if (flags & ~(uint32_t)(MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ))
		return -EOPNOTSUPP;
	rc = access_use_begin(&use, ucmd, cmd->id);
	if (rc)
		return rc;
	rc = -EOPNOTSUPP;
	if (!use.af->pins)
		goto out_end;
	if (flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = test_syz_iova(use.af->access, iova);
	rc = test_pin(ucmd->ctx, use.af, cmd, iova, &cmd->access_pages.out_access_pages_id);
	if (rc)
		goto out_end;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		item_destroy(use.af->access,
			     item_find(use.af->access, cmd->access_pages.out_access_pages_id));
out_end:
	access_use_end(&use);
	return rc;
}

int test_destroy_access_pages(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct access_item *item;
	struct access_use use;
	int rc = access_use_begin(&use, ucmd, cmd->id);

	if (rc)
		return rc;
	item = item_find(use.af->access, cmd->destroy_access_pages.access_pages_id);
	if (item)
		item_destroy(use.af->access, item);
	access_use_end(&use);
	return item ? 0 : -ENOENT;
}

/* Reads or writes length bytes at iova, to or from the caller's memory. */
static int test_rw(struct engine_ctx *ctx, struct access *access,
		   const struct iommu_test_cmd *cmd, uint64_t iova)
{
	uint64_t length = cmd->access_rw.length, last;
	bool write = cmd->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	void *data;
	int rc = 0;

	data = ctx_alloc(ctx, length + 1);
	if (!data)
		return -ENOMEM;
	if (write)
		rc = ctx_copy_in(ctx, data, cmd->access_rw.uptr, length);
	if (!rc && !length)
		rc = -EINVAL;
	if (!rc && __builtin_add_overflow(iova, length - 1, &last))
		rc = -EOVERFLOW;
	if (!rc && !access->ioas)
		rc = -ENOENT;
	if (!rc)
		rc = iopt_access_rw(&access->ioas->iopt, iova, data, length, write,
				    cmd->access_rw.flags & MOCK_ACCESS_RW_SLOW_PATH);
	if (!rc && !write)
		rc = ctx_copy_out(ctx, cmd->access_rw.uptr, data, length);
	free(data);
	return rc;
}

int test_access_rw(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	const uint32_t known =
		MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH | MOCK_FLAGS_ACCESS_SYZ;
	uint64_t iova = cmd->access_rw.iova;
	struct access_use use;
	int rc;

	if (cmd->access_rw.length > LENGTH_MAX)
		return -ENOMEM;
	if (cmd->access_rw.flags & ~known)
		return -EOPNOTSUPP;
	rc = access_use_begin(&use, ucmd, cmd->id);
	if (rc)
		return rc;
	if (cmd->access_rw.flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = test_syz_iova(use.af->access, iova);
	rc = test_rw(ucmd->ctx, use.af->access, cmd, iova);
	access_use_end(&use);
	return rc;
}
