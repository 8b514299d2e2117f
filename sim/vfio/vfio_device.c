/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/vfio_device.h"
#include "sim/vfio/eventfd.h"
#include "sim/vfio/internal.h"
#include "sim/vfio/migration.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the world of the function --------------------------------------------------- */

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
	/* Noted before the bytes move: who looks in between looks again. */
	for (unsigned int i = 0; write && i < pieces_count; i++) {
		if (pieces[i].bytes)
			vfio_log_note(device->log, pieces[i].iova,
				      pieces[i].iova + pieces[i].bytes - 1);
	}
	err = engine_device_dma_vector(engine_device, pasid, &dma, fault_iova);
	engine_device_put(engine_device);
	return err;
}

static void world_message(void *opaque, unsigned int vector)
{
	vfio_irqs_message(opaque, vector);
}

static void world_pin(void *opaque, bool up)
{
	vfio_irqs_pin(opaque, up);
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

static void world_mishap(void *opaque, const struct pci_command *command,
			 struct pci_mishap *mishap)
{
	struct vfio_device *device = opaque;

	if (device->env.mishap)
		device->env.mishap(device->env.opaque,
				   pci_address_number(&device->slot->address), command, mishap);
}

/*
 * Surprise removal: the driver asks for the device (vfio_unregister_group_dev()). The error
 * interrupt is for what AER reports, which a card that is gone does not.
 */
static void world_removed(void *opaque)
{
	struct vfio_device *device = opaque;

	vfio_irqs_request(&device->irqs);
}

static const struct pci_world_ops device_world = {
	.dma = world_dma,
	.message = world_message,
	.pin = world_pin,
	.now = world_now,
	.random = world_random,
	.wake = world_wake,
	.mishap = world_mishap,
	.removed = world_removed,
};

/* ---- making one ------------------------------------------------------------------ */

struct vfio_device *vfio_device_create(struct pci_slot *slot, const struct vfio_device_env *env)
{
	struct vfio_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->slot = slot;
	device->function = slot->function;
	device->random = slot->seed;
	device->env = *env;
	pthread_mutex_init(&device->lock, NULL);
	pthread_mutex_init(&device->dma_lock, NULL);
	pthread_mutex_init(&device->config.lock, NULL);
	pthread_mutex_init(&device->ioeventfds_lock, NULL);
	pthread_mutex_init(&device->dmabufs_lock, NULL);
	vfio_irqs_init(&device->irqs);
	vfio_power_init(&device->power);
	device->runner = pci_runner_create(slot->function);
	device->watch = vfio_watch_create();
	if (slot->migrates) {
		device->migration = vfio_migration_create(device);
		device->log = vfio_log_create();
	}
	if (!device->runner || !device->watch ||
	    (slot->migrates && (!device->migration || !device->log))) {
		vfio_device_destroy(device);
		return NULL;
	}
	vfio_config_init(device);
	pci_function_connect(device->function, &device_world, device);
	slot->driver_data = device;
	return device;
}

bool vfio_device_stop(struct vfio_device *device)
{
	bool units = pci_runner_destroy(device->runner);
	bool eventfds = vfio_watch_destroy(device->watch);

	if (units)
		device->runner = NULL;
	if (eventfds)
		device->watch = NULL;
	return units && eventfds;
}

void vfio_device_destroy(struct vfio_device *device)
{
	if (!device)
		return;
	vfio_device_stop(device);
	vfio_migration_destroy(device->migration);
	vfio_log_destroy(device->log);
	vfio_power_fini(&device->power);
	vfio_irqs_fini(&device->irqs);
	pthread_mutex_destroy(&device->dmabufs_lock);
	pthread_mutex_destroy(&device->ioeventfds_lock);
	pthread_mutex_destroy(&device->config.lock);
	pthread_mutex_destroy(&device->dma_lock);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

const struct pci_slot *vfio_device_slot(const struct vfio_device *device)
{
	return device->slot;
}

unsigned int vfio_device_opens(struct vfio_device *device)
{
	unsigned int opens;

	pthread_mutex_lock(&device->lock);
	opens = device->opens;
	pthread_mutex_unlock(&device->lock);
	return opens;
}

void vfio_device_request(struct vfio_device *device)
{
	vfio_irqs_request(&device->irqs);
}

int vfio_device_reset(struct vfio_device *device)
{
	if (!vfio_can_reset(device))
		return -ENOTTY;
	vfio_device_reset_function(device);
	return 0;
}

/* ---- the first open and the last close, with the device's lock -------------------------- */

/*
 * The devices of an IOMMU group have one owner: iommu_device_claim_dma_owner(). -EPERM:
 * another has it. Nobody owns what no IOMMU manages.
 */
static int group_claim(struct vfio_device *device, struct engine_ctx *ctx)
{
	struct pci_bus *bus = device->slot->bus;
	int err = 0;

	if (device->slot->no_iommu)
		return 0;
	pci_bus_lock(bus);
	for (unsigned int i = 0; i < pci_bus_count(bus); i++) {
		struct pci_slot *slot = pci_bus_slot(bus, i);

		if (slot->group == device->slot->group && slot->owner && slot->owner != ctx)
			err = -EPERM;
	}
	if (!err)
		pci_bus_slot(bus, device->slot->number)->owner = ctx;
	pci_bus_unlock(bus);
	return err;
}

static void group_release(struct vfio_device *device)
{
	struct pci_bus *bus = device->slot->bus;

	pci_bus_lock(bus);
	pci_bus_slot(bus, device->slot->number)->owner = NULL;
	pci_bus_unlock(bus);
}

/* As vfio_pci_core_enable() leaves it: memory on, no bus master, nothing pending. */
static void device_enable(struct vfio_device *device)
{
	const uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR;

	pci_function_irq_mode(device->function, PCI_IRQ_PIN, 0);
	pci_function_config_write(device->function, PCI_COMMAND, &command, sizeof(command));
	pci_function_reset(device->function);
	vfio_config_init(device);
	pci_runner_use(device->runner, true);
}

static void engine_device_set(struct vfio_device *device, struct engine_device *engine_device)
{
	pthread_mutex_lock(&device->dma_lock);
	device->engine_device = engine_device;
	pthread_mutex_unlock(&device->dma_lock);
}

/* vfio_df_iommufd_bind() */
static int engine_bind(struct vfio_device *device, const struct engine_client *client,
		       struct engine_ctx *ctx, bool by_group, struct engine_device **out)
{
	struct engine_iommu iommu = *device->env.iommu;
	int err;

	device->devid = 0;
	if (device->slot->no_iommu && by_group)
		return engine_device_of_noiommu_group(ctx, out);
	if (device->slot->no_iommu)
		return engine_device_bind_noiommu(ctx, client, out, &device->devid);
	err = engine_device_bind(ctx, client, out, &device->devid);
	if (err)
		return err;
	/* What another program writes to memory that it maps is not seen. */
	iommu.no_dirty_tracking |= pci_function_listens(device->function);
	engine_device_set_iommu(*out, &iommu);
	return 0;
}

static int first_open(struct vfio_device *device, const struct engine_client *client,
		      struct engine_ctx *ctx, bool by_group)
{
	struct engine_device *engine_device;
	int err = group_claim(device, ctx);

	if (err)
		return err;
	err = engine_bind(device, client, ctx, by_group, &engine_device);
	if (err) {
		group_release(device);
		return err;
	}
	engine_device_set_bdf(engine_device, pci_address_number(&device->slot->address));
	engine_device_set_group(engine_device, device->slot->group);
	engine_device_set(device, engine_device);
	vfio_listen(device, engine_device);
	device->ctx = ctx;
	device->ctx_number = engine_ctx_number(ctx);
	device->bound_by = client->pid;
	__atomic_store_n(&device->by_exit, -1, __ATOMIC_RELAXED);
	device_enable(device);
	vfio_trace_bind(device, client, ctx, by_group);
	return 0;
}

static void last_close(struct vfio_device *device)
{
	struct engine_device *engine_device = device->engine_device;
	const uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_SERR;

	vfio_dmabufs_end(device);
	vfio_power_end(device);
	pci_runner_use(device->runner, false);
	/* No bus master any more; and nothing is under way when it has no address space. */
	pci_function_config_write(device->function, PCI_COMMAND, &command, sizeof(command));
	vfio_irqs_end(device);
	vfio_ioeventfds_end(device);
	vfio_log_end(device->log);
	vfio_migration_close(device);
	pci_function_reset(device->function);
	engine_device_set(device, NULL);
	engine_device_unbind(engine_device);
	vfio_trace_unbind(device, device->ctx);
	device->ctx = NULL;
	group_release(device);
}

/* ---- files ----------------------------------------------------------------------- */

static struct vfio_file *file_create(struct vfio_device *device)
{
	struct vfio_file *file = calloc(1, sizeof(*file));

	if (file)
		file->device = device;
	return file;
}

/* vfio_device_fops_cdev_open() */
struct vfio_file *vfio_file_open(struct vfio_device *device, const struct engine_client *client,
				 int *err)
{
	struct vfio_file *file = NULL;

	*err = -EPERM;
	if (device->slot->no_iommu && !client->ops->capable(client, ENGINE_CAP_SYS_RAWIO))
		return NULL;
	file = file_create(device);
	*err = file ? 0 : -ENOMEM;
	return file;
}

static bool is_granted(const struct vfio_file *file)
{
	return __atomic_load_n(&file->granted, __ATOMIC_ACQUIRE);
}

static void file_grant(struct vfio_file *file, struct engine_ctx *ctx)
{
	file->ctx = ctx;
	__atomic_store_n(&file->granted, true, __ATOMIC_RELEASE);
}

/* vfio_device_block_group(): a device that is bound keeps its group from being opened. */
static int group_block(struct vfio_device *device)
{
	return device->env.block_group ? device->env.block_group(device->env.opaque, device) : 0;
}

static void group_unblock(struct vfio_device *device)
{
	if (device->env.unblock_group)
		device->env.unblock_group(device->env.opaque, device);
}

/* The file has the device no more. Without the device's lock. */
static void file_close(struct vfio_file *file)
{
	struct vfio_device *device = file->device;

	pthread_mutex_lock(&device->lock);
	__atomic_store_n(&file->granted, false, __ATOMIC_RELEASE);
	if (!--device->opens)
		last_close(device);
	pthread_mutex_unlock(&device->lock);
	device->env.ctx_put(device->env.opaque, file->ctx);
	file->ctx = NULL;
	if (!file->by_group)
		group_unblock(device);
}

void vfio_file_flush(struct vfio_file *file)
{
	const struct vfio_device_env *env = &file->device->env;

	if (is_granted(file) && env->is_gone)
		__atomic_store_n(&file->device->by_exit,
				 env->is_gone(env->opaque, file->device->bound_by),
				 __ATOMIC_RELAXED);
}

void vfio_file_release(struct vfio_file *file)
{
	if (is_granted(file))
		file_close(file);
	free(file);
}

/*
 * Who uses a device without an IOMMU by its group cannot have done what implies translation:
 * vfio_df_group_open().
 */
static int check_noiommu(const struct vfio_device *device, const struct engine_client *client,
			 struct engine_ctx *ctx)
{
	uint32_t ioas;

	if (!device->slot->no_iommu)
		return 0;
	return !client->ops->capable(client, ENGINE_CAP_SYS_RAWIO) ||
			       !engine_vfio_ioas_id(ctx, client, &ioas) ?
		       -EPERM : 0;
}

/* vfio_iommufd_compat_attach_ioas() */
static int attach_compat(struct vfio_device *device, const struct engine_client *client,
			 struct engine_ctx *ctx)
{
	uint32_t ioas;
	int err;

	if (device->slot->no_iommu)
		return 0;
	err = engine_vfio_ioas_id(ctx, client, &ioas);
	return err ? err : engine_device_attach(device->engine_device, client, 0, &ioas);
}

struct vfio_file *vfio_file_open_group(struct vfio_device *device,
				       const struct engine_client *client, struct engine_ctx *ctx,
				       int *err)
{
	struct vfio_file *file = file_create(device);
	bool first = false;

	*err = file ? 0 : -ENOMEM;
	if (file) {
		file->by_group = true;
		pthread_mutex_lock(&device->lock);
		first = !device->opens;
		if (!first && !device->by_group)
			*err = -EINVAL;
		else if (first)
			*err = check_noiommu(device, client, ctx);
		if (!*err && first)
			*err = first_open(device, client, ctx, true);
		if (!*err) {
			device->by_group = true;
			device->opens++;
			file_grant(file, ctx);
		}
		pthread_mutex_unlock(&device->lock);
	}
	if (*err) {
		device->env.ctx_put(device->env.opaque, ctx);
		free(file);
		return NULL;
	}
	if (first)
		*err = attach_compat(device, client, ctx);
	if (!*err)
		return file;
	vfio_file_release(file);
	return NULL;
}

/* ---- BIND ------------------------------------------------------------------------ */

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

/*
 * The structure of BIND, with its flags checked; 0 or what the call gives. What came behind
 * out_devid was not looked at once.
 */
static int bind_copy_in(const struct vfio_file *file, const struct engine_client *client,
			uint64_t arg, struct sim_vfio_bind *bind)
{
	uint32_t user_size, valid = 0;
	int err;

	if (!vfio_changed(file->device, VFIO_CHANGE_BIND_TOKEN)) {
		err = client->ops->copy_in(client, bind, arg, SIM_VFIO_BIND_MIN);
		user_size = bind->argsz;
	} else {
		valid = SIM_VFIO_BIND_TOKEN;
		err = client->ops->copy_in(client, &user_size, arg, sizeof(user_size));
	}
	if (err)
		return -EFAULT;
	if (user_size < SIM_VFIO_BIND_MIN)
		return -EINVAL;
	if (valid)
		err = copy_struct_in(client, bind, sizeof(*bind), arg, user_size);
	if (err)
		return err;
	return bind->iommufd < 0 || bind->flags & ~valid || file->by_group ? -EINVAL : 0;
}

/* vfio_df_ioctl_bind_iommufd() */
static long file_bind(struct vfio_file *file, const struct engine_client *client, uint64_t arg)
{
	struct vfio_device *device = file->device;
	struct sim_vfio_bind bind;
	struct engine_ctx *ctx;
	uint8_t token[16];
	int err = bind_copy_in(file, client, arg, &bind);

	if (err)
		return err;
	if (is_granted(file))
		return -EINVAL;
	/* A token is for virtual functions and who has such; ours are neither. */
	if (bind.flags & SIM_VFIO_BIND_TOKEN)
		return client->ops->copy_in(client, token, bind.token_uuid_ptr, sizeof(token)) ?
			       -EFAULT : -EINVAL;
	err = group_block(device);
	if (err)
		return err;
	ctx = device->env.ctx_get(device->env.opaque, client, bind.iommufd, &err);
	if (!ctx) {
		group_unblock(device);
		return err;
	}
	pthread_mutex_lock(&device->lock);
	if (device->opens || is_granted(file))
		err = -EINVAL;
	else
		err = first_open(device, client, ctx, false);
	if (!err) {
		device->opens = 1;
		device->by_group = false;
		bind.out_devid = device->devid;
		file_grant(file, ctx);
	}
	pthread_mutex_unlock(&device->lock);
	if (err) {
		device->env.ctx_put(device->env.opaque, ctx);
		group_unblock(device);
		return err;
	}
	if (!client->ops->copy_out(client, arg + offsetof(struct sim_vfio_bind, out_devid),
				   &bind.out_devid, sizeof(bind.out_devid)))
		return 0;
	file_close(file);
	return -EFAULT;
}

/* ---- ATTACH, DETACH ---------------------------------------------------------------- */

/* The flags of ATTACH and DETACH. */
static uint32_t attach_flags(const struct vfio_device *device)
{
	return vfio_changed(device, VFIO_CHANGE_PASID) ? SIM_VFIO_FLAG_PASID : 0;
}

/* vfio_df_ioctl_attach_pt() */
static long device_attach(struct vfio_device *device, const struct engine_client *client,
			  uint64_t arg)
{
	struct sim_vfio_attach attach;
	int err;

	if (client->ops->copy_in(client, &attach, arg, SIM_VFIO_ATTACH_MIN))
		return -EFAULT;
	if (attach.argsz < SIM_VFIO_ATTACH_MIN || attach.flags & ~attach_flags(device))
		return -EINVAL;
	attach.pasid = 0;
	if (attach.flags & SIM_VFIO_FLAG_PASID) {
		if (attach.argsz < sizeof(attach))
			return -EINVAL;
		if (client->ops->copy_in(client, &attach.pasid, arg + SIM_VFIO_ATTACH_MIN,
					 sizeof(attach.pasid)))
			return -EFAULT;
	}
	pthread_mutex_lock(&device->lock);
	if (!device->engine_device)
		err = -EINVAL;
	else
		err = engine_device_attach(device->engine_device, client, attach.pasid,
					   &attach.pt_id);
	pthread_mutex_unlock(&device->lock);
	if (err)
		return err;
	if (!client->ops->copy_out(client, arg + offsetof(struct sim_vfio_attach, pt_id),
				   &attach.pt_id, sizeof(attach.pt_id)))
		return 0;
	/* The kernel detaches the device itself, also when it was a PASID. */
	pthread_mutex_lock(&device->lock);
	if (device->engine_device)
		engine_device_detach(device->engine_device, 0);
	pthread_mutex_unlock(&device->lock);
	return -EFAULT;
}

/* vfio_df_ioctl_detach_pt() */
static long device_detach(struct vfio_device *device, const struct engine_client *client,
			  uint64_t arg)
{
	struct sim_vfio_detach detach;

	if (client->ops->copy_in(client, &detach, arg, SIM_VFIO_DETACH_MIN))
		return -EFAULT;
	if (detach.argsz < SIM_VFIO_DETACH_MIN || detach.flags & ~attach_flags(device))
		return -EINVAL;
	detach.pasid = 0;
	if (detach.flags & SIM_VFIO_FLAG_PASID) {
		if (detach.argsz < sizeof(detach))
			return -EINVAL;
		if (client->ops->copy_in(client, &detach.pasid, arg + SIM_VFIO_DETACH_MIN,
					 sizeof(detach.pasid)))
			return -EFAULT;
	}
	pthread_mutex_lock(&device->lock);
	if (device->engine_device)
		engine_device_detach(device->engine_device, detach.pasid);
	pthread_mutex_unlock(&device->lock);
	return 0;
}

/* ---- calls ----------------------------------------------------------------------- */

static long device_ioctl(struct vfio_file *file, const struct engine_client *client,
			 unsigned int cmd, uint64_t arg)
{
	struct vfio_device *device = file->device;

	switch (cmd) {
	case SIM_VFIO_FEATURE:
		return vfio_feature(device, client, arg);
	case SIM_VFIO_GET_INFO:
		return vfio_info(device, client, arg);
	case SIM_VFIO_GET_REGION_INFO:
		return vfio_region_info(device, client, arg);
	case SIM_VFIO_GET_IRQ_INFO:
		return vfio_irqs_info(device, client, arg);
	case SIM_VFIO_SET_IRQS:
		return vfio_irqs_set(device, client, arg);
	case SIM_VFIO_RESET:
		return vfio_reset(device);
	case SIM_VFIO_HOT_RESET_INFO:
		return vfio_hot_reset_info(file, client, arg);
	case SIM_VFIO_HOT_RESET:
		return vfio_hot_reset(file, client, arg);
	case SIM_VFIO_IOEVENTFD:
		return vfio_ioeventfd(device, client, arg);
	case SIM_VFIO_ATTACH:
		return file->by_group ? -ENOTTY : device_attach(device, client, arg);
	case SIM_VFIO_DETACH:
		return file->by_group ? -ENOTTY : device_detach(device, client, arg);
	default:
		return -ENOTTY;
	}
}

long vfio_file_ioctl(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg)
{
	uint64_t began_ns;
	long ret;

	if (cmd == SIM_VFIO_BIND)
		return file_bind(file, client, arg);
	if (!is_granted(file))
		return -EINVAL;
	vfio_power_resume(file->device);
	if (!vfio_trace_wants_calls(file->device))
		return device_ioctl(file, client, cmd, arg);
	began_ns = pci_runner_now();
	ret = device_ioctl(file, client, cmd, arg);
	vfio_trace_call(file, client, cmd, arg, ret, began_ns);
	return ret;
}

static ssize_t file_access(struct vfio_file *file, void *buf, size_t length, uint64_t offset,
			   bool write)
{
	if (!is_granted(file))
		return -EINVAL;
	vfio_power_resume(file->device);
	return vfio_region_access(file->device, buf, length, offset, write);
}

ssize_t vfio_file_read(struct vfio_file *file, void *buf, size_t length, uint64_t offset)
{
	return file_access(file, buf, length, offset, false);
}

ssize_t vfio_file_write(struct vfio_file *file, const void *buf, size_t length, uint64_t offset)
{
	return file_access(file, (void *)(uintptr_t)buf, length, offset, true);
}
