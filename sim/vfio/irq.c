/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/irq.h"
#include "sim/vfio/eventfd.h"
#include "sim/vfio/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void vfio_irqs_init(struct vfio_irqs *irqs)
{
	*irqs = (struct vfio_irqs){ .type = SIM_VFIO_IRQS, .pin_trigger = -1, .error = -1,
				    .request = -1 };
	pthread_mutex_init(&irqs->gate, NULL);
	pthread_mutex_init(&irqs->pin_lock, NULL);
	pthread_rwlock_init(&irqs->vectors_lock, NULL);
}

void vfio_irqs_fini(struct vfio_irqs *irqs)
{
	pthread_rwlock_destroy(&irqs->vectors_lock);
	pthread_mutex_destroy(&irqs->pin_lock);
	pthread_mutex_destroy(&irqs->gate);
}

/* Needs gate. */
static void set_type(struct vfio_irqs *irqs, uint32_t type)
{
	pthread_mutex_lock(&irqs->pin_lock);
	irqs->type = type;
	pthread_mutex_unlock(&irqs->pin_lock);
}

/* ---- the pin --------------------------------------------------------------------- */

/* The line is up: vfio_intx_handler(). Needs pin_lock. */
static void pin_interrupt(struct vfio_device *device)
{
	struct vfio_irqs *irqs = &device->irqs;

	if (irqs->type != SIM_VFIO_INTX || irqs->masked)
		return;
	irqs->masked = true; /* until the client has seen it */
	if (irqs->disabled)
		return;
	vfio_trace_irq(device, SIM_VFIO_INTX, 0);
	vfio_eventfd_signal(irqs->pin_trigger);
}

void vfio_irqs_pin(struct vfio_device *device, bool up)
{
	if (!up)
		return;
	pthread_mutex_lock(&device->irqs.pin_lock);
	pin_interrupt(device);
	pthread_mutex_unlock(&device->irqs.pin_lock);
}

static void pin_mask(struct vfio_device *device)
{
	pthread_mutex_lock(&device->irqs.pin_lock);
	if (device->irqs.type == SIM_VFIO_INTX)
		device->irqs.masked = true;
	pthread_mutex_unlock(&device->irqs.pin_lock);
}

/* A line that is still up interrupts again: vfio_pci_intx_unmask_handler(). */
static void pin_unmask(void *opaque)
{
	struct vfio_device *device = opaque;
	struct vfio_irqs *irqs = &device->irqs;

	pthread_mutex_lock(&irqs->pin_lock);
	if (irqs->type == SIM_VFIO_INTX && irqs->masked && !irqs->disabled) {
		irqs->masked = false;
		if (pci_function_pin(device->function))
			pin_interrupt(device);
	}
	pthread_mutex_unlock(&irqs->pin_lock);
}

void vfio_irqs_disable_pin(struct vfio_device *device, bool disabled)
{
	struct vfio_irqs *irqs = &device->irqs;
	bool before;

	pthread_mutex_lock(&irqs->pin_lock);
	before = irqs->disabled;
	irqs->disabled = disabled;
	pthread_mutex_unlock(&irqs->pin_lock);
	if (disabled && !before)
		pin_mask(device);
	else if (!disabled && before)
		pin_unmask(device);
}

static void pin_off(struct vfio_device *device)
{
	struct vfio_irqs *irqs = &device->irqs;

	vfio_watch_remove(irqs->unmask);
	irqs->unmask = NULL;
	pthread_mutex_lock(&irqs->pin_lock);
	irqs->type = SIM_VFIO_IRQS;
	vfio_eventfd_replace(&irqs->pin_trigger, -1);
	pthread_mutex_unlock(&irqs->pin_lock);
}

/* ---- messages -------------------------------------------------------------------- */

void vfio_irqs_message(struct vfio_device *device, unsigned int vector)
{
	struct vfio_irqs *irqs = &device->irqs;

	pthread_rwlock_rdlock(&irqs->vectors_lock);
	if (vector < irqs->vectors_count && irqs->vectors[vector] >= 0) {
		vfio_trace_irq(device, irqs->vectors_index, vector);
		vfio_eventfd_signal(irqs->vectors[vector]);
	}
	pthread_rwlock_unlock(&irqs->vectors_lock);
}

bool vfio_irqs_is_msi(struct vfio_irqs *irqs)
{
	bool is_msi;

	pthread_mutex_lock(&irqs->pin_lock);
	is_msi = irqs->type == SIM_VFIO_MSI;
	pthread_mutex_unlock(&irqs->pin_lock);
	return is_msi;
}

static void messages_off(struct vfio_device *device)
{
	struct vfio_irqs *irqs = &device->irqs;

	pthread_rwlock_wrlock(&irqs->vectors_lock);
	for (unsigned int i = 0; i < irqs->vectors_count; i++)
		vfio_eventfd_replace(&irqs->vectors[i], -1);
	free(irqs->vectors);
	irqs->vectors = NULL;
	irqs->vectors_count = 0;
	pthread_rwlock_unlock(&irqs->vectors_lock);
	set_type(irqs, SIM_VFIO_IRQS);
	pci_function_irq_mode(device->function, PCI_IRQ_PIN, 0);
}

static unsigned int round_up_power(unsigned int n)
{
	return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

/* Whoever has MSI-X can get more vectors later; MSI has those it was given, as all had once. */
static long messages_on(struct vfio_device *device, uint32_t index, unsigned int count)
{
	const struct pci_description *description = pci_function_description(device->function);
	struct vfio_irqs *irqs = &device->irqs;
	unsigned int total = index == SIM_VFIO_MSIX ? description->msix : round_up_power(count);
	int *vectors;

	if (!count)
		return -ERANGE; /* pci_alloc_irq_vectors() wants at least one */
	vectors = malloc(total * sizeof(*vectors));
	if (!vectors)
		return -ENOMEM;
	for (unsigned int i = 0; i < total; i++)
		vectors[i] = -1;
	pthread_rwlock_wrlock(&irqs->vectors_lock);
	irqs->vectors = vectors;
	irqs->vectors_count = total;
	irqs->vectors_index = index;
	irqs->enabled_count = count;
	pthread_rwlock_unlock(&irqs->vectors_lock);
	set_type(irqs, index);
	if (index == SIM_VFIO_MSI)
		vfio_config_set_msi_count(device, count);
	pci_function_irq_mode(device->function,
			      index == SIM_VFIO_MSI ? PCI_IRQ_MSI : PCI_IRQ_MSIX, total);
	return 0;
}

/* ---- GET_IRQ_INFO ---------------------------------------------------------------- */

static uint32_t irq_count(struct vfio_device *device, uint32_t index)
{
	const struct pci_description *description = pci_function_description(device->function);

	switch (index) {
	case SIM_VFIO_INTX:
		return description->intx;
	case SIM_VFIO_MSI:
		return description->msi;
	case SIM_VFIO_MSIX:
		return description->msix;
	case SIM_VFIO_ERR:
		return description->express || vfio_changed(device, VFIO_CHANGE_ERR_OF_ALL);
	case SIM_VFIO_REQ:
		return 1;
	default:
		return 0;
	}
}

long vfio_irqs_info(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct sim_vfio_irq_info info;

	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= SIM_VFIO_IRQS)
		return -EINVAL;
	info.flags = SIM_VFIO_IRQ_EVENTFD;
	info.count = irq_count(device, info.index);
	if (info.index == SIM_VFIO_ERR && !info.count)
		return -EINVAL;
	if (info.index == SIM_VFIO_INTX)
		info.flags |= SIM_VFIO_IRQ_MASKABLE | SIM_VFIO_IRQ_AUTOMASKED;
	else if (info.index != SIM_VFIO_MSIX ||
		 !pci_function_description(device->function)->msix ||
		 !vfio_changed(device, VFIO_CHANGE_DYNAMIC_MSIX))
		info.flags |= SIM_VFIO_IRQ_NORESIZE;
	return client->ops->copy_out(client, arg, &info, sizeof(info));
}

/* ---- SET_IRQS -------------------------------------------------------------------- */

/* One call, checked, with its data. */
struct irq_call {
	struct vfio_device *device;
	const struct engine_client *client;
	uint32_t flags, index, start, count;
	const uint8_t *flags_data; /* with DATA_BOOL */
	const int32_t *fds;	   /* with DATA_EVENTFD */
};

/* The client's eventfd as a file of ours; -EBADF, -EINVAL. */
static int fetch_fd(const struct irq_call *call, int32_t client_fd)
{
	const struct vfio_device_env *env = &call->device->env;
	int fd = env->fd_get(env->opaque, call->client, client_fd);

	if (fd < 0 || vfio_eventfd_is(fd))
		return fd;
	close(fd);
	return -EINVAL;
}

static bool wants(const struct irq_call *call, uint32_t which)
{
	return call->flags & SIM_VFIO_DATA_NONE || call->flags_data[which];
}

/* vfio_pci_set_intx_mask(), vfio_pci_set_intx_unmask() */
static long set_mask(struct irq_call *call, bool mask)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	int fd;

	if (irqs->type != SIM_VFIO_INTX || call->start || call->count != 1)
		return -EINVAL;
	if (!(call->flags & SIM_VFIO_DATA_EVENTFD)) {
		if (wants(call, 0) && mask)
			pin_mask(call->device);
		else if (wants(call, 0))
			pin_unmask(call->device);
		return 0;
	}
	if (mask)
		return -ENOTTY;
	if (call->fds[0] < 0) {
		vfio_watch_remove(irqs->unmask);
		irqs->unmask = NULL;
		return 0;
	}
	fd = fetch_fd(call, call->fds[0]);
	if (fd < 0)
		return fd;
	if (irqs->unmask && vfio_eventfd_is_open_in(call->client->pid,
						    vfio_watched_fd(irqs->unmask))) {
		close(fd);
		return -EBUSY;
	}
	vfio_watch_remove(irqs->unmask);
	irqs->unmask = vfio_watch_add(call->device->watch, fd, pin_unmask, call->device);
	return irqs->unmask ? 0 : -ENOMEM;
}

static void pin_on(struct vfio_device *device, int fd)
{
	struct vfio_irqs *irqs = &device->irqs;

	pthread_mutex_lock(&irqs->pin_lock);
	vfio_eventfd_replace(&irqs->pin_trigger, fd);
	if (irqs->type != SIM_VFIO_INTX) {
		irqs->type = SIM_VFIO_INTX;
		irqs->masked = irqs->disabled;
		if (pci_function_pin(device->function))
			pin_interrupt(device);
	}
	pthread_mutex_unlock(&irqs->pin_lock);
}

static long set_pin_trigger(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	bool is_pin = irqs->type == SIM_VFIO_INTX;
	int fd = -1;

	if (is_pin && !call->count && call->flags & SIM_VFIO_DATA_NONE) {
		pin_off(call->device);
		return 0;
	}
	if ((!is_pin && irqs->type != SIM_VFIO_IRQS) || call->start || call->count != 1)
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_EVENTFD) {
		if (call->fds[0] >= 0) {
			fd = fetch_fd(call, call->fds[0]);
			if (fd < 0)
				return fd;
		}
		pin_on(call->device, fd);
		return 0;
	}
	if (!is_pin)
		return -EINVAL;
	pthread_mutex_lock(&irqs->pin_lock);
	if (wants(call, 0) && !irqs->disabled)
		vfio_eventfd_signal(irqs->pin_trigger);
	pthread_mutex_unlock(&irqs->pin_lock);
	return 0;
}

static void set_vector(struct vfio_irqs *irqs, unsigned int vector, int fd)
{
	pthread_rwlock_wrlock(&irqs->vectors_lock);
	vfio_eventfd_replace(&irqs->vectors[vector], fd);
	pthread_rwlock_unlock(&irqs->vectors_lock);
}

/* vfio_msi_set_block(): on an error all of this call are off. */
static long set_vectors(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	long rc = 0;
	uint32_t i;

	for (i = 0; i < call->count && !rc; i++) {
		int fd = -1;

		/* Set up for fewer: vfio_msi_alloc_irq() finds none. */
		if (call->start + i >= irqs->vectors_count) {
			rc = call->fds[i] < 0 ? 0 : -EINVAL;
			continue;
		}
		set_vector(irqs, call->start + i, -1);
		if (call->fds[i] < 0)
			continue;
		fd = fetch_fd(call, call->fds[i]);
		if (fd < 0)
			rc = fd;
		else
			set_vector(irqs, call->start + i, fd);
	}
	for (uint32_t k = 0; rc && k < i && call->start + k < irqs->vectors_count; k++)
		set_vector(irqs, call->start + k, -1);
	return rc;
}

/* Whether the call names vectors beyond those that were set up at first, when that counted. */
static bool exceeds_enabled(const struct irq_call *call)
{
	const unsigned int count = call->device->irqs.enabled_count;

	return !vfio_changed(call->device, VFIO_CHANGE_DYNAMIC_MSIX) &&
	       (call->start + call->count > count ||
		(call->flags & SIM_VFIO_DATA_EVENTFD && call->start >= count));
}

static long set_message_trigger(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	bool same = irqs->type == call->index;
	long rc;

	if (same && !call->count && call->flags & SIM_VFIO_DATA_NONE) {
		messages_off(call->device);
		return 0;
	}
	if ((!same && irqs->type != SIM_VFIO_IRQS) || (same && exceeds_enabled(call)))
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_EVENTFD) {
		if (same)
			return set_vectors(call);
		rc = messages_on(call->device, call->index, call->start + call->count);
		if (rc)
			return rc;
		rc = set_vectors(call);
		if (rc)
			messages_off(call->device);
		return rc;
	}
	if (!same)
		return -EINVAL;
	for (uint32_t i = 0; i < call->count; i++) {
		if (wants(call, i))
			vfio_irqs_message(call->device, call->start + i);
	}
	return 0;
}

/* ERR and REQ: vfio_pci_set_ctx_trigger_single(). */
static long set_single(struct irq_call *call, int *slot)
{
	int fd;

	if (call->flags & SIM_VFIO_DATA_NONE) {
		if (*slot < 0)
			return -EINVAL;
		if (call->count)
			vfio_eventfd_signal(*slot);
		else
			vfio_eventfd_replace(slot, -1);
		return 0;
	}
	if (!call->count)
		return -EINVAL;
	if (call->flags & SIM_VFIO_DATA_BOOL) {
		if (call->flags_data[0])
			vfio_eventfd_signal(*slot);
		return 0;
	}
	if (call->fds[0] < -1)
		return -EINVAL;
	fd = -1;
	if (call->fds[0] >= 0) {
		fd = fetch_fd(call, call->fds[0]);
		if (fd < 0)
			return fd;
	}
	vfio_eventfd_replace(slot, fd);
	return 0;
}

static long dispatch(struct irq_call *call)
{
	struct vfio_irqs *irqs = &call->device->irqs;
	uint32_t action = call->flags & SIM_VFIO_ACTIONS;

	if (call->index == SIM_VFIO_INTX && action == SIM_VFIO_ACTION_MASK)
		return set_mask(call, true);
	if (call->index == SIM_VFIO_INTX && action == SIM_VFIO_ACTION_UNMASK)
		return set_mask(call, false);
	if (action != SIM_VFIO_ACTION_TRIGGER)
		return -ENOTTY;
	switch (call->index) {
	case SIM_VFIO_INTX:
		return set_pin_trigger(call);
	case SIM_VFIO_MSI:
	case SIM_VFIO_MSIX:
		return set_message_trigger(call);
	case SIM_VFIO_ERR:
		return set_single(call, &irqs->error);
	default:
		return set_single(call, &irqs->request);
	}
}

/* vfio_set_irqs_validate_and_prepare(); *size: of the data. */
static long check(const struct sim_vfio_irq_set *set, uint32_t max, size_t *size)
{
	if (set->argsz < sizeof(*set) || set->index >= SIM_VFIO_IRQS ||
	    set->count >= UINT32_MAX - set->start ||
	    set->flags & ~(SIM_VFIO_DATA_MASK | SIM_VFIO_ACTIONS))
		return -EINVAL;
	if (set->start >= max || set->start + set->count > max)
		return -EINVAL;
	switch (set->flags & SIM_VFIO_DATA_MASK) {
	case SIM_VFIO_DATA_NONE:
		*size = 0;
		break;
	case SIM_VFIO_DATA_BOOL:
		*size = sizeof(uint8_t);
		break;
	case SIM_VFIO_DATA_EVENTFD:
		*size = sizeof(int32_t);
		break;
	default:
		return -EINVAL;
	}
	*size *= set->count;
	return set->argsz - sizeof(*set) < *size ? -EINVAL : 0;
}

long vfio_irqs_set(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	struct irq_call call = { .device = device, .client = client };
	struct sim_vfio_irq_set set;
	void *data = NULL;
	size_t size;
	long rc;

	if (client->ops->copy_in(client, &set, arg, sizeof(set)))
		return -EFAULT;
	rc = check(&set, irq_count(device, set.index), &size);
	if (rc)
		return rc;
	if (size) {
		data = malloc(size);
		if (!data)
			return -ENOMEM;
		if (client->ops->copy_in(client, data, arg + sizeof(set), size)) {
			free(data);
			return -EFAULT;
		}
	}
	call.flags = set.flags;
	call.index = set.index;
	call.start = set.start;
	call.count = set.count;
	call.flags_data = data;
	call.fds = data;
	pthread_mutex_lock(&device->irqs.gate);
	rc = dispatch(&call);
	pthread_mutex_unlock(&device->irqs.gate);
	free(data);
	return rc;
}

/* ---- ERR, REQ, the end ------------------------------------------------------------- */

void vfio_irqs_request(struct vfio_irqs *irqs)
{
	pthread_mutex_lock(&irqs->gate);
	vfio_eventfd_signal(irqs->request);
	pthread_mutex_unlock(&irqs->gate);
}

void vfio_irqs_end(struct vfio_device *device)
{
	struct vfio_irqs *irqs = &device->irqs;

	pthread_mutex_lock(&irqs->gate);
	if (irqs->type == SIM_VFIO_INTX)
		pin_off(device);
	else if (irqs->type != SIM_VFIO_IRQS)
		messages_off(device);
	vfio_eventfd_replace(&irqs->error, -1);
	vfio_eventfd_replace(&irqs->request, -1);
	pthread_mutex_unlock(&irqs->gate);
	pthread_mutex_lock(&irqs->pin_lock);
	irqs->disabled = irqs->masked = false;
	pthread_mutex_unlock(&irqs->pin_lock);
}
