/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of VFIO devices; their fields are in tracepoints/iommufd_dev.def. */
#include "sim/vfio/internal.h"
#include "tracepoints/identity.h"
#include "tracepoints/trace.h"

static struct trace_identity caller(const struct engine_client *client)
{
	struct trace_identity identity = { .pid = client->pid, .tid = client->tid };

	if (client->ops->identify)
		client->ops->identify(client, &identity);
	return identity;
}

void vfio_trace_bind(struct vfio_device *device, const struct engine_client *client,
		     const struct engine_ctx *ctx, bool by_group)
{
	struct trace *trace = device->env.trace;
	struct trace_identity by;

	if (!trace_on(trace, iommufd_dev, vfio_bind))
		return;
	by = caller(client);
	trace_emit(trace, iommufd_dev, vfio_bind, engine_ctx_number(ctx), device->devid,
		   pci_address_number(&device->slot->address), device->slot->group,
		   device->slot->id, by_group, by.pid, by.tid, by.pid_ns, by.start);
}

void vfio_trace_unbind(struct vfio_device *device, const struct engine_ctx *ctx)
{
	const struct vfio_device_env *env = &device->env;
	int by_exit = __atomic_load_n(&device->by_exit, __ATOMIC_RELAXED);

	if (!trace_on(env->trace, iommufd_dev, vfio_unbind))
		return;
	if (by_exit < 0)
		by_exit = env->is_gone && env->is_gone(env->opaque, device->bound_by);
	trace_emit(env->trace, iommufd_dev, vfio_unbind, engine_ctx_number(ctx), device->devid,
		   pci_address_number(&device->slot->address),
		   (uint8_t)by_exit);
}

void vfio_trace_irq(struct vfio_device *device, uint32_t index, unsigned int vector)
{
	trace_emit(device->env.trace, iommufd_dev, vfio_irq, device->ctx_number, device->devid,
		   pci_address_number(&device->slot->address), (uint8_t)index, vector);
}

bool vfio_trace_wants_calls(const struct vfio_device *device)
{
	return trace_on(device->env.trace, iommufd_dev, vfio_call);
}

/* What the call names, read again from the client: for the trace alone, after the call. */
static uint64_t call_names(const struct engine_client *client, unsigned int cmd, uint64_t arg)
{
	uint32_t words[4] = { 0 };
	size_t bytes = cmd == SIM_VFIO_FEATURE ? 8 : 12;

	if (cmd == SIM_VFIO_RESET || client->ops->copy_in(client, words, arg, bytes))
		return 0;
	switch (cmd) {
	case SIM_VFIO_ATTACH:
		if (words[1] & SIM_VFIO_FLAG_PASID &&
		    client->ops->copy_in(client, words, arg, sizeof(words)))
			return 0;
		return (uint64_t)(words[1] & SIM_VFIO_FLAG_PASID ? words[3] : 0) << 32 | words[2];
	case SIM_VFIO_DETACH:
		return (uint64_t)(words[1] & SIM_VFIO_FLAG_PASID ? words[2] : 0) << 32;
	case SIM_VFIO_SET_IRQS:
		return (uint64_t)words[2] << 32 | words[1];
	case SIM_VFIO_FEATURE:
		return words[1];
	case SIM_VFIO_GET_REGION_INFO:
		return words[2];
	default:
		return 0;
	}
}

void vfio_trace_call(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg, long ret, uint64_t began_ns)
{
	struct vfio_device *device = file->device;
	uint64_t duration_ns = pci_runner_now() - began_ns;
	struct trace_identity by = caller(client);

	trace_emit(device->env.trace, iommufd_dev, vfio_call, engine_ctx_number(file->ctx),
		   device->devid, pci_address_number(&device->slot->address), cmd,
		   call_names(client, cmd, arg), (int32_t)ret, duration_ns, by.pid, by.tid,
		   by.pid_ns, by.start);
}
