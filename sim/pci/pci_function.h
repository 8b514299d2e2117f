/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: configuration space, BARs, interrupts and reset around a model.
 *
 * This is what the bus, a host driver (sim/vfio) and a scenario see. The model's side is
 * pci_model.h.
 *
 * Threads: all may be called from any thread unless said otherwise. The world's
 * operations are called with no lock held that another unit of work needs.
 */
#ifndef IOASIS_SIM_PCI_FUNCTION_H
#define IOASIS_SIM_PCI_FUNCTION_H

#include "sim/pci/pci_config.h"
#include "sim/pci/pci_model.h"

#include <sys/types.h>

/* What is around a function. opaque is what pci_function_connect() was given. */
struct pci_world_ops {
	/* As pci_dma_vector(), but whether the function is a bus master is known: it is. */
	int (*dma)(void *opaque, uint32_t pasid, bool write, const struct pci_dma_piece *pieces,
		   unsigned int pieces_count, const struct iovec *local,
		   unsigned int local_count, uint64_t *fault_iova);
	/* A message of MSI or MSI-X is sent; no lock is held. */
	void (*message)(void *opaque, unsigned int vector);
	/* The pin INTA changes, INTX_DISABLE counted in; with the pin's lock held. */
	void (*pin)(void *opaque, bool up);
	uint64_t (*now)(void *opaque);
	uint64_t (*random)(void *opaque);
	/* step() of the unit is to be called; not from here. NULL: someone polls anyway. */
	void (*wake)(void *opaque, unsigned int unit);
	/* pci_command_mishap(), into *mishap that is zeros. NULL: nothing goes wrong. */
	void (*mishap)(void *opaque, const struct pci_command *command,
		       struct pci_mishap *mishap);
	/* pci_removed(). NULL: nobody minds. */
	void (*removed)(void *opaque);
};

/*
 * Makes a function of a model; config as its keys filled it, addresses of its BARs are
 * chosen later (pci_function_place()). vendor, device: other ids than the model's, 0:
 * the model's. NULL with one line in why.
 */
struct pci_function *pci_function_create(const struct pci_model *model, const void *config,
					 uint16_t vendor, uint16_t device,
					 char why[PCI_WHY_BYTES]);
/* No other call may run or follow. */
void pci_function_destroy(struct pci_function *function);

/* Firmware: where the BARs are. Before any use. */
void pci_function_place(struct pci_function *function, const uint64_t addresses[PCI_BARS]);

/* Connects it to a world: before any use. ops stay as long as the function. */
void pci_function_connect(struct pci_function *function, const struct pci_world_ops *ops,
			  void *opaque);

const struct pci_model *pci_function_model(const struct pci_function *function);
const struct pci_description *pci_function_description(const struct pci_function *function);

/* ---- configuration space --------------------------------------------------------- */

/* 256 or 4096. */
size_t pci_function_config_bytes(const struct pci_function *function);
/* Offsets of capabilities, without a lock: they do not change. */
const struct pci_config *pci_function_config(const struct pci_function *function);
/* offset + length is inside; PCI_STATUS_INTERRUPT tells the pin's level before it. */
void pci_function_config_read(struct pci_function *function, size_t offset, void *buf,
			      size_t length);
/*
 * Switches memory decoding, bus mastering, INTX_DISABLE and power with what it writes. The
 * bit for a function level reset does nothing: a host driver calls pci_function_reset().
 */
void pci_function_config_write(struct pci_function *function, size_t offset, const void *buf,
			       size_t length);
/* Whether it answers in its BARs: memory decoding is on, and it is not in D3hot. */
bool pci_function_memory_enabled(const struct pci_function *function);

/* ---- BARs ------------------------------------------------------------------------ */

/*
 * One access of 1, 2, 4 or 8 bytes, aligned to that, inside the BAR. Whether memory is
 * decoded is for the caller to ask.
 */
uint64_t pci_function_read(struct pci_function *function, unsigned int bar, uint64_t offset,
			   unsigned int size);
void pci_function_write(struct pci_function *function, unsigned int bar, uint64_t offset,
			uint64_t value, unsigned int size);

/*
 * DMA of another device to the BAR, any bytes inside it: memory at once, registers by
 * the widest aligned accesses. 0, or -EFAULT: memory is not decoded.
 */
int pci_function_peer_access(struct pci_function *function, unsigned int bar, uint64_t offset,
			     void *buf, size_t length, bool write);

/*
 * The memfd of the BAR's memory, borrowed, whose offsets are the BAR's; -1: it has none.
 * Its size is 0 while memory is not decoded.
 */
int pci_function_bar_fd(struct pci_function *function, unsigned int bar);
/*
 * The part [*offset, +*bytes) that can be mapped, the first that ends beyond *offset;
 * false: no more. The MSI-X table is a part, too.
 */
bool pci_function_mappable(const struct pci_function *function, unsigned int bar,
			   uint64_t *offset, uint64_t *bytes);
/* Whether all of [offset, +bytes) can be mapped. */
bool pci_function_is_mappable(const struct pci_function *function, unsigned int bar,
			      uint64_t offset, uint64_t bytes);
/*
 * Hides what is mapped of it, besides what the configuration space says: a sleeping
 * device. Reads and writes work as before.
 */
void pci_function_sleep(struct pci_function *function, bool asleep);
/* The memory itself; only where it can be mapped. */
uint8_t *pci_function_bar_base(const struct pci_function *function, unsigned int bar);

/* ---- DMA that happens elsewhere --------------------------------------------------- */

/* Whether its model wants to know what is mapped: struct pci_model. */
bool pci_function_listens(const struct pci_function *function);
/* Takes over the mapping's file. */
void pci_function_mapped(struct pci_function *function, const struct pci_mapping *mapping);
void pci_function_unmapped(struct pci_function *function, uint64_t iova, uint64_t bytes);

/* ---- interrupts ------------------------------------------------------------------ */

enum pci_irq_mode {
	PCI_IRQ_PIN, /* what it wakes up with */
	PCI_IRQ_MSI,
	PCI_IRQ_MSIX,
};

/* A host driver chooses how it interrupts; count: messages that it gets. */
void pci_function_irq_mode(struct pci_function *function, enum pci_irq_mode mode,
			   unsigned int count);
/* The pin's level, INTX_DISABLE not counted in. */
bool pci_function_pin(struct pci_function *function);

/* ---- work, reset, state ---------------------------------------------------------- */

unsigned int pci_function_units(const struct pci_function *function);
/* One step of the model's unit; PCI_NEVER also while it is stopped. */
uint64_t pci_function_step(struct pci_function *function, unsigned int unit, uint64_t now_ns);
bool pci_function_poll(struct pci_function *function, unsigned int unit);

/*
 * The model is as after power-on, its memory zeros; the configuration space stays, as
 * the kernel saves and restores it. When something still works in the model that does
 * not end, it is reset once that has ended.
 */
void pci_function_reset(struct pci_function *function);

/*
 * Stops and starts the model: no step begins, and none runs when it returns. -ETIMEDOUT:
 * one does not end; it is not stopped then.
 */
int pci_function_stop(struct pci_function *function);
void pci_function_start(struct pci_function *function);

/* Whether it can; and what is in it, also its memory. While stopped. */
bool pci_function_can_migrate(const struct pci_function *function);
/* -ENOMEM. */
int pci_function_save(struct pci_function *function, struct pci_state *state);
/* -EINVAL: not a state of this model and version; it is reset then. */
int pci_function_load(struct pci_function *function, struct pci_state *state);

#endif
