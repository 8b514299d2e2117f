/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects from strings and from JSON. */
#include <ioasis/iommufd_registry.h>

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scripted_device.h"

static IOMMUFDRegistry *registry_new(struct scripted_device *device)
{
	IOMMUFDRegistry *registry = iommufd_registry_new();

	memset(device, 0, sizeof(*device));
	iommufd_registry_set_device(registry, "/scripted", &scripted_ops, device);
	return registry;
}

static void test_registry_good_objects_are_made(void **state)
{
	static const struct {
		const char *text, *id;
		int fd;
	} rows[] = {
		{ "iommufd,id=i0", "i0", -1 },
		{ "iommufd,id=i1,fd=9", "i1", 9 },
		{ "qom-type=iommufd,fd=8,id=i2", "i2", 8 },
		{ "id=i3,qom-type=iommufd", "i3", -1 },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"j0\"}", "j0", -1 },
		{ " { \"qom-type\": \"iommufd\", \"id\": \"j1\", \"fd\": \"9\" } ", "j1", 9 },
		{ "{\"id\":\"A.b-c_9\",\"qom-type\":\"iommufd\"}", "A.b-c_9", -1 },
	};
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		IOMMUFDBackend *be = NULL;
		Error *err = NULL;

		assert_int_equal(iommufd_registry_add(registry, rows[i].text, &be, &err), 0);
		assert_null(err);
		assert_ptr_equal(be, iommufd_registry_find(registry, rows[i].id));
		assert_string_equal(iommufd_backend_get_id(be), rows[i].id);
		assert_int_equal(iommufd_backend_get_fd(be), rows[i].fd);
		assert_int_equal(iommufd_backend_is_owned(be), rows[i].fd < 0);
	}
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=last", NULL, NULL), 0);
	assert_int_equal(iommufd_registry_delete(registry, NULL), 0);
	assert_int_equal(device.closes, 0);
}

static void test_registry_bad_objects_are_told_why(void **state)
{
	static const struct {
		const char *text, *message;
		int ret;
	} rows[] = {
		{ "iommufd,id=i0", "id 'i0' is taken", -EEXIST },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"i0\"}", "id 'i0' is taken", -EEXIST },
		{ "iommufd", "key 'id' is missing", -EINVAL },
		{ "iommufd,fd=3", "key 'id' is missing", -EINVAL },
		{ "id=x", "key 'qom-type' is missing", -EINVAL },
		{ "", "'' is not key=value", -EINVAL },
		{ "iommufd,,id=x", "unknown key 'iommufd,id' of an iommufd object; known are id "
				   "and fd", -EINVAL },
		{ "iommufd,id", "'id' is not key=value", -EINVAL },
		{ "iommufd,=x", "'=x' is not key=value", -EINVAL },
		{ "iommufd,id=a,id=b", "key 'id' is given twice", -EINVAL },
		{ "iommufd,qom-type=iommufd,id=a", "key 'qom-type' is given twice", -EINVAL },
		{ "rng-random,id=a", "object type 'rng-random' is unknown; the only one is "
				     "iommufd", -EINVAL },
		{ "iommufd,id=a,speed=9", "unknown key 'speed' of an iommufd object; known are id "
					  "and fd", -EINVAL },
		{ "iommufd,id=9a", "id '9a' is not an identifier: a letter, then letters, digits, "
				   "'-', '.' and '_'", -EINVAL },
		{ "iommufd,id=a b", "id 'a b' is not an identifier: a letter, then letters, "
				    "digits, '-', '.' and '_'", -EINVAL },
		{ "iommufd,id=a,,b", "id 'a,b' is not an identifier: a letter, then letters, "
				     "digits, '-', '.' and '_'", -EINVAL },
		{ "iommufd,id=a,fd=", "fd '' is not a number from 0 to 2147483647", -EINVAL },
		{ "iommufd,id=a,fd=-1", "fd '-1' is not a number from 0 to 2147483647", -EINVAL },
		{ "iommufd,id=a,fd=9q", "fd '9q' is not a number from 0 to 2147483647", -EINVAL },
		{ "iommufd,id=a,fd=nine", "fd 'nine' is neither a number nor the name of an fd "
					  "handed in", -EINVAL },
		{ "{", "JSON is malformed at character 2: unexpected end of data", -EINVAL },
		{ "{\"qom-type\":\"iommufd\"} x",
		  "JSON is malformed at character 24: unexpected character", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",}",
		  "JSON is malformed at character 23: unexpected character", -EINVAL },
		{ "{id:1}",
		  "JSON is malformed at character 2: quoted object property name expected",
		  -EINVAL },
		{ "{}", "key 'qom-type' is missing", -EINVAL },
		{ "[]", "object type '[]' is unknown; the only one is iommufd", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"a\",\"fd\":9}",
		  "the value of key 'fd' is not a string: 9", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":null}",
		  "the value of key 'id' is not a string: null", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"a\\u0000b\"}",
		  "the value of key 'id' has a zero byte in it: \"a\\u0000b\"", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"a\",\"id\":\"b\"}",
		  "a key of the JSON object is given twice", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"a:\\\":b\"}",
		  "id 'a:\":b' is not an identifier: a letter, then letters, digits, '-', '.' "
		  "and '_'", -EINVAL },
		{ "{\"qom-type\":\"iommufd\",\"id\":\"a\",\"x\":\"y\"}",
		  "unknown key 'x' of an iommufd object; known are id and fd", -EINVAL },
	};
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);
	size_t i;

	(void)state;
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=i0", NULL, NULL), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Error *err = NULL;

		print_message("# %s\n", rows[i].text);
		assert_int_equal(iommufd_registry_add(registry, rows[i].text, NULL, &err),
				 rows[i].ret);
		assert_non_null(err);
		assert_string_equal(error_get_pretty(err), rows[i].message);
		error_free(err);
		assert_int_equal(iommufd_registry_add(registry, rows[i].text, NULL, NULL),
				 rows[i].ret);
	}
	assert_int_equal(iommufd_registry_delete(registry, NULL), 0);
}

/* Where a text of the user may stand, with a text that no person types. */
static void test_registry_long_texts_are_told_in_short(void **state)
{
	static const char *const forms[] = {
		"%s,id=a",
		"{\"qom-type\":\"%s\",\"id\":\"a\"}",
		"iommufd,id=%s!",
		"iommufd,id=a,%s=1",
		"iommufd,id=a,fd=%s",
		"iommufd,id=a,fd=9%s",
		"iommufd,%s",
		"{\"qom-type\":\"iommufd\",\"id\":[\"%s\"]}",
		"{\"qom-type\":\"iommufd\",\"%s\":9}",
	};
	const size_t length = 1 << 20;
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);
	char *word = test_malloc(length + 1), *text = test_malloc(length + 100);

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	/* Characters of two bytes, so that a cut in one would show. */
	for (size_t i = 0; i < length; i += 2)
		memcpy(word + i, "\u00e9", 2);
	memcpy(word, "x\x7f", 2);
	word[length] = 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		Error *err = NULL;
		const char *message;

		sprintf(text, forms[i], word);
		assert_int_equal(iommufd_registry_add(registry, text, NULL, &err), -EINVAL);
		message = error_get_pretty(err);
		assert_true(strlen(message) < 400);
		assert_null(strchr(message, 0x7f));
		assert_true(mbstowcs(NULL, message, 0) != (size_t)-1);
		error_free(err);
	}
	test_free(word);
	test_free(text);
	assert_int_equal(iommufd_registry_delete(registry, NULL), 0);
}

static void test_registry_fd_not_open_gives_ebadf(void **state)
{
	IOMMUFDRegistry *registry = iommufd_registry_new();
	Error *err = NULL;

	(void)state;
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a,fd=2147483647", NULL, &err),
			 -EBADF);
	assert_string_equal(error_get_pretty(err), "fd '2147483647' is not open in this process");
	error_free(err);
	assert_null(iommufd_registry_find(registry, "a"));
	iommufd_registry_delete(registry, NULL);
}

static void test_registry_device_that_does_not_exist_gives_enoent(void **state)
{
	IOMMUFDRegistry *registry = iommufd_registry_new();
	Error *err = NULL;

	(void)state;
	iommufd_registry_set_device(registry, "/no/such/device", NULL, NULL);
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a", NULL, &err), -ENOENT);
	assert_string_equal(error_get_pretty(err), "/no/such/device does not exist (is your kernel "
						   "config missing CONFIG_IOMMUFD?)");
	error_free(err);
	assert_null(iommufd_registry_find(registry, "a"));
	iommufd_registry_set_device(registry, "/dev/null", NULL, NULL);
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a", NULL, NULL), 0);
	iommufd_registry_delete(registry, NULL);
}

static void test_registry_help_is_given_to_who_asks(void **state)
{
	static const char *const asks[] = { "iommufd,help", "iommufd,?", "iommufd,id=a,help" };
	static const char *const others[] = { "iommufd,id=help", "iommufd", "iommufd,helpful",
					      "{\"qom-type\":\"iommufd\",help" };

	(void)state;
	assert_string_equal(iommufd_registry_help("help"),
			    "List of user creatable objects:\n  iommufd\n");
	for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++)
		assert_non_null(strstr(iommufd_registry_help(asks[i]), "\n  fd=<string> "));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_null(iommufd_registry_help(others[i]));
}

static int lookup(void *opaque, const char *name)
{
	return strcmp(name, opaque) ? -1 : 55;
}

static void test_registry_hands_its_hooks_to_backends(void **state)
{
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);
	IOMMUFDBackend *be;

	(void)state;
	iommufd_registry_set_fd_lookup(registry, lookup, (void *)"iommu0");
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a,fd=iommu0", &be, NULL), 0);
	assert_int_equal(iommufd_backend_get_fd(be), 55);
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=b", &be, NULL), 0);
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	assert_string_equal(device.path, "/scripted");
	iommufd_backend_disconnect(be);
	iommufd_registry_delete(registry, NULL);
}

static void test_registry_del_refuses_what_is_used_and_unknown(void **state)
{
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);
	IOMMUFDBackend *be;
	Error *err = NULL;

	(void)state;
	iommufd_registry_add(registry, "iommufd,id=a", &be, NULL);
	iommufd_registry_add(registry, "iommufd,id=b", NULL, NULL);
	assert_int_equal(iommufd_registry_del(registry, "c", &err), -ENOENT);
	assert_string_equal(error_get_pretty(err), "there is no object 'c'");
	error_free(err);
	err = NULL;
	iommufd_backend_connect(be, NULL);
	assert_int_equal(iommufd_registry_del(registry, "a", &err), -EBUSY);
	assert_string_equal(error_get_pretty(err),
			    "backend a is in use (users: 1), it cannot be deleted");
	error_free(err);
	err = NULL;
	assert_int_equal(iommufd_registry_delete(registry, &err), -EBUSY);
	assert_string_equal(error_get_pretty(err), "object 'a' is in use, it cannot be deleted");
	error_free(err);
	assert_non_null(iommufd_registry_find(registry, "b"));
	iommufd_backend_disconnect(be);
	assert_int_equal(iommufd_registry_del(registry, "a", NULL), 0);
	assert_null(iommufd_registry_find(registry, "a"));
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a", NULL, NULL), 0);
	assert_int_equal(iommufd_registry_delete(registry, NULL), 0);
	assert_int_equal(iommufd_registry_delete(NULL, NULL), 0);
}

/* Some bytes of one good text changed: never a crash, and an error exactly when it fails. */
static void test_registry_damaged_texts_are_refused_or_right(void **state)
{
	static const char *const seeds[] = {
		"iommufd,id=i0,fd=9",
		"{\"qom-type\":\"iommufd\",\"id\":\"i0\",\"fd\":\"9\"}",
	};
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 0) : 1;
	struct scripted_device device;
	IOMMUFDRegistry *registry = registry_new(&device);

	(void)state;
	print_message("# SEED=%u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		char text[64];
		IOMMUFDBackend *be = NULL;
		Error *err = NULL;
		size_t len;
		int ret;

		strcpy(text, seeds[i % 2]);
		len = strlen(text);
		for (long n = random() % 4; n >= 0; n--) {
			static const char bytes[] = "{}\"':,=\\\0 i09[]-u\xff\n";

			text[(size_t)random() % len] = bytes[(size_t)random() % sizeof(bytes)];
		}
		ret = iommufd_registry_add(registry, text, &be, &err);
		assert_true((ret != 0) == (err != NULL));
		assert_true((ret == 0) == (be != NULL));
		if (err)
			assert_true(strlen(error_get_pretty(err)) > 0);
		error_free(err);
		if (be)
			assert_int_equal(iommufd_registry_del(registry, iommufd_backend_get_id(be),
							      NULL), 0);
	}
	iommufd_registry_delete(registry, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry_damaged_texts_are_refused_or_right),
		cmocka_unit_test(test_registry_good_objects_are_made),
		cmocka_unit_test(test_registry_bad_objects_are_told_why),
		cmocka_unit_test(test_registry_long_texts_are_told_in_short),
		cmocka_unit_test(test_registry_fd_not_open_gives_ebadf),
		cmocka_unit_test(test_registry_device_that_does_not_exist_gives_enoent),
		cmocka_unit_test(test_registry_help_is_given_to_who_asks),
		cmocka_unit_test(test_registry_hands_its_hooks_to_backends),
		cmocka_unit_test(test_registry_del_refuses_what_is_used_and_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
