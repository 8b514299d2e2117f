/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ioasis/error.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_error_set_formats_and_keeps_errno(void **state)
{
	Error *err = NULL;

	(void)state;
	errno = ENOSPC;
	error_setg(&err, "id %u of %s", 7u, "i0");
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(error_get_pretty(err), "id 7 of i0");
	error_free(err);
	assert_int_equal(errno, ENOSPC);
}

static void test_error_set_to_nobody_does_nothing(void **state)
{
	(void)state;
	error_setg(NULL, "lost");
	error_setg_errno(NULL, EIO, "lost");
	error_prepend(NULL, "lost");
	error_propagate(NULL, NULL);
	error_free(NULL);
}

static void test_error_set_errno_adds_its_text(void **state)
{
	Error *err = NULL;

	(void)state;
	error_setg_errno(&err, ENOENT, "opening %s", "x");
	assert_string_equal(error_get_pretty(err), "opening x: No such file or directory");
	error_free(err);
	err = NULL;
	error_setg_errno(&err, 0, "plain");
	assert_string_equal(error_get_pretty(err), "plain");
	error_free(err);
}

static void test_error_prepend_goes_before(void **state)
{
	Error *err = NULL;

	(void)state;
	error_prepend(&err, "nothing to change");
	assert_null(err);
	error_setg(&err, "inner");
	error_prepend(&err, "outer %d: ", 1);
	assert_string_equal(error_get_pretty(err), "outer 1: inner");
	error_free(err);
}

static void test_error_propagate_first_wins(void **state)
{
	Error *first = NULL, *second = NULL, *dst = NULL;

	(void)state;
	error_setg(&first, "first");
	error_setg(&second, "second");
	error_propagate_prepend(&dst, first, "very ");
	error_propagate_prepend(&dst, second, "never ");
	assert_ptr_equal(dst, first);
	assert_string_equal(error_get_pretty(dst), "very first");
	error_propagate(NULL, dst);
}

static void test_error_copy_is_on_its_own(void **state)
{
	Error *err = NULL, *copy;

	(void)state;
	error_setg(&err, "text");
	copy = error_copy(err);
	error_prepend(&err, "changed ");
	assert_string_equal(error_get_pretty(copy), "text");
	error_free(err);
	error_free(copy);
}

/* Runs body in a child; returns how it ended, as wait() gives it. */
static int ended(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void set_twice(void)
{
	Error *err = NULL;

	error_setg(&err, "one");
	error_setg(&err, "two");
}

static void test_error_set_over_an_error_aborts(void **state)
{
	int status = ended(set_twice);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* A message of 1 GiB, where half of that can be had: ends with 0 when all is as it should be. */
static void set_without_memory(void)
{
	struct rlimit half = { 512u << 20, 512u << 20 };
	Error *err = NULL, *other = NULL, *copy;

	setrlimit(RLIMIT_AS, &half);
	error_setg(&err, "%*s", 1 << 30, "");
	error_prepend(&err, "kept ");
	copy = error_copy(err);
	if (strcmp(error_get_pretty(err), "out of memory") ||
	    strcmp(error_get_pretty(copy), "out of memory"))
		_exit(1);
	error_free(err);
	error_free(copy);
	error_setg(&other, "short");
	error_prepend(&other, "%*s", 1 << 30, "");
	if (strcmp(error_get_pretty(other), "short"))
		_exit(2);
	error_free(other);
}

static void test_error_set_without_memory_says_so(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	print_message("# SKIP a sanitizer wants more addresses than the test leaves\n");
	skip();
#endif
	assert_int_equal(ended(set_without_memory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set_formats_and_keeps_errno),
		cmocka_unit_test(test_error_set_to_nobody_does_nothing),
		cmocka_unit_test(test_error_set_errno_adds_its_text),
		cmocka_unit_test(test_error_prepend_goes_before),
		cmocka_unit_test(test_error_propagate_first_wins),
		cmocka_unit_test(test_error_copy_is_on_its_own),
		cmocka_unit_test(test_error_set_over_an_error_aborts),
		cmocka_unit_test(test_error_set_without_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
