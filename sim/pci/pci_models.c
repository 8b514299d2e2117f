/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of devices, from models.def. And how the values of their keys are read. */
#include "sim/pci/pci_model.h"
#include "sim/pci/models.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct pci_model *const pci_models[] = {
#define PCI_MODEL(name) &pci_model_##name,
#include "sim/pci/models.def"
#undef PCI_MODEL
	NULL,
};

const struct pci_model *pci_model_find(const char *kind, size_t length)
{
	for (size_t i = 0; pci_models[i]; i++) {
		if (strlen(pci_models[i]->kind) == length &&
		    !strncmp(pci_models[i]->kind, kind, length))
			return pci_models[i];
	}
	return NULL;
}

bool pci_value_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end && *value <= max;
}

bool pci_value_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*bytes = strtoull(text, &end, 0);
	if (errno)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		unsigned int shift = 10 * (unsigned int)(unit - units + 1);

		if (*bytes > UINT64_MAX >> shift)
			return false;
		*bytes <<= shift;
		end++;
		if (end[0] == 'i' && end[1] == 'B')
			end += 2;
	}
	return !*end && *bytes;
}

bool pci_value_switch(const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	return *on || !strcmp(text, "off");
}
