/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function whose DMA happens in another program: it is told what the device reaches,
 * with the client's own file for memory that has one.
 */
#include "sim/vfio/internal.h"

static void device_mapped(void *opaque, uint64_t iova, uint64_t length, uint8_t prot,
			  const struct engine_memory *memory)
{
	struct vfio_device *device = opaque;
	const struct vfio_device_env *env = &device->env;
	struct pci_mapping mapping = {
		.iova = iova,
		.bytes = length,
		.read = prot & ENGINE_PROT_READ,
		.write = prot & ENGINE_PROT_WRITE,
		.fd = -1,
	};

	if (env->memory_file && (memory->mm || memory->file))
		mapping.fd = env->memory_file(env->opaque, memory, length, mapping.write,
					      &mapping.fd_offset);
	pci_function_mapped(device->function, &mapping);
}

static void device_unmapped(void *opaque, uint64_t iova, uint64_t length)
{
	pci_function_unmapped(((struct vfio_device *)opaque)->function, iova, length);
}

void vfio_listen(struct vfio_device *device, struct engine_device *engine_device)
{
	static const struct engine_listener listener = {
		.mapped = device_mapped,
		.unmapped = device_unmapped,
	};

	if (pci_function_listens(device->function))
		engine_device_listen(engine_device, &listener, device);
}
