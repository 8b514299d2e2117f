/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/engine_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rig *the_rig; /* memory operations get no pointer to it */

/* ---- memory ------------------------------------------------------------------- */

static bool inside(uint64_t addr, uint64_t len)
{
	uint64_t base = rig_va(the_rig, 0);

	return addr >= base && addr - base <= RIG_BYTES && len <= RIG_BYTES - (addr - base);
}

/* Structures lie on the test's stack, so any address but these two is good. */
static bool is_bad(uint64_t addr)
{
	return addr < ENGINE_PAGE_SIZE || addr >= 1ull << 47;
}

static int rig_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	(void)client;
	if (is_bad(src))
		return -EFAULT;
	memcpy(dst, (void *)(uintptr_t)src, len);
	return 0;
}

static int rig_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			size_t len)
{
	(void)client;
	if (is_bad(dst))
		return -EFAULT;
	memcpy((void *)(uintptr_t)dst, src, len);
	return 0;
}

static ssize_t mm_pin(struct engine_mm *mm, uint64_t va, size_t npages, bool write,
		      struct engine_page *pages)
{
	size_t n;

	(void)mm, (void)write;
	for (n = 0; n < npages && inside(va + n * ENGINE_PAGE_SIZE, ENGINE_PAGE_SIZE); n++) {
		if (pages)
			pages[n] = (struct engine_page){ 1, va / ENGINE_PAGE_SIZE + n };
	}
	return n ? (ssize_t)n : -EFAULT;
}

static void mm_unpin(struct engine_mm *mm, uint64_t va, size_t npages)
{
	(void)mm, (void)va, (void)npages;
}

static int mm_read(struct engine_mm *mm, uint64_t va, void *dst, size_t len)
{
	(void)mm;
	if (!inside(va, len))
		return -EFAULT;
	memcpy(dst, (void *)(uintptr_t)va, len);
	return 0;
}

static int mm_write(struct engine_mm *mm, uint64_t va, const void *src, size_t len)
{
	(void)mm;
	if (!inside(va, len))
		return -EFAULT;
	memcpy((void *)(uintptr_t)va, src, len);
	return 0;
}

static uint64_t mm_huge_page_bytes(struct engine_mm *mm, uint64_t va)
{
	(void)mm, (void)va;
	return the_rig->huge_page_bytes;
}

static void mm_free(struct engine_mm *mm)
{
	(void)mm;
}

static const struct engine_mm_ops mm_ops = {
	.pin = mm_pin,
	.unpin = mm_unpin,
	.read = mm_read,
	.write = mm_write,
	.huge_page_bytes = mm_huge_page_bytes,
	.free = mm_free,
};

static struct engine_mm the_mm = { .ops = &mm_ops, .refs = 1 };

static struct engine_mm *rig_mm_get(const struct engine_client *client)
{
	(void)client;
	__atomic_add_fetch(&the_mm.refs, 1, __ATOMIC_RELAXED);
	return &the_mm;
}

static bool rig_capable(const struct engine_client *client, enum engine_cap cap)
{
	(void)client, (void)cap;
	return true;
}

static uint64_t rig_memlock_limit(const struct engine_client *client)
{
	(void)client;
	return UINT64_MAX;
}

/* ---- files ---------------------------------------------------------------------- */

static void file_free(struct engine_file *file)
{
	free(file);
}

static const struct engine_file_ops file_ops = { .free = file_free };

/* What is open as fd of the client; NULL: nothing. */
static struct engine_anon_file *file_at(struct rig *rig, int fd)
{
	struct engine_anon_file *anon = NULL;

	pthread_mutex_lock(&rig->files_lock);
	if (fd >= 0 && fd < RIG_FILES)
		anon = rig->files[fd].anon;
	pthread_mutex_unlock(&rig->files_lock);
	return anon;
}

/* Takes fd away from the client; the file that it was. */
static struct engine_anon_file *file_remove(struct rig *rig, uint32_t fd)
{
	struct engine_anon_file *anon;

	pthread_mutex_lock(&rig->files_lock);
	anon = rig->files[fd].anon;
	rig->files[fd].anon = NULL;
	pthread_mutex_unlock(&rig->files_lock);
	assert_non_null(anon);
	return anon;
}

static struct engine_file *rig_file_get(const struct engine_client *client, int fd, int *err)
{
	struct engine_anon_file *anon = file_at(the_rig, fd);
	struct engine_file *file;

	(void)client;
	*err = -EBADF;
	if (!anon)
		return NULL;
	file = calloc(1, sizeof(*file));
	assert_non_null(file);
	file->ops = &file_ops;
	file->refs = 1;
	file->kind = ENGINE_FILE_ANON;
	file->anon = anon;
	return file;
}

static int rig_fd_install(const struct engine_client *client, struct engine_anon_file *file,
			  int oflags)
{
	int got = -EMFILE;

	(void)client, (void)oflags;
	pthread_mutex_lock(&the_rig->files_lock);
	for (int fd = 0; fd < RIG_FILES && !the_rig->no_fds; fd++) {
		if (the_rig->files[fd].anon)
			continue;
		the_rig->files[fd].anon = file;
		got = fd;
		break;
	}
	pthread_mutex_unlock(&the_rig->files_lock);
	return got;
}

static void rig_fd_remove(const struct engine_client *client, int fd)
{
	(void)client;
	file_remove(the_rig, (uint32_t)fd);
}

struct engine_anon_file *rig_file(struct rig *rig, uint32_t fd)
{
	struct engine_anon_file *anon = file_at(rig, (int)fd);

	assert_non_null(anon);
	return anon;
}

void rig_close_unchecked(struct rig *rig, uint32_t fd)
{
	engine_anon_file_release(file_remove(rig, fd));
}

void rig_close(struct rig *rig, uint32_t fd)
{
	rig_close_unchecked(rig, fd);
	engine_ctx_verify(rig->ctx);
}

/* ---- the rig ---------------------------------------------------------------------- */

int rig_setup(void **state)
{
	const struct engine_config config = { .test_ops = true };
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->ops = (struct engine_client_ops){
		.copy_in = rig_copy_in,
		.copy_out = rig_copy_out,
		.capable = rig_capable,
		.memlock_limit = rig_memlock_limit,
		.mm_get = rig_mm_get,
		.file_get = rig_file_get,
		.fd_install = rig_fd_install,
		.fd_remove = rig_fd_remove,
	};
	rig->client = (struct engine_client){ .ops = &rig->ops, .pid = 1, .tid = 1 };
	rig->client.fail_nth = &rig->fail_nth;
	rig->memory = aligned_alloc(1 << 21, 1 << 21);
	assert_non_null(rig->memory);
	memset(rig->memory, 0, RIG_BYTES);
	pthread_mutex_init(&rig->files_lock, NULL);
	rig->engine = engine_create(&config);
	assert_non_null(rig->engine);
	rig->ctx = engine_ctx_open(rig->engine, &rig->client);
	assert_non_null(rig->ctx);
	the_rig = rig;
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	engine_ctx_release(rig->ctx);
	for (uint32_t fd = 0; fd < RIG_FILES; fd++) {
		if (rig->files[fd].anon)
			engine_anon_file_release(rig->files[fd].anon);
	}
	engine_destroy(rig->engine);
	pthread_mutex_destroy(&rig->files_lock);
	free(rig->memory);
	free(rig);
	return 0;
}

long rig_call(struct rig *rig, unsigned int cmd, void *arg)
{
	long rc = engine_ctx_ioctl(rig->ctx, &rig->client, cmd, (uint64_t)(uintptr_t)arg);

	engine_ctx_verify(rig->ctx);
	return rc;
}

uint32_t rig_ioas(struct rig *rig)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	assert_int_equal(rig_call(rig, IOMMU_IOAS_ALLOC, &cmd), 0);
	return cmd.out_ioas_id;
}

void rig_map(struct rig *rig, uint32_t ioas, uint32_t first_page, uint32_t npages, uint64_t iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = rig_va(rig, first_page),
		.length = (uint64_t)npages * ENGINE_PAGE_SIZE,
		.iova = iova,
	};

	assert_int_equal(rig_call(rig, IOMMU_IOAS_MAP, &cmd), 0);
}

struct rig_mock rig_mock_domain(struct rig *rig, uint32_t pt_id, uint32_t dev_flags)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = pt_id,
		.mock_domain_flags = { .dev_flags = dev_flags },
	};

	assert_int_equal(rig_call(rig, IOMMU_TEST_CMD, &cmd), 0);
	return (struct rig_mock){ cmd.mock_domain.out_stdev_id, cmd.mock_domain.out_idev_id,
				  cmd.mock_domain.out_hwpt_id };
}

uint32_t rig_hwpt(struct rig *rig, uint32_t idev, uint32_t pt_id, uint32_t flags)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = idev, .pt_id = pt_id
	};

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

uint32_t rig_nested(struct rig *rig, uint32_t idev, uint32_t parent, uint32_t fault_id)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = fault_id ? IOMMU_HWPT_FAULT_ID_VALID : 0,
		.dev_id = idev,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uint64_t)(uintptr_t)&data,
		.fault_id = fault_id,
	};

	assert_int_equal(rig_call(rig, IOMMU_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

long rig_destroy(struct rig *rig, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return rig_call(rig, IOMMU_DESTROY, &cmd);
}

long rig_unmap(struct rig *rig, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova, .length = length
	};

	return rig_call(rig, IOMMU_IOAS_UNMAP, &cmd);
}

long rig_test(struct rig *rig, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	return rig_call(rig, IOMMU_TEST_CMD, cmd);
}

long rig_check_refs(struct rig *rig, uint32_t first_page, uint32_t npages, uint32_t refs)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = { .uptr = rig_va(rig, first_page),
				.length = (uint64_t)npages * ENGINE_PAGE_SIZE,
				.refs = refs },
	};

	return rig_test(rig, &cmd);
}

long rig_check_map(struct rig *rig, uint32_t hwpt, uint64_t iova, uint32_t page, uint32_t npages)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_MAP,
		.id = hwpt,
		.check_map = { .iova = iova,
			       .uptr = rig_va(rig, page),
			       .length = (uint64_t)npages * ENGINE_PAGE_SIZE },
	};

	return rig_test(rig, &cmd);
}

static void count_object(void *opaque, uint32_t id, enum engine_object_type type,
			 const struct engine_origin *origin)
{
	(void)id, (void)type, (void)origin;
	++*(unsigned int *)opaque;
}

unsigned int rig_objects(struct rig *rig)
{
	const struct engine_visitor visitor = { .object = count_object };
	unsigned int count = 0;

	engine_ctx_visit(rig->ctx, &visitor, &count);
	return count;
}
