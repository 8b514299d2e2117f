/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of a VFIO device: what a client set by SET_IRQS, and eventfds.
 *
 * Source: drivers/vfio/pci/vfio_pci_intrs.c, vfio_set_irqs_validate_and_prepare(),
 * Linux 7.3. Masking of a pin is done here, not in the device's command register, which
 * a client does not see either way.
 */
#ifndef IOASIS_SIM_VFIO_IRQ_H
#define IOASIS_SIM_VFIO_IRQ_H

#include "sim/engine/engine.h"
#include "sim/vfio/abi.h"

#include <pthread.h>

struct vfio_device;
struct vfio_watched;

struct vfio_irqs {
	pthread_mutex_t gate; /* one change at a time; comes before the others */

	pthread_mutex_t pin_lock; /* of what follows; nothing is called with it held */
	uint32_t type;		  /* SIM_VFIO_INTX, MSI or MSIX; SIM_VFIO_IRQS: none */
	int pin_trigger;	  /* an eventfd, owned; -1: none */
	bool masked;
	bool disabled; /* by the client's INTX_DISABLE */

	struct vfio_watched *unmask; /* an eventfd that unmasks; with gate */
	int error, request;	     /* eventfds, owned; -1: none; with gate */

	pthread_rwlock_t vectors_lock; /* held for reading while a message is signalled */
	int *vectors;		       /* eventfds, owned; -1: none */
	unsigned int vectors_count;
	uint32_t vectors_index;	       /* SIM_VFIO_MSI or SIM_VFIO_MSIX */
	unsigned int enabled_count; /* of the call that set them up; with gate */
};

void vfio_irqs_init(struct vfio_irqs *irqs);
void vfio_irqs_fini(struct vfio_irqs *irqs);
/* As the last close: all is off, and no eventfd is held. */
void vfio_irqs_end(struct vfio_device *device);

/* For pci_world_ops. */
void vfio_irqs_message(struct vfio_device *device, unsigned int vector);
void vfio_irqs_pin(struct vfio_device *device, bool up);

/* The client's INTX_DISABLE changed. */
void vfio_irqs_disable_pin(struct vfio_device *device, bool disabled);

/* Whether MSI is on: then the client may set its bit, too. */
bool vfio_irqs_is_msi(struct vfio_irqs *irqs);

/* Tells the client that it should let go of the device. */
void vfio_irqs_request(struct vfio_irqs *irqs);

/* GET_IRQ_INFO and SET_IRQS; no lock of the device may be held. */
long vfio_irqs_info(struct vfio_device *device, const struct engine_client *client, uint64_t arg);
long vfio_irqs_set(struct vfio_device *device, const struct engine_client *client, uint64_t arg);

#endif
