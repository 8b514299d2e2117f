/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that another program emulates: `--device vfio-user,socket=PATH` is the client
 * of a vfio-user server, such as SPDK's NVMe target or libvfio-user's samples.
 *
 * Each access to a BAR is a message. The server is told of each piece that the page table
 * maps, with the client's file if the memory has one, and maps that itself; it has given
 * the memory up before the client's unmap returns. Memory without a file it reads and
 * writes by messages, which go through the page table as the DMA of every device here
 * does. With dma=message all of it does.
 *
 * Unlike other models this one has a thread: what the server does is not for us to step.
 * It serves the server's commands, turns its eventfds into interrupts, and connects again
 * when the server ended; meanwhile the device reads as ones. While a driver waits for the
 * reply to an access, that access itself serves what the server asks meanwhile.
 */
#include "sim/pci/models.h"
#include "sim/pci/vfio_user_describe.h"
#include "sim/pci/vfio_user_dma.h"

#include <errno.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define REGION_CONFIG	7u
#define DMA_BYTES	(UINT64_C(1) << 48) /* with dma=message: any address */
#define RECONNECT_MS	100
#define END_PATIENCE_NS 500000000l

struct vfio_user_config {
	char socket[PATH_MAX];
	bool by_message;
};

struct vfio_user {
	struct pci_function *function;
	struct vfio_user_config config;
	pthread_mutex_t lock; /* of the link: one command at a time */
	struct vfio_user_link link;
	struct vfio_user_dma dma; /* with the lock */

	/* Known from the first connection on; a server that comes again must be the same. */
	bool known;
	struct vfio_user_facts facts;

	int eventfds[VFIO_USER_VECTORS_MAX]; /* irq_count of them; -1: none */
	int wake;		   /* an eventfd: the thread is to end, or to look again */
	bool stopping;		   /* __atomic */
	bool started;
	pthread_t thread;
};

static bool set_socket(void *config, const char *value)
{
	struct vfio_user_config *vfio_user = config;

	if (!*value || strlen(value) >= 108)
		return false;
	strcpy(vfio_user->socket, value);
	return true;
}

static bool set_dma(void *config, const char *value)
{
	struct vfio_user_config *vfio_user = config;

	vfio_user->by_message = !strcmp(value, "message");
	return vfio_user->by_message || !strcmp(value, "mapped");
}

static const struct pci_model_key vfio_user_keys[] = {
	{ "socket", "the path of a vfio-user server's socket, at most 107 bytes", set_socket },
	{ "dma", "mapped (default: the server maps memory that has a file) or message", set_dma },
	{ NULL, NULL, NULL },
};

/* ---- what the server asks ------------------------------------------------------------ */

static struct vfio_user_served serve_dma(void *opaque, uint16_t command, uint8_t *data,
					 size_t length)
{
	struct vfio_user *device = opaque;
	struct vfio_user_dma_access access;
	bool write = command == VFIO_USER_DMA_WRITE;

	if ((!write && command != VFIO_USER_DMA_READ) || length < sizeof(access))
		return (struct vfio_user_served){ .error = EINVAL };
	memcpy(&access, data, sizeof(access));
	if (access.count > VFIO_USER_DATA_MAX || (write && length - sizeof(access) != access.count))
		return (struct vfio_user_served){ .error = EINVAL };
	if (write ? pci_dma_write(device->function, access.address, data + sizeof(access),
				  (size_t)access.count)
		  : pci_dma_read(device->function, access.address, data + sizeof(access),
				 (size_t)access.count))
		return (struct vfio_user_served){ .error = EFAULT };
	return (struct vfio_user_served){
		.bytes = sizeof(access) + (write ? 0 : (size_t)access.count),
	};
}

/* ---- connecting ------------------------------------------------------------------------ */

static ssize_t ask(struct vfio_user *device, uint16_t command, const void *head, size_t bytes,
		   void *reply, size_t reply_bytes)
{
	ssize_t n = vfio_user_link_call(&device->link, command, head, bytes, NULL, 0, NULL, 0,
					reply, reply_bytes);

	return n >= 0 && (size_t)n < reply_bytes ? -EPROTO : n;
}

static int region_access(struct vfio_user *device, uint32_t region, uint64_t offset, void *buf,
			 uint32_t count, bool write)
{
	const struct vfio_user_region_access access = { offset, region, count };
	struct {
		struct vfio_user_region_access access;
		uint8_t data[VFIO_USER_CONFIG_BYTES];
	} reply;
	size_t wanted = sizeof(access) + (write ? 0 : count);
	ssize_t n = vfio_user_link_call(
		&device->link, write ? VFIO_USER_REGION_WRITE : VFIO_USER_REGION_READ, &access,
		sizeof(access), buf, write ? count : 0, NULL, 0, &reply, wanted);

	if (n < 0)
		return (int)n;
	if ((size_t)n < wanted || reply.access.count != count)
		return -EPROTO;
	if (!write)
		memcpy(buf, reply.data, count);
	return 0;
}

/* What the server says of its device, but interrupts. */
static int ask_facts(struct vfio_user *device, struct vfio_user_facts *facts)
{
	struct vfio_user_info info = { .argsz = sizeof(info) };
	ssize_t n = ask(device, VFIO_USER_GET_INFO, &info, sizeof(info), &info, sizeof(info));

	if (n < 0)
		return (int)n;
	if (!(info.flags & VFIO_USER_INFO_PCI) || info.regions <= REGION_CONFIG)
		return -ENOTSUP;
	facts->can_reset = info.flags & VFIO_USER_INFO_RESET;
	for (uint32_t i = 0; i < PCI_BARS; i++) {
		struct vfio_user_region_info region = { .argsz = sizeof(region), .index = i };

		n = ask(device, VFIO_USER_GET_REGION_INFO, &region, sizeof(region), &region,
			sizeof(region));
		if (n < 0)
			return (int)n;
		facts->region_bytes[i] = region.size;
	}
	n = region_access(device, REGION_CONFIG, 0, facts->space, VFIO_USER_CONFIG_BYTES, false);
	if (n < 0)
		return (int)n;
	memcpy(&facts->ids, facts->space, sizeof(facts->ids));
	return 0;
}

/* Learnt the first time, and read without the lock after that; later it must be the same. */
static int learn(struct vfio_user *device)
{
	struct vfio_user_facts facts = { .ids = 0 };
	int err = ask_facts(device, &facts);

	if (err)
		return err;
	if (!device->known)
		device->facts = facts;
	else if (facts.ids != device->facts.ids || facts.can_reset != device->facts.can_reset ||
		 memcmp(facts.region_bytes, device->facts.region_bytes, sizeof(facts.region_bytes)))
		return -ENODEV;
	return 0;
}

/* The best kind of interrupt that the server has. */
static int learn_irqs(struct vfio_user *device)
{
	for (uint32_t index = VFIO_USER_IRQ_MSIX + 1; index-- > 0;) {
		struct vfio_user_irq_info info = { .argsz = sizeof(info), .index = index };
		ssize_t n = ask(device, VFIO_USER_GET_IRQ_INFO, &info, sizeof(info), &info,
				sizeof(info));

		if (n < 0)
			return (int)n;
		if (!info.count)
			continue;
		device->facts.irq_index = index;
		device->facts.irq_count =
			info.count < VFIO_USER_VECTORS_MAX ? info.count : VFIO_USER_VECTORS_MAX;
		return 0;
	}
	device->facts.irq_count = 0;
	return 0;
}

static int give_irqs(struct vfio_user *device)
{
	unsigned int at = 0;

	while (at < device->facts.irq_count) {
		unsigned int left = device->facts.irq_count - at;
		unsigned int count = left < device->link.max_files ? left : device->link.max_files;
		const struct vfio_user_irq_set set = {
			.argsz = sizeof(set),
			.flags = VFIO_USER_IRQ_EVENTFD_TRIGGER,
			.index = device->facts.irq_index,
			.start = at,
			.count = count,
		};
		ssize_t n =
			vfio_user_link_call(&device->link, VFIO_USER_SET_IRQS, &set, sizeof(set),
					    NULL, 0, device->eventfds + at, count, NULL, 0);

		if (n < 0)
			return (int)n;
		at += count;
	}
	return 0;
}

/* The server's own switches: our configuration space decides, so there they are on. */
static int switch_on(struct vfio_user *device)
{
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER;

	return region_access(device, REGION_CONFIG, PCI_COMMAND, &command, sizeof(command), true);
}

/* With the lock. 0, or -errno and not connected. */
static int device_connect(struct vfio_user *device)
{
	int err = vfio_user_link_open(&device->link, device->config.socket);

	if (err)
		return err;
	err = learn(device);
	if (!err && !device->known)
		err = learn_irqs(device);
	for (unsigned int i = 0; !err && !device->known && i < device->facts.irq_count; i++) {
		device->eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (device->eventfds[i] < 0)
			err = -errno;
	}
	if (!err)
		err = vfio_user_dma_tell(&device->dma);
	if (!err)
		err = give_irqs(device);
	if (!err)
		err = switch_on(device);
	if (err)
		vfio_user_link_close(&device->link);
	else
		device->known = true;
	return err;
}

/* ---- the thread -------------------------------------------------------------------------- */

/* What came while nobody waits for a reply: a command, or the end. */
static void serve(struct vfio_user *device)
{
	pthread_mutex_lock(&device->lock);
	if (device->link.fd >= 0)
		vfio_user_link_serve(&device->link);
	pthread_mutex_unlock(&device->lock);
}

static void reconnect(struct vfio_user *device)
{
	pthread_mutex_lock(&device->lock);
	if (device->link.fd < 0)
		device_connect(device);
	pthread_mutex_unlock(&device->lock);
}

static void interrupt(struct vfio_user *device, unsigned int vector)
{
	uint64_t count;

	if (read(device->eventfds[vector], &count, sizeof(count)) != sizeof(count))
		return;
	pci_irq_raise(device->function, vector);
	/* An eventfd says no more than that it happened. */
	pci_irq_lower(device->function);
}

static void *device_run(void *argument)
{
	struct vfio_user *device = argument;
	struct pollfd fds[3 + VFIO_USER_VECTORS_MAX];

	prctl(PR_SET_NAME, "vfio-user");
	while (!__atomic_load_n(&device->stopping, __ATOMIC_ACQUIRE)) {
		uint64_t count;

		pthread_mutex_lock(&device->lock);
		fds[0] = (struct pollfd){ .fd = device->wake, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = device->link.fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = device->link.twin_fd, .events = POLLIN };
		pthread_mutex_unlock(&device->lock);
		for (unsigned int i = 0; i < device->facts.irq_count; i++)
			fds[3 + i] = (struct pollfd){ .fd = device->eventfds[i], .events = POLLIN };
		if (poll(fds, 3 + device->facts.irq_count, fds[1].fd < 0 ? RECONNECT_MS : -1) < 0)
			continue;
		if (fds[0].revents && read(device->wake, &count, sizeof(count)) < 0)
			continue;
		for (unsigned int i = 0; i < device->facts.irq_count; i++) {
			if (fds[3 + i].revents)
				interrupt(device, i);
		}
		if (fds[1].fd < 0)
			reconnect(device);
		else if (fds[1].revents || fds[2].revents)
			serve(device);
	}
	return NULL;
}

/* The thread begins with the first use: there is a world then. With the lock. */
static void device_start(struct vfio_user *device)
{
	sigset_t all, before;

	if (device->started)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	device->started = !pthread_create(&device->thread, NULL, device_run, device);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the model ------------------------------------------------------------------------------ */

static void device_free(struct vfio_user *device)
{
	for (unsigned int i = 0; i < VFIO_USER_VECTORS_MAX; i++) {
		if (device->eventfds[i] >= 0)
			close(device->eventfds[i]);
	}
	if (device->wake >= 0)
		close(device->wake);
	vfio_user_dma_fini(&device->dma);
	vfio_user_link_fini(&device->link);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

static int vfio_user_create(struct pci_function *function, const void *config,
			    struct pci_description *description, void **model,
			    char why[PCI_WHY_BYTES])
{
	static const struct pci_mapping everything = {
		.bytes = DMA_BYTES, .read = true, .write = true, .fd = -1,
	};
	struct vfio_user *device = calloc(1, sizeof(*device));
	int err;

	snprintf(why, PCI_WHY_BYTES, "out of memory");
	if (!device)
		return -ENOMEM;
	device->function = function;
	device->config = *(const struct vfio_user_config *)config;
	memset(device->eventfds, 0xff, sizeof(device->eventfds));
	pthread_mutex_init(&device->lock, NULL);
	vfio_user_dma_init(&device->dma, &device->link);
	device->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!vfio_user_link_init(&device->link, serve_dma, device) || device->wake < 0) {
		device_free(device);
		return -ENOMEM;
	}
	if (device->config.by_message)
		vfio_user_dma_add(&device->dma, &everything);
	if (!device->config.socket[0]) {
		snprintf(why, PCI_WHY_BYTES, "--device vfio-user needs socket=PATH");
		device_free(device);
		return -EINVAL;
	}
	err = device_connect(device);
	if (err) {
		snprintf(why, PCI_WHY_BYTES,
			 "--device vfio-user: no vfio-user server of a PCI device answers at "
			 "'%.100s': %s",
			 device->config.socket, strerror(-err));
		device_free(device);
		return err;
	}
	vfio_user_describe(&device->facts, description);
	*model = device;
	return 0;
}

static void vfio_user_destroy(void *model)
{
	struct vfio_user *device = model;
	const uint64_t one = 1;
	struct timespec until;

	__atomic_store_n(&device->stopping, true, __ATOMIC_RELEASE);
	if (device->started) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += END_PATIENCE_NS;
		until.tv_sec += until.tv_nsec / 1000000000l;
		until.tv_nsec %= 1000000000l;
		/* One that waits for memory that never answers keeps what it uses. */
		if (write(device->wake, &one, sizeof(one)) < 0 ||
		    pthread_timedjoin_np(device->thread, NULL, &until)) {
			pthread_detach(device->thread);
			return;
		}
	}
	device_free(device);
}

static void vfio_user_reset(void *model)
{
	struct vfio_user *device = model;

	pthread_mutex_lock(&device->lock);
	/* Before the first use there is nothing to reset. */
	if (device->started && device->facts.can_reset)
		vfio_user_link_call(&device->link, VFIO_USER_RESET, NULL, 0, NULL, 0, NULL, 0, NULL,
				    0);
	pthread_mutex_unlock(&device->lock);
}

/* The lock, with a server or without. */
static bool device_lock(struct vfio_user *device)
{
	pthread_mutex_lock(&device->lock);
	device_start(device);
	return device->link.fd >= 0;
}

static void device_unlock(struct vfio_user *device, bool was_open)
{
	const uint64_t one = 1;
	bool wakes = was_open && device->link.fd < 0;

	pthread_mutex_unlock(&device->lock);
	/* The thread waits for a socket that is closed: it must look again. */
	if (wakes && write(device->wake, &one, sizeof(one)) < 0)
		return;
}

static bool device_access(struct vfio_user *device, unsigned int bar, uint64_t offset, void *value,
			  unsigned int size, bool to_device)
{
	bool good = false, was_open;

	/* A BAR's size is a power of two, a region's is not. */
	if (offset >= device->facts.region_bytes[bar] ||
	    size > device->facts.region_bytes[bar] - offset)
		return false;
	was_open = device_lock(device);
	if (was_open)
		good = !region_access(device, bar, offset, value, size, to_device);
	device_unlock(device, was_open);
	return good;
}

static uint64_t vfio_user_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	uint64_t value = 0;

	return device_access(model, bar, offset, &value, size, false) ? value : UINT64_MAX;
}

static void vfio_user_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
			    unsigned int size)
{
	device_access(model, bar, offset, &value, size, true);
}

static void vfio_user_mapped(void *model, const struct pci_mapping *mapping)
{
	struct vfio_user *device = model;
	bool was_open = device_lock(device);

	if (!device->config.by_message)
		vfio_user_dma_add(&device->dma, mapping);
	else if (mapping->fd >= 0)
		close(mapping->fd);
	device_unlock(device, was_open);
}

static void vfio_user_unmapped(void *model, uint64_t iova, uint64_t bytes)
{
	struct vfio_user *device = model;
	bool was_open = device_lock(device);

	if (!device->config.by_message)
		vfio_user_dma_remove(&device->dma, iova, bytes);
	device_unlock(device, was_open);
}

const struct pci_model pci_model_vfio_user = {
	.kind = "vfio-user",
	.summary = "a device that a vfio-user server emulates",
	.parallel = true,
	.keys = vfio_user_keys,
	.config_bytes = sizeof(struct vfio_user_config),
	.create = vfio_user_create,
	.destroy = vfio_user_destroy,
	.reset = vfio_user_reset,
	.read = vfio_user_read,
	.write = vfio_user_write,
	.mapped = vfio_user_mapped,
	.unmapped = vfio_user_unmapped,
};
