/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backend object: its life, its fd, its users. test_backend_calls.c has the ioctls. */
#include "tests/unit/scripted_device.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/object.h"

/* Asserts that err says exactly text, and frees it. */
static void assert_error(Error **err, const char *text)
{
	assert_non_null(*err);
	assert_string_equal(error_get_pretty(*err), text);
	error_free(*err);
	*err = NULL;
}

static void test_backend_new_is_owned_closed_unused(void **state)
{
	IOMMUFDBackend *be = iommufd_backend_new("i0");

	(void)state;
	assert_int_equal(iommufd_backend_get_fd(be), -1);
	assert_true(iommufd_backend_is_owned(be));
	assert_int_equal(iommufd_backend_get_users(be), 0);
	assert_string_equal(iommufd_backend_get_id(be), "i0");
	assert_true(iommufd_backend_can_be_deleted(be));
	assert_int_equal(iommufd_backend_delete(be, NULL), 0);
	assert_int_equal(iommufd_backend_delete(NULL, NULL), 0);
}

static void test_backend_connect_opens_at_first_user_closes_with_last(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);

	(void)state;
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	assert_int_equal(device.opens, 1);
	assert_int_equal(device.open_flags, O_RDWR | O_CLOEXEC);
	assert_int_equal(iommufd_backend_get_fd(be), SCRIPTED_FD);
	assert_int_equal(iommufd_backend_get_users(be), 2);
	iommufd_backend_disconnect(be);
	assert_int_equal(device.closes, 0);
	iommufd_backend_disconnect(be);
	assert_int_equal(device.closes, 1);
	assert_int_equal(device.closed_fd, SCRIPTED_FD);
	assert_int_equal(iommufd_backend_get_fd(be), -1);
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	assert_int_equal(device.opens, 2);
	iommufd_backend_disconnect(be);
	assert_int_equal(iommufd_backend_delete(be, NULL), 0);
	assert_int_equal(device.closes, 2);
}

static void test_backend_disconnect_at_zero_users_is_harmless(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);

	(void)state;
	iommufd_backend_disconnect(be);
	assert_int_equal(iommufd_backend_get_users(be), 0);
	assert_int_equal(device.closes, 0);
	iommufd_backend_delete(be, NULL);
}

static void test_backend_connect_beyond_the_last_user_gives_e2big(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;

	(void)state;
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	be->users = UINT32_MAX - 1;
	assert_int_equal(iommufd_backend_connect(be, &err), 0);
	assert_null(err);
	assert_int_equal(iommufd_backend_connect(be, &err), -E2BIG);
	assert_error(&err, "too many connections");
	assert_int_equal(iommufd_backend_connect(be, NULL), -E2BIG);
	assert_int_equal(iommufd_backend_get_users(be), UINT32_MAX);
	be->users = 1;
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

static void test_backend_connect_failed_open_gives_its_errno(void **state)
{
	static const int errnos[] = { ENOENT, EACCES, EMFILE, ENODEV, EINTR };
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i;

	(void)state;
	unsetenv("IOASIS_DEVICE");
	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		Error *err = NULL;
		char text[128];

		device.open_errno = errnos[i];
		errno = 0;
		assert_int_equal(iommufd_backend_connect(be, &err), -errnos[i]);
		assert_int_equal(errno, 0);
		snprintf(text, sizeof(text), "opening /dev/iommu failed: %s", strerror(errnos[i]));
		assert_error(&err, text);
		assert_int_equal(iommufd_backend_get_users(be), 0);
		assert_int_equal(iommufd_backend_get_fd(be), -1);
	}
	device.open_errno = 0;
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

static void test_backend_connect_without_device_names_it(void **state)
{
	IOMMUFDBackend *be = iommufd_backend_new(NULL);
	Error *err = NULL;

	(void)state;
	iommufd_backend_set_device(be, "/dev/no-such-device", NULL, NULL);
	assert_int_equal(iommufd_backend_connect(be, &err), -ENOENT);
	assert_error(&err, "opening /dev/no-such-device failed: No such file or directory");
	iommufd_backend_delete(be, NULL);
}

static void test_backend_device_path_by_embedder_then_environment_then_default(void **state)
{
	static const struct {
		const char *set, *environment, *expected;
	} rows[] = {
		{ "/a", "/b", "/a" },
		{ NULL, "/b", "/b" },
		{ NULL, "", "/dev/iommu" },
		{ NULL, NULL, "/dev/iommu" },
	};
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].environment)
			setenv("IOASIS_DEVICE", rows[i].environment, 1);
		else
			unsetenv("IOASIS_DEVICE");
		iommufd_backend_set_device(be, rows[i].set, &scripted_ops, &device);
		assert_int_equal(iommufd_backend_connect(be, NULL), 0);
		assert_string_equal(device.path, rows[i].expected);
		assert_int_equal(iommufd_backend_set_device(be, "/c", NULL, NULL), -EBUSY);
		iommufd_backend_disconnect(be);
	}
	iommufd_backend_delete(be, NULL);
}

static void test_backend_delete_in_use_gives_ebusy(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;

	(void)state;
	iommufd_backend_connect(be, NULL);
	assert_false(iommufd_backend_can_be_deleted(be));
	assert_int_equal(iommufd_backend_delete(be, &err), -EBUSY);
	assert_error(&err, "backend i0 is in use (users: 1), it cannot be deleted");
	assert_int_equal(iommufd_backend_delete(be, NULL), -EBUSY);
	iommufd_backend_disconnect(be);
	assert_int_equal(iommufd_backend_delete(be, &err), 0);
}

static void test_backend_passed_fd_is_used_and_never_closed(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);

	(void)state;
	assert_int_equal(iommufd_backend_set_fd(be, "42", NULL), 0);
	assert_false(iommufd_backend_is_owned(be));
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	assert_int_equal(device.opens, 0);
	assert_int_equal(iommufd_backend_get_fd(be), 42);
	iommufd_backend_free_id(be, 1);
	assert_int_equal(device.ioctl_fd, 42);
	iommufd_backend_disconnect(be);
	assert_int_equal(iommufd_backend_get_fd(be), 42);
	assert_int_equal(iommufd_backend_delete(be, NULL), 0);
	assert_int_equal(device.closes, 0);
}

static void test_backend_set_fd_in_use_gives_ebusy(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;

	(void)state;
	iommufd_backend_connect(be, NULL);
	assert_int_equal(iommufd_backend_set_fd(be, "42", &err), -EBUSY);
	assert_error(&err, "backend i0 is in use (users: 1), its fd cannot be set");
	assert_true(iommufd_backend_is_owned(be));
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

static int lookup(void *opaque, const char *name)
{
	return strcmp(name, "iommu0") ? -1 : *(int *)opaque;
}

static void test_backend_set_fd_by_name(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;
	int fd = 77;

	(void)state;
	assert_int_equal(iommufd_backend_set_fd(be, "iommu0", &err), -EINVAL);
	assert_error(&err, "fd 'iommu0' is neither a number nor the name of an fd handed in");
	iommufd_backend_set_fd_lookup(be, lookup, &fd);
	assert_int_equal(iommufd_backend_set_fd(be, "iommu0", &err), 0);
	assert_int_equal(iommufd_backend_get_fd(be), 77);
	assert_int_equal(iommufd_backend_set_fd(be, "iommu1", &err), -EINVAL);
	error_free(err);
	assert_int_equal(iommufd_backend_get_fd(be), 77);
	iommufd_backend_delete(be, NULL);
}

static void test_backend_set_fd_bad_number_gives_einval(void **state)
{
	static const char *const bad[] = { "", "-1", "9x", "2147483648", "99999999999999999999" };
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		Error *err = NULL;
		char text[128];

		assert_int_equal(iommufd_backend_set_fd(be, bad[i], &err), -EINVAL);
		snprintf(text, sizeof(text), "fd '%s' is not a number from 0 to 2147483647",
			 bad[i]);
		assert_error(&err, text);
		assert_true(iommufd_backend_is_owned(be));
	}
	iommufd_backend_delete(be, NULL);
}

static void test_backend_set_fd_not_open_gives_ebadf(void **state)
{
	IOMMUFDBackend *be = iommufd_backend_new(NULL);
	int fd = open("/dev/null", O_RDWR);
	Error *err = NULL;
	char text[16];

	(void)state;
	assert_int_equal(iommufd_backend_set_fd(be, "2147483647", &err), -EBADF);
	assert_error(&err, "fd '2147483647' is not open in this process");
	snprintf(text, sizeof(text), "%d", fd);
	assert_int_equal(iommufd_backend_set_fd(be, text, &err), 0);
	iommufd_backend_delete(be, NULL);
	assert_int_equal(close(fd), 0);
}

#define THREADS 4
#define ROUNDS 2000

static void *connect_disconnect(void *opaque)
{
	IOMMUFDBackend *be = opaque;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (iommufd_backend_connect(be, NULL) || iommufd_backend_get_fd(be) != SCRIPTED_FD)
			return be;
		iommufd_backend_disconnect(be);
	}
	return NULL;
}

static void test_backend_threads_leave_count_and_fd_right(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	pthread_t threads[THREADS];
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, connect_disconnect, be), 0);
	for (i = 0; i < THREADS; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(iommufd_backend_get_users(be), 0);
	assert_int_equal(iommufd_backend_get_fd(be), -1);
	assert_int_equal(device.opens, device.closes);
	assert_in_range(device.opens, 1, THREADS * ROUNDS);
	iommufd_backend_delete(be, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backend_new_is_owned_closed_unused),
		cmocka_unit_test(test_backend_connect_opens_at_first_user_closes_with_last),
		cmocka_unit_test(test_backend_disconnect_at_zero_users_is_harmless),
		cmocka_unit_test(test_backend_connect_beyond_the_last_user_gives_e2big),
		cmocka_unit_test(test_backend_connect_failed_open_gives_its_errno),
		cmocka_unit_test(test_backend_connect_without_device_names_it),
		cmocka_unit_test(
			test_backend_device_path_by_embedder_then_environment_then_default),
		cmocka_unit_test(test_backend_delete_in_use_gives_ebusy),
		cmocka_unit_test(test_backend_passed_fd_is_used_and_never_closed),
		cmocka_unit_test(test_backend_set_fd_in_use_gives_ebusy),
		cmocka_unit_test(test_backend_set_fd_by_name),
		cmocka_unit_test(test_backend_set_fd_bad_number_gives_einval),
		cmocka_unit_test(test_backend_set_fd_not_open_gives_ebadf),
		cmocka_unit_test(test_backend_threads_leave_count_and_fd_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
