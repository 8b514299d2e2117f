/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our statement of the kernel's interface beside the system's. */
#include "tests/unit/abi_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct abi_row *find(const struct abi_row *table, const char *name)
{
	for (; table->name; table++) {
		if (!strcmp(table->name, name))
			return table;
	}
	return NULL;
}

static void test_abi_ours_is_the_systems(void **state)
{
	const struct abi_row *row;
	size_t different = 0, compared = 0;

	(void)state;
	if (!abi_system_version) {
		print_message("# SKIP this system has no <linux/iommufd.h>\n");
		skip();
	}
	for (row = abi_system; row->name; row++) {
		const struct abi_row *ours = find(abi_ours, row->name);

		assert_non_null(ours);
		compared++;
		if (ours->value != row->value) {
			print_message("# %s is 0x%lx, here 0x%lx\n", row->name, row->value,
				      ours->value);
			different++;
		}
	}
	print_message("# %zu rows compared with Linux %u.%u\n", compared, abi_system_version >> 16,
		      abi_system_version >> 8 & 255);
	assert_int_equal(different, 0);
	assert_true(compared > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abi_ours_is_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
