/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that a client passes in and does not leave alone. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/process/process.h"

/* A memfd that is open for reading alone, as a lease wants it. */
static int memory_file(void)
{
	int fd = memfd_create("file", MFD_CLOEXEC), read_only;
	char path[32];

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, ENGINE_PAGE_SIZE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read_only >= 0);
	close(fd);
	return read_only;
}

/* Who opens it for writing waits for its holder, up to /proc/sys/fs/lease-break-time. */
static void test_a_leased_file_holds_nobody_up(void **state)
{
	struct process_table *table = process_table_create();
	int fd = memory_file(), err = 0;
	struct engine_file *file;
	struct process_client pc;
	char text[1];

	(void)state;
	signal(SIGIO, SIG_IGN); /* the holder is asked to give it back */
	if (fcntl(fd, F_SETLEASE, F_RDLCK)) {
		puts("# no leases on this system");
		skip();
	}
	assert_int_equal(process_client_init(&pc, table, NULL, (uint32_t)getpid(), 0), 0);
	alarm(20); /* half of the time that the kernel gives the holder */
	file = pc.client.ops->file_get(&pc.client, fd, &err);
	alarm(0);
	assert_non_null(file);
	assert_int_equal(file->kind, ENGINE_FILE_MEMFD);
	assert_int_equal(file->ops->read(file, 0, text, 1), 0);
	engine_file_put(file);
	process_client_fini(&pc);
	process_table_destroy(table);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_leased_file_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
