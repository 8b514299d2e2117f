/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a function interrupts: by its pin, which is a level, or by messages.
 *
 * A message takes no lock, so queues that work at the same time do not meet here. The
 * MSI-X table holds what a kernel would have written; its mask bits are not looked at,
 * since a host driver masks by not listening.
 */
#include "sim/pci/internal.h"

#include <linux/pci_regs.h>
#include <string.h>

#define MSIX_MESSAGE_ADDRESS 0xfee00000u

/* With the pin's lock held. */
static void pin_update(struct pci_function *function)
{
	struct pci_pin *pin = &function->pin;
	bool up = pin->raised && !pin->disabled &&
		  __atomic_load_n(&function->irq_mode, __ATOMIC_RELAXED) == PCI_IRQ_PIN;

	if (up == pin->up)
		return;
	pin->up = up;
	if (function->world)
		function->world->pin(function->opaque, up);
}

static void pin_set(struct pci_function *function, bool raised)
{
	pthread_mutex_lock(&function->pin.lock);
	__atomic_store_n(&function->pin.raised, raised, __ATOMIC_RELEASE);
	pin_update(function);
	pthread_mutex_unlock(&function->pin.lock);
}

void pci_irq_disable_pin(struct pci_function *function, bool disabled)
{
	pthread_mutex_lock(&function->pin.lock);
	function->pin.disabled = disabled;
	pin_update(function);
	pthread_mutex_unlock(&function->pin.lock);
}

void pci_irq_reset(struct pci_function *function)
{
	pin_set(function, false);
}

bool pci_function_pin(struct pci_function *function)
{
	return __atomic_load_n(&function->pin.raised, __ATOMIC_ACQUIRE);
}

void pci_irq_raise(struct pci_function *function, unsigned int vector)
{
	unsigned int count = __atomic_load_n(&function->irq_count, __ATOMIC_ACQUIRE);
	enum pci_irq_mode mode = __atomic_load_n(&function->irq_mode, __ATOMIC_ACQUIRE);

	if (pci_function_is_removed(function))
		return;
	if (mode == PCI_IRQ_PIN) {
		if (function->description.intx)
			pin_set(function, true);
		return;
	}
	if (!count || !function->world || (mode == PCI_IRQ_MSIX && vector >= count))
		return;
	function->world->message(function->opaque, vector % count);
}

bool pci_irq_by_pin(struct pci_function *function)
{
	return __atomic_load_n(&function->irq_mode, __ATOMIC_ACQUIRE) == PCI_IRQ_PIN;
}

void pci_irq_lower(struct pci_function *function)
{
	pin_set(function, false);
}

/* The table as a kernel programs it: the first count vectors are unmasked. */
static void fill_table(struct pci_function *function, unsigned int count)
{
	const struct pci_description *description = &function->description;
	uint8_t *table = pci_function_bar_base(function, description->msix_bar);

	if (!table || !description->msix)
		return;
	table += description->msix_table;
	for (unsigned int i = 0; i < description->msix; i++) {
		const uint32_t entry[4] = { i < count ? MSIX_MESSAGE_ADDRESS : 0, 0,
					    i < count ? i : 0,
					    i < count ? 0 : PCI_MSIX_ENTRY_CTRL_MASKBIT };

		memcpy(table + i * PCI_MSIX_ENTRY_SIZE, entry, sizeof(entry));
	}
}

void pci_function_irq_mode(struct pci_function *function, enum pci_irq_mode mode,
			   unsigned int count)
{
	const struct pci_config *layout = &function->config;

	__atomic_store_n(&function->irq_count, count, __ATOMIC_RELEASE);
	__atomic_store_n(&function->irq_mode, mode, __ATOMIC_RELEASE);
	fill_table(function, mode == PCI_IRQ_MSIX ? count : 0);
	pthread_mutex_lock(&function->config_lock);
	if (layout->msi)
		function->config.bytes[layout->msi + PCI_MSI_FLAGS] =
			(uint8_t)((layout->bytes[layout->msi + PCI_MSI_FLAGS] &
				   ~PCI_MSI_FLAGS_ENABLE) |
				  (mode == PCI_IRQ_MSI ? PCI_MSI_FLAGS_ENABLE : 0));
	if (layout->msix)
		function->config.bytes[layout->msix + PCI_MSIX_FLAGS + 1] =
			(uint8_t)((layout->bytes[layout->msix + PCI_MSIX_FLAGS + 1] & 0x3f) |
				  (mode == PCI_IRQ_MSIX ? PCI_MSIX_FLAGS_ENABLE >> 8 : 0));
	pthread_mutex_unlock(&function->config_lock);
	pthread_mutex_lock(&function->pin.lock);
	pin_update(function);
	pthread_mutex_unlock(&function->pin.lock);
}
