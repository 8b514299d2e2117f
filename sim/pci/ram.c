/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory on a card, with an engine that copies: what BARs that a driver maps, doorbells,
 * peer-to-peer and DMA by lists are tried with. docs/DEVICE.md has the registers.
 *
 * BAR 0 has registers, all trapped. BAR 2 is the memory. BAR 4 has the doorbell, which a
 * driver maps and the engine looks at, and the MSI-X table. So a BAR is mapped whole or not
 * at all: many drivers know no parts. A driver puts descriptors into a ring in its own
 * memory and writes to the doorbell how many it has put there since the engine was enabled;
 * the engine writes a status into each when it is done with it.
 */
#include "sim/pci/models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_REGISTERS_BYTES 0x1000u
#define RAM_DOORBELL_BAR 4u
#define RAM_DOORBELL_BYTES 0x4000u /* of the whole BAR: four pages */
#define RAM_DOORBELL 0x0000u
#define RAM_MSIX_TABLE 0x1000u
#define RAM_MSIX_PENDING 0x2000u
#define RAM_UNUSED 0x3000u
#define RAM_BYTES_DEFAULT (1ull << 20)
#define RAM_BYTES_MAX (16ull << 30)
#define RAM_VECTORS_DEFAULT 4u
#define RAM_VECTORS_MAX 32u
#define RAM_RING_MAX 65536u
#define RAM_STEP_DESCRIPTORS 64u /* then others may come in between */
#define RAM_COPY_BYTES 65536u	 /* at once, from address to address */

enum ram_register {
	RAM_ID = 0x00,
	RAM_STATUS = 0x04,
	RAM_SIZE = 0x08,
	RAM_RING = 0x10,
	RAM_RING_ENTRIES = 0x18,
	RAM_CONTROL = 0x1c,
	RAM_COMPLETED = 0x20,
	RAM_FAULTS = 0x24,
	RAM_FAULT_IOVA = 0x28,
	RAM_PASID = 0x30,
};

#define RAM_ID_VALUE 0x016d6172u /* "ram", version 1 */
#define RAM_CONTROL_ENABLE 1u
#define RAM_STATUS_ENABLED 1u
#define RAM_STATUS_STOPPED 2u /* the ring cannot be read: enable anew */

struct ram_descriptor {
	uint64_t iova;
	uint64_t other; /* offset in the memory; with RAM_BETWEEN an IOVA */
	uint32_t bytes;
	uint16_t flags;
	uint16_t vector;
	uint32_t status; /* written by the engine */
	uint32_t reserved;
};
#define RAM_TO_IOVA 1u	 /* from the card, or from `other`, to iova */
#define RAM_INTERRUPT 2u /* by vector, when it is done */
#define RAM_BETWEEN 4u	 /* other is an IOVA, too */
#define RAM_FLAGS 7u
#define RAM_DONE 1u
#define RAM_FAULT 2u
#define RAM_BAD 3u /* it makes no sense */

struct ram_config {
	uint64_t bytes;
	uint64_t vectors;
};

/* What save() keeps. */
struct ram_registers {
	uint64_t ring, fault_iova;
	uint32_t entries, control, status, completed, faults, pasid;
};

struct ram {
	struct pci_function *function;
	struct ram_config config;
	struct ram_registers regs;
	uint32_t taken; /* descriptors, as the doorbell counts; __atomic */
	uint8_t bounce[RAM_COPY_BYTES];
};

static bool set_bytes(void *config, const char *value)
{
	struct ram_config *ram = config;

	return pci_value_bytes(value, &ram->bytes) && !(ram->bytes & (ram->bytes - 1)) &&
	       ram->bytes >= 4096 && ram->bytes <= RAM_BYTES_MAX;
}

static bool set_vectors(void *config, const char *value)
{
	struct ram_config *ram = config;

	return pci_value_number(value, RAM_VECTORS_MAX, &ram->vectors) && ram->vectors;
}

static const struct pci_model_key ram_keys[] = {
	{ "size", "a power of two from 4096 to 16G, such as 64M (default 1M)", set_bytes },
	{ "vectors", "1 to 32 interrupt vectors (default 4)", set_vectors },
	{ NULL, NULL, NULL },
};

static int ram_create(struct pci_function *function, const void *config,
		      struct pci_description *description, void **model, char why[PCI_WHY_BYTES])
{
	struct ram *ram = calloc(1, sizeof(*ram));

	if (!ram) {
		snprintf(why, PCI_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	ram->function = function;
	ram->config = *(const struct ram_config *)config;
	if (!ram->config.bytes)
		ram->config.bytes = RAM_BYTES_DEFAULT;
	if (!ram->config.vectors)
		ram->config.vectors = RAM_VECTORS_DEFAULT;
	*description = (struct pci_description){
		.vendor = 0x1234,
		.device = 0x11e9,
		.subsystem_vendor = 0x1af4,
		.subsystem_device = 0x1100,
		.class_code = 0x050000, /* RAM controller */
		.revision = 1,
		.bars = {
			[0] = { .bytes = RAM_REGISTERS_BYTES },
			[2] = {
				.bytes = ram->config.bytes,
				.is_64bit = true,
				.prefetchable = true,
				.areas = { { 0, ram->config.bytes, PCI_AREA_MEMORY } },
			},
			[RAM_DOORBELL_BAR] = {
				.bytes = RAM_DOORBELL_BYTES,
				.areas = { { RAM_DOORBELL, 4096, PCI_AREA_WATCHED },
					   { RAM_UNUSED, 4096, PCI_AREA_MEMORY } },
			},
		},
		.intx = true,
		.msix = (unsigned int)ram->config.vectors,
		.msix_bar = RAM_DOORBELL_BAR,
		.msix_table = RAM_MSIX_TABLE,
		.msix_pending = RAM_MSIX_PENDING,
		.power_management = true,
		.express = true,
		.flr = true,
		.units = 1,
	};
	*model = ram;
	return 0;
}

static void ram_reset(void *model)
{
	struct ram *ram = model;

	memset(&ram->regs, 0, sizeof(ram->regs));
	__atomic_store_n(&ram->taken, 0, __ATOMIC_RELEASE);
}

/* ---- the engine -------------------------------------------------------------------- */

static uint32_t *doorbell_word(const struct ram *ram)
{
	return pci_bar_memory(ram->function, RAM_DOORBELL_BAR, RAM_DOORBELL);
}

static uint32_t doorbell(const struct ram *ram)
{
	return __atomic_load_n(doorbell_word(ram), __ATOMIC_ACQUIRE);
}

static bool ram_poll(void *model, unsigned int unit)
{
	struct ram *ram = model;

	(void)unit;
	return doorbell(ram) != __atomic_load_n(&ram->taken, __ATOMIC_ACQUIRE);
}

static int dma(struct ram *ram, bool write, uint64_t iova, void *buf, uint64_t bytes)
{
	const struct pci_dma_piece piece = { .iova = iova, .bytes = bytes };
	const struct iovec local = { .iov_base = buf, .iov_len = (size_t)bytes };
	uint64_t fault_iova = iova;
	int err = pci_dma_vector(ram->function, ram->regs.pasid, write, &piece, 1, &local, 1,
				 &fault_iova);

	if (err) {
		ram->regs.faults++;
		ram->regs.fault_iova = fault_iova;
	}
	return err;
}

static int copy_between(struct ram *ram, uint64_t from, uint64_t to, uint32_t bytes)
{
	while (bytes) {
		uint32_t n = bytes < RAM_COPY_BYTES ? bytes : RAM_COPY_BYTES;

		if (dma(ram, false, from, ram->bounce, n) || dma(ram, true, to, ram->bounce, n))
			return -EFAULT;
		from += n;
		to += n;
		bytes -= n;
	}
	return 0;
}

/* The status of a descriptor. */
static uint32_t run(struct ram *ram, const struct ram_descriptor *descriptor)
{
	bool to_iova = descriptor->flags & RAM_TO_IOVA;
	int err;

	if (descriptor->flags & ~RAM_FLAGS)
		return RAM_BAD;
	if (descriptor->flags & RAM_BETWEEN) {
		err = copy_between(ram, to_iova ? descriptor->other : descriptor->iova,
				   to_iova ? descriptor->iova : descriptor->other,
				   descriptor->bytes);
		return err ? RAM_FAULT : RAM_DONE;
	}
	if (descriptor->other > ram->config.bytes ||
	    descriptor->bytes > ram->config.bytes - descriptor->other)
		return RAM_BAD;
	if (!descriptor->bytes)
		return RAM_DONE;
	err = dma(ram, to_iova, descriptor->iova,
		  pci_bar_memory(ram->function, 2, descriptor->other), descriptor->bytes);
	return err ? RAM_FAULT : RAM_DONE;
}

/* The ring itself cannot be reached. */
static void stop(struct ram *ram)
{
	ram->regs.control &= ~RAM_CONTROL_ENABLE;
	ram->regs.status = RAM_STATUS_STOPPED;
	__atomic_store_n(&ram->taken, doorbell(ram), __ATOMIC_RELEASE);
}

static uint64_t ram_step(void *model, unsigned int unit, uint64_t now_ns)
{
	struct ram *ram = model;

	(void)unit;
	if (!(ram->regs.control & RAM_CONTROL_ENABLE)) {
		__atomic_store_n(&ram->taken, doorbell(ram), __ATOMIC_RELEASE);
		return PCI_NEVER;
	}
	for (unsigned int i = 0; i < RAM_STEP_DESCRIPTORS; i++) {
		uint32_t index = ram->taken & (ram->regs.entries - 1);
		uint64_t at = ram->regs.ring + index * sizeof(struct ram_descriptor);
		struct ram_descriptor descriptor;

		if (doorbell(ram) == ram->taken)
			return PCI_NEVER;
		if (dma(ram, false, at, &descriptor, sizeof(descriptor))) {
			stop(ram);
			return PCI_NEVER;
		}
		descriptor.status = run(ram, &descriptor);
		if (dma(ram, true, at + offsetof(struct ram_descriptor, status),
			&descriptor.status, sizeof(descriptor.status))) {
			stop(ram);
			return PCI_NEVER;
		}
		ram->regs.completed++;
		__atomic_store_n(&ram->taken, ram->taken + 1, __ATOMIC_RELEASE);
		if (descriptor.flags & RAM_INTERRUPT)
			pci_irq_raise(ram->function, descriptor.vector);
	}
	return now_ns; /* more may be there */
}

/* ---- registers --------------------------------------------------------------------- */

static uint64_t ram_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct ram *ram = model;
	const struct ram_registers *regs = &ram->regs;

	(void)bar;
	if (size < 4)
		return UINT64_MAX;
	switch (offset) {
	case RAM_ID:
		return RAM_ID_VALUE;
	case RAM_STATUS:
		return regs->status;
	case RAM_SIZE:
		return ram->config.bytes;
	case RAM_RING:
		return regs->ring;
	case RAM_RING_ENTRIES:
		return regs->entries;
	case RAM_CONTROL:
		return regs->control;
	case RAM_COMPLETED:
		return regs->completed;
	case RAM_FAULTS:
		return regs->faults;
	case RAM_FAULT_IOVA:
		return regs->fault_iova;
	case RAM_PASID:
		return regs->pasid;
	default:
		return UINT64_MAX;
	}
}

/* Enabling begins a ring anew: the doorbell counts from 0. */
static void set_control(struct ram *ram, uint32_t value)
{
	struct ram_registers *regs = &ram->regs;
	bool good = regs->entries && !(regs->entries & (regs->entries - 1)) &&
		    regs->entries <= RAM_RING_MAX;

	regs->control = good ? value & RAM_CONTROL_ENABLE : 0;
	regs->status = regs->control ? RAM_STATUS_ENABLED : 0;
	if (!regs->control)
		return;
	__atomic_store_n(doorbell_word(ram), 0, __ATOMIC_RELEASE);
	__atomic_store_n(&ram->taken, 0, __ATOMIC_RELEASE);
}

static void ram_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		      unsigned int size)
{
	struct ram *ram = model;
	struct ram_registers *regs = &ram->regs;

	(void)bar;
	if (size < 4)
		return;
	switch (offset) {
	case RAM_STATUS: /* the pin goes down */
		pci_irq_lower(ram->function);
		return;
	case RAM_RING:
		regs->ring = value;
		return;
	case RAM_RING + 4:
		regs->ring = (regs->ring & UINT32_MAX) | value << 32;
		return;
	case RAM_RING_ENTRIES:
		if (!(regs->control & RAM_CONTROL_ENABLE))
			regs->entries = (uint32_t)value;
		return;
	case RAM_CONTROL:
		set_control(ram, (uint32_t)value);
		return;
	case RAM_PASID:
		regs->pasid = (uint32_t)value;
		return;
	}
}

/* ---- state ------------------------------------------------------------------------- */

static void ram_save(void *model, struct pci_state *state)
{
	const struct ram *ram = model;

	pci_state_put(state, &ram->regs, sizeof(ram->regs));
	pci_state_put(state, &ram->taken, sizeof(ram->taken));
	pci_state_put(state, &ram->config.bytes, sizeof(ram->config.bytes));
}

static bool ram_load(void *model, struct pci_state *state)
{
	struct ram *ram = model;
	struct ram_registers regs;
	uint64_t bytes;
	uint32_t taken;

	if (!pci_state_get(state, &regs, sizeof(regs)) ||
	    !pci_state_get(state, &taken, sizeof(taken)) ||
	    !pci_state_get(state, &bytes, sizeof(bytes)) || bytes != ram->config.bytes)
		return false;
	/* It may come from anyone: what set_control() would not let in stays out. */
	if (regs.control & RAM_CONTROL_ENABLE &&
	    (!regs.entries || regs.entries & (regs.entries - 1) || regs.entries > RAM_RING_MAX))
		return false;
	ram->regs = regs;
	__atomic_store_n(&ram->taken, taken, __ATOMIC_RELEASE);
	return true;
}

const struct pci_model pci_model_ram = {
	.kind = "ram",
	.summary = "memory that a driver maps, and an engine that copies: doorbell, MSI-X",
	.state_version = 1,
	.keys = ram_keys,
	.config_bytes = sizeof(struct ram_config),
	.create = ram_create,
	.destroy = free,
	.reset = ram_reset,
	.read = ram_read,
	.write = ram_write,
	.step = ram_step,
	.poll = ram_poll,
	.save = ram_save,
	.load = ram_load,
};
