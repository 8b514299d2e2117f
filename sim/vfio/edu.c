/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/edu.h"

#include <string.h>

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

void edu_reset(struct edu *edu, const struct edu_ops *ops, void *opaque)
{
	memset(edu, 0, sizeof(*edu));
	edu->ops = ops;
	edu->opaque = opaque;
}

static void raise_irq(struct edu *edu, uint32_t bits)
{
	edu->irq_status |= bits;
	if (edu->irq_status)
		edu->ops->raise_irq(edu->opaque);
}

/* Where [address, +count) is in the buffer, or NULL. */
static uint8_t *buffer_at(struct edu *edu, uint64_t address, uint64_t count)
{
	uint64_t at = address - EDU_BUFFER_OFFSET;

	if (address < EDU_BUFFER_OFFSET || at > EDU_BUFFER_BYTES || count > EDU_BUFFER_BYTES - at)
		return NULL;
	return edu->buffer + at;
}

static void run_dma(struct edu *edu)
{
	bool to_memory = edu->dma_command & EDU_DMA_TO_MEMORY;
	uint64_t count = edu->dma_count;
	uint8_t *buffer = buffer_at(edu, to_memory ? edu->dma_source : edu->dma_target, count);
	uint64_t iova = to_memory ? edu->dma_target : edu->dma_source;

	edu->dma_command &= ~(uint64_t)EDU_DMA_START;
	if (!buffer)
		return;
	/* A device is not told that the IOMMU stopped it. What it reads then is zeros. */
	if (!edu->ops->dma(edu->opaque, iova, buffer, (size_t)count, to_memory) && !to_memory)
		memset(buffer, 0, (size_t)count);
	if (edu->dma_command & EDU_DMA_IRQ)
		raise_irq(edu, EDU_IRQ_DMA);
}

static void set_factorial(struct edu *edu, uint32_t n)
{
	edu->factorial = 1;
	for (; n > 1 && edu->factorial; n--) /* 34! is a multiple of 2^32 */
		edu->factorial *= n;
	if (edu->status & EDU_STATUS_IRQ_ON_FACTORIAL)
		raise_irq(edu, EDU_IRQ_FACTORIAL);
}

uint64_t edu_read(struct edu *edu, uint64_t offset, unsigned int size)
{
	if (size < 4) /* narrower than the bus lets through to it */
		return 0;
	if (offset < EDU_DMA_SOURCE ? size != 4 : size != 4 && size != 8)
		return UINT64_MAX;
	switch (offset) {
	case EDU_ID:
		return EDU_ID_VALUE;
	case EDU_INVERT:
		return edu->inverted;
	case EDU_FACTORIAL:
		return edu->factorial;
	case EDU_STATUS:
		return edu->status;
	case EDU_IRQ_STATUS:
		return edu->irq_status;
	case EDU_DMA_SOURCE:
		return edu->dma_source;
	case EDU_DMA_TARGET:
		return edu->dma_target;
	case EDU_DMA_COUNT:
		return edu->dma_count;
	case EDU_DMA_COMMAND:
		return edu->dma_command;
	default:
		return UINT64_MAX;
	}
}

void edu_write(struct edu *edu, uint64_t offset, uint64_t value, unsigned int size)
{
	if (offset < EDU_DMA_SOURCE ? size != 4 : size != 4 && size != 8)
		return;
	switch (offset) {
	case EDU_INVERT:
		edu->inverted = ~(uint32_t)value;
		return;
	case EDU_FACTORIAL:
		set_factorial(edu, (uint32_t)value);
		return;
	case EDU_STATUS:
		edu->status = (uint32_t)value & EDU_STATUS_IRQ_ON_FACTORIAL;
		return;
	case EDU_IRQ_RAISE:
		raise_irq(edu, (uint32_t)value);
		return;
	case EDU_IRQ_ACK:
		edu->irq_status &= ~(uint32_t)value;
		return;
	case EDU_DMA_SOURCE:
		edu->dma_source = value;
		return;
	case EDU_DMA_TARGET:
		edu->dma_target = value;
		return;
	case EDU_DMA_COUNT:
		edu->dma_count = value;
		return;
	case EDU_DMA_COMMAND:
		edu->dma_command = value;
		if (value & EDU_DMA_START)
			run_dma(edu);
		return;
	}
}
