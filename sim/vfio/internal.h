/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between vfio_device.c (files, binding, regions) and irq.c (interrupts). */
#ifndef IOASIS_SIM_VFIO_INTERNAL_H
#define IOASIS_SIM_VFIO_INTERNAL_H

#include "sim/vfio/abi.h"
#include "sim/pci/pci_runner.h"
#include "sim/vfio/vfio_device.h"

#include <pthread.h>

/* How the device interrupts now: INTx or MSI, at most one of them. */
struct vfio_irqs {
	pthread_mutex_t lock; /* of all below */
	bool enabled;
	uint32_t index; /* SIM_VFIO_INTX or SIM_VFIO_MSI */
	int trigger;	/* an eventfd, owned; -1: none */
	bool masked;	/* INTx is masked by the device until the user unmasks it */
	int request;	/* the eventfd of the request interrupt, owned; -1: none */
};

struct vfio_device {
	const struct pci_slot *slot;
	struct pci_function *function; /* the slot's */
	struct pci_runner *runner;
	uint64_t random; /* the state of pci_random() */
	struct vfio_device_env env;
	pthread_mutex_t lock;
	struct vfio_file *bound; /* the one file that may use it; NULL: none */
	struct engine_device *engine_device; /* also with dma_lock */
	pthread_mutex_t dma_lock; /* held for moments */
	struct engine_ctx *ctx; /* of env.ctx_get */
	struct vfio_irqs irqs;
};

struct vfio_file {
	struct vfio_device *device;
};

void vfio_irqs_init(struct vfio_irqs *irqs);
void vfio_irqs_fini(struct vfio_irqs *irqs);

/* The device raises its interrupt. */
void vfio_irqs_raise(struct vfio_irqs *irqs);

/* How many interrupts of this index there are. */
uint32_t vfio_irqs_count(uint32_t index);

/* GET_IRQ_INFO and SET_IRQS, with the device's lock held. */
long vfio_irqs_info(const struct engine_client *client, uint64_t arg);
long vfio_irqs_set(struct vfio_device *device, const struct engine_client *client, uint64_t arg);

#endif
