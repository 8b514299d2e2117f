/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user interface of /dev/iommu: command numbers and argument structures.
 *
 * This is ioasis' own statement of the interface, so that a build needs no
 * kernel header and knows every command up to Linux 7.3. The names are the
 * kernel's; include either this file or <linux/iommufd.h>, not both. Every
 * size and every offset is asserted at the end of the file, and
 * tests/unit/test_abi.c compares both files where the system has the other.
 *
 * Source: include/uapi/linux/iommufd.h, Linux 7.3.
 *
 * Conventions of the interface:
 *  - Commands are _IO(';', nr): the number carries neither size nor direction.
 *  - The first word of every structure is its size as the caller knows it. A
 *    caller may pass less (down to a minimum) or more (the rest zero).
 *  - Ranges are given as iova and length, or as [start, last], last inclusive.
 */
#ifndef IOASIS_IOMMUFD_ABI_H
#define IOASIS_IOMMUFD_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#ifdef __cplusplus
extern "C" {
#define IOASIS_ABI_ASSERT(cond) static_assert(cond, #cond)
#else
#define IOASIS_ABI_ASSERT(cond) _Static_assert(cond, #cond)
#endif

/* A 64-bit field is aligned to 8 bytes on every architecture. */
typedef uint64_t ioasis_u64 __attribute__((aligned(8)));

#define IOMMUFD_TYPE ';'

enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC = 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC = 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS = 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC = 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC = 0x94,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA = 0x95,
};

/* Destroys any object by its id. */
struct iommu_destroy {
	uint32_t size;
	uint32_t id;
};
#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/* Makes an I/O address space. */
struct iommu_ioas_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t out_ioas_id;
};
#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

struct iommu_iova_range {
	ioasis_u64 start;
	ioasis_u64 last; /* inclusive */
};

/* Asks which addresses are usable. */
struct iommu_ioas_iova_ranges {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;	  /* in: room, out: how many there are */
	uint32_t __reserved;	  /* 0 */
	ioasis_u64 allowed_iovas; /* address of struct iommu_iova_range[] */
	ioasis_u64 out_iova_alignment; /* bytes */
};
#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/* Limits automatic addresses to the given ranges. */
struct iommu_ioas_allow_iovas {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t __reserved;	  /* 0 */
	ioasis_u64 allowed_iovas; /* address of struct iommu_iova_range[] */
};
#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/* Maps memory of the calling process. */
struct iommu_ioas_map {
	uint32_t size;
	uint32_t flags; /* enum iommufd_ioas_map_flags */
	uint32_t ioas_id;
	uint32_t __reserved; /* 0 */
	ioasis_u64 user_va;
	ioasis_u64 length; /* bytes */
	ioasis_u64 iova;   /* in with FIXED_IOVA, out without */
};
#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/* Maps a memfd or a dma-buf. */
struct iommu_ioas_map_file {
	uint32_t size;
	uint32_t flags; /* enum iommufd_ioas_map_flags */
	uint32_t ioas_id;
	int32_t fd;
	ioasis_u64 start;  /* bytes from the beginning of the file */
	ioasis_u64 length; /* bytes */
	ioasis_u64 iova;   /* in with FIXED_IOVA, out without */
};
#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/* Maps again, in dst, what src has mapped: the pages are shared. */
struct iommu_ioas_copy {
	uint32_t size;
	uint32_t flags; /* enum iommufd_ioas_map_flags */
	uint32_t dst_ioas_id;
	uint32_t src_ioas_id;
	ioasis_u64 length;   /* bytes */
	ioasis_u64 dst_iova; /* in with FIXED_IOVA, out without */
	ioasis_u64 src_iova;
};
#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/* Unmaps whole mappings; iova 0 with length 2^64-1 unmaps all. */
struct iommu_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	ioasis_u64 iova;
	ioasis_u64 length; /* in: bytes asked, out: bytes unmapped */
};
#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0, /* 0 per user, 1 per process */
	IOMMU_OPTION_HUGE_PAGES = 1,
};

enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

struct iommu_option {
	uint32_t size;
	uint32_t option_id; /* enum iommufd_option */
	uint16_t op;	    /* enum iommufd_option_ops */
	uint16_t __reserved;
	uint32_t object_id; /* 0 for options of the whole file */
	ioasis_u64 val64;
};
#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/* Chooses the address space that VFIO's type 1 calls act on. */
struct iommu_vfio_ioas {
	uint32_t size;
	uint32_t ioas_id;
	uint16_t op; /* enum iommufd_vfio_ioas_op */
	uint16_t __reserved;
};
#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID = 1 << 2,
	IOMMU_HWPT_ALLOC_PASID = 1 << 3,
};

enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
	IOMMU_HWPT_DATA_VTD_S1 = 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3 = 2,
	IOMMU_HWPT_DATA_AMD_GUEST = 3,
};

enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

struct iommu_hwpt_vtd_s1 {
	ioasis_u64 flags; /* enum iommu_hwpt_vtd_s1_flags */
	ioasis_u64 pgtbl_addr;
	uint32_t addr_width; /* bits */
	uint32_t __reserved;
};

/* The first two words of a stream table entry, little-endian. */
struct iommu_hwpt_arm_smmuv3 {
	ioasis_u64 ste[2];
};

/* A device table entry of the guest. */
struct iommu_hwpt_amd_guest {
	ioasis_u64 dte[4];
};

/* Makes a page table for a device. */
struct iommu_hwpt_alloc {
	uint32_t size;
	uint32_t flags; /* enum iommufd_hwpt_alloc_flags */
	uint32_t dev_id;
	uint32_t pt_id; /* address space, nesting parent or vIOMMU */
	uint32_t out_hwpt_id;
	uint32_t __reserved;
	uint32_t data_type; /* enum iommu_hwpt_data_type */
	uint32_t data_len;  /* bytes */
	ioasis_u64 data_uptr;
	uint32_t fault_id;
	uint32_t __reserved2;
};
#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
	IOMMU_HW_INFO_TYPE_DEFAULT = 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD = 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3,
	IOMMU_HW_INFO_TYPE_AMD = 4,
};

enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

struct iommu_hw_info_vtd {
	uint32_t flags; /* enum iommu_hw_info_vtd_flags */
	uint32_t __reserved;
	ioasis_u64 cap_reg;
	ioasis_u64 ecap_reg;
};

struct iommu_hw_info_arm_smmuv3 {
	uint32_t flags;
	uint32_t __reserved;
	uint32_t idr[6];
	uint32_t iidr;
	uint32_t aidr;
};

struct iommu_hw_info_tegra241_cmdqv {
	uint32_t flags;
	uint8_t version;
	uint8_t log2vcmdqs;
	uint8_t log2vsids;
	uint8_t __reserved;
};

struct iommu_hw_info_amd {
	ioasis_u64 efr;
	ioasis_u64 efr2;
};

enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC = 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV = 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3,
};

enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/* Asks what IOMMU a device sits behind. */
struct iommu_hw_info {
	uint32_t size;
	uint32_t flags; /* enum iommufd_hw_info_flags */
	uint32_t dev_id;
	uint32_t data_len; /* in: room, out: bytes there are */
	ioasis_u64 data_uptr;
	union {
		uint32_t in_data_type;
		uint32_t out_data_type; /* enum iommu_hw_info_type */
	};
	uint8_t out_max_pasid_log2;
	uint8_t __reserved[3];
	ioasis_u64 out_capabilities; /* enum iommufd_hw_capabilities */
};
#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1,
};

struct iommu_hwpt_set_dirty_tracking {
	uint32_t size;
	uint32_t flags; /* enum iommufd_hwpt_set_dirty_tracking_flags */
	uint32_t hwpt_id;
	uint32_t __reserved;
};
#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1,
};

/* Sets the bits of the pages that devices wrote; never clears one. */
struct iommu_hwpt_get_dirty_bitmap {
	uint32_t size;
	uint32_t hwpt_id;
	uint32_t flags; /* enum iommufd_hwpt_get_dirty_bitmap_flags */
	uint32_t __reserved;
	ioasis_u64 iova;
	ioasis_u64 length;    /* bytes */
	ioasis_u64 page_size; /* bytes a bit stands for */
	ioasis_u64 data;      /* address of the bitmap */
};
#define IOMMU_HWPT_GET_DIRTY_BITMAP \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1,
};

enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

struct iommu_hwpt_vtd_s1_invalidate {
	ioasis_u64 addr;
	ioasis_u64 npages;
	uint32_t flags; /* enum iommu_hwpt_vtd_s1_invalidate_flags */
	uint32_t __reserved;
};

/* One command of the guest's command queue, little-endian. */
struct iommu_viommu_arm_smmuv3_invalidate {
	ioasis_u64 cmd[2];
};

/* Invalidates caches of a nested page table or a vIOMMU. */
struct iommu_hwpt_invalidate {
	uint32_t size;
	uint32_t hwpt_id; /* or the id of a vIOMMU */
	ioasis_u64 data_uptr;
	uint32_t data_type; /* enum iommu_hwpt_invalidate_data_type */
	uint32_t entry_len; /* bytes */
	uint32_t entry_num; /* in: entries, out: entries handled */
	uint32_t __reserved;
};
#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID = 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE = 1 << 1,
};

enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ = 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE = 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC = 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV = 1 << 3,
};

/* What read() of a fault queue's file gives. */
struct iommu_hwpt_pgfault {
	uint32_t flags; /* enum iommu_hwpt_pgfault_flags */
	uint32_t dev_id;
	uint32_t pasid;
	uint32_t grpid;
	uint32_t perm; /* enum iommu_hwpt_pgfault_perm */
	uint32_t __reserved;
	ioasis_u64 addr;
	uint32_t length;
	uint32_t cookie;
};

enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS = 0,
	IOMMUFD_PAGE_RESP_INVALID = 1,
};

/* What write() to a fault queue's file takes. */
struct iommu_hwpt_page_response {
	uint32_t cookie;
	uint32_t code; /* enum iommufd_page_response_code */
};

struct iommu_fault_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t out_fault_id;
	uint32_t out_fault_fd;
};
#define IOMMU_FAULT_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT = 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2,
};

/* What VIOMMU_ALLOC answers for TEGRA241_CMDQV: where to mmap the device file. */
struct iommu_viommu_tegra241_cmdqv {
	ioasis_u64 out_vintf_mmap_offset; /* bytes */
	ioasis_u64 out_vintf_mmap_length; /* bytes */
};

struct iommu_viommu_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t type;	/* enum iommu_viommu_type */
	uint32_t dev_id;
	uint32_t hwpt_id; /* a nesting parent */
	uint32_t out_viommu_id;
	uint32_t data_len; /* bytes */
	uint32_t __reserved;
	ioasis_u64 data_uptr;
};
#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

struct iommu_vdevice_alloc {
	uint32_t size;
	uint32_t viommu_id;
	uint32_t dev_id;
	uint32_t out_vdevice_id;
	ioasis_u64 virt_id;
};
#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/* Moves the accounting of memfd mappings to the calling process. */
struct iommu_ioas_change_process {
	uint32_t size;
	uint32_t __reserved; /* 0 */
};
#define IOMMU_IOAS_CHANGE_PROCESS \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1 << 0,
};

/* Heads every record that read() of a vIOMMU event queue gives. */
struct iommufd_vevent_header {
	uint32_t flags; /* enum iommu_veventq_flag */
	uint32_t sequence;
};

enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT = 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2,
};

/* Records that follow a header, little-endian. */
struct iommu_vevent_arm_smmuv3 {
	ioasis_u64 evt[4];
};

struct iommu_vevent_tegra241_cmdqv {
	ioasis_u64 lvcmdq_err_map[2];
};

struct iommu_veventq_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t viommu_id;
	uint32_t type; /* enum iommu_veventq_type */
	uint32_t veventq_depth; /* events */
	uint32_t out_veventq_id;
	uint32_t out_veventq_fd;
	uint32_t __reserved; /* 0 */
};
#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT = 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1,
};

struct iommu_hw_queue_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t viommu_id;
	uint32_t type; /* enum iommu_hw_queue_type */
	uint32_t index;
	uint32_t out_hw_queue_id;
	ioasis_u64 nesting_parent_iova;
	ioasis_u64 length; /* bytes */
};
#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

/* The physical address behind an I/O address, for devices that have no IOMMU. */
struct iommu_ioas_noiommu_get_pa {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t ioas_id;
	uint32_t __reserved; /* 0 */
	ioasis_u64 iova;
	ioasis_u64 length; /* bytes; in: at most, not 0; out: how many are contiguous */
	ioasis_u64 out_phys;
};
#define IOMMU_IOAS_NOIOMMU_GET_PA _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)

IOASIS_ABI_ASSERT(IOMMU_DESTROY == 0x3b80 && IOMMU_IOAS_NOIOMMU_GET_PA == 0x3b95);

/* AT(struct, field, offset) and the size of the whole, from the kernel's file. */
#define AT(s, f, o) IOASIS_ABI_ASSERT(offsetof(struct s, f) == (o))
#define SIZE(s, n) IOASIS_ABI_ASSERT(sizeof(struct s) == (n))
SIZE(iommu_destroy, 8);
AT(iommu_destroy, id, 4);
SIZE(iommu_ioas_alloc, 12);
AT(iommu_ioas_alloc, flags, 4);
AT(iommu_ioas_alloc, out_ioas_id, 8);
SIZE(iommu_iova_range, 16);
AT(iommu_iova_range, last, 8);
SIZE(iommu_ioas_iova_ranges, 32);
AT(iommu_ioas_iova_ranges, ioas_id, 4);
AT(iommu_ioas_iova_ranges, num_iovas, 8);
AT(iommu_ioas_iova_ranges, __reserved, 12);
AT(iommu_ioas_iova_ranges, allowed_iovas, 16);
AT(iommu_ioas_iova_ranges, out_iova_alignment, 24);
SIZE(iommu_ioas_allow_iovas, 24);
AT(iommu_ioas_allow_iovas, ioas_id, 4);
AT(iommu_ioas_allow_iovas, num_iovas, 8);
AT(iommu_ioas_allow_iovas, __reserved, 12);
AT(iommu_ioas_allow_iovas, allowed_iovas, 16);
SIZE(iommu_ioas_map, 40);
AT(iommu_ioas_map, flags, 4);
AT(iommu_ioas_map, ioas_id, 8);
AT(iommu_ioas_map, __reserved, 12);
AT(iommu_ioas_map, user_va, 16);
AT(iommu_ioas_map, length, 24);
AT(iommu_ioas_map, iova, 32);
SIZE(iommu_ioas_map_file, 40);
AT(iommu_ioas_map_file, flags, 4);
AT(iommu_ioas_map_file, ioas_id, 8);
AT(iommu_ioas_map_file, fd, 12);
AT(iommu_ioas_map_file, start, 16);
AT(iommu_ioas_map_file, length, 24);
AT(iommu_ioas_map_file, iova, 32);
SIZE(iommu_ioas_copy, 40);
AT(iommu_ioas_copy, flags, 4);
AT(iommu_ioas_copy, dst_ioas_id, 8);
AT(iommu_ioas_copy, src_ioas_id, 12);
AT(iommu_ioas_copy, length, 16);
AT(iommu_ioas_copy, dst_iova, 24);
AT(iommu_ioas_copy, src_iova, 32);
SIZE(iommu_ioas_unmap, 24);
AT(iommu_ioas_unmap, ioas_id, 4);
AT(iommu_ioas_unmap, iova, 8);
AT(iommu_ioas_unmap, length, 16);
SIZE(iommu_option, 24);
AT(iommu_option, option_id, 4);
AT(iommu_option, op, 8);
AT(iommu_option, __reserved, 10);
AT(iommu_option, object_id, 12);
AT(iommu_option, val64, 16);
SIZE(iommu_vfio_ioas, 12);
AT(iommu_vfio_ioas, ioas_id, 4);
AT(iommu_vfio_ioas, op, 8);
AT(iommu_vfio_ioas, __reserved, 10);
SIZE(iommu_hwpt_vtd_s1, 24);
AT(iommu_hwpt_vtd_s1, pgtbl_addr, 8);
AT(iommu_hwpt_vtd_s1, addr_width, 16);
AT(iommu_hwpt_vtd_s1, __reserved, 20);
SIZE(iommu_hwpt_arm_smmuv3, 16);
SIZE(iommu_hwpt_amd_guest, 32);
SIZE(iommu_hwpt_alloc, 48);
AT(iommu_hwpt_alloc, flags, 4);
AT(iommu_hwpt_alloc, dev_id, 8);
AT(iommu_hwpt_alloc, pt_id, 12);
AT(iommu_hwpt_alloc, out_hwpt_id, 16);
AT(iommu_hwpt_alloc, __reserved, 20);
AT(iommu_hwpt_alloc, data_type, 24);
AT(iommu_hwpt_alloc, data_len, 28);
AT(iommu_hwpt_alloc, data_uptr, 32);
AT(iommu_hwpt_alloc, fault_id, 40);
AT(iommu_hwpt_alloc, __reserved2, 44);
SIZE(iommu_hw_info_vtd, 24);
AT(iommu_hw_info_vtd, __reserved, 4);
AT(iommu_hw_info_vtd, cap_reg, 8);
AT(iommu_hw_info_vtd, ecap_reg, 16);
SIZE(iommu_hw_info_arm_smmuv3, 40);
AT(iommu_hw_info_arm_smmuv3, __reserved, 4);
AT(iommu_hw_info_arm_smmuv3, idr, 8);
AT(iommu_hw_info_arm_smmuv3, iidr, 32);
AT(iommu_hw_info_arm_smmuv3, aidr, 36);
SIZE(iommu_hw_info_tegra241_cmdqv, 8);
AT(iommu_hw_info_tegra241_cmdqv, version, 4);
AT(iommu_hw_info_tegra241_cmdqv, log2vcmdqs, 5);
AT(iommu_hw_info_tegra241_cmdqv, log2vsids, 6);
AT(iommu_hw_info_tegra241_cmdqv, __reserved, 7);
SIZE(iommu_hw_info_amd, 16);
AT(iommu_hw_info_amd, efr2, 8);
SIZE(iommu_hw_info, 40);
AT(iommu_hw_info, flags, 4);
AT(iommu_hw_info, dev_id, 8);
AT(iommu_hw_info, data_len, 12);
AT(iommu_hw_info, data_uptr, 16);
AT(iommu_hw_info, in_data_type, 24);
AT(iommu_hw_info, out_data_type, 24);
AT(iommu_hw_info, out_max_pasid_log2, 28);
AT(iommu_hw_info, __reserved, 29);
AT(iommu_hw_info, out_capabilities, 32);
SIZE(iommu_hwpt_set_dirty_tracking, 16);
AT(iommu_hwpt_set_dirty_tracking, flags, 4);
AT(iommu_hwpt_set_dirty_tracking, hwpt_id, 8);
AT(iommu_hwpt_set_dirty_tracking, __reserved, 12);
SIZE(iommu_hwpt_get_dirty_bitmap, 48);
AT(iommu_hwpt_get_dirty_bitmap, hwpt_id, 4);
AT(iommu_hwpt_get_dirty_bitmap, flags, 8);
AT(iommu_hwpt_get_dirty_bitmap, __reserved, 12);
AT(iommu_hwpt_get_dirty_bitmap, iova, 16);
AT(iommu_hwpt_get_dirty_bitmap, length, 24);
AT(iommu_hwpt_get_dirty_bitmap, page_size, 32);
AT(iommu_hwpt_get_dirty_bitmap, data, 40);
SIZE(iommu_hwpt_vtd_s1_invalidate, 24);
AT(iommu_hwpt_vtd_s1_invalidate, npages, 8);
AT(iommu_hwpt_vtd_s1_invalidate, flags, 16);
AT(iommu_hwpt_vtd_s1_invalidate, __reserved, 20);
SIZE(iommu_viommu_arm_smmuv3_invalidate, 16);
SIZE(iommu_hwpt_invalidate, 32);
AT(iommu_hwpt_invalidate, hwpt_id, 4);
AT(iommu_hwpt_invalidate, data_uptr, 8);
AT(iommu_hwpt_invalidate, data_type, 16);
AT(iommu_hwpt_invalidate, entry_len, 20);
AT(iommu_hwpt_invalidate, entry_num, 24);
AT(iommu_hwpt_invalidate, __reserved, 28);
SIZE(iommu_hwpt_pgfault, 40);
AT(iommu_hwpt_pgfault, dev_id, 4);
AT(iommu_hwpt_pgfault, pasid, 8);
AT(iommu_hwpt_pgfault, grpid, 12);
AT(iommu_hwpt_pgfault, perm, 16);
AT(iommu_hwpt_pgfault, addr, 24);
AT(iommu_hwpt_pgfault, length, 32);
AT(iommu_hwpt_pgfault, cookie, 36);
SIZE(iommu_hwpt_page_response, 8);
AT(iommu_hwpt_page_response, code, 4);
SIZE(iommu_fault_alloc, 16);
AT(iommu_fault_alloc, flags, 4);
AT(iommu_fault_alloc, out_fault_id, 8);
AT(iommu_fault_alloc, out_fault_fd, 12);
SIZE(iommu_viommu_tegra241_cmdqv, 16);
AT(iommu_viommu_tegra241_cmdqv, out_vintf_mmap_length, 8);
SIZE(iommu_viommu_alloc, 40);
AT(iommu_viommu_alloc, flags, 4);
AT(iommu_viommu_alloc, type, 8);
AT(iommu_viommu_alloc, dev_id, 12);
AT(iommu_viommu_alloc, hwpt_id, 16);
AT(iommu_viommu_alloc, out_viommu_id, 20);
AT(iommu_viommu_alloc, data_len, 24);
AT(iommu_viommu_alloc, __reserved, 28);
AT(iommu_viommu_alloc, data_uptr, 32);
SIZE(iommu_vdevice_alloc, 24);
AT(iommu_vdevice_alloc, viommu_id, 4);
AT(iommu_vdevice_alloc, dev_id, 8);
AT(iommu_vdevice_alloc, out_vdevice_id, 12);
AT(iommu_vdevice_alloc, virt_id, 16);
SIZE(iommu_ioas_change_process, 8);
AT(iommu_ioas_change_process, __reserved, 4);
SIZE(iommufd_vevent_header, 8);
AT(iommufd_vevent_header, sequence, 4);
SIZE(iommu_vevent_arm_smmuv3, 32);
SIZE(iommu_vevent_tegra241_cmdqv, 16);
SIZE(iommu_veventq_alloc, 32);
AT(iommu_veventq_alloc, flags, 4);
AT(iommu_veventq_alloc, viommu_id, 8);
AT(iommu_veventq_alloc, type, 12);
AT(iommu_veventq_alloc, veventq_depth, 16);
AT(iommu_veventq_alloc, out_veventq_id, 20);
AT(iommu_veventq_alloc, out_veventq_fd, 24);
AT(iommu_veventq_alloc, __reserved, 28);
SIZE(iommu_hw_queue_alloc, 40);
AT(iommu_hw_queue_alloc, flags, 4);
AT(iommu_hw_queue_alloc, viommu_id, 8);
AT(iommu_hw_queue_alloc, type, 12);
AT(iommu_hw_queue_alloc, index, 16);
AT(iommu_hw_queue_alloc, out_hw_queue_id, 20);
AT(iommu_hw_queue_alloc, nesting_parent_iova, 24);
AT(iommu_hw_queue_alloc, length, 32);
#undef AT
#undef SIZE

#ifdef __cplusplus
}
#endif

#endif
