/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dice: throws as many as it is told, and writes them to memory (docs/DEVICE_MODEL.md). */
#include "sim/pci/models.h"

#include <errno.h>
#include <stdlib.h>

#define DICE_MAX 64u

enum dice_register {
	DICE_TARGET = 0x00, /* 64 bits: where throws are written, a byte a die */
	DICE_THROW = 0x08,  /* write: throw so many */
	DICE_THROWN = 0x0c, /* read: how many there were; write: the pin goes down */
};

struct dice {
	struct pci_function *function;
	uint64_t target;
	uint32_t thrown;
};

static int dice_create(struct pci_function *function, const void *config,
		       struct pci_description *description, void **model, char why[PCI_WHY_BYTES])
{
	struct dice *dice = calloc(1, sizeof(*dice));

	(void)config, (void)why;
	if (!dice)
		return -ENOMEM;
	dice->function = function;
	*description = (struct pci_description){
		.vendor = 0x1234, .device = 0x11ea, .class_code = 0x00ff00,
		.bars = { { .bytes = 4096 } }, .intx = true, .msi = 1,
	};
	*model = dice;
	return 0;
}

static void dice_reset(void *model)
{
	struct dice *dice = model;

	dice->target = dice->thrown = 0;
}

static uint64_t dice_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct dice *dice = model;

	(void)bar, (void)size;
	return offset == DICE_TARGET ? dice->target : offset == DICE_THROWN ? dice->thrown : 0;
}

static void dice_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		       unsigned int size)
{
	struct dice *dice = model;
	uint8_t throws[DICE_MAX];

	(void)bar, (void)size;
	if (offset == DICE_TARGET)
		dice->target = value;
	if (offset == DICE_THROWN)
		pci_irq_lower(dice->function);
	if (offset != DICE_THROW || value > DICE_MAX)
		return;
	for (uint64_t i = 0; i < value; i++)
		throws[i] = (uint8_t)(pci_random(dice->function) % 6 + 1);
	if (!pci_dma_write(dice->function, dice->target, throws, (size_t)value))
		dice->thrown += (uint32_t)value;
	pci_irq_raise(dice->function, 0);
}

const struct pci_model pci_model_dice = {
	.kind = "dice",
	.summary = "throws dice: the example of docs/DEVICE_MODEL.md",
	.create = dice_create,
	.destroy = free,
	.reset = dice_reset,
	.read = dice_read,
	.write = dice_write,
};
