/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VMM that is replaced by a new process: what the old one leaves, what the new one takes. */
#include "tests/unit/scripted_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ioasis/iommufd_registry.h>

/* What outlives a process: one descriptor and its name. */
struct kept {
	bool incoming;
	char name[16];
	int fd; /* -1: none */
};

static bool kept_is_incoming(void *opaque)
{
	struct kept *kept = opaque;

	return kept->incoming;
}

static int kept_find(void *opaque, const char *name)
{
	struct kept *kept = opaque;

	return strcmp(kept->name, name) ? -1 : kept->fd;
}

static void kept_save(void *opaque, const char *name, int fd)
{
	struct kept *kept = opaque;

	snprintf(kept->name, sizeof(kept->name), "%s", name);
	kept->fd = fd;
}

static void kept_delete(void *opaque, const char *name)
{
	struct kept *kept = opaque;

	assert_string_equal(kept->name, name);
	kept->fd = -1;
}

static const IOMMUFDCprOps kept_ops = { kept_is_incoming, kept_find, kept_save, kept_delete };

static void test_cpr_own_fd_lives_on_in_the_next_process(void **state)
{
	struct kept kept = { .fd = -1 };
	struct scripted_device before, after;
	IOMMUFDBackend *old = scripted_backend(&before), *new = scripted_backend(&after);

	(void)state;
	assert_int_equal(iommufd_backend_set_cpr(old, &kept_ops, &kept), 0);
	assert_int_equal(iommufd_backend_set_cpr(new, &kept_ops, &kept), 0);
	assert_int_equal(iommufd_backend_connect(old, NULL), 0);
	assert_int_equal(iommufd_backend_set_cpr(old, NULL, NULL), -EBUSY);
	assert_string_equal(kept.name, "i0");
	assert_int_equal(kept.fd, SCRIPTED_FD);

	kept.incoming = true;
	kept.fd = 55; /* the same file, as the new process has it */
	assert_int_equal(iommufd_backend_complete(new, NULL), 0);
	assert_int_equal(iommufd_backend_connect(new, NULL), 0);
	assert_int_equal(after.opens, 0);
	assert_int_equal(iommufd_backend_get_fd(new), 55);
	assert_true(iommufd_backend_is_owned(new));

	/* All is mapped already. */
	assert_int_equal(iommufd_backend_map_file_dma(new, 1, 0x1000, 0x1000, 9, 0, false), 0);
	assert_int_equal(iommufd_backend_unmap_dma(new, 1, 0x1000, 0x1000), 0);
	assert_int_equal(after.ioctls, 0);
	assert_int_equal(iommufd_change_process(new, NULL), 0);
	assert_int_equal(after.ioctls, 1);
	kept.incoming = false;
	assert_int_equal(iommufd_backend_unmap_dma(new, 1, 0x1000, 0x1000), 0);
	assert_int_equal(after.ioctls, 2);

	iommufd_backend_disconnect(new);
	assert_int_equal(kept.fd, -1);
	assert_int_equal(after.closed_fd, 55);
	iommufd_backend_disconnect(old);
	iommufd_backend_delete(new, NULL);
	iommufd_backend_delete(old, NULL);
}

static void test_cpr_fd_handed_in_is_replaced_by_the_kept_one(void **state)
{
	struct kept kept = { .fd = -1 };
	struct scripted_device device;
	IOMMUFDRegistry *registry = iommufd_registry_new();
	IOMMUFDBackend *be;
	Error *err = NULL;

	(void)state;
	memset(&device, 0, sizeof(device));
	iommufd_registry_set_device(registry, NULL, &scripted_ops, &device);
	iommufd_registry_set_cpr(registry, &kept_ops, &kept);
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a,fd=9", &be, NULL), 0);
	assert_int_equal(kept.fd, 9);
	assert_string_equal(kept.name, "a");
	assert_int_equal(iommufd_backend_connect(be, NULL), 0);
	iommufd_backend_disconnect(be);
	assert_int_equal(kept.fd, 9); /* it is not the backend's to forget */
	assert_int_equal(iommufd_registry_del(registry, "a", NULL), 0);

	kept.incoming = true;
	kept.fd = 55;
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=a,fd=9", &be, NULL), 0);
	assert_int_equal(iommufd_backend_get_fd(be), 55);
	assert_int_equal(iommufd_registry_add(registry, "iommufd,id=b,fd=9", &be, &err), -ENOENT);
	assert_string_equal(error_get_pretty(err),
			    "the fd of backend b was not kept by the process before this one");
	error_free(err);
	iommufd_registry_delete(registry, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpr_own_fd_lives_on_in_the_next_process),
		cmocka_unit_test(test_cpr_fd_handed_in_is_replaced_by_the_kept_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
