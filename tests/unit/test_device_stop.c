/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device ends while a thread that is not its own still uses an open file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"
#include "sim/fuse/device.h"
#include "sim/process/process.h"

/* Where mounting is allowed and nobody else sees it. */
static bool enter_namespace(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void test_device_stop_leaves_a_file_in_use_to_its_user(void **state)
{
	const struct fuse_device_config config = { .engine = { 0 } };
	char path[] = "/tmp/ioasis-test-XXXXXX", why[FUSE_DEVICE_WHY_BYTES] = "no namespace";
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int below = mkstemp(path), used, unused;
	struct fuse_device *device;
	struct process_client pc;
	struct engine_ctx *ctx;

	(void)state;
	assert_true(below >= 0);
	close(below);
	assert_int_equal(fuse_device_create(&config, &device), 0);
	if (!enter_namespace() || fuse_device_mount(device, path, why)) {
		printf("# no device of one's own here: %s\n", why);
		fuse_device_destroy(device);
		unlink(path);
		skip();
	}
	used = open(path, O_RDWR | O_CLOEXEC);
	unused = open(path, O_RDWR | O_CLOEXEC);
	assert_true(used >= 0 && unused >= 0);
	ctx = fuse_device_ctx_get(device, used);
	assert_non_null(ctx);

	assert_int_equal(fuse_device_stop(device), 0);
	assert_int_equal(process_client_init(&pc, fuse_device_processes(device), NULL,
					     (uint32_t)getpid(), 0), 0);
	assert_int_equal(engine_ctx_ioctl(ctx, &pc.client, IOMMU_IOAS_ALLOC,
					  (uint64_t)(uintptr_t)&alloc), 0);
	process_client_fini(&pc);
	fuse_device_ctx_put(device, ctx);
	close(used);
	close(unused);
	fuse_device_destroy(device);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_stop_leaves_a_file_in_use_to_its_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
