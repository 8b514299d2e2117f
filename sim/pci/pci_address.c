/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a function is on the bus, as text and as a number. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/pci/pci_bus.h"

#define SLOTS 32u

void pci_address_print(const struct pci_address *address, char text[PCI_ADDRESS_TEXT_BYTES])
{
	snprintf(text, PCI_ADDRESS_TEXT_BYTES, "%04x:%02x:%02x.%x", address->domain, address->bus,
		 address->slot & 0x1fu, address->function & 7u);
}

uint32_t pci_address_number(const struct pci_address *address)
{
	return (uint32_t)address->domain << 16 | (uint32_t)address->bus << 8 |
	       (uint32_t)address->slot << 3 | address->function;
}

/* digits hexadecimal digits at *text, and then end; *text is moved behind it. */
static bool parse_hex(const char **text, unsigned int digits, char end, unsigned int *value)
{
	*value = 0;
	for (unsigned int i = 0; i < digits; i++, (*text)++) {
		if (!isxdigit((unsigned char)**text))
			return false;
		*value = *value * 16 + (unsigned int)(isdigit((unsigned char)**text) ?
							      **text - '0' :
							      tolower(**text) - 'a' + 10);
	}
	if (**text != end)
		return false;
	(*text)++;
	return true;
}

bool pci_address_parse(const char *text, struct pci_address *address)
{
	unsigned int domain = 0, bus, slot, function;

	if (strlen(text) == PCI_ADDRESS_TEXT_BYTES - 1 && !parse_hex(&text, 4, ':', &domain))
		return false;
	if (!parse_hex(&text, 2, ':', &bus) || !parse_hex(&text, 2, '.', &slot) ||
	    !parse_hex(&text, 1, '\0', &function) || slot >= SLOTS || function > 7)
		return false;
	*address = (struct pci_address){ (uint16_t)domain, (uint8_t)bus, (uint8_t)slot,
					 (uint8_t)function };
	return true;
}
