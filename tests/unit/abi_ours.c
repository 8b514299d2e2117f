/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface as <ioasis/iommufd_abi.h> says it. */
#include <ioasis/iommufd_abi.h>

#define ABI_VERSION (99 << 16)
#include "tests/unit/abi_make.h"

const struct abi_row abi_ours[] = {
#include "tests/unit/abi_rows.h"
	{ NULL, 0 },
};
