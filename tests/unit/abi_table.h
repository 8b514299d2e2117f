/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, offsets and numbers of the interface, as one header says them. */
#ifndef IOASIS_TESTS_ABI_TABLE_H
#define IOASIS_TESTS_ABI_TABLE_H

struct abi_row {
	const char *name;
	unsigned long value; /* of a field: its offset << 16 | its size */
};

/* Both end with a NULL name. The system's is empty where it has no <linux/iommufd.h>. */
extern const struct abi_row abi_ours[];
extern const struct abi_row abi_system[];
extern const unsigned int abi_system_version; /* LINUX_VERSION_CODE of its headers; 0: none */

#endif
