/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What save() writes and load() reads; a zeroed struct is an empty one. */
#ifndef IOASIS_SIM_PCI_STATE_H
#define IOASIS_SIM_PCI_STATE_H

#include "sim/pci/pci_model.h"

struct pci_state {
	uint8_t *bytes;
	size_t length, room;
	size_t taken; /* by pci_state_get() */
	bool failed;  /* out of memory, or read beyond the end */
};

void pci_state_fini(struct pci_state *state);

#endif
