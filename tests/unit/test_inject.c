/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specs of --fail and --delay: what they mean, when they hit, and what is refused how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ioasis/iommufd_abi.h>
#include <string.h>

#include "sim/fuse/inject.h"
#include "sim/pci/pci_model.h"

#define MAP IOMMUFD_CMD_IOAS_MAP
#define UNMAP IOMMUFD_CMD_IOAS_UNMAP

static char why[INJECT_WHY_BYTES];
static const struct inject_call nobody;

static struct inject *with_fail(const char *spec)
{
	struct inject *inject = inject_create(1);

	assert_non_null(inject);
	assert_int_equal(inject_add_fail(inject, spec, why), 0);
	return inject;
}

static int decide(struct inject *inject, unsigned int nr)
{
	uint64_t delay_ns;

	return inject_decide(inject, nr, &nobody, &delay_ns);
}

static void test_nth_call_alone_fails(void **state)
{
	struct inject *inject = with_fail("map:ENOMEM@3");

	(void)state;
	for (int call = 1; call <= 6; call++) {
		assert_int_equal(decide(inject, UNMAP), 0);
		assert_int_equal(decide(inject, MAP), call == 3 ? -ENOMEM : 0);
	}
	inject_destroy(inject);
}

static void test_first_calls_of_any_command_fail(void **state)
{
	struct inject *inject = with_fail("*:EINTR*2");

	(void)state;
	assert_int_equal(decide(inject, MAP), -EINTR);
	assert_int_equal(decide(inject, UNMAP), -EINTR);
	assert_int_equal(decide(inject, MAP), 0);
	inject_destroy(inject);
}

static void test_percentage_is_about_right_and_follows_the_seed(void **state)
{
	struct inject *one = with_fail("unmap:EIO%10"), *other = with_fail("unmap:EIO%10");
	unsigned int failed = 0;

	(void)state;
	assert_true(inject_uses_chance(one));
	for (int call = 0; call < 10000; call++) {
		int err = decide(one, UNMAP);

		assert_int_equal(decide(other, UNMAP), err);
		failed += err == -EIO;
	}
	assert_in_range(failed, 850, 1150);
	inject_destroy(one);
	inject_destroy(other);
}

static void test_hundred_percent_and_no_condition_always_fail(void **state)
{
	struct inject *all = with_fail("map:EIO%100"), *plain = with_fail("map:EIO");

	(void)state;
	assert_false(inject_uses_chance(plain));
	for (int call = 0; call < 200; call++) {
		assert_int_equal(decide(all, MAP), -EIO);
		assert_int_equal(decide(plain, MAP), -EIO);
	}
	inject_destroy(all);
	inject_destroy(plain);
}

static void test_delays_add_up_and_go_with_errors(void **state)
{
	struct inject *inject = with_fail("map:EFAULT@1");
	uint64_t delay_ns;

	(void)state;
	assert_int_equal(inject_add_delay(inject, "map:50us", why), 0);
	assert_int_equal(inject_add_delay(inject, "*:1ms", why), 0);
	assert_int_equal(inject_decide(inject, MAP, &nobody, &delay_ns), -EFAULT);
	assert_int_equal(delay_ns, 1050000);
	assert_int_equal(inject_decide(inject, UNMAP, &nobody, &delay_ns), 0);
	assert_int_equal(delay_ns, 1000000);
	inject_destroy(inject);
}

static void test_first_rule_that_says_so_wins(void **state)
{
	struct inject *inject = with_fail("map:EIO@2");

	(void)state;
	assert_int_equal(inject_add_fail(inject, "map:ENOMEM", why), 0);
	assert_int_equal(decide(inject, MAP), -ENOMEM);
	assert_int_equal(decide(inject, MAP), -EIO);
	inject_destroy(inject);
}

static void test_commands_go_by_the_kernels_names_too(void **state)
{
	static const char *const names[] = { "map", "MAP", "IOAS_MAP", "IOMMU_IOAS_MAP",
					     "ioas_map" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char spec[64];
		struct inject *inject;

		strcpy(spec, names[i]);
		strcat(spec, ":EIO");
		inject = with_fail(spec);
		assert_int_equal(decide(inject, MAP), -EIO);
		inject_destroy(inject);
	}
}

static void test_every_command_has_a_name_that_is_accepted(void **state)
{
	(void)state;
	for (unsigned int nr = IOMMUFD_CMD_BASE; nr <= IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA; nr++) {
		const char *name = inject_command_name(nr);
		char spec[64];
		struct inject *inject;

		assert_non_null(name);
		strcpy(spec, name);
		strcat(spec, ":EIO");
		inject = with_fail(spec);
		assert_int_equal(decide(inject, nr), -EIO);
		assert_int_equal(decide(inject, nr + 1), 0);
		inject_destroy(inject);
	}
}

/* The calls from the first to the tenth that fail, as bits from 1 on. */
static unsigned int failing(const char *spec)
{
	struct inject *inject = with_fail(spec);
	unsigned int bits = 0;

	for (int call = 1; call <= 10; call++)
		bits |= decide(inject, MAP) ? 1u << call : 0;
	inject_destroy(inject);
	return bits;
}

static void test_ranges_and_sets_of_calls_fail(void **state)
{
	(void)state;
	assert_int_equal(failing("map:EIO@2..4"), 1u << 2 | 1u << 3 | 1u << 4);
	assert_int_equal(failing("map:EIO@9.."), 1u << 9 | 1u << 10);
	assert_int_equal(failing("map:EIO@..2"), 1u << 1 | 1u << 2);
	assert_int_equal(failing("map:EIO@1,5..6,10"), 1u << 1 | 1u << 5 | 1u << 6 | 1u << 10);
	assert_int_equal(failing("unmap,map:EIO@3"), 1u << 3);
	assert_int_equal(failing("unmap,copy:EIO"), 0);
}

static void test_commands_of_a_set_are_counted_together(void **state)
{
	struct inject *inject = with_fail("map,unmap:EIO,ENOMEM@2..3");

	(void)state;
	assert_int_equal(decide(inject, MAP), 0);
	assert_int_equal(decide(inject, UNMAP), -EIO);
	assert_int_equal(decide(inject, IOMMUFD_CMD_DESTROY), 0);
	assert_int_equal(decide(inject, MAP), -ENOMEM); /* errnos in turn */
	assert_int_equal(decide(inject, MAP), 0);
	inject_destroy(inject);
}

static void test_chance_and_time_have_decimals(void **state)
{
	struct inject *inject = with_fail("map:EIO%0.5");
	unsigned int failed = 0;
	uint64_t delay_ns, least = UINT64_MAX, most = 0;

	(void)state;
	for (int call = 0; call < 100000; call++)
		failed += decide(inject, MAP) == -EIO;
	assert_in_range(failed, 400, 600);
	inject_destroy(inject);
	inject = inject_create(1);
	assert_int_equal(inject_add_delay(inject, "map:1.5us", why), 0);
	assert_false(inject_uses_chance(inject));
	assert_int_equal(inject_add_delay(inject, "unmap:1us..0.1ms", why), 0);
	assert_true(inject_uses_chance(inject));
	inject_decide(inject, MAP, &nobody, &delay_ns);
	assert_int_equal(delay_ns, 1500);
	for (int call = 0; call < 1000; call++) {
		inject_decide(inject, UNMAP, &nobody, &delay_ns);
		least = delay_ns < least ? delay_ns : least;
		most = delay_ns > most ? delay_ns : most;
	}
	assert_in_range(least, 1000, 10000);
	assert_in_range(most, 90000, 100000);
	inject_destroy(inject);
}

static bool read_struct(void *opaque, void *to, size_t offset, size_t bytes)
{
	memcpy(to, (const char *)opaque + offset, bytes);
	return true;
}

/* Whether a map of so many bytes into a space by this caller fails. */
static bool map_fails(const char *spec, struct inject_call call, uint32_t space, uint64_t bytes)
{
	struct iommu_ioas_map map = { .ioas_id = space, .length = bytes };
	struct inject *inject = with_fail(spec);
	uint64_t delay_ns;
	int err;

	inject_read_arguments(inject, MAP, &call, read_struct, &map);
	err = inject_decide(inject, MAP, &call, &delay_ns);
	inject_destroy(inject);
	return err;
}

static void test_calls_are_chosen_by_caller_space_and_size(void **state)
{
	const struct inject_call call = { .pid = 7, .tid = 8, .name = "my-vmm" };

	(void)state;
	assert_true(map_fails("map[pid=7]:EIO", call, 1, 4096));
	assert_false(map_fails("map[pid=8]:EIO", call, 1, 4096));
	assert_true(map_fails("*[tid=8,name=my-vmm]:EIO", call, 1, 4096));
	assert_false(map_fails("*[tid=8,name=my-vm]:EIO", call, 1, 4096));
	assert_true(map_fails("map[space=3]:EIO", call, 3, 4096));
	assert_false(map_fails("map[space=3]:EIO", call, 4, 4096));
	assert_true(map_fails("map[size=4K]:EIO", call, 1, 4096));
	assert_true(map_fails("map[size=2MiB..]:EIO", call, 1, 2 << 20));
	assert_false(map_fails("map[size=2M..]:EIO", call, 1, 4096));
	assert_true(map_fails("map[size=..0x1000,space=1]:EIO@1", call, 1, 4096));
	assert_false(map_fails("map[size=..4095]:EIO", call, 1, 4096));
}

static void test_wrong_specs_are_named_with_the_remedy(void **state)
{
	static const struct {
		const char *spec, *says;
		bool delay;
	} bad[] = {
		{ "map", "COMMAND:ERRNO", false },
		{ "", "COMMAND:ERRNO", false },
		{ "mapp:EIO", "no command 'mapp'", false },
		{ ":EIO", "no command ''", false },
		{ "map:", "no errno", false },
		{ "map:EFOO", "'EFOO' is no errno", false },
		{ "map:5", "'5' is no errno", false },
		{ "map:EIO@0", "'@0' does not say when", false },
		{ "map:EIO@x", "'@x' does not say when", false },
		{ "map:EIO%101", "1 to 100", false },
		{ "map:EIO%0", "1 to 100", false },
		{ "map:EIO%0.00001", "1 to 100", false },
		{ "map:EIO%.5", "1 to 100", false },
		{ "map:EIO@5..2", "'@5..2' does not say when", false },
		{ "map:EIO@..", "'@..' does not say when", false },
		{ "map:EIO@1,", "'@1,' does not say when", false },
		{ "map,:EIO", "no command ''", false },
		{ "map,mapp:EIO", "no command 'mapp'", false },
		{ "map:EIO,EFOO", "'EFOO' is no errno", false },
		{ "map[size=1..0]:EIO", "does not say which calls", false },
		{ "map[colour=1]:EIO", "does not say which calls", false },
		{ "map[pid=1:EIO", "does not say which calls", false },
		{ "map[]:EIO", "does not say which calls", false },
		{ "map[name=]:EIO", "does not say which calls", false },
		{ "map:2us..1us", "is no time", true },
		{ "map:0.1ns", "is no time", true },
		{ "map:EIO@1@2", "'@1@2' does not say when", false },
		{ "map:EIO*", "'*' does not say when", false },
		{ "map", "COMMAND:TIME", true },
		{ "map:50", "'50' is no time", true },
		{ "nvme-read:EIO", "'EIO' is no fault of a disk", false },
		{ "nvme-read:0", "'0' is no fault of a disk", false },
		{ "nvme-read:0x8000", "is no fault of a disk", false },
		{ "nvme-read:stray", "'stray' is no fault of a disk", false },
		{ "nvme-read:again=5", "is no fault of a disk", false },
		{ "map:lose", "'lose' is no errno", false },
		{ "nvme-read,map:EIO", "say two rules", false },
		{ "*,nvme:lose", "say two rules", false },
		{ "nvme-read[pid=3]:lose", "does not say which commands", false },
		{ "map[lba=3]:EIO", "does not say which calls", false },
		{ "nvme-read[device=2]:lose", "does not say which commands", false },
		{ "nvme-reed:lose", "no command 'nvme-reed'", false },
		{ "map:us", "'us' is no time", true },
		{ "map:-1us", "is no time", true },
		{ "map:99999999999999999999s", "is no time", true },
		{ "map:99999999999999s", "is no time", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct inject *inject = inject_create(1);
		int err = bad[i].delay ? inject_add_delay(inject, bad[i].spec, why)
				       : inject_add_fail(inject, bad[i].spec, why);

		assert_int_equal(err, -EINVAL);
		if (!strstr(why, bad[i].says) || !strstr(why, bad[i].spec))
			fail_msg("'%s' gives: %s", bad[i].spec, why);
		assert_true(inject_is_empty(inject));
		inject_destroy(inject);
	}
}

/* ---- commands of a disk ---------------------------------------------------------------- */

static struct pci_mishap decide_nvme(struct inject *inject, bool admin, uint8_t opcode,
				     uint64_t block, uint64_t blocks)
{
	const struct pci_command command = { .admin = admin, .opcode = opcode, .nsid = 1,
					     .block = block, .blocks = blocks,
					     .bytes = blocks * 512 };
	struct pci_mishap mishap;

	inject_decide_nvme(inject, 0x10, &command, &mishap);
	return mishap;
}

static void test_commands_of_a_disk_are_no_calls(void **state)
{
	struct inject *inject = with_fail("nvme:lose@2");

	(void)state;
	assert_true(inject_has_nvme(inject));
	assert_int_equal(decide(inject, MAP), 0);
	assert_int_equal(decide(inject, MAP), 0);
	assert_int_equal(decide_nvme(inject, false, 2, 0, 1).kind, PCI_MISHAP_NONE);
	assert_int_equal(decide_nvme(inject, true, 6, 0, 0).kind, PCI_MISHAP_LOSE);
	assert_int_equal(decide_nvme(inject, false, 2, 0, 1).kind, PCI_MISHAP_NONE);
	inject_destroy(inject);
	inject = with_fail("*:EIO");
	assert_false(inject_has_nvme(inject));
	assert_int_equal(decide_nvme(inject, false, 2, 0, 1).kind, PCI_MISHAP_NONE);
	inject_destroy(inject);
}

static void test_disk_commands_are_chosen_by_kind_range_and_place(void **state)
{
	static const struct {
		const char *spec;
		bool hits[4]; /* read of 0, read of 100 to 107, write of 100, flush */
	} cases[] = {
		{ "nvme-read:lose", { true, true, false, false } },
		{ "NVMe-Write,nvme-flush:lose", { false, false, true, true } },
		{ "nvme-io:lose", { true, true, true, true } },
		{ "nvme-admin:lose", { false, false, false, false } },
		{ "nvme[lba=107..]:lose", { false, true, false, false } },
		{ "nvme[lba=0..100]:lose", { true, true, true, false } },
		{ "nvme[size=4K]:lose", { false, true, false, false } },
		{ "nvme[nsid=2]:lose", { false, false, false, false } },
		{ "nvme[device=0000:00:02.0,nsid=1]:lose", { true, true, true, true } },
		{ "nvme[device=0000:00:03.0]:lose", { false, false, false, false } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct inject *inject = with_fail(cases[i].spec);
		const struct pci_mishap got[] = {
			decide_nvme(inject, false, 2, 0, 1),
			decide_nvme(inject, false, 2, 100, 8),
			decide_nvme(inject, false, 1, 100, 1),
			decide_nvme(inject, false, 0, 0, 0),
		};

		for (unsigned int k = 0; k < 4; k++) {
			if ((got[k].kind == PCI_MISHAP_LOSE) != cases[i].hits[k])
				fail_msg("%s, command %u", cases[i].spec, k);
		}
		inject_destroy(inject);
	}
}

static void test_faults_of_a_disk_come_in_turn_with_delays(void **state)
{
	struct inject *inject =
		with_fail("nvme-read:read-error,0x4281,stray=0x1000,again=2ms,hang,cfs,remove");
	static const struct pci_mishap want[] = {
		{ PCI_MISHAP_STATUS, 0x281, 1000 },  { PCI_MISHAP_STATUS, 0x4281, 1000 },
		{ PCI_MISHAP_STRAY, 0x1000, 1000 },  { PCI_MISHAP_AGAIN, 2000000, 1000 },
		{ PCI_MISHAP_HANG, 0, 1000 },	     { PCI_MISHAP_FATAL, 0, 1000 },
		{ PCI_MISHAP_REMOVE, 0, 1000 },	     { PCI_MISHAP_STATUS, 0x281, 1000 },
	};

	(void)state;
	assert_int_equal(inject_add_delay(inject, "nvme:1us", why), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct pci_mishap got = decide_nvme(inject, false, 2, 0, 1);

		assert_int_equal(got.kind, want[i].kind);
		assert_int_equal(got.arg, want[i].arg);
		assert_int_equal(got.delay_ns, want[i].delay_ns);
	}
	inject_destroy(inject);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nth_call_alone_fails),
		cmocka_unit_test(test_first_calls_of_any_command_fail),
		cmocka_unit_test(test_percentage_is_about_right_and_follows_the_seed),
		cmocka_unit_test(test_hundred_percent_and_no_condition_always_fail),
		cmocka_unit_test(test_delays_add_up_and_go_with_errors),
		cmocka_unit_test(test_first_rule_that_says_so_wins),
		cmocka_unit_test(test_commands_go_by_the_kernels_names_too),
		cmocka_unit_test(test_every_command_has_a_name_that_is_accepted),
		cmocka_unit_test(test_ranges_and_sets_of_calls_fail),
		cmocka_unit_test(test_commands_of_a_set_are_counted_together),
		cmocka_unit_test(test_chance_and_time_have_decimals),
		cmocka_unit_test(test_calls_are_chosen_by_caller_space_and_size),
		cmocka_unit_test(test_commands_of_a_disk_are_no_calls),
		cmocka_unit_test(test_disk_commands_are_chosen_by_kind_range_and_place),
		cmocka_unit_test(test_faults_of_a_disk_come_in_turn_with_delays),
		cmocka_unit_test(test_wrong_specs_are_named_with_the_remedy),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
