/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of a simulated VFIO device: SET_IRQS and eventfds.
 *
 * Source: drivers/vfio/vfio_main.c (vfio_set_irqs_validate_and_prepare) and
 * drivers/vfio/pci/vfio_pci_intrs.c, Linux 7.2.
 */
#include "sim/vfio/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void vfio_irqs_init(struct vfio_irqs *irqs)
{
	*irqs = (struct vfio_irqs){ .trigger = -1, .request = -1 };
	pthread_mutex_init(&irqs->lock, NULL);
}

static void replace_fd(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

void vfio_irqs_fini(struct vfio_irqs *irqs)
{
	pthread_mutex_lock(&irqs->lock);
	replace_fd(&irqs->trigger, -1);
	replace_fd(&irqs->request, -1);
	irqs->enabled = irqs->masked = false;
	pthread_mutex_unlock(&irqs->lock);
}

static void signal_fd(int fd)
{
	if (fd >= 0)
		eventfd_write(fd, 1);
}

void vfio_irqs_raise(struct vfio_irqs *irqs)
{
	pthread_mutex_lock(&irqs->lock);
	if (irqs->enabled && !irqs->masked) {
		signal_fd(irqs->trigger);
		/* A pin is masked until the user has seen it. */
		irqs->masked = irqs->index == SIM_VFIO_INTX;
	}
	pthread_mutex_unlock(&irqs->lock);
}

uint32_t vfio_irqs_count(uint32_t index)
{
	return index == SIM_VFIO_INTX || index == SIM_VFIO_MSI || index == SIM_VFIO_REQ;
}

long vfio_irqs_info(const struct engine_client *client, uint64_t arg)
{
	struct sim_vfio_irq_info info;

	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	/* The error interrupt is PCI Express's. */
	if (info.argsz < sizeof(info) || info.index >= SIM_VFIO_IRQS || info.index == SIM_VFIO_ERR)
		return -EINVAL;
	info.flags = SIM_VFIO_IRQ_EVENTFD;
	info.count = vfio_irqs_count(info.index);
	if (info.index == SIM_VFIO_INTX)
		info.flags |= SIM_VFIO_IRQ_MASKABLE | SIM_VFIO_IRQ_AUTOMASKED;
	else
		info.flags |= SIM_VFIO_IRQ_NORESIZE;
	return client->ops->copy_out(client, arg, &info, sizeof(info));
}

/* One call, checked, with its data. There is one interrupt of each index: start is 0. */
struct irq_call {
	struct vfio_device *device;
	const struct engine_client *client;
	uint32_t flags, index, count;
	union {
		uint8_t flag;
		int32_t fd;
	} data;
};

static bool wants_signal(const struct irq_call *call)
{
	return call->flags & SIM_VFIO_DATA_NONE || call->data.flag;
}

/* Nothing else is taken: a write to another file could keep this process waiting. */
static bool is_eventfd(int fd)
{
	char path[40], target[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, "anon_inode:[eventfd]");
}

/* The eventfd that the call gives, as a file of ours; -1 for "none"; or -errno below -1. */
static int fetch_fd(const struct irq_call *call)
{
	const struct vfio_device_env *env = &call->device->env;
	int fd;

	if (call->data.fd < 0)
		return -1;
	fd = env->fd_get(env->opaque, call->client, call->data.fd);
	if (fd < 0 || is_eventfd(fd))
		return fd;
	close(fd);
	return -EINVAL;
}

static long set_trigger(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	bool same = irqs->enabled && irqs->index == call->index;
	int fd;

	if (same && !call->count && call->flags & SIM_VFIO_DATA_NONE) {
		replace_fd(&irqs->trigger, -1);
		irqs->enabled = irqs->masked = false;
		return 0;
	}
	if ((irqs->enabled && !same) || (call->index == SIM_VFIO_INTX && call->count != 1))
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_EVENTFD) {
		fd = call->count ? fetch_fd(call) : -1;
		if (fd < -1)
			return fd;
		replace_fd(&irqs->trigger, fd);
		irqs->enabled = true;
		irqs->index = call->index;
		return 0;
	}
	if (!same)
		return -EINVAL;
	if (call->count && wants_signal(call))
		signal_fd(irqs->trigger);
	return 0;
}

static long set_mask(struct irq_call *call, bool mask)
{
	struct vfio_irqs *irqs = &call->device->irqs;

	if (!irqs->enabled || irqs->index != SIM_VFIO_INTX || call->count != 1)
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_EVENTFD)
		return -ENOTTY; /* unmasking by irqfd is for KVM */
	if (!wants_signal(call))
		return 0;
	irqs->masked = mask;
	return 0;
}

static long set_request(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	int fd;

	if (call->flags & SIM_VFIO_DATA_NONE) {
		if (irqs->request < 0)
			return -EINVAL;
		if (call->count)
			signal_fd(irqs->request);
		else
			replace_fd(&irqs->request, -1);
		return 0;
	}
	if (!call->count)
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_BOOL) {
		if (call->data.flag)
			signal_fd(irqs->request);
		return 0;
	}
	if (call->data.fd < -1)
		return -EINVAL;
	fd = fetch_fd(call);
	if (fd < -1)
		return fd;
	replace_fd(&irqs->request, fd);
	return 0;
}

static long dispatch(struct irq_call *call)
{
	uint32_t action = call->flags & SIM_VFIO_ACTIONS;

	if (call->index == SIM_VFIO_INTX && action == SIM_VFIO_ACTION_MASK)
		return set_mask(call, true);
	if (call->index == SIM_VFIO_INTX && action == SIM_VFIO_ACTION_UNMASK)
		return set_mask(call, false);
	if (action == SIM_VFIO_ACTION_TRIGGER && call->index <= SIM_VFIO_MSI)
		return set_trigger(call);
	if (action == SIM_VFIO_ACTION_TRIGGER && call->index == SIM_VFIO_REQ)
		return set_request(call);
	return -ENOTTY;
}

long vfio_irqs_set(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct irq_call call = { .device = device, .client = client };
	struct sim_vfio_irq_set set;
	bool enabled, msi, open;
	uint32_t max;
	size_t size;
	long rc;

	if (client->ops->copy_in(client, &set, arg, sizeof(set)))
		return -EFAULT;
	max = vfio_irqs_count(set.index);
	if (set.argsz < sizeof(set) || set.index >= SIM_VFIO_IRQS ||
	    set.count >= UINT32_MAX - set.start ||
	    set.flags & ~(SIM_VFIO_DATA_MASK | SIM_VFIO_ACTIONS))
		return -EINVAL;
	if (set.start >= max || set.start + set.count > max)
		return -EINVAL;
	switch (set.flags & SIM_VFIO_DATA_MASK) {
	case SIM_VFIO_DATA_NONE:
		size = 0;
		break;
	case SIM_VFIO_DATA_BOOL:
		size = sizeof(call.data.flag);
		break;
	case SIM_VFIO_DATA_EVENTFD:
		size = sizeof(call.data.fd);
		break;
	default:
		return -EINVAL;
	}
	if (set.argsz - sizeof(set) < set.count * size)
		return -EINVAL;
	size *= set.count;
	if (size && client->ops->copy_in(client, &call.data, arg + sizeof(set), size))
		return -EFAULT;
	call.flags = set.flags;
	call.index = set.index;
	call.count = set.count;
	pthread_mutex_lock(&device->irqs.lock);
	rc = dispatch(&call);
	enabled = device->irqs.enabled;
	msi = enabled && device->irqs.index == SIM_VFIO_MSI;
	open = enabled && !msi && !device->irqs.masked;
	pthread_mutex_unlock(&device->irqs.lock);
	pci_function_irq_mode(device->function, msi ? PCI_IRQ_MSI : PCI_IRQ_PIN, msi);
	/* The pin is a level: what is up when it is unmasked interrupts. */
	if (open && pci_function_pin(device->function))
		vfio_irqs_raise(&device->irqs);
	return rc;
}
