/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of a function: pci_function.c (making it, configuration space, BARs),
 * pci_work.c (who may run in the model), pci_irq.c (interrupts).
 */
#ifndef IOASIS_SIM_PCI_INTERNAL_H
#define IOASIS_SIM_PCI_INTERNAL_H

#include "sim/pci/pci_function.h"
#include "sim/pci/pci_memory.h"
#include "sim/pci/pci_state.h"

#include <pthread.h>

/* Who runs in the model. Held for moments, never while the model works. */
struct pci_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int running; /* calls in the model now */
	unsigned int waiting; /* for changed */
	bool alone;	      /* one call runs and no other may */
	bool stopped;	      /* no step begins */
	bool reset_wanted;    /* by the last that leaves */
};

struct pci_pin {
	pthread_mutex_t lock;
	bool raised;   /* by the model; read without the lock */
	bool disabled; /* INTX_DISABLE */
	bool up;       /* what the world was told */
};

struct pci_function {
	const struct pci_model *model;
	void *state; /* of the model, owned */
	struct pci_description description;
	const struct pci_world_ops *world;
	void *opaque;

	pthread_mutex_t config_lock; /* also of hiding and showing memory */
	struct pci_config config;
	bool memory_enabled, is_master; /* what config says; read without the lock */
	bool asleep;
	bool removed; /* the card is not there any more; __atomic */

	struct pci_memory bars[PCI_BARS];
	bool lent[PCI_BARS]; /* its file is with someone; with config_lock */

	struct pci_gate gate;
	struct pci_pin pin;
	enum pci_irq_mode irq_mode; /* __atomic */
	unsigned int irq_count;	    /* messages; __atomic */
};

/* The kind of the area that offset lies in, with MSI-X's as memory. */
enum pci_area_kind pci_function_area(const struct pci_function *function, unsigned int bar,
				     uint64_t offset);

static inline bool pci_function_is_removed(const struct pci_function *function)
{
	return __atomic_load_n(&function->removed, __ATOMIC_ACQUIRE);
}

/* ---- pci_work.c ------------------------------------------------------------------ */

void pci_gate_init(struct pci_gate *gate);
void pci_gate_fini(struct pci_gate *gate);
/* Around each call into the model but poll(). */
void pci_gate_enter(struct pci_function *function);
void pci_gate_leave(struct pci_function *function);

/* ---- pci_irq.c ------------------------------------------------------------------- */

/* INTX_DISABLE changed. */
void pci_irq_disable_pin(struct pci_function *function, bool disabled);
/* As after reset: the pin is down. */
void pci_irq_reset(struct pci_function *function);

#endif
