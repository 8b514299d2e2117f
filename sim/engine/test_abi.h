/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test command's interface (nr 0xa0): operations, argument, and the data
 * of the mock driver behind it.
 *
 * The names are the kernel's. Nothing here is stable: it is what
 * drivers/iommu/iommufd/iommufd_test.h of Linux 7.3 says, restated so that the
 * kernel's own self-tests find the device that they expect.
 */
#ifndef IOASIS_SIM_ENGINE_TEST_ABI_H
#define IOASIS_SIM_ENGINE_TEST_ABI_H

#include <stdint.h>

#include <ioasis/iommufd_abi.h>

enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN,
	IOMMU_TEST_OP_MD_CHECK_MAP,
	IOMMU_TEST_OP_MD_CHECK_REFS,
	IOMMU_TEST_OP_CREATE_ACCESS,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_RW,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
	IOMMU_TEST_OP_DIRTY,
	IOMMU_TEST_OP_MD_CHECK_IOTLB,
	IOMMU_TEST_OP_TRIGGER_IOPF,
	IOMMU_TEST_OP_DEV_CHECK_CACHE,
	IOMMU_TEST_OP_TRIGGER_VEVENT,
	IOMMU_TEST_OP_PASID_ATTACH,
	IOMMU_TEST_OP_PASID_REPLACE,
	IOMMU_TEST_OP_PASID_DETACH,
	IOMMU_TEST_OP_PASID_CHECK_HWPT,
	IOMMU_TEST_OP_DMABUF_GET,
	IOMMU_TEST_OP_DMABUF_REVOKE,
};

/* Kinds of mock page table (iommu_hwpt_selftest.pagetable_type). */
enum {
	MOCK_IOMMUPT_DEFAULT = 0,
	MOCK_IOMMUPT_HUGE,
};

#define MOCK_APERTURE_START 0x1000000ull /* of a default page table */
#define MOCK_APERTURE_LAST 0x7fffffffull
#define MOCK_PAGE_SIZE 2048u
#define MOCK_HUGE_PAGE_SIZE (512u * MOCK_PAGE_SIZE)

enum {
	MOCK_FLAGS_ACCESS_WRITE = 1 << 0,
	MOCK_FLAGS_ACCESS_SYZ = 1 << 16,
};

enum {
	MOCK_ACCESS_RW_WRITE = 1 << 0,
	MOCK_ACCESS_RW_SLOW_PATH = 1 << 2,
};

enum {
	MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0,
};

enum {
	MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0,
	MOCK_FLAGS_DEVICE_HUGE_IOVA = 1 << 1, /* until 6.18 */
	MOCK_FLAGS_DEVICE_PASID = 1 << 2,
};

enum {
	MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3,
	MOCK_NESTED_DOMAIN_IOTLB_NUM = 4,
};

enum {
	MOCK_DEV_CACHE_ID_MAX = 3,
	MOCK_DEV_CACHE_NUM = 4,
};

/* A PASID whose second attach without a detach in between fails. */
#define IOMMU_TEST_PASID_RESERVED 1024u

struct iommu_test_cmd {
	uint32_t size;
	uint32_t op; /* IOMMU_TEST_OP_* */
	uint32_t id; /* what the operation is about: an object's id or a file */
	uint32_t __reserved;
	union {
		struct {
			ioasis_u64 start;
			ioasis_u64 length; /* bytes */
		} add_reserved;
		struct {
			uint32_t out_stdev_id;
			uint32_t out_hwpt_id;
			uint32_t out_idev_id;
		} mock_domain;
		struct {
			uint32_t out_stdev_id;
			uint32_t out_hwpt_id;
			uint32_t out_idev_id;
			uint32_t dev_flags; /* MOCK_FLAGS_DEVICE_* */
		} mock_domain_flags;
		struct {
			uint32_t pt_id;
		} mock_domain_replace;
		struct {
			ioasis_u64 iova;
			ioasis_u64 length; /* bytes */
			ioasis_u64 uptr;
		} check_map;
		struct {
			ioasis_u64 length; /* bytes */
			ioasis_u64 uptr;
			uint32_t refs;
		} check_refs;
		struct {
			uint32_t out_access_fd;
			uint32_t flags; /* MOCK_FLAGS_ACCESS_CREATE_* */
		} create_access;
		struct {
			uint32_t access_pages_id;
		} destroy_access_pages;
		struct {
			uint32_t flags; /* MOCK_FLAGS_ACCESS_* */
			uint32_t out_access_pages_id;
			ioasis_u64 iova;
			ioasis_u64 length; /* bytes */
			ioasis_u64 uptr;
		} access_pages;
		struct {
			ioasis_u64 iova;
			ioasis_u64 length; /* bytes */
			ioasis_u64 uptr;
			uint32_t flags; /* MOCK_ACCESS_RW_* */
		} access_rw;
		struct {
			uint32_t limit; /* bytes */
		} memory_limit;
		struct {
			uint32_t ioas_id;
		} access_replace_ioas;
		struct {
			uint32_t flags;
			ioasis_u64 iova;
			ioasis_u64 length;    /* bytes */
			ioasis_u64 page_size; /* bytes a bit stands for */
			ioasis_u64 uptr;      /* address of the bitmap */
			ioasis_u64 out_nr_dirty;
		} dirty;
		struct {
			uint32_t id;
			uint32_t iotlb;
		} check_iotlb;
		struct {
			uint32_t dev_id;
			uint32_t pasid;
			uint32_t grpid;
			uint32_t perm;
			uint64_t addr;
		} trigger_iopf;
		struct {
			uint32_t id;
			uint32_t cache;
		} check_dev_cache;
		struct {
			uint32_t dev_id;
		} trigger_vevent;
		struct {
			uint32_t pasid;
			uint32_t pt_id;
		} pasid_attach; /* and replace */
		struct {
			uint32_t pasid;
		} pasid_detach;
		struct {
			uint32_t pasid;
			uint32_t hwpt_id;
		} pasid_check;
		struct {
			uint32_t length; /* bytes */
			uint32_t open_flags;
		} dmabuf_get;
		struct {
			int32_t dmabuf_fd;
			uint32_t revoked;
		} dmabuf_revoke;
	};
	uint32_t last;
};
#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)

#define MOCK_PASID_WIDTH 20u

#define IOMMU_HW_INFO_TYPE_SELFTEST 0xfeedbeefu
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeefu

struct iommu_test_hw_info {
	uint32_t flags;
	uint32_t test_reg;
};

#define IOMMU_HWPT_DATA_SELFTEST 0xdeadu
#define IOMMU_TEST_IOTLB_DEFAULT 0xbadbeefu
#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddadu

/* Data of a HWPT_ALLOC. */
struct iommu_hwpt_selftest {
	uint32_t iotlb;		 /* what every entry of a nested one starts with */
	uint32_t pagetable_type; /* MOCK_IOMMUPT_* */
};

#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeefu
#define IOMMU_TEST_INVALIDATE_FLAG_ALL (1u << 0)

struct iommu_hwpt_invalidate_selftest {
	uint32_t flags;
	uint32_t iotlb_id;
};

#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeefu

/* Data of a VIOMMU_ALLOC; out_data repeats in_data. */
struct iommu_viommu_selftest {
	uint32_t in_data;
	uint32_t out_data;
	ioasis_u64 out_mmap_offset;
	ioasis_u64 out_mmap_length; /* bytes */
};

#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeefu

struct iommu_viommu_invalidate_selftest {
	uint32_t flags;
	uint32_t vdev_id; /* the virtual id */
	uint32_t cache_id;
};

#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeefu

struct iommu_viommu_event_selftest {
	uint32_t virt_id;
};

#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeefu
#define IOMMU_TEST_HW_QUEUE_MAX 2u

IOASIS_ABI_ASSERT(sizeof(struct iommu_test_cmd) == 72);
IOASIS_ABI_ASSERT(offsetof(struct iommu_test_cmd, mock_domain.out_stdev_id) == 16);
IOASIS_ABI_ASSERT(offsetof(struct iommu_test_cmd, access_pages.iova) == 24);
IOASIS_ABI_ASSERT(offsetof(struct iommu_test_cmd, dirty.out_nr_dirty) == 56);
IOASIS_ABI_ASSERT(offsetof(struct iommu_test_cmd, last) == 64);
IOASIS_ABI_ASSERT(sizeof(struct iommu_viommu_selftest) == 24);
IOASIS_ABI_ASSERT(sizeof(struct iommu_viommu_invalidate_selftest) == 12);

#endif
