/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vIOMMU under load: guest drivers in some threads map a buffer for their
 * device, let it do DMA, and unmap it. Guests flush more than they mapped, so one
 * unmap in ten is of nothing, which the backend takes for success.
 *
 * Each thread has its own window of addresses: a right guest never maps one
 * address from two CPUs at once.
 */
#include "sim/vmm/vmm.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define SLOTS 32u
#define SLOT_BYTES 65536u
#define LAST_TRIES 3u /* to unmap, when all is over */

struct driver {
	struct vmm *vmm;
	uint32_t number;
	uint64_t stream; /* of random numbers */
	uint32_t size[SLOTS]; /* bytes mapped; 0: none */
	pthread_t thread;
	int ret;
};

static uint64_t slot_iova(const struct driver *driver, uint32_t slot)
{
	return ((uint64_t)driver->number + 1) * (256u << 20) + slot * SLOT_BYTES;
}

/* A map that is refused costs the guest a packet, no more. */
static int driver_map(struct driver *driver, uint32_t slot, uint64_t random)
{
	struct vmm *vmm = driver->vmm;
	uint32_t pages = 1u << (random % 5); /* 4 to 64 KiB */
	uint64_t offset = vmm->buffers_offset +
			  (driver->number * SLOTS + slot) % (VMM_BUFFERS_BYTES / SLOT_BYTES) *
				  SLOT_BYTES;
	bool readonly = random >> 8 & 1; /* the device sends, or receives */

	if (vmm_map(vmm, vmm->ioas_viommu, slot_iova(driver, slot), pages * VMM_PAGE, offset,
		    readonly))
		return 0;
	driver->size[slot] = pages * VMM_PAGE;
	return vmm_nic_dma(vmm, slot_iova(driver, slot), pages * VMM_PAGE, !readonly);
}

/* What could not be unmapped stays in its slot, for another try. */
static void driver_unmap(struct driver *driver, uint32_t slot)
{
	struct vmm *vmm = driver->vmm;
	uint32_t size = driver->size[slot];

	if (!size)
		__atomic_add_fetch(&vmm->redundant, 1, __ATOMIC_RELAXED);
	if (!vmm_unmap(vmm, vmm->ioas_viommu, slot_iova(driver, slot), size ? size : SLOT_BYTES))
		driver->size[slot] = 0;
}

/* A device that says yes to everything would be told of nothing to unmap. */
static bool redundant_allowed(const struct vmm *vmm)
{
	return vmm->config->device != VMM_DEVICE_NAIVE;
}

static int driver_step(struct driver *driver)
{
	uint64_t random = vmm_random(&driver->stream);
	uint32_t slot = random % SLOTS;

	random >>= 16;
	if (driver->size[slot] || (random % 10 == 0 && redundant_allowed(driver->vmm))) {
		driver_unmap(driver, slot);
		return 0;
	}
	return driver_map(driver, slot, random >> 8);
}

static void *driver_run(void *opaque)
{
	struct driver *driver = opaque;
	struct vmm *vmm = driver->vmm;
	int ret = iommufd_backend_connect(vmm->be_viommu, NULL);

	if (ret)
		goto out;
	for (uint32_t i = 0; !ret && i < vmm->config->ops; i++)
		ret = driver_step(driver);
	for (uint32_t i = 0; i < SLOTS * LAST_TRIES; i++) {
		if (driver->size[i % SLOTS])
			driver_unmap(driver, i % SLOTS);
	}
	iommufd_backend_disconnect(vmm->be_viommu);
out:
	driver->ret = ret;
	return NULL;
}

int vmm_viommu_load(struct vmm *vmm, int (*meanwhile)(struct vmm *vmm))
{
	static struct driver drivers[VMM_THREADS_MAX];
	uint64_t seeds = vmm->config->seed;
	uint32_t started;
	int ret = 0;

	memset(drivers, 0, sizeof(drivers));
	for (started = 0; started < vmm->config->threads; started++) {
		struct driver *driver = &drivers[started];

		driver->vmm = vmm;
		driver->number = started;
		driver->stream = vmm_random(&seeds);
		ret = -pthread_create(&driver->thread, NULL, driver_run, driver);
		if (ret) {
			vmm_say("starting a thread failed: %s", strerror(-ret));
			break;
		}
	}
	if (!ret)
		ret = meanwhile(vmm);
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(drivers[i].thread, NULL);
		ret = ret ? ret : drivers[i].ret;
	}
	return ret;
}
