/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/vfio_rig.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static struct engine_ctx *env_ctx_get(void *opaque, const struct engine_client *client, int fd,
				      int *err)
{
	struct vfio_rig *rig = opaque;

	(void)client;
	*err = -EBADF;
	if (fd == VFIO_RIG_IOMMUFD || fd == VFIO_RIG_OTHER) {
		rig->ctx_refs++;
		return fd == VFIO_RIG_IOMMUFD ? rig->base.ctx : rig->other;
	}
	if (fd < 3)
		*err = -EBADFD;
	return NULL;
}

static void env_ctx_put(void *opaque, struct engine_ctx *ctx)
{
	struct vfio_rig *rig = opaque;

	assert_true(ctx == rig->base.ctx || ctx == rig->other);
	rig->ctx_refs--;
}

static int env_fd_get(void *opaque, const struct engine_client *client, int fd)
{
	int ours = dup(fd);

	(void)opaque;
	(void)client;
	return ours < 0 ? -EBADF : ours;
}

/* The rig's client opens the device's file. */
static struct vfio_file *file_open(struct vfio_rig *rig, unsigned int device)
{
	int err;
	struct vfio_file *file = vfio_file_open(rig->devices[device], &rig->base.fake.client, &err);

	assert_non_null(file);
	assert_int_equal(err, 0);
	return file;
}

struct vfio_rig *vfio_rig_create(const char *const *specs)
{
	return vfio_rig_create_at(specs, ENGINE_LINUX_NEWEST);
}

struct vfio_rig *vfio_rig_create_at(const char *const *specs, uint32_t linux_version)
{
	const struct engine_config config = { .test_ops = true, .linux_version = linux_version };
	struct vfio_rig *rig = calloc(1, sizeof(*rig));
	struct vfio_device_env env = { .ctx_get = env_ctx_get, .ctx_put = env_ctx_put,
				       .fd_get = env_fd_get, .opaque = rig,
				       .linux_version = linux_version };
	char why[PCI_WHY_BYTES];

	assert_non_null(rig);
	fake_client_init(&rig->base.fake, (uint32_t)getpid());
	rig->base.fake.takes_pointers = true;
	rig->base.engine = engine_create(&config);
	rig->base.ctx = engine_ctx_open(rig->base.engine, &rig->base.fake.client);
	rig->other = engine_ctx_open(rig->base.engine, &rig->base.fake.client);
	engine_iommu_init(&rig->iommu);
	env.iommu = &rig->iommu;
	rig->bus = pci_bus_create(1);
	for (; specs[rig->count]; rig->count++)
		assert_int_equal(pci_bus_add(rig->bus, specs[rig->count], why), 0);
	assert_int_equal(pci_bus_settle(rig->bus, why), 0);
	for (unsigned int i = 0; i < rig->count; i++) {
		rig->devices[i] = vfio_device_create(pci_bus_slot(rig->bus, i), &env);
		assert_non_null(rig->devices[i]);
		rig->files[i] = file_open(rig, i);
	}
	return rig;
}

void vfio_rig_destroy(struct vfio_rig *rig)
{
	for (unsigned int i = 0; i < rig->count; i++)
		vfio_file_release(rig->files[i]);
	assert_int_equal(rig->ctx_refs, 0);
	engine_ctx_release(rig->base.ctx);
	engine_ctx_release(rig->other);
	fake_close_all(&rig->base.fake);
	for (unsigned int i = 0; i < rig->count; i++) {
		assert_true(vfio_device_stop(rig->devices[i]));
		vfio_device_destroy(rig->devices[i]);
	}
	pci_bus_destroy(rig->bus);
	engine_destroy(rig->base.engine);
	fake_client_fini(&rig->base.fake);
	free(rig);
}

long vfio_rig_ioctl(struct vfio_rig *rig, unsigned int device, unsigned int cmd, void *arg)
{
	return vfio_file_ioctl(rig->files[device], &rig->base.fake.client, cmd,
			       (uint64_t)(uintptr_t)arg);
}

long vfio_rig_bind(struct vfio_rig *rig, unsigned int device, int iommufd)
{
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	return vfio_rig_ioctl(rig, device, SIM_VFIO_BIND, &bind);
}

void vfio_rig_attach(struct vfio_rig *rig, unsigned int device)
{
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };

	assert_int_equal(vfio_rig_bind(rig, device, VFIO_RIG_IOMMUFD), 0);
	if (!rig->ioas)
		rig->ioas = rig_ioas(&rig->base);
	attach.pt_id = rig->ioas;
	assert_int_equal(vfio_rig_ioctl(rig, device, SIM_VFIO_ATTACH, &attach), 0);
	vfio_rig_write(rig, device, SIM_VFIO_CONFIG, PCI_COMMAND,
		       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

void vfio_rig_reopen(struct vfio_rig *rig, unsigned int device)
{
	vfio_file_release(rig->files[device]);
	rig->files[device] = file_open(rig, device);
}

static uint64_t file_offset(unsigned int region, uint64_t offset)
{
	return (uint64_t)region << SIM_VFIO_OFFSET_SHIFT | offset;
}

uint64_t vfio_rig_read(struct vfio_rig *rig, unsigned int device, unsigned int region,
		       uint64_t offset, unsigned int size)
{
	uint64_t value = 0;

	assert_int_equal(vfio_file_read(rig->files[device], &value, size,
					file_offset(region, offset)), size);
	return value;
}

void vfio_rig_write(struct vfio_rig *rig, unsigned int device, unsigned int region,
		    uint64_t offset, uint64_t value, unsigned int size)
{
	assert_int_equal(vfio_file_write(rig->files[device], &value, size,
					 file_offset(region, offset)), size);
}

long vfio_rig_try_read(struct vfio_rig *rig, unsigned int device, unsigned int region,
		       uint64_t offset, size_t length)
{
	uint8_t buf[64];

	assert_true(length <= sizeof(buf));
	return vfio_file_read(rig->files[device], buf, length, file_offset(region, offset));
}

long vfio_rig_irqs(struct vfio_rig *rig, unsigned int device, uint32_t index, uint32_t flags,
		   uint32_t start, uint32_t count, const void *data)
{
	struct {
		struct sim_vfio_irq_set set;
		uint8_t data[256];
	} call = { .set = { .flags = flags, .index = index, .start = start, .count = count } };
	size_t bytes = flags & SIM_VFIO_DATA_EVENTFD ? 4 * count :
		       flags & SIM_VFIO_DATA_BOOL    ? count : 0;

	assert_true(bytes <= sizeof(call.data));
	if (bytes)
		memcpy(call.data, data, bytes);
	call.set.argsz = (uint32_t)(sizeof(call.set) + bytes);
	return vfio_rig_ioctl(rig, device, SIM_VFIO_SET_IRQS, &call);
}

long vfio_rig_feature(struct vfio_rig *rig, unsigned int device, uint32_t flags, void *data,
		      uint32_t size)
{
	struct {
		struct sim_vfio_feature head;
		uint8_t data[256];
	} call = { .head = { .argsz = (uint32_t)sizeof(call.head) + size, .flags = flags } };
	long rc;

	assert_true(size <= sizeof(call.data));
	if (size)
		memcpy(call.data, data, size);
	rc = vfio_rig_ioctl(rig, device, SIM_VFIO_FEATURE, &call);
	if (size)
		memcpy(data, call.data, size);
	return rc;
}

uint64_t vfio_rig_count(int fd, bool wait)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&ready, 1, wait ? PATIENCE_MS : 0) == 1)
		assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

bool vfio_rig_await(struct vfio_rig *rig, unsigned int device, uint64_t offset, uint64_t value)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_MS / 1000;
	do {
		if (vfio_rig_read(rig, device, 0, offset, 4) == value)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	return false;
}
