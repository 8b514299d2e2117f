/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The models that models.def lists. */
#ifndef IOASIS_SIM_PCI_MODELS_H
#define IOASIS_SIM_PCI_MODELS_H

#include "sim/pci/pci_model.h"

#define PCI_MODEL(name) extern const struct pci_model pci_model_##name;
#include "sim/pci/models.def"
#undef PCI_MODEL

#endif
