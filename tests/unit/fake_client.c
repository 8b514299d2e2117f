/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#define PAGE 4096u

static struct fake_client *fake_of(const struct engine_client *client)
{
	return (struct fake_client *)client;
}

static struct fake_client *fake_of_mm(struct engine_mm *mm)
{
	return (struct fake_client *)((char *)mm - offsetof(struct fake_client, mm));
}

/* The bytes at va if all of len is there (and writable); NULL if not. */
static uint8_t *memory_at(struct fake_client *fake, uint64_t va, size_t len, bool write)
{
	uint64_t first = (va - FAKE_BASE) / PAGE;
	uint64_t last = (va - FAKE_BASE + len - 1) / PAGE;

	if (va < FAKE_BASE || last >= FAKE_PAGES || last < first)
		return NULL;
	for (uint64_t page = first; page <= last; page++) {
		if (fake->pages[page] == FAKE_PAGE_NONE ||
		    (write && fake->pages[page] == FAKE_PAGE_RO))
			return NULL;
	}
	return fake->memory + (va - FAKE_BASE);
}

/* The same for a structure of a call, which may be the test's own. */
static void *structure_at(struct fake_client *fake, uint64_t va, size_t len, bool write)
{
	bool own = va >= PAGE && va < 1ull << 47 && va - FAKE_BASE >= sizeof(fake->memory);

	if (fake->takes_pointers && own)
		return (void *)(uintptr_t)va;
	return memory_at(fake, va, len, write);
}

static int fake_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	const void *memory = structure_at(fake_of(client), src, len, false);

	if (!memory)
		return -EFAULT;
	memcpy(dst, memory, len);
	return 0;
}

static int fake_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			 size_t len)
{
	void *memory = structure_at(fake_of(client), dst, len, true);

	if (!memory)
		return -EFAULT;
	memcpy(memory, src, len);
	return 0;
}

static bool fake_capable(const struct engine_client *client, enum engine_cap cap)
{
	switch (cap) {
	case ENGINE_CAP_IPC_LOCK:
		return fake_of(client)->ipc_lock;
	case ENGINE_CAP_SYS_RESOURCE:
		return fake_of(client)->sys_resource;
	case ENGINE_CAP_SYS_RAWIO:
		return fake_of(client)->sys_rawio;
	}
	return false;
}

static uint64_t fake_memlock_limit(const struct engine_client *client)
{
	return fake_of(client)->memlock_bytes;
}

static struct engine_mm *fake_mm_get(const struct engine_client *client)
{
	__atomic_add_fetch(&fake_of(client)->mm.refs, 1, __ATOMIC_RELAXED);
	return &fake_of(client)->mm;
}

/* ---- memory ------------------------------------------------------------------- */

static ssize_t fake_pin(struct engine_mm *mm, uint64_t va, size_t npages, bool write,
			struct engine_page *pages)
{
	struct fake_client *fake = fake_of_mm(mm);
	size_t n = 0;

	while (n < npages && memory_at(fake, va + n * PAGE, PAGE, write)) {
		if (pages)
			pages[n] = (struct engine_page){ (uintptr_t)mm, va / PAGE + n };
		n++;
	}
	__atomic_add_fetch(&fake->pinned, n, __ATOMIC_RELAXED);
	return n ? (ssize_t)n : -EFAULT;
}

static void fake_unpin(struct engine_mm *mm, uint64_t va, size_t npages)
{
	(void)va;
	__atomic_sub_fetch(&fake_of_mm(mm)->pinned, npages, __ATOMIC_RELAXED);
}

static int fake_mm_read(struct engine_mm *mm, uint64_t va, void *dst, size_t len)
{
	const uint8_t *memory = memory_at(fake_of_mm(mm), va, len, false);

	if (!memory)
		return -EFAULT;
	memcpy(dst, memory, len);
	return 0;
}

static int fake_mm_write(struct engine_mm *mm, uint64_t va, const void *src, size_t len)
{
	uint8_t *memory = memory_at(fake_of_mm(mm), va, len, true);

	if (!memory)
		return -EFAULT;
	memcpy(memory, src, len);
	return 0;
}

static uint64_t fake_huge_page_bytes(struct engine_mm *mm, uint64_t va)
{
	(void)va;
	return fake_of_mm(mm)->huge_page_bytes;
}

static void fake_mm_free(struct engine_mm *mm)
{
	(void)mm;
	abort(); /* the test itself holds a reference */
}

static const struct engine_mm_ops mm_ops = {
	.pin = fake_pin,
	.unpin = fake_unpin,
	.read = fake_mm_read,
	.write = fake_mm_write,
	.huge_page_bytes = fake_huge_page_bytes,
	.free = fake_mm_free,
};

/* ---- files -------------------------------------------------------------------- */

struct fake_file {
	struct engine_file file;
	struct fake_client *fake;
};

static ssize_t file_pin(struct engine_file *file, uint64_t first_page, size_t npages, bool write,
			struct engine_page *pages)
{
	struct fake_client *fake = ((struct fake_file *)file)->fake;
	size_t n = 0;

	(void)write;
	for (; n < npages && first_page + n < FAKE_MEMFD_PAGES; n++) {
		if (pages)
			pages[n] = (struct engine_page){ file->object, first_page + n };
	}
	__atomic_add_fetch(&fake->pinned, n, __ATOMIC_RELAXED);
	return n ? (ssize_t)n : -EFAULT;
}

static void file_unpin(struct engine_file *file, uint64_t first_page, size_t npages)
{
	(void)first_page;
	__atomic_sub_fetch(&((struct fake_file *)file)->fake->pinned, npages, __ATOMIC_RELAXED);
}

/* The bytes of the memfd at offset; NULL: it has not that many. */
static uint8_t *file_bytes(struct engine_file *file, uint64_t offset, size_t len)
{
	struct fake_client *fake = ((struct fake_file *)file)->fake;

	if (offset > sizeof(fake->memfd) || len > sizeof(fake->memfd) - offset)
		return NULL;
	return fake->memfd + offset;
}

static int file_read(struct engine_file *file, uint64_t offset, void *dst, size_t len)
{
	const uint8_t *at = file_bytes(file, offset, len);

	if (!at)
		return -EFAULT;
	memcpy(dst, at, len);
	return 0;
}

static int file_write(struct engine_file *file, uint64_t offset, const void *src, size_t len)
{
	uint8_t *at = file_bytes(file, offset, len);

	if (!at)
		return -EFAULT;
	memcpy(at, src, len);
	return 0;
}

static void file_free(struct engine_file *file)
{
	__atomic_sub_fetch(&((struct fake_file *)file)->fake->files_open, 1, __ATOMIC_RELAXED);
	free(file);
}

static const struct engine_file_ops file_ops = {
	.pin = file_pin,
	.unpin = file_unpin,
	.read = file_read,
	.write = file_write,
	.free = file_free,
};

/* The file that a command gave as fd; NULL: none. take: the number is free from now on. */
static struct engine_anon_file *file_at(struct fake_client *fake, int fd, bool take)
{
	unsigned int i = (unsigned int)fd - FAKE_FIRST_FD;
	struct engine_anon_file *file;

	if (i >= FAKE_FILES)
		return NULL;
	pthread_mutex_lock(&fake->files_lock);
	file = fake->files[i];
	if (take)
		fake->files[i] = NULL;
	pthread_mutex_unlock(&fake->files_lock);
	return file;
}

struct engine_anon_file *fake_anon_file(struct fake_client *fake, uint32_t fd)
{
	struct engine_anon_file *file = file_at(fake, (int)fd, false);

	if (!file)
		abort();
	return file;
}

void fake_close(struct fake_client *fake, uint32_t fd)
{
	struct engine_anon_file *file = file_at(fake, (int)fd, true);

	if (!file)
		abort();
	engine_anon_file_release(file);
}

void fake_close_all(struct fake_client *fake)
{
	for (uint32_t fd = FAKE_FIRST_FD; fd < FAKE_FIRST_FD + FAKE_FILES; fd++) {
		struct engine_anon_file *file = file_at(fake, (int)fd, true);

		if (file)
			engine_anon_file_release(file);
	}
}

static int fake_fd_install(const struct engine_client *client, struct engine_anon_file *file,
			   int oflags)
{
	struct fake_client *fake = fake_of(client);
	int got = -EMFILE;

	(void)oflags;
	pthread_mutex_lock(&fake->files_lock);
	for (uint32_t i = 0; i < FAKE_FILES && !fake->no_fds; i++) {
		if (!fake->files[i]) {
			fake->files[i] = file;
			got = (int)(FAKE_FIRST_FD + i);
			break;
		}
	}
	pthread_mutex_unlock(&fake->files_lock);
	return got;
}

static void fake_fd_remove(const struct engine_client *client, int fd)
{
	if (!file_at(fake_of(client), fd, true))
		abort();
}

static struct engine_file *fake_file_get(const struct engine_client *client, int fd, int *err)
{
	struct engine_anon_file *anon = file_at(fake_of(client), fd, false);
	struct fake_file *file;

	if (fd != FAKE_MEMFD && fd != FAKE_OTHER_FD && !anon) {
		*err = -EBADF;
		return NULL;
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		abort();
	file->file.ops = &file_ops;
	file->file.refs = 1;
	file->file.kind = anon		     ? ENGINE_FILE_ANON :
			  fd == FAKE_MEMFD ? ENGINE_FILE_MEMFD :
					     ENGINE_FILE_OTHER;
	file->file.anon = anon;
	file->file.object = 0xf11e;
	file->fake = fake_of(client);
	__atomic_add_fetch(&file->fake->files_open, 1, __ATOMIC_RELAXED);
	return &file->file;
}

static const struct engine_client_ops client_ops = {
	.copy_in = fake_copy_in,
	.copy_out = fake_copy_out,
	.capable = fake_capable,
	.memlock_limit = fake_memlock_limit,
	.mm_get = fake_mm_get,
	.file_get = fake_file_get,
	.fd_install = fake_fd_install,
	.fd_remove = fake_fd_remove,
};

void fake_client_init(struct fake_client *fake, uint32_t pid)
{
	memset(fake, 0, sizeof(*fake));
	fake->client = (struct engine_client){
		.ops = &client_ops,
		.pid = pid,
		.tid = pid,
		.uid = 1000,
		.fail_nth = &fake->fail_nth,
	};
	fake->mm = (struct engine_mm){ &mm_ops, 1 };
	fake->ipc_lock = true;
	fake->sys_resource = true;
	fake->sys_rawio = true;
	fake->memlock_bytes = UINT64_MAX;
	pthread_mutex_init(&fake->files_lock, NULL);
}

void fake_client_fini(struct fake_client *fake)
{
	if (fake->mm.refs != 1 || fake->pinned || fake->files_open)
		abort();
	for (uint32_t i = 0; i < FAKE_FILES; i++) {
		if (fake->files[i])
			abort();
	}
	pthread_mutex_destroy(&fake->files_lock);
}

/* ---- calls -------------------------------------------------------------------- */

long fake_client_call(struct fake_client *fake, struct engine_ctx *ctx, unsigned int cmd,
		      void *arg, uint32_t size)
{
	long rc;

	if (fake->takes_pointers)
		return engine_ctx_ioctl(ctx, &fake->client, cmd, (uint64_t)(uintptr_t)arg);
	memcpy(fake->memory, arg, size);
	rc = engine_ctx_ioctl(ctx, &fake->client, cmd, FAKE_BASE);
	memcpy(arg, fake->memory, size);
	return rc;
}

long fake_ioas_alloc(struct fake_client *fake, struct engine_ctx *ctx, uint32_t *id)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };
	long rc = fake_client_call(fake, ctx, IOMMU_IOAS_ALLOC, &arg, sizeof(arg));

	*id = arg.out_ioas_id;
	return rc;
}

long fake_map(struct fake_client *fake, struct engine_ctx *ctx, uint32_t ioas, uint32_t flags,
	      uint64_t user_va, uint64_t length, uint64_t *iova)
{
	struct iommu_ioas_map arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = user_va,
		.length = length,
		.iova = *iova,
	};
	long rc = fake_client_call(fake, ctx, IOMMU_IOAS_MAP, &arg, sizeof(arg));

	*iova = arg.iova;
	return rc;
}

long fake_unmap(struct fake_client *fake, struct engine_ctx *ctx, uint32_t ioas, uint64_t iova,
		uint64_t *length)
{
	struct iommu_ioas_unmap arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.iova = iova,
		.length = *length,
	};
	long rc = fake_client_call(fake, ctx, IOMMU_IOAS_UNMAP, &arg, sizeof(arg));

	*length = arg.length;
	return rc;
}

long fake_copy(struct fake_client *fake, struct engine_ctx *ctx, uint32_t dst, uint32_t src,
	       uint32_t flags, uint64_t src_iova, uint64_t length, uint64_t *dst_iova)
{
	struct iommu_ioas_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *dst_iova,
		.src_iova = src_iova,
	};
	long rc = fake_client_call(fake, ctx, IOMMU_IOAS_COPY, &arg, sizeof(arg));

	*dst_iova = arg.dst_iova;
	return rc;
}

long fake_destroy(struct fake_client *fake, struct engine_ctx *ctx, uint32_t id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return fake_client_call(fake, ctx, IOMMU_DESTROY, &arg, sizeof(arg));
}
