/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device to learn with: the registers of QEMU's `edu` (docs/specs/edu.rst there), so
 * that drivers written for it work. It inverts numbers, computes factorials, raises
 * interrupts, and copies between memory and a buffer of its own by DMA.
 *
 * What the device does not know, its buffer too, reads as ones and is not written; less
 * than 4 bytes read as zeros.
 */
#include "sim/pci/models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDU_BAR_BYTES (1u << 20)
#define EDU_BUFFER_OFFSET 0x40000u
#define EDU_BUFFER_BYTES 4096u

enum edu_register {
	EDU_ID = 0x00,
	EDU_INVERT = 0x04,
	EDU_FACTORIAL = 0x08,
	EDU_STATUS = 0x20,
	EDU_IRQ_STATUS = 0x24,
	EDU_IRQ_RAISE = 0x60,
	EDU_IRQ_ACK = 0x64,
	EDU_DMA_SOURCE = 0x80,
	EDU_DMA_TARGET = 0x88,
	EDU_DMA_COUNT = 0x90,
	EDU_DMA_COMMAND = 0x98,
};

#define EDU_ID_VALUE 0x010000edu
#define EDU_STATUS_IRQ_ON_FACTORIAL 0x80u
#define EDU_IRQ_FACTORIAL 0x001u
#define EDU_IRQ_DMA 0x100u
#define EDU_DMA_START 0x1u
#define EDU_DMA_TO_MEMORY 0x2u
#define EDU_DMA_IRQ 0x4u

/* What save() keeps: all of it but the pointer. */
struct edu_registers {
	uint32_t inverted, factorial, status, irq_status;
	uint64_t dma_source, dma_target, dma_count, dma_command;
	uint8_t buffer[EDU_BUFFER_BYTES];
};

struct edu {
	struct pci_function *function;
	struct edu_registers regs;
};

static int edu_create(struct pci_function *function, const void *config,
		      struct pci_description *description, void **model, char why[PCI_WHY_BYTES])
{
	struct edu *edu = calloc(1, sizeof(*edu));

	(void)config;
	if (!edu) {
		snprintf(why, PCI_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	edu->function = function;
	*description = (struct pci_description){
		.vendor = 0x1234,
		.device = 0x11e8,
		.subsystem_vendor = 0x1af4,
		.subsystem_device = 0x1100,
		.class_code = 0x00ff00,
		.revision = 0x10,
		.bars = { { .bytes = EDU_BAR_BYTES } },
		.intx = true,
		.msi = 1,
	};
	*model = edu;
	return 0;
}

static void edu_reset(void *model)
{
	struct edu *edu = model;

	memset(&edu->regs, 0, sizeof(edu->regs));
}

static void raise_irq(struct edu *edu, uint32_t bits)
{
	edu->regs.irq_status |= bits;
	if (edu->regs.irq_status)
		pci_irq_raise(edu->function, 0);
}

static void lower_irq(struct edu *edu, uint32_t bits)
{
	edu->regs.irq_status &= ~bits;
	if (!edu->regs.irq_status)
		pci_irq_lower(edu->function);
}

/* Where [address, +count) is in the buffer, or NULL. */
static uint8_t *buffer_at(struct edu *edu, uint64_t address, uint64_t count)
{
	uint64_t at = address - EDU_BUFFER_OFFSET;

	if (address < EDU_BUFFER_OFFSET || at > EDU_BUFFER_BYTES || count > EDU_BUFFER_BYTES - at)
		return NULL;
	return edu->regs.buffer + at;
}

static void run_dma(struct edu *edu)
{
	struct edu_registers *regs = &edu->regs;
	bool to_memory = regs->dma_command & EDU_DMA_TO_MEMORY;
	size_t count = (size_t)regs->dma_count;
	uint8_t *buffer = buffer_at(edu, to_memory ? regs->dma_source : regs->dma_target,
				    regs->dma_count);

	regs->dma_command &= ~(uint64_t)EDU_DMA_START;
	if (!buffer)
		return;
	/* A device is not told that the IOMMU stopped it. What it reads then is zeros. */
	if (to_memory)
		pci_dma_write(edu->function, regs->dma_target, buffer, count);
	else if (pci_dma_read(edu->function, regs->dma_source, buffer, count))
		memset(buffer, 0, count);
	if (regs->dma_command & EDU_DMA_IRQ)
		raise_irq(edu, EDU_IRQ_DMA);
}

static void set_factorial(struct edu *edu, uint32_t n)
{
	struct edu_registers *regs = &edu->regs;

	regs->factorial = 1;
	for (; n > 1 && regs->factorial; n--) /* 34! is a multiple of 2^32 */
		regs->factorial *= n;
	if (regs->status & EDU_STATUS_IRQ_ON_FACTORIAL)
		raise_irq(edu, EDU_IRQ_FACTORIAL);
}

static uint64_t edu_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct edu_registers *regs = &((struct edu *)model)->regs;

	(void)bar;
	if (size < 4) /* narrower than the bus lets through to it */
		return 0;
	if (offset < EDU_DMA_SOURCE ? size != 4 : size != 4 && size != 8)
		return UINT64_MAX;
	switch (offset) {
	case EDU_ID:
		return EDU_ID_VALUE;
	case EDU_INVERT:
		return regs->inverted;
	case EDU_FACTORIAL:
		return regs->factorial;
	case EDU_STATUS:
		return regs->status;
	case EDU_IRQ_STATUS:
		return regs->irq_status;
	case EDU_DMA_SOURCE:
		return regs->dma_source;
	case EDU_DMA_TARGET:
		return regs->dma_target;
	case EDU_DMA_COUNT:
		return regs->dma_count;
	case EDU_DMA_COMMAND:
		return regs->dma_command;
	default:
		return UINT64_MAX;
	}
}

static void edu_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		      unsigned int size)
{
	struct edu *edu = model;
	struct edu_registers *regs = &edu->regs;

	(void)bar;
	if (offset < EDU_DMA_SOURCE ? size != 4 : size != 4 && size != 8)
		return;
	switch (offset) {
	case EDU_INVERT:
		regs->inverted = ~(uint32_t)value;
		return;
	case EDU_FACTORIAL:
		set_factorial(edu, (uint32_t)value);
		return;
	case EDU_STATUS:
		regs->status = (uint32_t)value & EDU_STATUS_IRQ_ON_FACTORIAL;
		return;
	case EDU_IRQ_RAISE:
		raise_irq(edu, (uint32_t)value);
		return;
	case EDU_IRQ_ACK:
		lower_irq(edu, (uint32_t)value);
		return;
	case EDU_DMA_SOURCE:
		regs->dma_source = value;
		return;
	case EDU_DMA_TARGET:
		regs->dma_target = value;
		return;
	case EDU_DMA_COUNT:
		regs->dma_count = value;
		return;
	case EDU_DMA_COMMAND:
		regs->dma_command = value;
		if (value & EDU_DMA_START)
			run_dma(edu);
		return;
	}
}

static void edu_save(void *model, struct pci_state *state)
{
	const struct edu *edu = model;

	pci_state_put(state, &edu->regs, sizeof(edu->regs));
}

static bool edu_load(void *model, struct pci_state *state)
{
	struct edu *edu = model;

	return pci_state_get(state, &edu->regs, sizeof(edu->regs));
}

const struct pci_model pci_model_edu = {
	.kind = "edu",
	.summary = "QEMU's device for teaching: registers, DMA with a buffer of 4 KiB, INTx, MSI",
	.state_version = 1,
	.create = edu_create,
	.destroy = free,
	.reset = edu_reset,
	.read = edu_read,
	.write = edu_write,
	.save = edu_save,
	.load = edu_load,
};
