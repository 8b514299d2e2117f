/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The models that pci_models.c lists, each from the file of its name. */
#ifndef IOASIS_SIM_PCI_MODELS_H
#define IOASIS_SIM_PCI_MODELS_H

#include "sim/pci/pci_model.h"

extern const struct pci_model pci_model_dice;
extern const struct pci_model pci_model_edu;
extern const struct pci_model pci_model_nvme;
extern const struct pci_model pci_model_ram;
extern const struct pci_model pci_model_vfio_user;

#endif
