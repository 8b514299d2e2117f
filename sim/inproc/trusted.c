/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client whose memory is always there.
 *
 * Arguments of calls are real memory and are copied straight. Memory to be mapped
 * is a matter of numbers only: any page can be pinned, reads give zeros, writes
 * are dropped. One address space stands for all clients of this kind.
 */
#include "sim/inproc/trusted.h"

#include <errno.h>
#include <string.h>

#include "tracepoints/identity.h"

static int trusted_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	(void)client;
	if (!src)
		return -EFAULT;
	memcpy(dst, (const void *)(uintptr_t)src, len);
	return 0;
}

static int trusted_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			    size_t len)
{
	(void)client;
	if (!dst)
		return -EFAULT;
	memcpy((void *)(uintptr_t)dst, src, len);
	return 0;
}

static bool trusted_capable(const struct engine_client *client, enum engine_cap cap)
{
	(void)client;
	(void)cap;
	return true;
}

static uint64_t trusted_memlock_limit(const struct engine_client *client)
{
	(void)client;
	return UINT64_MAX;
}

static ssize_t trusted_pin(struct engine_mm *mm, uint64_t va, size_t npages, bool write,
			   struct engine_page *pages)
{
	(void)mm;
	(void)write;
	for (size_t i = 0; pages && i < npages; i++)
		pages[i] = (struct engine_page){ .index = va / ENGINE_PAGE_SIZE + i };
	return (ssize_t)npages;
}

static void trusted_unpin(struct engine_mm *mm, uint64_t va, size_t npages)
{
	(void)mm;
	(void)va;
	(void)npages;
}

static int trusted_read(struct engine_mm *mm, uint64_t va, void *dst, size_t len)
{
	(void)mm;
	(void)va;
	memset(dst, 0, len);
	return 0;
}

static int trusted_write(struct engine_mm *mm, uint64_t va, const void *src, size_t len)
{
	(void)mm;
	(void)va;
	(void)src;
	(void)len;
	return 0;
}

static void trusted_free(struct engine_mm *mm)
{
	(void)mm; /* static; its own reference is never given back */
}

static const struct engine_mm_ops trusted_mm_ops = {
	.pin = trusted_pin,
	.unpin = trusted_unpin,
	.read = trusted_read,
	.write = trusted_write,
	.free = trusted_free,
};

static struct engine_mm trusted_mm = { .ops = &trusted_mm_ops, .refs = 1 };

static struct engine_mm *trusted_mm_get(const struct engine_client *client)
{
	(void)client;
	__atomic_fetch_add(&trusted_mm.refs, 1, __ATOMIC_RELAXED);
	return &trusted_mm;
}

static struct engine_file *trusted_file_get(const struct engine_client *client, int fd, int *err)
{
	(void)client;
	(void)fd;
	*err = -EBADF;
	return NULL;
}

/* The caller is this process. */
static void trusted_identify(const struct engine_client *client, struct trace_identity *identity)
{
	(void)client;
	*identity = trace_identity_self();
}

const struct engine_client_ops trusted_client_ops = {
	.identify = trusted_identify,
	.copy_in = trusted_copy_in,
	.copy_out = trusted_copy_out,
	.capable = trusted_capable,
	.memlock_limit = trusted_memlock_limit,
	.mm_get = trusted_mm_get,
	.file_get = trusted_file_get,
};
