/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rest of QEMU's hw/vfio that hw/vfio/iommufd.c wants: see stub.h. */
#ifndef IOASIS_TESTS_QEMU_API_STUB_VFIO_H
#define IOASIS_TESTS_QEMU_API_STUB_VFIO_H

#include "tests/qemu_api/stub.h"

#include "tests/qemu_api/linux_vfio.h"

#define QLIST_HEAD LIST_HEAD
#define QLIST_ENTRY LIST_ENTRY
#define QLIST_INIT LIST_INIT
#define QLIST_EMPTY LIST_EMPTY
#define QLIST_FOREACH LIST_FOREACH
#define QLIST_INSERT_HEAD LIST_INSERT_HEAD
#define QLIST_REMOVE LIST_REMOVE

typedef struct AddressSpace AddressSpace;
typedef struct MemoryRegion MemoryRegion;
typedef struct VFIODevice VFIODevice;
typedef struct VFIOAddressSpace VFIOAddressSpace;
struct IOMMUFDBackend;

typedef struct IOMMUTLBEntry {
	hwaddr translated_addr;
} IOMMUTLBEntry;

typedef struct Range {
	uint64_t low, high;
} Range;

typedef struct VFIOBitmap {
	unsigned long *bitmap;
} VFIOBitmap;

typedef struct DeviceState {
	bool realized;
} DeviceState;

#define TYPE_VFIO_IOMMU "vfio-iommu"
#define TYPE_VFIO_IOMMU_IOMMUFD TYPE_VFIO_IOMMU "-iommufd"
OBJECT_DECLARE_TYPE(VFIOContainer, VFIOIOMMUClass, VFIO_IOMMU)

struct VFIOContainer {
	Object parent_obj;
	VFIOAddressSpace *space;
	uint64_t pgsizes;
	GList *iova_ranges;
	bool dirty_pages_supported, bypass_ro, initialized;
	QLIST_HEAD(, VFIODevice) device_list;
	QLIST_ENTRY(VFIOContainer) next;
};

struct VFIOAddressSpace {
	QLIST_HEAD(, VFIOContainer) containers;
};

struct VFIOIOMMUClass {
	ObjectClass parent_class;
	int (*dma_map)(const VFIOContainer *container, hwaddr iova, uint64_t size, void *vaddr,
		       bool readonly, MemoryRegion *mr);
	int (*dma_map_file)(const VFIOContainer *container, hwaddr iova, uint64_t size, int fd,
			    unsigned long start, bool readonly);
	int (*dma_unmap)(const VFIOContainer *container, hwaddr iova, uint64_t size,
			 IOMMUTLBEntry *iotlb, bool unmap_all);
	bool (*attach_device)(const char *name, VFIODevice *device, AddressSpace *as, Error **errp);
	void (*detach_device)(VFIODevice *device);
	int (*pci_hot_reset)(VFIODevice *device, bool single);
	int (*set_dirty_page_tracking)(const VFIOContainer *container, bool start, Error **errp);
	int (*query_dirty_bitmap)(const VFIOContainer *container, VFIOBitmap *bitmap, hwaddr iova,
				  hwaddr size, uint64_t flags, Error **errp);
};

typedef struct VFIOIOASHwpt {
	uint32_t hwpt_id, hwpt_flags;
	QLIST_HEAD(, VFIODevice) device_list;
	QLIST_ENTRY(VFIOIOASHwpt) next;
} VFIOIOASHwpt;

OBJECT_DECLARE_TYPE(VFIOIOMMUFDContainer, VFIOIOMMUFDContainerClass, VFIO_IOMMU_IOMMUFD)

struct VFIOIOMMUFDContainer {
	VFIOContainer parent_obj;
	struct IOMMUFDBackend *be;
	uint32_t ioas_id;
	QLIST_HEAD(, VFIOIOASHwpt) hwpt_list;
};

struct VFIODevice {
	char *name, *sysfsdev;
	int fd, devid;
	struct IOMMUFDBackend *iommufd;
	VFIOContainer *bcontainer;
	HostIOMMUDevice *hiod;
	VFIOIOASHwpt *hwpt;
	DeviceState *dev;
	bool mdev, iommu_dirty_tracking, ram_block_discard_allowed, needs_reset;
	unsigned int num_irqs, num_initial_regions, flags;
	struct {
		uint32_t ioas_id, hwpt_id;
	} cpr;
	QLIST_ENTRY(VFIODevice) hwpt_next;
	QLIST_ENTRY(VFIODevice) container_next;
	QLIST_ENTRY(VFIODevice) global_next;
};

typedef struct VFIOPCIDevice {
	VFIODevice vbasedev;
	bool has_pm_reset;
} VFIOPCIDevice;

typedef QLIST_HEAD(VFIODeviceList, VFIODevice) VFIODeviceList;
extern VFIODeviceList vfio_device_list;

#define VFIO_MSG_PREFIX "vfio %s: "
#define PCI_SLOT(devfn) ((devfn) >> 3 & 0x1f)
#define PCI_FUNC(devfn) ((devfn)&7)

int open_cdev(const char *path, dev_t device);
unsigned long qemu_real_host_page_size(void);
void range_set_bounds(Range *range, uint64_t low, uint64_t high);
GList *range_list_insert(GList *list, Range *range);
VFIOAddressSpace *vfio_address_space_get(AddressSpace *as);
void vfio_address_space_put(VFIOAddressSpace *space);
void vfio_address_space_insert(VFIOAddressSpace *space, VFIOContainer *container);
bool vfio_device_hiod_create_and_realize(VFIODevice *device, const char *type, Error **errp);
void vfio_device_prepare(VFIODevice *device, VFIOContainer *container,
			 struct vfio_device_info *info);
void vfio_device_unprepare(VFIODevice *device);
GList *vfio_container_get_iova_ranges(const VFIOContainer *container);

/* What this small machine has nothing of: KVM, migration of devices, other functions in a slot. */
#define vfio_kvm_device_add_fd(fd, errp) ((void)(errp), 0)
#define vfio_kvm_device_del_fd(fd, errp) ((void)(errp), 0)
#define ram_block_uncoordinated_discard_disable(state) ((void)(state), 0)
#define vfio_listener_register(container, errp) true
#define vfio_listener_unregister(container) ((void)(container))
#define vfio_cpr_load_device(device) ((void)(device))
#define vfio_iommufd_cpr_register_container(container, errp) true
#define vfio_iommufd_cpr_unregister_container(container) ((void)(container))
#define vfio_iommufd_cpr_register_device(device) ((void)(device))
#define vfio_iommufd_cpr_unregister_device(device) ((void)(device))
#define vfio_device_get_viommu_flags_want_nesting(device) false
#define vfio_device_get_viommu_flags_want_nesting_dirty(device) false
#define vfio_device_get_viommu_flags_want_pasid_attach(device) false
#define vfio_device_get_host_iommu_quirk_bypass_ro(device, type, caps, size) ((void)(caps), false)
#define vfio_container_dirty_tracking_is_started(container) false
#define vfio_container_devices_dirty_tracking_is_supported(container) false
#define vfio_container_query_dirty_bitmap(container, iova, size, flags, addr, errp) (-ENOTSUP)
#define vfio_container_get_page_size_mask(container) ((container)->pgsizes)
#define vfio_pci_pre_reset(device) ((void)(device))
#define vfio_pci_post_reset(device) ((void)(device))
#define vfio_pci_from_vfio_device(device) ((VFIOPCIDevice *)(device))
#define vfio_pci_get_pci_hot_reset_info(device, info) ((void)(device), (void)(info), -ENOTSUP)

#endif
