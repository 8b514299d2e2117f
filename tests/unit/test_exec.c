/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The launcher's parts that need no process: which system calls its filter reports,
 * and the files of fault injection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/exec/fail_nth.h"
#include "sim/exec/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_RISCV64
#endif

/* ---- the filter, run as the kernel does ------------------------------------- */

static uint32_t filter_run(const struct filter *filter, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned int pc = 0; pc < filter->count; pc++) {
		const struct sock_filter *insn = &filter->insns[pc];

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(insn->k + sizeof(a) <= sizeof(*data));
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == insn->k ? insn->jt : insn->jf;
			break;
		case BPF_RET | BPF_K:
			return insn->k;
		default:
			fail_msg("instruction %u has code %#x", pc, insn->code);
		}
	}
	fail_msg("the filter does not end");
	return 0;
}

static void assert_reported(bool test_ops, bool reported, struct seccomp_data data)
{
	struct filter filter;

	filter_build(&filter, test_ops, false, false);
	assert_int_equal(filter_run(&filter, &data),
			 reported ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
}

static struct seccomp_data call(int nr, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return (struct seccomp_data){ .nr = nr, .arch = ARCH, .args = { 3, a1, a2, a3, 4 } };
}

static void test_filter_commands_with_a_file_are_reported(void **state)
{
	(void)state;
	for (int test_ops = 0; test_ops < 2; test_ops++) {
		assert_reported(test_ops, true, call(__NR_ioctl, IOMMU_FAULT_QUEUE_ALLOC, 0, 0));
		assert_reported(test_ops, true, call(__NR_ioctl, IOMMU_VEVENTQ_ALLOC, 0, 0));
		/* The kernel takes 32 bits of the number. */
		assert_reported(test_ops, true,
				call(__NR_ioctl, IOMMU_VEVENTQ_ALLOC | 1ull << 40, 0, 0));
		assert_reported(test_ops, false, call(__NR_ioctl, IOMMU_IOAS_MAP, 0, 0));
		assert_reported(test_ops, false, call(__NR_getpid, 0, 0, 0));
		assert_reported(test_ops, test_ops, call(__NR_ioctl, IOMMU_TEST_CMD, 0, 0));
	}
}

static void test_filter_mappings_are_reported_and_other_calls_for_tests_alone(void **state)
{
	(void)state;
	for (int test_ops = 0; test_ops < 2; test_ops++) {
		assert_reported(test_ops, test_ops, call(__NR_openat, 0, O_RDONLY, 0));
		assert_reported(test_ops, true, call(__NR_mmap, 4096, PROT_READ, MAP_SHARED));
		assert_reported(test_ops, false,
				call(__NR_mmap, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
		assert_reported(test_ops, false,
				call(__NR_mmap, 4096, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE));
		assert_reported(test_ops, test_ops, call(__NR_read, 0, 0, 0));
		assert_reported(test_ops, false, call(__NR_read, 0, 1, 0));
		assert_reported(test_ops, false, call(__NR_read, 0, 1ull << 32, 0));
	}
}

static void test_filter_reads_of_a_register_are_reported_with_devices(void **state)
{
	struct seccomp_data data = call(__NR_pread64, 0, 0, 0);
	struct filter filter;

	(void)state;
	for (int devices = 0; devices < 2; devices++) {
		filter_build(&filter, false, devices, true);
		for (uint64_t bytes = 0; bytes < 20; bytes++) {
			bool reported = devices && (bytes == 1 || bytes == 2 || bytes == 4 ||
						    bytes == 8);

			data.args[2] = bytes;
			assert_int_equal(filter_run(&filter, &data),
					 reported ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
			data.args[2] = bytes | 1ull << 32;
			assert_int_equal(filter_run(&filter, &data), SECCOMP_RET_ALLOW);
		}
		filter_build(&filter, false, devices, false); /* FUSE answers */
		data.args[2] = 4;
		assert_int_equal(filter_run(&filter, &data), SECCOMP_RET_ALLOW);
	}
}

static void test_filter_other_architectures_are_let_go(void **state)
{
	struct seccomp_data data = call(__NR_ioctl, IOMMU_FAULT_QUEUE_ALLOC, 0, 0);

	(void)state;
	data.arch = AUDIT_ARCH_I386;
	assert_reported(true, false, data);
}

/* ---- fail-nth ------------------------------------------------------------------ */

static void test_fail_nth_path_names_a_thread(void **state)
{
	(void)state;
	assert_int_equal(fail_nth_path("/proc/self/task/12/fail-nth", 7), 12);
	assert_int_equal(fail_nth_path("/proc/34/task/12/fail-nth", 7), 12);
	assert_int_equal(fail_nth_path("/proc/34/fail-nth", 7), 34);
	assert_int_equal(fail_nth_path("/proc/thread-self/fail-nth", 7), 7);
	assert_int_equal(fail_nth_path("/proc/self/fail-nth", 7), 7);
}

static void test_fail_nth_path_of_something_else_is_none(void **state)
{
	static const char *const others[] = {
		"",
		"/proc/self/status",
		"/proc/self/task/x/fail-nth",
		"/proc/self/task/12/fail-nth2",
		"/proc/self/task/99999999999/fail-nth",
		"/proc/-1/fail-nth",
		"/tmp/fail-nth",
		"fail-nth",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(fail_nth_path(others[i], 7), 0);
}

static void test_fail_nth_file_holds_a_number(void **state)
{
	uint32_t number = 0;
	char buf[16] = { 0 };

	(void)state;
	assert_int_equal(fail_nth_write(&number, "12", 2), 2);
	assert_int_equal(number, 12);
	assert_int_equal(fail_nth_read(&number, buf, sizeof(buf), 0), 3);
	assert_string_equal(buf, "12\n");
	assert_int_equal(fail_nth_read(&number, buf, sizeof(buf), 3), 0);
	assert_int_equal(fail_nth_read(&number, buf, 1, 1), 1);
	assert_int_equal(buf[0], '2');
	assert_int_equal(fail_nth_write(&number, "0\n", 2), 2);
	assert_int_equal(number, 0);
}

static void test_fail_nth_file_refuses_what_is_no_number(void **state)
{
	uint32_t number = 5;

	(void)state;
	assert_int_equal(fail_nth_write(&number, "", 0), -EINVAL);
	assert_int_equal(fail_nth_write(&number, "x", 1), -EINVAL);
	assert_int_equal(fail_nth_write(&number, "-1", 2), -EINVAL);
	assert_int_equal(fail_nth_write(&number, "1 ", 2), -EINVAL);
	assert_int_equal(fail_nth_write(&number, "4294967296", 10), -ERANGE);
	assert_int_equal(number, 5);
}

static void test_fail_nth_table_keeps_threads_apart(void **state)
{
	struct fail_nth_table *table = fail_nth_table_create();
	uint32_t *seven;

	(void)state;
	assert_non_null(table);
	assert_null(fail_nth_find(table, 7));
	seven = fail_nth_get(table, 7);
	assert_non_null(seven);
	assert_ptr_equal(fail_nth_find(table, 7), seven);
	assert_null(fail_nth_find(table, 8));
	assert_ptr_not_equal(fail_nth_get(table, 8), seven);
	assert_ptr_equal(fail_nth_get(table, 7), seven);
	fail_nth_table_destroy(table);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_commands_with_a_file_are_reported),
		cmocka_unit_test(test_filter_mappings_are_reported_and_other_calls_for_tests_alone),
		cmocka_unit_test(test_filter_other_architectures_are_let_go),
		cmocka_unit_test(test_filter_reads_of_a_register_are_reported_with_devices),
		cmocka_unit_test(test_fail_nth_path_names_a_thread),
		cmocka_unit_test(test_fail_nth_path_of_something_else_is_none),
		cmocka_unit_test(test_fail_nth_file_holds_a_number),
		cmocka_unit_test(test_fail_nth_file_refuses_what_is_no_number),
		cmocka_unit_test(test_fail_nth_table_keeps_threads_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
