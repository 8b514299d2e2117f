/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --iommu KEY=VALUE,...: what the IOMMU of the simulated devices can do. */
#ifndef IOASIS_CLI_IOMMU_OPTION_H
#define IOASIS_CLI_IOMMU_OPTION_H

#include "sim/engine/engine.h"

#define IOMMU_OPTION_WHY_BYTES 200

/*
 * Reads aw=39|48|57, pasid=BITS, dirty=on|off, reserved=FIRST-LAST (repeatable) into
 * iommu, which engine_iommu_init() has set up. False, with one line in why that names
 * what is wrong and what is right.
 */
bool iommu_option_parse(const char *text, struct engine_iommu *iommu,
			char why[IOMMU_OPTION_WHY_BYTES]);

#endif
