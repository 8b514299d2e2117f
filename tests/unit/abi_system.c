/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface as the system's <linux/iommufd.h> says it, as far as that goes. */
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#include <linux/version.h>
#include <sys/ioctl.h>

#define ABI_VERSION LINUX_VERSION_CODE
#else
#define ABI_VERSION 0
#endif

#include "tests/unit/abi_make.h"

const unsigned int abi_system_version = ABI_VERSION;

const struct abi_row abi_system[] = {
#include "tests/unit/abi_rows.h"
	{ NULL, 0 },
};
