/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client reads, writes and maps of a device, and what it is told about that.
 *
 * Source: drivers/vfio/pci/vfio_pci_core.c and vfio_pci_rdwr.c, Linux 7.3. A kernel maps
 * every memory BAR; here registers that do something when touched cannot be mapped, and
 * the region says so, as drivers with sparse regions do.
 */
#include "sim/vfio/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#define PAGE 4096u
/* Sparse areas of a BAR: each of the model's, and MSI-X's two. */
#define SPARSE_MAX (PCI_AREAS_MAX + 2u)

uint64_t vfio_region_bytes(const struct vfio_device *device, uint32_t index)
{
	if (index <= SIM_VFIO_BAR5)
		return pci_function_description(device->function)->bars[index].bytes;
	return index == SIM_VFIO_CONFIG ? pci_function_config_bytes(device->function) : 0;
}

/* vfio_pci_ioctl_get_info() */
long vfio_info(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct sim_vfio_info info = { 0 };
	size_t size;

	if (client->ops->copy_in(client, &info, arg, SIM_VFIO_INFO_MIN))
		return -EFAULT;
	if (info.argsz < SIM_VFIO_INFO_MIN)
		return -EINVAL;
	size = info.argsz < sizeof(info) ? info.argsz : sizeof(info);
	info.flags = SIM_VFIO_FLAG_PCI;
	if (vfio_can_reset(device))
		info.flags |= SIM_VFIO_FLAG_RESET;
	info.num_regions = SIM_VFIO_REGIONS;
	info.num_irqs = SIM_VFIO_IRQS;
	return client->ops->copy_out(client, arg, &info, size);
}

/* ---- GET_REGION_INFO ------------------------------------------------------------- */

/* Capabilities as they follow the structure, with the offsets they have there. */
struct region_caps {
	_Alignas(8) uint8_t bytes[sizeof(struct sim_vfio_sparse_mmap) + 16 * SPARSE_MAX +
				  sizeof(struct sim_vfio_cap_header)];
	uint32_t size;
	struct sim_vfio_cap_header *last;
};

static void *add_cap(struct region_caps *caps, uint16_t id, size_t size)
{
	struct sim_vfio_cap_header *header = (void *)(caps->bytes + caps->size);

	memset(header, 0, size);
	header->id = id;
	header->version = 1;
	if (caps->last)
		caps->last->next = (uint32_t)sizeof(struct sim_vfio_region_info) + caps->size;
	caps->last = header;
	caps->size += (uint32_t)size;
	return header;
}

static uint32_t bar_info(const struct vfio_device *device, uint32_t bar, uint64_t size,
			 struct region_caps *caps)
{
	const struct pci_description *description = pci_function_description(device->function);
	struct sim_vfio_sparse_mmap *sparse;
	uint64_t offset = 0, bytes, areas[SPARSE_MAX][2];
	unsigned int count = 0;

	if (size < PAGE)
		return 0;
	while (count < SPARSE_MAX &&
	       pci_function_mappable(device->function, bar, &offset, &bytes)) {
		areas[count][0] = offset;
		areas[count++][1] = bytes;
		offset += bytes;
	}
	if (!count)
		return 0;
	if (areas[0][1] != size) {
		sparse = add_cap(caps, SIM_VFIO_CAP_SPARSE_MMAP,
				 sizeof(*sparse) + count * sizeof(sparse->areas[0]));
		sparse->nr_areas = count;
		for (unsigned int i = 0; i < count; i++) {
			sparse->areas[i].offset = areas[i][0];
			sparse->areas[i].size = areas[i][1];
		}
	}
	if (description->msix && description->msix_bar == bar)
		add_cap(caps, SIM_VFIO_CAP_MSIX_MAPPABLE, sizeof(struct sim_vfio_cap_header));
	return SIM_VFIO_REGION_MMAP;
}

long vfio_region_info(struct vfio_device *device, const struct engine_client *client,
		      uint64_t arg)
{
	struct sim_vfio_region_info info;
	struct region_caps caps = { .size = 0 };

	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= SIM_VFIO_REGIONS ||
	    info.index == SIM_VFIO_VGA)
		return -EINVAL;
	info.offset = (uint64_t)info.index << SIM_VFIO_OFFSET_SHIFT;
	info.size = vfio_region_bytes(device, info.index);
	info.flags = info.size ? SIM_VFIO_REGION_READ | SIM_VFIO_REGION_WRITE : 0;
	if (info.index <= SIM_VFIO_BAR5 && info.size)
		info.flags |= bar_info(device, info.index, info.size, &caps);
	/* vfio_get_region_info() */
	if (caps.size) {
		info.flags |= SIM_VFIO_REGION_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = (uint32_t)sizeof(info) + caps.size;
			info.cap_offset = 0;
		} else {
			if (client->ops->copy_out(client, arg + sizeof(info), caps.bytes,
						  caps.size))
				return -EFAULT;
			info.cap_offset = sizeof(info);
		}
	}
	return client->ops->copy_out(client, arg, &info, sizeof(info));
}

/* ---- read and write -------------------------------------------------------------- */

/* The client sees nothing of the MSI-X table here: reads give ones, writes are dropped. */
static bool find_hidden(const struct vfio_device *device, unsigned int bar, uint64_t *start,
			uint64_t *end)
{
	const struct pci_description *description = pci_function_description(device->function);

	if (!description->msix || description->msix_bar != bar)
		return false;
	*start = description->msix_table;
	*end = *start + (uint64_t)description->msix * PCI_MSIX_ENTRY_SIZE;
	return true;
}

/* The widest access that goes at once. */
static unsigned int access_size(const struct vfio_device *device, uint64_t offset, uint64_t left)
{
	const unsigned int widest = vfio_changed(device, VFIO_CHANGE_WIDE_ACCESS) ? 8 : 4;

	for (unsigned int size = widest; size > 1; size /= 2) {
		if (left >= size && !(offset % size))
			return size;
	}
	return 1;
}

static int access_once(struct vfio_device *device, unsigned int bar, uint64_t offset,
		       uint8_t *buf, unsigned int size, bool write)
{
	uint64_t value = 0;

	if (!pci_function_memory_enabled(device->function))
		return -EIO;
	if (write) {
		memcpy(&value, buf, size);
		pci_function_write(device->function, bar, offset, value, size);
	} else {
		value = pci_function_read(device->function, bar, offset, size);
		memcpy(buf, &value, size);
	}
	return 0;
}

/* vfio_pci_core_do_io_rw() */
static ssize_t bar_access(struct vfio_device *device, unsigned int bar, uint64_t offset,
			  uint8_t *buf, size_t length, bool write)
{
	uint64_t hidden = UINT64_MAX, hidden_end = UINT64_MAX;
	size_t left = length;

	find_hidden(device, bar, &hidden, &hidden_end);
	while (left) {
		uint64_t n;

		if (offset >= hidden && offset < hidden_end) {
			n = hidden_end - offset < left ? hidden_end - offset : left;
			if (!write)
				memset(buf, 0xff, (size_t)n);
		} else {
			uint64_t visible = offset < hidden && hidden - offset < left ?
						   hidden - offset : left;
			int err;

			n = access_size(device, offset, visible);
			err = access_once(device, bar, offset, buf, (unsigned int)n, write);
			if (err)
				return err;
		}
		offset += n;
		buf += n;
		left -= (size_t)n;
	}
	return (ssize_t)length;
}

/* vfio_pci_rw() */
ssize_t vfio_region_access(struct vfio_device *device, void *buf, size_t length,
			   uint64_t offset, bool write)
{
	uint64_t index = offset >> SIM_VFIO_OFFSET_SHIFT, size;
	uint64_t at = offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);

	if (!length)
		return 0;
	if (index == SIM_VFIO_CONFIG)
		return write ? vfio_config_write(device, at, buf, length) :
			       vfio_config_read(device, at, buf, length);
	if (index > SIM_VFIO_BAR5)
		return -EINVAL;
	size = vfio_region_bytes(device, (uint32_t)index);
	if (at >= size)
		return -EINVAL;
	if (length > size - at)
		length = (size_t)(size - at);
	return bar_access(device, (unsigned int)index, at, buf, length, write);
}

/* ---- mmap ------------------------------------------------------------------------ */

/* vfio_pci_core_mmap() */
int vfio_file_mmap(struct vfio_file *file, uint64_t offset, uint64_t length, bool shared,
		   int *fd, uint64_t *fd_offset)
{
	struct vfio_device *device = file->device;
	uint64_t index = offset >> SIM_VFIO_OFFSET_SHIFT, size;
	uint64_t at = offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);

	if (!__atomic_load_n(&file->granted, __ATOMIC_ACQUIRE) || !shared ||
	    index > SIM_VFIO_BAR5)
		return -EINVAL;
	size = vfio_region_bytes(device, (uint32_t)index);
	if (size < PAGE || at > size || length > size - at ||
	    !pci_function_is_mappable(device->function, (unsigned int)index, at, length))
		return -EINVAL;
	*fd = pci_function_bar_fd(device->function, (unsigned int)index);
	*fd_offset = at;
	return 0;
}
