/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/vfio_device.h"
#include "sim/vfio/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where writes are interrupts on x86 (arch/x86, IOAPIC_RANGE_START): nothing can be mapped. */
#define MSI_WINDOW_START 0xfee00000u
#define MSI_WINDOW_LAST 0xfeefffffu

/* ---- the function behind the file ------------------------------------------------ */

static int world_dma(void *opaque, uint32_t pasid, bool write, const struct pci_dma_piece *pieces,
		     unsigned int pieces_count, const struct iovec *local,
		     unsigned int local_count, uint64_t *fault_iova)
{
	struct vfio_device *device = opaque;
	struct engine_device *engine_device;
	const struct engine_dma dma = {
		.write = write,
		.pieces = (const struct engine_dma_piece *)(const void *)pieces,
		.pieces_count = pieces_count,
		.local = local,
		.local_count = local_count,
	};
	int err;

	_Static_assert(sizeof(*pieces) == sizeof(struct engine_dma_piece) &&
			       offsetof(struct pci_dma_piece, bytes) ==
				       offsetof(struct engine_dma_piece, length),
		       "the bus's pieces are the engine's");
	pthread_mutex_lock(&device->dma_lock);
	engine_device = device->engine_device;
	if (engine_device)
		engine_device_get(engine_device);
	pthread_mutex_unlock(&device->dma_lock);
	if (!engine_device)
		return -EFAULT;
	err = engine_device_dma_vector(engine_device, pasid, &dma, fault_iova);
	engine_device_put(engine_device);
	return err;
}

static void world_message(void *opaque, unsigned int vector)
{
	(void)vector;
	vfio_irqs_raise(&((struct vfio_device *)opaque)->irqs);
}

static void world_pin(void *opaque, bool up)
{
	if (up)
		vfio_irqs_raise(&((struct vfio_device *)opaque)->irqs);
}

static uint64_t world_now(void *opaque)
{
	(void)opaque;
	return pci_runner_now();
}

/* splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t world_random(void *opaque)
{
	struct vfio_device *device = opaque;
	uint64_t z = __atomic_add_fetch(&device->random, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void world_wake(void *opaque, unsigned int unit)
{
	pci_runner_wake(((struct vfio_device *)opaque)->runner, unit);
}

static const struct pci_world_ops device_world = {
	.dma = world_dma,
	.message = world_message,
	.pin = world_pin,
	.now = world_now,
	.random = world_random,
	.wake = world_wake,
};

struct vfio_device *vfio_device_create(const struct pci_slot *slot,
				       const struct vfio_device_env *env)
{
	struct vfio_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->runner = pci_runner_create(slot->function);
	if (!device->runner) {
		free(device);
		return NULL;
	}
	device->slot = slot;
	device->function = slot->function;
	device->random = slot->seed;
	device->env = *env;
	pthread_mutex_init(&device->lock, NULL);
	pthread_mutex_init(&device->dma_lock, NULL);
	vfio_irqs_init(&device->irqs);
	pci_function_connect(device->function, &device_world, device);
	return device;
}

bool vfio_device_stop(struct vfio_device *device)
{
	bool ended = pci_runner_destroy(device->runner);

	if (ended)
		device->runner = NULL;
	return ended;
}

void vfio_device_destroy(struct vfio_device *device)
{
	if (!device)
		return;
	if (device->runner)
		vfio_device_stop(device);
	pthread_mutex_destroy(&device->dma_lock);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

struct vfio_file *vfio_file_open(struct vfio_device *device)
{
	struct vfio_file *file = calloc(1, sizeof(*file));

	if (file)
		file->device = device;
	return file;
}

/* As vfio_pci_core_enable() leaves it: memory on, no bus master. */
static void device_reset(struct vfio_device *device)
{
	const uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR;

	pci_function_irq_mode(device->function, PCI_IRQ_PIN, 0);
	pci_function_config_write(device->function, PCI_COMMAND, &command, sizeof(command));
	pci_function_reset(device->function);
}

static void device_unbind(struct vfio_device *device)
{
	struct engine_device *engine_device = device->engine_device;

	/* First, so that nothing of it is under way when it has no address space. */
	device_reset(device);
	pthread_mutex_lock(&device->dma_lock);
	device->engine_device = NULL;
	pthread_mutex_unlock(&device->dma_lock);
	engine_device_unbind(engine_device);
	device->env.ctx_put(device->env.opaque, device->ctx);
	device->ctx = NULL;
	device->bound = NULL;
	vfio_irqs_fini(&device->irqs);
	pci_runner_use(device->runner, false);
}

void vfio_file_release(struct vfio_file *file)
{
	struct vfio_device *device = file->device;

	pthread_mutex_lock(&device->lock);
	if (device->bound == file)
		device_unbind(device);
	pthread_mutex_unlock(&device->lock);
	free(file);
}

/* ---- calls ----------------------------------------------------------------------- */

/* copy_struct_from_user(): the structure as far as the caller knows it, a tail of zeros. */
static int copy_struct_in(const struct engine_client *client, void *dst, size_t size, uint64_t src,
			  size_t user_size)
{
	size_t common = user_size < size ? user_size : size;
	uint8_t tail[64];
	size_t at, n;

	memset(dst, 0, size);
	/* A kernel refuses more than a page of it. */
	if (user_size > ENGINE_PAGE_SIZE)
		return -E2BIG;
	for (at = size; at < user_size; at += n) {
		n = user_size - at < sizeof(tail) ? user_size - at : sizeof(tail);
		if (client->ops->copy_in(client, tail, src + at, n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++) {
			if (tail[i])
				return -E2BIG;
		}
	}
	return client->ops->copy_in(client, dst, src, common);
}

/* vfio_df_ioctl_bind_iommufd() */
static long file_bind(struct vfio_file *file, const struct engine_client *client, uint64_t arg)
{
	struct vfio_device *device = file->device;
	struct sim_vfio_bind bind;
	uint32_t user_size;
	int err = 0;

	if (client->ops->copy_in(client, &user_size, arg, sizeof(user_size)))
		return -EFAULT;
	if (user_size < SIM_VFIO_BIND_MIN)
		return -EINVAL;
	err = copy_struct_in(client, &bind, sizeof(bind), arg, user_size);
	if (err)
		return err;
	/* The one flag, a token of a virtual function, is for devices that have such. */
	if (bind.iommufd < 0 || bind.flags || device->bound)
		return -EINVAL;
	device->ctx = device->env.ctx_get(device->env.opaque, client, bind.iommufd, &err);
	if (!device->ctx)
		return err;
	err = engine_device_bind(device->ctx, client, &device->engine_device, &bind.out_devid);
	if (err) {
		device->env.ctx_put(device->env.opaque, device->ctx);
		device->ctx = NULL;
		return err;
	}
	engine_device_reserve(device->engine_device, MSI_WINDOW_START, MSI_WINDOW_LAST);
	device->bound = file;
	device_reset(device);
	pci_runner_use(device->runner, true);
	if (client->ops->copy_out(client, arg + offsetof(struct sim_vfio_bind, out_devid),
				  &bind.out_devid, sizeof(bind.out_devid))) {
		device_unbind(device);
		return -EFAULT;
	}
	return 0;
}

/* vfio_df_ioctl_attach_pt() */
static long device_attach(struct vfio_device *device, const struct engine_client *client,
			  uint64_t arg)
{
	struct sim_vfio_attach attach;
	int err;

	if (client->ops->copy_in(client, &attach, arg, SIM_VFIO_ATTACH_MIN))
		return -EFAULT;
	if (attach.argsz < SIM_VFIO_ATTACH_MIN || attach.flags & ~SIM_VFIO_FLAG_PASID)
		return -EINVAL;
	if (attach.flags & SIM_VFIO_FLAG_PASID)
		return -EOPNOTSUPP;
	err = engine_device_attach(device->engine_device, client, &attach.pt_id);
	if (err)
		return err;
	if (client->ops->copy_out(client, arg + offsetof(struct sim_vfio_attach, pt_id),
				  &attach.pt_id, sizeof(attach.pt_id))) {
		engine_device_detach(device->engine_device);
		return -EFAULT;
	}
	return 0;
}

/* vfio_df_ioctl_detach_pt() */
static long device_detach(struct vfio_device *device, const struct engine_client *client,
			  uint64_t arg)
{
	struct sim_vfio_detach detach;

	if (client->ops->copy_in(client, &detach, arg, SIM_VFIO_DETACH_MIN))
		return -EFAULT;
	if (detach.argsz < SIM_VFIO_DETACH_MIN || detach.flags & ~SIM_VFIO_FLAG_PASID)
		return -EINVAL;
	if (detach.flags & SIM_VFIO_FLAG_PASID)
		return -EOPNOTSUPP;
	engine_device_detach(device->engine_device);
	return 0;
}

static long device_info(const struct engine_client *client, uint64_t arg)
{
	struct sim_vfio_info info = { 0 };
	size_t size;

	if (client->ops->copy_in(client, &info, arg, SIM_VFIO_INFO_MIN))
		return -EFAULT;
	if (info.argsz < SIM_VFIO_INFO_MIN)
		return -EINVAL;
	size = info.argsz < sizeof(info) ? info.argsz : sizeof(info);
	info.flags = SIM_VFIO_FLAG_PCI | SIM_VFIO_FLAG_RESET;
	info.num_regions = SIM_VFIO_REGIONS;
	info.num_irqs = SIM_VFIO_IRQS;
	return client->ops->copy_out(client, arg, &info, size);
}

/* How long a region is, and what may be done with it; 0: it is not there. */
static uint64_t region_bytes(const struct vfio_device *device, uint32_t index)
{
	if (index <= SIM_VFIO_BAR5)
		return pci_function_description(device->function)->bars[index].bytes;
	return index == SIM_VFIO_CONFIG ? pci_function_config_bytes(device->function) : 0;
}

static long device_region_info(const struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct sim_vfio_region_info info;

	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= SIM_VFIO_REGIONS ||
	    info.index == SIM_VFIO_VGA)
		return -EINVAL;
	info.cap_offset = 0;
	info.offset = (uint64_t)info.index << SIM_VFIO_OFFSET_SHIFT;
	info.size = region_bytes(device, info.index);
	info.flags = info.size ? SIM_VFIO_REGION_READ | SIM_VFIO_REGION_WRITE : 0;
	return client->ops->copy_out(client, arg, &info, sizeof(info));
}

/* vfio_ioctl_device_feature(): the checks, and then no feature is known. */
static long device_feature(const struct engine_client *client, uint64_t arg)
{
	const uint32_t both = SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_SET;
	struct sim_vfio_feature feature;

	if (client->ops->copy_in(client, &feature, arg, sizeof(feature)))
		return -EFAULT;
	if (feature.argsz < sizeof(feature) ||
	    feature.flags & ~(SIM_VFIO_FEATURE_MASK | both | SIM_VFIO_FEATURE_PROBE))
		return -EINVAL;
	if (!(feature.flags & SIM_VFIO_FEATURE_PROBE) && (feature.flags & both) == both)
		return -EINVAL;
	return -ENOTTY;
}

static long file_ioctl_locked(struct vfio_file *file, const struct engine_client *client,
			      unsigned int cmd, uint64_t arg)
{
	struct vfio_device *device = file->device;

	if (cmd == SIM_VFIO_BIND)
		return file_bind(file, client, arg);
	if (device->bound != file)
		return -EINVAL;
	switch (cmd) {
	case SIM_VFIO_ATTACH:
		return device_attach(device, client, arg);
	case SIM_VFIO_DETACH:
		return device_detach(device, client, arg);
	case SIM_VFIO_FEATURE:
		return device_feature(client, arg);
	case SIM_VFIO_GET_INFO:
		return device_info(client, arg);
	case SIM_VFIO_GET_REGION_INFO:
		return device_region_info(device, client, arg);
	case SIM_VFIO_GET_IRQ_INFO:
		return vfio_irqs_info(client, arg);
	case SIM_VFIO_SET_IRQS:
		return vfio_irqs_set(device, client, arg);
	case SIM_VFIO_RESET:
		pci_function_reset(device->function);
		return 0;
	case SIM_VFIO_HOT_RESET_INFO:
	case SIM_VFIO_HOT_RESET:
		return -ENODEV; /* neither its slot nor its bus can be reset */
	default:
		return -ENOTTY;
	}
}

long vfio_file_ioctl(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg)
{
	long result;

	pthread_mutex_lock(&file->device->lock);
	result = file_ioctl_locked(file, client, cmd, arg);
	pthread_mutex_unlock(&file->device->lock);
	return result;
}

/* ---- regions --------------------------------------------------------------------- */

/* Splits an access to the BAR into the widest aligned ones, as vfio_pci_core_do_io_rw() does. */
static unsigned int access_size(uint64_t offset, size_t left)
{
	for (unsigned int size = 8; size > 1; size /= 2) {
		if (left >= size && !(offset % size))
			return size;
	}
	return 1;
}

static void bar_access(struct vfio_device *device, unsigned int bar, uint64_t offset, uint8_t *buf, size_t length,
		       bool write)
{
	while (length) {
		unsigned int size = access_size(offset, length);
		uint64_t value = 0;

		if (write) {
			memcpy(&value, buf, size);
			pci_function_write(device->function, bar, offset, value, size);
		} else {
			value = pci_function_read(device->function, bar, offset, size);
			memcpy(buf, &value, size);
		}
		offset += size;
		buf += size;
		length -= size;
	}
}

/* vfio_pci_rw(), vfio_pci_config_rw(), vfio_pci_bar_rw() */
static ssize_t region_access(struct vfio_file *file, void *buf, size_t length, uint64_t offset,
			     bool write)
{
	struct vfio_device *device = file->device;
	uint64_t index = offset >> SIM_VFIO_OFFSET_SHIFT, size;
	uint64_t at = offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);

	if (device->bound != file || index >= SIM_VFIO_REGIONS)
		return -EINVAL;
	size = region_bytes(device, (uint32_t)index);
	if (index == SIM_VFIO_CONFIG) {
		if (at >= size || length > size - at)
			return -EFAULT;
		if (write)
			pci_function_config_write(device->function, at, buf, length);
		else
			pci_function_config_read(device->function, at, buf, length);
		return (ssize_t)length;
	}
	if (at >= size)
		return -EINVAL;
	if (length > size - at)
		length = (size_t)(size - at);
	if (!pci_function_memory_enabled(device->function))
		return -EIO;
	bar_access(device, (unsigned int)index, at, buf, length, write);
	return (ssize_t)length;
}

ssize_t vfio_file_read(struct vfio_file *file, void *buf, size_t length, uint64_t offset)
{
	ssize_t n;

	pthread_mutex_lock(&file->device->lock);
	n = region_access(file, buf, length, offset, false);
	pthread_mutex_unlock(&file->device->lock);
	return n;
}

ssize_t vfio_file_write(struct vfio_file *file, const void *buf, size_t length, uint64_t offset)
{
	ssize_t n;

	pthread_mutex_lock(&file->device->lock);
	n = region_access(file, (void *)(uintptr_t)buf, length, offset, true);
	pthread_mutex_unlock(&file->device->lock);
	return n;
}
