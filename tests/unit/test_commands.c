/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for every row of the command table: sizes, tails, bad pointers,
 * numbers and versions. A new row is tested at once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/command.h"
#include "tests/unit/fake_client.h"

#define FIRST_NR 0x80u
#define LAST_NR 0xa0u
#define TEST_NR 0xa0u

static struct fake_client fake;

/* One call on a fresh kernel. */
struct one_call {
	uint32_t linux_version;
	unsigned int cmd;
	uint64_t arg; /* address */
};

static long call_fresh(const struct one_call *call)
{
	const struct engine_config config = {
		.linux_version = call->linux_version,
		.test_ops = true,
	};
	struct engine *engine = engine_create(&config);
	struct engine_ctx *ctx;
	long rc;

	assert_non_null(engine);
	ctx = engine_ctx_open(engine, &fake.client);
	assert_non_null(ctx);
	rc = engine_ctx_ioctl(ctx, &fake.client, call->cmd, call->arg);
	engine_ctx_verify(ctx);
	engine_ctx_release(ctx);
	fake_close_all(&fake);
	engine_destroy(engine);
	return rc;
}

/* A call with words[0] the size and the rest zero, except words[set] = 1 (0: none). */
static long call_sized(const struct command_row *row, uint32_t version, uint32_t size,
		       unsigned int set)
{
	uint32_t words[64] = { size };

	if (set)
		words[set] = 1;
	memcpy(fake.memory, words, sizeof(words));
	return call_fresh(&(struct one_call){ version, row->cmd, FAKE_BASE });
}

static void for_each_row(void (*check)(const struct command_row *row))
{
	unsigned int rows = 0;

	for (unsigned int nr = FIRST_NR; nr <= LAST_NR; nr++) {
		const struct command_row *row = command_row(nr);

		if (!row)
			continue;
		assert_int_equal(_IOC_NR(row->cmd), nr);
		check(row);
		rows++;
	}
	assert_int_equal(rows, 23);
}

static void check_bad_pointer(const struct command_row *row)
{
	uint64_t last_word = FAKE_BASE + sizeof(fake.memory) - 4;
	uint32_t size = row->size;

	assert_int_equal(call_fresh(&(struct one_call){ 0, row->cmd, 0 }), -EFAULT);
	assert_int_equal(call_fresh(&(struct one_call){ 0, row->cmd, FAKE_BASE - 4 }), -EFAULT);
	/* The size word is there, what follows is not. */
	memcpy(fake.memory + sizeof(fake.memory) - 4, &size, 4);
	assert_int_equal(call_fresh(&(struct one_call){ 0, row->cmd, last_word }), -EFAULT);
}

static void test_argument_that_cannot_be_read_is_efault(void **state)
{
	(void)state;
	for_each_row(check_bad_pointer);
}

static void check_other_encoding(const struct command_row *row)
{
	unsigned int cmd = _IOWR(IOMMUFD_TYPE, _IOC_NR(row->cmd), uint32_t);

	assert_int_equal(call_fresh(&(struct one_call){ 0, cmd, FAKE_BASE }), -ENOTTY);
	/* The size word is read first. */
	assert_int_equal(call_fresh(&(struct one_call){ 0, cmd, 0 }), -EFAULT);
}

static void test_number_with_size_or_direction_is_enotty(void **state)
{
	(void)state;
	for_each_row(check_other_encoding);
}

static void check_short(const struct command_row *row)
{
	assert_int_equal(call_sized(row, 0, 0, 0), -EINVAL);
	assert_int_equal(call_sized(row, 0, row->min_size - 1u, 0), -EINVAL);
	assert_true(row->min_size <= row->size);
}

static void test_structure_below_its_minimum_is_einval(void **state)
{
	(void)state;
	for_each_row(check_short);
}

static void check_tail(const struct command_row *row)
{
	unsigned int beyond = row->size / 4;
	long exact = call_sized(row, 0, row->size, 0);

	assert_int_equal(call_sized(row, 0, row->size + 8u, beyond), -E2BIG);
	assert_int_equal(call_sized(row, 0, row->size + 8u, beyond + 1), -E2BIG);
	assert_int_equal(call_sized(row, 0, row->size + 8u, 0), exact);
	/* A tail that leaves the memory, all zero as far as it goes. */
	memset(fake.memory, 0, 4096);
	assert_int_equal(call_sized(row, 0, FAKE_PAGES * 4096 + 4, 0), -EFAULT);
}

static void test_tail_must_be_zero_and_is_ignored_then(void **state)
{
	(void)state;
	for_each_row(check_tail);
}

static void check_since(const struct command_row *row)
{
	uint32_t before = row->since - 1;

	if ((row->since & 0xffff) == 0)
		before = ENGINE_LINUX((row->since >> 16) - 1, 19);
	if (before >= ENGINE_LINUX_OLDEST)
		assert_int_equal(call_sized(row, before, row->size, 0), -ENOTTY);
	if (_IOC_NR(row->cmd) != TEST_NR)
		assert_int_not_equal(call_sized(row, row->since, row->size, 0), -ENOTTY);
}

static void test_command_is_enotty_before_its_kernel(void **state)
{
	(void)state;
	for_each_row(check_since);
}

static void check_growth(const struct command_row *row)
{
	for (size_t i = 0; i < 3 && row->before[i].until; i++) {
		const struct command_before *before = &row->before[i];
		uint32_t version = before->until - 1;

		assert_true(before->size >= row->min_size && before->size <= row->size);
		assert_true(version >= row->since);
		if (before->size == row->size)
			continue;
		assert_int_equal(call_sized(row, version, row->size, before->size / 4), -E2BIG);
		assert_int_not_equal(call_sized(row, version, row->size, 0), -E2BIG);
		assert_int_not_equal(call_sized(row, 0, row->size, before->size / 4), -E2BIG);
	}
}

static void test_member_is_e2big_before_its_kernel(void **state)
{
	(void)state;
	for_each_row(check_growth);
}

static void test_number_of_no_command_is_enotty(void **state)
{
	(void)state;
	for (unsigned int nr = 0; nr < 256; nr++) {
		bool inside = nr >= FIRST_NR && nr <= LAST_NR;

		if (command_row(nr) || (nr >= 100 && nr <= 102) || (nr >= 112 && nr <= 114))
			continue;
		assert_int_equal(
			call_fresh(&(struct one_call){ 0, _IO(IOMMUFD_TYPE, nr), FAKE_BASE }),
			-ENOTTY);
		/* Only inside the table is the argument touched. */
		assert_int_equal(call_fresh(&(struct one_call){ 0, _IO(IOMMUFD_TYPE, nr), 0 }),
				 inside ? -EFAULT : -ENOTTY);
	}
}

static void check_reserved_flags(const struct command_row *row)
{
	/* DESTROY's second word is an id, RANGES', ALLOW's and UNMAP's too. */
	static const unsigned int with_flags[] = { 0x81, 0x83, 0x85, 0x8a, 0x8b, 0x8e, 0x8f, 0x90,
						   0x93 };
	unsigned int nr = _IOC_NR(row->cmd);
	uint32_t words[64] = { row->size, 0x80000000u };

	for (size_t i = 0; i < sizeof(with_flags) / sizeof(*with_flags); i++) {
		if (with_flags[i] != nr)
			continue;
		memcpy(fake.memory, words, sizeof(words));
		assert_int_equal(call_fresh(&(struct one_call){ 0, row->cmd, FAKE_BASE }),
				 -EOPNOTSUPP);
	}
}

static void test_unknown_flag_is_eopnotsupp(void **state)
{
	(void)state;
	for_each_row(check_reserved_flags);
}

static int setup(void **state)
{
	(void)state;
	fake_client_init(&fake, 100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_client_fini(&fake);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_argument_that_cannot_be_read_is_efault),
		TEST(test_number_with_size_or_direction_is_enotty),
		TEST(test_structure_below_its_minimum_is_einval),
		TEST(test_tail_must_be_zero_and_is_ignored_then),
		TEST(test_command_is_enotty_before_its_kernel),
		TEST(test_member_is_e2big_before_its_kernel),
		TEST(test_number_of_no_command_is_enotty),
		TEST(test_unknown_flag_is_eopnotsupp),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
