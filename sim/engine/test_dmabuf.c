/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test command's dma-bufs: DMABUF_GET, DMABUF_REVOKE. */
#include <fcntl.h>
#include <string.h>

#include "sim/engine/dmabuf.h"
#include "sim/engine/mock.h"

#define DMABUF_BYTES_MAX (512ull * ENGINE_PAGE_SIZE)

int test_dmabuf_get(struct engine_ucmd *ucmd, struct iommu_test_cmd *cmd)
{
	uint64_t length = (cmd->dmabuf_get.length + ENGINE_PAGE_MASK) & ~ENGINE_PAGE_MASK;
	struct engine_dmabuf *test;
	int fd = -ENOMEM;

	if (!length || length > DMABUF_BYTES_MAX)
		return -EINVAL;
	if (!ucmd->client->ops->fd_install)
		return -EMFILE;
	test = ctx_alloc(ucmd->ctx, sizeof(*test));
	if (!test)
		return -ENOMEM;
	dmabuf_init(test, ucmd->ctx->engine, ucmd->ctx);
	test->dmabuf.size = length;
	test->owned = ctx_alloc(ucmd->ctx, length);
	test->dmabuf.memory = test->owned;
	if (test->dmabuf.memory && !ctx_should_fail(ucmd->ctx))
		fd = ucmd->client->ops->fd_install(ucmd->client, &test->file,
						   (int)(cmd->dmabuf_get.open_flags &
							 (O_CLOEXEC | O_ACCMODE)));
	if (fd < 0) {
		anon_file_put(&test->file);
		return fd;
	}
	/* The number is the call's result; 7.3 forgets to tell it. */
	return engine_changed(ucmd->ctx, CHANGE_TEST_DMABUF_ZERO) ? 0 : fd;
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
		dmabuf = &container_of(anon, struct engine_dmabuf, file)->dmabuf;
		__atomic_store_n(&dmabuf->revoked, cmd->dmabuf_revoke.revoked != 0,
				 __ATOMIC_RELAXED);
		__atomic_add_fetch(&dmabuf->revocations, 1, __ATOMIC_RELAXED);
	}
	engine_file_put(file);
	return anon ? 0 : -EINVAL;
}
