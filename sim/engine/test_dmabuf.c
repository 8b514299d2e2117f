/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test command's dma-bufs: DMABUF_GET, DMABUF_REVOKE.
 *
 * A dma-buf lives as long as its file or any pages that came from it, which may be
 * in other contexts; so its state is atomic and under no lock.
 */
#include <fcntl.h>
#include <string.h>

#include "sim/engine/anon_file.h"
#include "sim/engine/mock.h"
#include "sim/engine/pages.h"

#define DMABUF_BYTES_MAX (512ull * ENGINE_PAGE_SIZE)

struct test_dmabuf {
	struct engine_anon_file file; /* its reference is the process's */
	struct iopt_dmabuf dmabuf;
};

static void dmabuf_get(struct iopt_dmabuf *dmabuf)
{
	struct test_dmabuf *test = container_of(dmabuf, struct test_dmabuf, dmabuf);

	__atomic_add_fetch(&test->file.refs, 1, __ATOMIC_RELAXED);
}

static void dmabuf_put(struct iopt_dmabuf *dmabuf)
{
	anon_file_put(&container_of(dmabuf, struct test_dmabuf, dmabuf)->file);
}

static void dmabuf_file_release(struct engine_anon_file *file)
{
	/* Pages may go on to use it; the reference is put by the caller. */
	(void)file;
}

static void dmabuf_file_free(struct engine_anon_file *file)
{
	struct test_dmabuf *test = container_of(file, struct test_dmabuf, file);

	free(test->dmabuf.memory);
	free(test);
}

static const struct anon_file_ops dmabuf_file_ops = {
	.kind = ENGINE_ANON_DMABUF,
	.release = dmabuf_file_release,
	.free = dmabuf_file_free,
};

struct iopt_dmabuf *engine_anon_file_dmabuf(struct engine_anon_file *file)
{
	struct iopt_dmabuf *dmabuf;

	if (file->ops != &dmabuf_file_ops)
		return NULL;
	dmabuf = &container_of(file, struct test_dmabuf, file)->dmabuf;
	dmabuf_get(dmabuf);
	return dmabuf;
}

int test_dmabuf_get(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	uint64_t length = (cmd->dmabuf_get.length + ENGINE_PAGE_MASK) & ~ENGINE_PAGE_MASK;
	struct engine *engine = ucmd->ctx->engine;
	struct test_dmabuf *test;
	int fd = -ENOMEM;

	if (!length || length > DMABUF_BYTES_MAX)
		return -EINVAL;
	if (!ucmd->client->ops->fd_install)
		return -EMFILE;
	test = ctx_alloc(ucmd->ctx, sizeof(*test));
	if (!test)
		return -ENOMEM;
	anon_file_init(&test->file, &dmabuf_file_ops, ucmd->ctx);
	test->dmabuf.size = length;
	test->dmabuf.get = dmabuf_get;
	test->dmabuf.put = dmabuf_put;
	test->dmabuf.memory = ctx_alloc(ucmd->ctx, length);
	pthread_mutex_lock(&engine->lock);
	test->dmabuf.object = ENGINE_INVENTED_OBJECT | engine->next_private++;
	pthread_mutex_unlock(&engine->lock);
	if (test->dmabuf.memory && !ctx_should_fail(ucmd->ctx))
		fd = ucmd->client->ops->fd_install(ucmd->client, &test->file,
						   (int)(cmd->dmabuf_get.open_flags &
							 (O_CLOEXEC | O_ACCMODE)));
	if (fd < 0)
		anon_file_put(&test->file);
	/* The number is the call's result. */
	return fd;
}

int test_dmabuf_revoke(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	struct engine_anon_file *anon;
	struct iopt_dmabuf *dmabuf;
	struct engine_file *file;

	anon = anon_file_get_fd(ucmd->ctx, cmd->dmabuf_revoke.dmabuf_fd, ENGINE_ANON_DMABUF,
				&file);
	if (!file)
		return -EBADF;
	if (anon) {
		/* What is mapped is gone for good, also when this lifts the ban on new pages. */
		dmabuf = &container_of(anon, struct test_dmabuf, file)->dmabuf;
		__atomic_store_n(&dmabuf->revoked, cmd->dmabuf_revoke.revoked != 0,
				 __ATOMIC_RELAXED);
		__atomic_add_fetch(&dmabuf->revocations, 1, __ATOMIC_RELAXED);
	}
	engine_file_put(file);
	return anon ? 0 : -EINVAL;
}
