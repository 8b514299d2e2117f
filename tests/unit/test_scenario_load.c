/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario files with mistakes: each gives one line with file, line, key and
 * remedy. And files without: units, includes, presets, --set, JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/scenario/load.h"
#include "sim/scenario/schema.h"
#include "sim/scenario/units.h"

#define GOOD "name: x\nduration: 1ms\n"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static int enter_folder(void **state)
{
	char *dir = strdup("/tmp/ioasis-scenario-XXXXXX");

	*state = dir;
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

static int leave_folder(void **state)
{
	static const char *const files[] = { "s.yaml", "a.yaml", "b.yaml", "s.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(files[i]);
	rmdir("folder");
	if (chdir("/") || rmdir(*state))
		return -1;
	free(*state);
	return 0;
}

/* What is wrong, and how the one line about it begins and what it holds. */
static const struct mistake {
	const char *text;
	const char *where; /* FILE:LINE: KEY */
	const char *what;  /* of the problem and its remedy */
} mistakes[] = {
	{ "", "s.yaml:1: name:", "file is empty; write at least name" },
	{ "just words\n", "s.yaml:1: name:", "write keys with colons" },
	{ "- a\n- b\n", "s.yaml:1: name:", "is a list; write keys" },
	{ "duration: 1ms\n", "s.yaml: name:", "is missing; write it" },
	{ "name: x\n", "s.yaml: duration:", "is missing; write it" },
	{ GOOD "nick: {}\n", "s.yaml:3: nick:", "did you mean 'nic'?" },
	{ GOOD "durationn: 1s\n", "s.yaml:3: durationn:", "did you mean 'duration'?" },
	{ GOOD "zzzzzzzz: 1\n", "s.yaml:3: zzzzzzzz:", "'ioasis simulate --keys' lists" },
	{ GOOD "nic:\n  rat: 1G\n", "s.yaml:4: nic.rat:", "did you mean 'rate'?" },
	{ GOOD "nic:\n  zzzzzzzz: 1\n", "s.yaml:4: nic.zzzzzzzz:", "lists the keys of" },
	{ GOOD "nic: 5\n", "s.yaml:3: nic:", "is a value; it is a section" },
	{ GOOD "nic: [1]\n", "s.yaml:3: nic:", "is a list; it is a section" },
	{ GOOD "nic:\n  rate: [1]\n", "s.yaml:4: nic.rate:", "is a list; write one value" },
	{ GOOD "nic:\n  rate: {a: 1}\n", "s.yaml:4: nic.rate:", "is a group of keys; write one" },
	{ GOOD "nic:\n  rate:\n", "s.yaml:4: nic.rate:", "has no value; write one behind" },
	{ GOOD "nic: [[[[[[[[[]]]]]]]]]\n", "s.yaml:3: ?:", "more than 8 groups or lists inside" },
	{ GOOD "nic: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}\n", "s.yaml:3: ?:",
	  "a scenario has sections, and keys" },
	{ GOOD "- - - - - - - - - -\n", "s.yaml:3: ?:", "" },
	{ GOOD "nic: [[[[[[[[]]]]]]]]\n", "s.yaml:3: ?:", "more than 8" },
	{ GOOD "nic: [[[[[[[]]]]]]]\n", "s.yaml:3: nic:", "is a list; it is a section" },
	{ GOOD "nic:\n  rate: 10\n", "s.yaml:4: nic.rate:", "has no unit; write Mbit or Gbit" },
	{ GOOD "nic:\n  rate: fast\n", "s.yaml:4: nic.rate:", "is not a rate; write one like" },
	{ GOOD "nic:\n  rate: 10GiB\n", "s.yaml:4: nic.rate:", "unknown unit; rates have" },
	{ GOOD "nic:\n  rate: 1bit\n", "s.yaml:4: nic.rate:", "out of range; write one from" },
	{ GOOD "nic:\n  ring: 0\n", "s.yaml:4: nic.ring:", "write one from 2 to 65536" },
	{ GOOD "nic:\n  ring: -4\n", "s.yaml:4: nic.ring:", "is not a number; write one like" },
	{ GOOD "nic:\n  ring: 1.5\n", "s.yaml:4: nic.ring:", "is not a whole number" },
	{ GOOD "nic:\n  ring: 99999999999999999999\n", "s.yaml:4: nic.ring:", "is too large" },
	{ GOOD "nic:\n  mode: lazy\n", "s.yaml:4: nic.mode:",
	  "write one of: passthrough strict deferred never" },
	{ GOOD "nic:\n  load: 150%\n", "s.yaml:4: nic.load:", "out of range; write one from" },
	{ GOOD "nic:\n  load: 0.5\n", "s.yaml:4: nic.load:", "has no unit; write %" },
	{ GOOD "guest:\n  memory: 4G\n", "s.yaml:4: guest.memory:", "unknown unit; sizes have" },
	{ GOOD "guest:\n  memory: 4096\n", "s.yaml:4: guest.memory:", "has no unit; write B, KiB" },
	{ GOOD "guest:\n  memory: 1.0000001MiB\n", "s.yaml:4: guest.memory:", "whole number of" },
	{ GOOD "guest:\n  memory: 1537KiB\n", "s.yaml:4: guest.memory:", "whole number of MiB" },
	{ GOOD "guest:\n  page: 8KiB\n", "s.yaml:4: guest.page:", "write 4KiB, 2MiB or 1GiB" },
	{ "name: x\nduration: 5\n", "s.yaml:2: duration:", "has no unit; write ns, us, ms" },
	{ "name: x\nduration: 0s\n", "s.yaml:2: duration:", "out of range; write one from 1ns" },
	{ "name: x\nduration: 1m\n", "s.yaml:2: duration:", "unknown unit; times have" },
	{ "name: x\nduration: 0.5ns\n", "s.yaml:2: duration:", "finer than a nanosecond" },
	{ "name: ''\nduration: 1s\n", "s.yaml:1: name:", "is 0 characters long; write 1 to 60" },
	{ "name: x\nduration: 1s\nname: y\n", "s.yaml:3: name:", "a second time (first in line 1)" },
	{ GOOD "nic:\n  ring: 8\n  ring: 9\n", "s.yaml:5: nic.ring:", "a second time (first" },
	{ GOOD "iommu:\n  huge_pages: maybe\n", "s.yaml:4: iommu.huge_pages:", "write one of them" },
	{ GOOD "iommu:\n  iotlb_ways: 5\n", "s.yaml:4: iommu.iotlb_ways:", "not a power of two" },
	{ GOOD "host:\n  clock: 3\n", "s.yaml:4: host.clock:", "has no unit; write MHz or GHz" },
	{ GOOD "preset: pdp-11\n", "s.yaml:3: preset:", "is not known; there are:" },
	{ GOOD "nvme:\n  latency: normal(1us)\n", "s.yaml:4: nvme.latency:",
	  "unknown distribution; there are uniform" },
	{ GOOD "nvme:\n  latency: uniform(1us)\n", "s.yaml:4: nvme.latency:",
	  "takes two values: uniform(LOW, HIGH)" },
	{ GOOD "nvme:\n  latency: uniform(9us, 1us)\n", "s.yaml:4: nvme.latency:",
	  "wrong order; write the lower" },
	{ GOOD "nvme:\n  latency: uniform(1us\n", "s.yaml:4: nvme.latency:", "is no distribution" },
	{ GOOD "nvme:\n  latency: pareto(1us, 2us, x)\n", "s.yaml:4: nvme.latency:",
	  "has no tail index" },
	{ GOOD "faults: {}\n", "s.yaml:3: faults.kind:", "is missing; write it" },
	{ GOOD "faults:\n  kind: leak\n", "s.yaml:4: faults.kind:", "add a nic section" },
	{ GOOD "migration: {}\niommu:\n  dirty_tracking: no\n", "s.yaml:5: iommu.dirty_tracking:",
	  "migration needs dirty bits" },
	{ GOOD "nic:\n  mode: passthrough\nguest:\n  layout: none\n", "s.yaml:4: nic.mode:",
	  "needs memory that is mapped" },
	{ GOOD "nic:\n  pool: 8GiB\n", "s.yaml:4: nic.pool:", "does not fit; write at least" },
	{ GOOD "dma:\n  aperture: 1MiB\nnic: {}\n", "s.yaml:4: dma.aperture:", "no room for a ring" },
	{ GOOD "nvme:\n  depth: 65536\n  block: 1MiB\n", "default: dma.aperture:", "nvme.depth" },
	{ GOOD "guest:\n  memory: 2MiB\nnvme: {block: 4MiB}\n", "s.yaml:5: nvme.block:", "does not fit" },
	{ GOOD "include: nowhere.yaml\n", "s.yaml:3: include:", "name a file that can be read" },
	{ GOOD "include: s.yaml\n", "s.yaml:3: include:", "includes itself" },
	{ GOOD "include: {}\n", "s.yaml:3: include:", "write a file's name or a list" },
	{ GOOD "include: folder\n", "s.yaml:3: include:", "is a directory; name a file" },
	{ "name: x\n\tduration: 1s\n", "s.yaml:2: ?:", "indent with spaces" },
	{ "name: 'x\nduration: 1s\n", "s.yaml:3: ?:", "close the quote" },
	{ "name: x\nduration 1s\nnic: 1\n", "s.yaml:", "write `key: value`" },
	{ "name: *nobody\n", "s.yaml:1: ?:", "write the anchor" },
	{ GOOD "---\nname: y\n", "s.yaml:3: ---:", "second document begins" },
	{ "name: \xff\xfe\n", "s.yaml:1: ?:", "write the file in UTF-8" },
	{ "name: x\nduration: 1s\n? [a]\n: b\n", "s.yaml:3: ?:", "write a name before the colon" },
};

static void test_mistake_gives_one_line_with_file_line_key_and_remedy(void **state)
{
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	mkdir("folder", 0777);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		const struct mistake *mistake = &mistakes[i];

		write_file("s.yaml", mistake->text);
		*error = 0;
		assert_true(scenario_load("s.yaml", NULL, 0, &scenario, error) < 0);
		if (strncmp(error, mistake->where, strlen(mistake->where)) ||
		    !strstr(error, mistake->what) || strchr(error, '\n'))
			fail_msg("mistake %zu: '%s' wants '%s ... %s'", i, error, mistake->where,
				 mistake->what);
	}
}

/* A setting that is wrong, and the line about it. */
static void test_wrong_setting_names_the_key(void **state)
{
	static const char *const wrong[][2] = {
		{ "nic.rate", "--set: nic.rate: has no key and value; write SECTION.KEY=VALUE" },
		{ "=5", "--set: =5: has no key and value" },
		{ "nic.rat=5", "--set: nic.rat: is no key; did you mean 'rate'?" },
		{ "nik.rate=5", "--set: nik: is no key; did you mean 'nic'?" },
		{ "nic.rate=5", "--set: nic.rate: '5' has no unit" },
		{ "preset=x", "--set: preset: 'x' is not known" },
	};
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	write_file("s.yaml", GOOD);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_true(scenario_load("s.yaml", &wrong[i][0], 1, &scenario, error) < 0);
		if (strncmp(error, wrong[i][1], strlen(wrong[i][1])))
			fail_msg("'%s' gives '%s'", wrong[i][0], error);
	}
}

static void test_missing_file_is_named(void **state)
{
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	assert_int_equal(scenario_load("nowhere.yaml", NULL, 0, &scenario, error), -ENOENT);
	assert_string_equal(error, "nowhere.yaml: cannot read it: No such file or directory; name "
				   "a file that can be read");
}

/* Text of count times `piece`, after what a scenario begins with. */
static void write_many(const char *path, const char *piece, size_t count)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(GOOD, file);
	for (size_t i = 0; i < count; i++)
		fputs(piece, file);
	assert_int_equal(fclose(file), 0);
}

/* They took a time that grew with the square of their number: 100,000 of them 15 s and more. */
static void test_many_brackets_are_refused_at_once(void **state)
{
	static const char *const pieces[] = { "[", "{", "- ", "? " };
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		clock_t begin = clock();

		write_many("s.yaml", pieces[i], 100000);
		assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), -EINVAL);
		assert_null(strchr(error, '\n'));
		assert_in_range(clock() - begin, 0, CLOCKS_PER_SEC);
	}
}

static void test_file_larger_than_a_mebibyte_is_refused(void **state)
{
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	write_many("s.yaml", "#\n", (1 << 19) - 12);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), 0);
	scenario_fini(&scenario);
	write_many("s.yaml", "#\n", 1 << 19);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), -EFBIG);
	assert_string_equal(error, "s.yaml: is larger than 1 MiB; a scenario has some lines, name "
				   "its file");
	/* It has no end, and no size that could be asked for. */
	assert_int_equal(scenario_load("/dev/zero", NULL, 0, &scenario, error), -EFBIG);
	write_file("s.yaml", "include: /dev/zero\n" GOOD);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), -EFBIG);
	assert_non_null(strstr(error, "s.yaml:1: include: is larger than 1 MiB"));
}

/* A file may include the same one many times, which may do so too. */
static void test_includes_are_bounded_in_number(void **state)
{
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	write_file("b.yaml", "nic: {ring: 8}\n");
	write_file("a.yaml", "include: [b.yaml, b.yaml, b.yaml, b.yaml, b.yaml, b.yaml, b.yaml]\n"
			     "nic: {ring: 8}\n");
	write_file("s.yaml", "include: [a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml]\n"
			     GOOD);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), 0);
	scenario_fini(&scenario);
	write_file("s.yaml", "include: [a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, "
			     "a.yaml]\n" GOOD);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), -EINVAL);
	assert_non_null(strstr(error, "more than 64 files in all; put them together"));
}

static void test_file_over_include_over_preset_and_setting_over_all(void **state)
{
	static const char *const settings[] = { "nic.ring=16", "nic.rate=25G" };
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	write_file("a.yaml", "nic: {rate: 1Gbit, ring: 4, packet: 64B}\n"
			     "cost: {map: 100cycles}\n");
	write_file("s.yaml", "include: [a.yaml]\npreset: sandy-bridge-strict\n" GOOD
			     "nic:\n  ring: 8\n");
	assert_int_equal(scenario_load("s.yaml", settings, 2, &scenario, error), 0);
	assert_int_equal(scenario.nic.rate_bits, 25000000000);
	assert_int_equal(scenario.nic.ring, 16);
	assert_int_equal(scenario.nic.packet_bytes, 64);
	assert_int_equal(scenario.host.clock_hertz, 3100000000);
	assert_int_equal(scenario.cost.map_ns, 32); /* 100 cycles at 3.1 GHz */
	assert_int_equal(scenario.cost.iova_alloc_ns, 1286); /* 3986, of the preset */
	assert_true(scenario.has[SECTION_NIC]);
	assert_false(scenario.has[SECTION_NVME]);
	scenario_fini(&scenario);
}

static void test_json_is_read_too(void **state)
{
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;

	(void)state;
	write_file("s.json", "{\"name\": \"x\", \"duration\": \"2ms\",\n"
			     " \"nvme\": {\"depth\": 32, \"latency\": \"exponential(50us)\"}}\n");
	assert_int_equal(scenario_load("s.json", NULL, 0, &scenario, error), 0);
	assert_int_equal(scenario.top.duration_ns, 2000000);
	assert_int_equal(scenario.nvme.depth, 32);
	assert_int_equal(scenario.nvme.latency.kind, DES_DIST_EXPONENTIAL);
	assert_int_equal(scenario.nvme.latency.a, 50000);
	scenario_fini(&scenario);
}

static void test_units_are_as_people_write_them(void **state)
{
	char buf[UNITS_TEXT_BYTES];
	uint64_t value;

	(void)state;
	assert_null(units_parse_bytes("1.5GiB", &value));
	assert_int_equal(value, 1610612736);
	assert_null(units_parse_rate("2.5Gbit/s", &value));
	assert_int_equal(value, 2500000000);
	assert_null(units_parse_rate("25G", &value));
	assert_null(units_parse_time("50us", 0, &value));
	assert_int_equal(value, 50000);
	assert_null(units_parse_time("2100 cycles", 2100000000, &value));
	assert_int_equal(value, 1000);
	assert_non_null(units_parse_time("2100cycles", 0, &value));
	assert_null(units_parse_share("12.5%", &value));
	assert_int_equal(value, 125000);
	assert_null(units_parse_count("50k", &value));
	assert_int_equal(value, 50000);
	assert_string_equal(units_print_bytes(1610612736, buf), "1.50GiB");
	assert_string_equal(units_print_time(1234, buf), "1.23us");
	assert_string_equal(units_print_rate(10000000000, buf), "10Gbit");
	assert_string_equal(units_print_share(125000, buf), "12.50%");
}

/* Each row of the table: its default is a value that it takes, its range is one. */
static void test_every_default_of_the_schema_is_accepted(void **state)
{
	char error[SCENARIO_ERROR_BYTES], buf[SCHEMA_PROBLEM_BYTES];
	struct scenario scenario;

	(void)state;
	write_file("s.yaml", GOOD);
	assert_int_equal(scenario_load("s.yaml", NULL, 0, &scenario, error), 0);
	for (const struct schema_key *key = schema_keys; key->name; key++) {
		assert_true(key->min <= key->max);
		assert_true(*key->help != 0);
		assert_ptr_equal(schema_find(key->section, key->name), key);
		if (key->fallback)
			assert_null(schema_set(key, key->fallback, &scenario, buf));
	}
	scenario_fini(&scenario);
}

static void test_every_preset_is_accepted(void **state)
{
	char error[SCENARIO_ERROR_BYTES], setting[64];
	const char *settings[] = { setting };
	struct scenario scenario;

	(void)state;
	write_file("s.yaml", GOOD);
	for (const char *const *name = schema_preset_names(); *name; name++) {
		snprintf(setting, sizeof(setting), "preset=%s", *name);
		if (scenario_load("s.yaml", settings, 1, &scenario, error))
			fail_msg("%s", error);
		assert_non_null(schema_preset_about(*name));
		scenario_fini(&scenario);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistake_gives_one_line_with_file_line_key_and_remedy),
		cmocka_unit_test(test_wrong_setting_names_the_key),
		cmocka_unit_test(test_missing_file_is_named),
		cmocka_unit_test(test_many_brackets_are_refused_at_once),
		cmocka_unit_test(test_file_larger_than_a_mebibyte_is_refused),
		cmocka_unit_test(test_includes_are_bounded_in_number),
		cmocka_unit_test(test_file_over_include_over_preset_and_setting_over_all),
		cmocka_unit_test(test_json_is_read_too),
		cmocka_unit_test(test_units_are_as_people_write_them),
		cmocka_unit_test(test_every_default_of_the_schema_is_accepted),
		cmocka_unit_test(test_every_preset_is_accepted),
	};

	return cmocka_run_group_tests_name("scenario_load", tests, enter_folder, leave_folder);
}
