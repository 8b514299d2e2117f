/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes `abi_table_NAME` from the header that was included before. Not a header
 * of its own: abi_ours.c and abi_system.c include it.
 */
#include <stddef.h>

#include "tests/unit/abi_table.h"

#define SIZE(s) { "sizeof " #s, sizeof(struct s) },
#define FIELD(s, f) { #s "." #f, offsetof(struct s, f) << 16 | sizeof(((struct s *)0)->f) },
#define VALUE(v) { #v, v },

#if ABI_VERSION >= (6 << 16 | 2 << 8)
#define LINUX_6_2(row) row
#else
#define LINUX_6_2(row)
#endif

#if ABI_VERSION >= (6 << 16 | 6 << 8)
#define LINUX_6_6(row) row
#else
#define LINUX_6_6(row)
#endif

#if ABI_VERSION >= (6 << 16 | 7 << 8)
#define LINUX_6_7(row) row
#else
#define LINUX_6_7(row)
#endif

#if ABI_VERSION >= (6 << 16 | 8 << 8)
#define LINUX_6_8(row) row
#else
#define LINUX_6_8(row)
#endif

#if ABI_VERSION >= (6 << 16 | 11 << 8)
#define LINUX_6_11(row) row
#else
#define LINUX_6_11(row)
#endif

#if ABI_VERSION >= (6 << 16 | 13 << 8)
#define LINUX_6_13(row) row
#else
#define LINUX_6_13(row)
#endif

#if ABI_VERSION >= (6 << 16 | 14 << 8)
#define LINUX_6_14(row) row
#else
#define LINUX_6_14(row)
#endif

#if ABI_VERSION >= (6 << 16 | 15 << 8)
#define LINUX_6_15(row) row
#else
#define LINUX_6_15(row)
#endif

#if ABI_VERSION >= (6 << 16 | 17 << 8)
#define LINUX_6_17(row) row
#else
#define LINUX_6_17(row)
#endif

#if ABI_VERSION >= (7 << 16 | 2 << 8)
#define LINUX_7_2(row) row
#else
#define LINUX_7_2(row)
#endif
