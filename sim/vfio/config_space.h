/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space of a conventional PCI function: one memory BAR, INTx and
 * one MSI vector. What can be written, and how a BAR tells its size, is in a mask.
 */
#ifndef IOASIS_SIM_VFIO_CONFIG_SPACE_H
#define IOASIS_SIM_VFIO_CONFIG_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_SPACE_BYTES 256u

struct config_space {
	uint8_t bytes[CONFIG_SPACE_BYTES];
	uint8_t writable[CONFIG_SPACE_BYTES]; /* a bit for each bit */
};

/* As after reset. bar_bytes: a power of two from 16. */
void config_space_reset(struct config_space *space, uint16_t vendor, uint16_t device,
			uint32_t bar_bytes);

/* length bytes at offset, which are inside. */
void config_space_read(const struct config_space *space, size_t offset, void *buf, size_t length);
void config_space_write(struct config_space *space, size_t offset, const void *buf,
			size_t length);

/* Whether the function answers in its BAR; whether it may do DMA. */
bool config_space_memory_enabled(const struct config_space *space);
bool config_space_is_bus_master(const struct config_space *space);

#endif
