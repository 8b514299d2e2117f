/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device to learn with: the registers of QEMU's `edu` (docs/specs/edu.rst there),
 * so that drivers written for it work. It inverts numbers, computes factorials,
 * raises interrupts, and copies between memory and a buffer of its own by DMA.
 *
 * Pure: what it does to the world goes through edu_ops.
 */
#ifndef IOASIS_SIM_VFIO_EDU_H
#define IOASIS_SIM_VFIO_EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDU_BAR_BYTES (1u << 20)
#define EDU_BUFFER_OFFSET 0x40000u
#define EDU_BUFFER_BYTES 4096u

struct edu_ops {
	/* DMA of length bytes at iova; false: it faulted. */
	bool (*dma)(void *opaque, uint64_t iova, void *buf, size_t length, bool write);
	/* The interrupt line is raised. */
	void (*raise_irq)(void *opaque);
};

struct edu {
	const struct edu_ops *ops;
	void *opaque;
	uint32_t inverted, factorial, status, irq_status;
	uint64_t dma_source, dma_target, dma_count, dma_command;
	uint8_t buffer[EDU_BUFFER_BYTES];
};

void edu_reset(struct edu *edu, const struct edu_ops *ops, void *opaque);

/*
 * Register accesses of size 1, 2, 4 or 8 bytes at offset into the BAR. What the
 * device does not know, its buffer too, reads as ones and is not written; less than
 * 4 bytes read as zeros.
 */
uint64_t edu_read(struct edu *edu, uint64_t offset, unsigned int size);
void edu_write(struct edu *edu, uint64_t offset, uint64_t value, unsigned int size);

#endif
