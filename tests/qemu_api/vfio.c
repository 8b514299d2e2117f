/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of one device around QEMU's own hw/vfio/iommufd.c, with the library for its iommufd
 * backend: bind, a page table with dirty tracking, attach, map, map_file, DMA of the device, the
 * dirty bitmap, PASIDs, unmap all, detach. The device is ioasis's edu, the first in /sys.
 */
#include "tests/qemu_api/stub_vfio.h"

#include "system/iommufd.h"

#define PAGE 4096ul
#define RAM_BYTES (16 * PAGE)
#define RAM_IOVA 0x100000ul
#define FILE_IOVA 0x200000ul
#define PASID 5

/* Where vfio-pci has the regions of a device, and edu its registers in BAR 0. */
#define REGION(index) ((off_t)(index) << 40)
#define CONFIG_COMMAND (REGION(7) + 4)
#define EDU_DMA_SOURCE (REGION(0) + 0x80)
#define EDU_DMA_TARGET (REGION(0) + 0x88)
#define EDU_DMA_COUNT (REGION(0) + 0x90)
#define EDU_DMA_COMMAND (REGION(0) + 0x98)
#define EDU_BUFFER 0x40000ul

VFIODeviceList vfio_device_list = { NULL };

static VFIOAddressSpace the_space;

int qemu_open(const char *path, int flags, Error **errp)
{
	(void)path;
	(void)flags;
	(void)errp;
	abort(); /* the library opens the device */
}

/* ---- what the stub leaves to the machine --------------------------------------------- */

int open_cdev(const char *path, dev_t device)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat stat;

	if (fd >= 0 && (fstat(fd, &stat) || !S_ISCHR(stat.st_mode) || stat.st_rdev != device)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

unsigned long qemu_real_host_page_size(void)
{
	return (unsigned long)sysconf(_SC_PAGESIZE);
}

void range_set_bounds(Range *range, uint64_t low, uint64_t high)
{
	range->low = low;
	range->high = high;
}

GList *range_list_insert(GList *list, Range *range)
{
	return g_list_append(list, range);
}

VFIOAddressSpace *vfio_address_space_get(AddressSpace *as)
{
	(void)as;
	return &the_space;
}

void vfio_address_space_put(VFIOAddressSpace *space)
{
	(void)space;
}

void vfio_address_space_insert(VFIOAddressSpace *space, VFIOContainer *container)
{
	container->space = space;
	QLIST_INSERT_HEAD(&space->containers, container, next);
}

static void container_finalize(Object *object)
{
	VFIOContainer *container = VFIO_IOMMU(object);

	QLIST_REMOVE(container, next);
	g_list_free_full(container->iova_ranges, g_free);
}

bool vfio_device_hiod_create_and_realize(VFIODevice *device, const char *type, Error **errp)
{
	HostIOMMUDevice *hiod = HOST_IOMMU_DEVICE(object_new(type));

	if (!HOST_IOMMU_DEVICE_GET_CLASS(hiod)->realize(hiod, device, errp)) {
		object_unref(hiod);
		return false;
	}
	device->hiod = hiod;
	return true;
}

void vfio_device_prepare(VFIODevice *device, VFIOContainer *container,
			 struct vfio_device_info *info)
{
	device->num_irqs = info->num_irqs;
	device->num_initial_regions = info->num_regions;
	device->flags = info->flags;
	device->bcontainer = container;
	QLIST_INSERT_HEAD(&container->device_list, device, container_next);
	QLIST_INSERT_HEAD(&vfio_device_list, device, global_next);
}

void vfio_device_unprepare(VFIODevice *device)
{
	QLIST_REMOVE(device, container_next);
	QLIST_REMOVE(device, global_next);
	device->bcontainer = NULL;
	g_free(device->hiod->name);
}

GList *vfio_container_get_iova_ranges(const VFIOContainer *container)
{
	return container->iova_ranges;
}

/* ---- the device at work ------------------------------------------------------------------ */

static bool put(int fd, uint64_t value, size_t size, off_t offset)
{
	return pwrite(fd, &value, size, offset) == (ssize_t)size;
}

/* edu writes a page from its buffer to iova; false: it did not. */
static bool edu_writes(int fd, uint64_t iova)
{
	uint64_t command;

	if (!put(fd, 6, 2, CONFIG_COMMAND) || !put(fd, EDU_BUFFER, 8, EDU_DMA_SOURCE) ||
	    !put(fd, iova, 8, EDU_DMA_TARGET) || !put(fd, PAGE, 8, EDU_DMA_COUNT) ||
	    !put(fd, 1 | 2, 8, EDU_DMA_COMMAND))
		return false;
	for (int i = 0; i < 100000; i++) {
		if (pread(fd, &command, 8, EDU_DMA_COMMAND) != 8)
			return false;
		if (!(command & 1))
			return true;
		usleep(100);
	}
	return false;
}

static uint64_t dirty_bits(VFIOIOMMUClass *vioc, const VFIOContainer *container)
{
	unsigned long words[1] = { 0 };
	VFIOBitmap bitmap = { words };
	Error *err = NULL;

	if (vioc->query_dirty_bitmap(container, &bitmap, RAM_IOVA, RAM_BYTES, 0, &err)) {
		printf("query_dirty_bitmap: %s\n", error_get_pretty(err));
		error_free(err);
	}
	return words[0];
}

static void tell(const char *what, bool success, Error **err)
{
	printf("%s: %s\n", what, success ? "ok" : error_get_pretty(*err));
	error_free(*err);
	*err = NULL;
}

/* The page table that the device has takes no PASID: it moves to one that does, and back. */
static void use_pasid(VFIODevice *device)
{
	HostIOMMUDeviceIOMMUFD *hiodi = HOST_IOMMU_DEVICE_IOMMUFD(device->hiod);
	Error *err = NULL;
	uint32_t hwpt;

	printf("width of PASIDs: %u bits\n", device->hiod->caps.max_pasid_log2);
	if (!iommufd_backend_alloc_hwpt(hiodi->iommufd, hiodi->devid, device->cpr.ioas_id,
					IOMMU_HWPT_ALLOC_PASID, IOMMU_HWPT_DATA_NONE, 0, NULL, &hwpt,
					&err)) {
		tell("alloc_hwpt for PASIDs", false, &err);
		return;
	}
	tell("attach the device",
	     host_iommu_device_iommufd_attach_hwpt(hiodi, IOMMU_NO_PASID, hwpt, &err), &err);
	tell("attach PASID 5", host_iommu_device_iommufd_attach_hwpt(hiodi, PASID, hwpt, &err),
	     &err);
	tell("detach PASID 5", host_iommu_device_iommufd_detach_hwpt(hiodi, PASID, &err), &err);
	tell("attach the device again",
	     host_iommu_device_iommufd_attach_hwpt(hiodi, IOMMU_NO_PASID, device->hwpt->hwpt_id,
						   &err),
	     &err);
	iommufd_backend_free_id(hiodi->iommufd, hwpt);
}

static int use(VFIODevice *device, VFIOIOMMUClass *vioc)
{
	const VFIOContainer *container = device->bcontainer;
	unsigned char *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int memfd = memfd_create("ram", 0);
	Error *err = NULL;

	if (ram == MAP_FAILED || memfd < 0 || ftruncate(memfd, RAM_BYTES))
		return 1;
	memset(ram, 0xff, RAM_BYTES);
	printf("dirty pages are tracked by the IOMMU: %d\n",
	       container->dirty_pages_supported && device->iommu_dirty_tracking);
	printf("map: %d\n", vioc->dma_map(container, RAM_IOVA, RAM_BYTES, ram, false, NULL));
	printf("map_file: %d\n",
	       vioc->dma_map_file(container, FILE_IOVA, RAM_BYTES, memfd, 0, false));
	tell("dirty tracking on", !vioc->set_dirty_page_tracking(container, true, &err), &err);
	printf("dirty pages: 0x%" PRIx64 "\n", dirty_bits(vioc, container));
	printf("the device writes: %d\n", edu_writes(device->fd, RAM_IOVA + 3 * PAGE));
	printf("it wrote: %d\n", ram[3 * PAGE] == 0 && ram[2 * PAGE] == 0xff);
	printf("dirty pages: 0x%" PRIx64 "\n", dirty_bits(vioc, container));
	printf("dirty pages: 0x%" PRIx64 "\n", dirty_bits(vioc, container));
	tell("dirty tracking off", !vioc->set_dirty_page_tracking(container, false, &err), &err);
	printf("unmap all: %d\n", vioc->dma_unmap(container, 0, 0, NULL, true));
	use_pasid(device);
	return 0;
}

/* The first device in /sys that vfio-pci has; edu's name there is not the program's business. */
static char *find_device(void)
{
	const char *bus = "/sys/bus/pci/devices";
	DIR *dir = opendir(bus);
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		char *path = g_strdup_printf("%s/%s/vfio-dev", bus, entry->d_name);

		if (!access(path, F_OK))
			found = g_strdup_printf("%s/%s", bus, entry->d_name);
		g_free(path);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The roots of the types that QEMU's file registers, and the backend's own. */
static const TypeInfo types[] = {
	{ .name = TYPE_VFIO_IOMMU,
	  .instance_size = sizeof(VFIOContainer),
	  .class_size = sizeof(VFIOIOMMUClass) },
	{ .name = TYPE_HOST_IOMMU_DEVICE_IOMMUFD,
	  .instance_size = sizeof(HostIOMMUDeviceIOMMUFD),
	  .class_size = sizeof(HostIOMMUDeviceIOMMUFDClass) },
};

DEFINE_TYPES(types)

int main(void)
{
	VFIOIOMMUClass *vioc = VFIO_IOMMU_CLASS(object_class_by_name(TYPE_VFIO_IOMMU_IOMMUFD));
	VFIODevice device = { .name = (char *)"edu", .fd = -1 };
	IOMMUFDBackend be = { .fd = -1 };
	Error *err = NULL;
	int ret;

	ioasis_qemu_init(&be, "i0");
	device.iommufd = &be;
	device.sysfsdev = find_device();
	if (!device.sysfsdev || !ioasis_qemu_complete(&be, &err) ||
	    !vioc->attach_device(device.name, &device, NULL, &err)) {
		fprintf(stderr, "attach: %s\n", err ? error_get_pretty(err) : "no device in /sys");
		return 1;
	}
	printf("attached; regions: %u\n", device.num_initial_regions);
	ret = use(&device, vioc);
	container_finalize((Object *)device.bcontainer);
	vioc->detach_device(&device);
	printf("detached; users: %u, fd is open: %d\n", be.users, be.fd >= 0);
	ioasis_qemu_finalize(&be);
	g_free(device.sysfsdev);
	return ret;
}
