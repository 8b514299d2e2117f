/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NIC: a device of the engine in this process, behind the vIOMMU's address
 * space. A VMM on a device file has none: VFIO would give it one.
 */
#include "sim/vmm/vmm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/inproc/inproc.h"

struct vmm_nic {
	struct engine_device *device;
	struct engine_ctx *ctx; /* borrowed */
	uint32_t pt_id;
};

static int nic_attach(void *opaque, const struct engine_client *client)
{
	struct vmm_nic *nic = opaque;
	uint32_t id;
	int ret = engine_device_bind(nic->ctx, client, &nic->device, &id);

	if (ret)
		return ret;
	ret = engine_device_attach(nic->device, client, 0, &nic->pt_id);
	if (ret)
		engine_device_unbind(nic->device);
	return ret;
}

int vmm_nic_create(struct vmm *vmm)
{
	struct vmm_nic *nic;
	int ret;

	if (!vmm->inproc)
		return 0;
	nic = calloc(1, sizeof(*nic));
	if (!nic)
		return -ENOMEM;
	nic->ctx = inproc_borrow_ctx(vmm->inproc, iommufd_backend_get_fd(vmm->be));
	nic->pt_id = vmm->ioas_viommu;
	ret = inproc_with_client(vmm->inproc, nic_attach, nic);
	if (ret) {
		vmm_say("attaching the NIC failed: %s", strerror(-ret));
		free(nic);
		return ret;
	}
	vmm->nic = nic;
	return 0;
}

void vmm_nic_destroy(struct vmm *vmm)
{
	if (!vmm->nic)
		return;
	engine_device_detach(vmm->nic->device, 0);
	engine_device_unbind(vmm->nic->device);
	free(vmm->nic);
	vmm->nic = NULL;
}

int vmm_nic_dma(struct vmm *vmm, uint64_t iova, uint64_t length, bool write)
{
	uint64_t fault_iova;
	int ret;

	if (!vmm->nic)
		return 0;
	__atomic_add_fetch(&vmm->dmas, 1, __ATOMIC_RELAXED);
	ret = engine_device_dma(vmm->nic->device, iova, length, write, NULL, &fault_iova);
	if (ret)
		vmm_say("DMA faulted: %s at 0x%" PRIx64, write ? "write" : "read", fault_iova);
	return ret;
}
