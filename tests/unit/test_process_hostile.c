/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that mean no good, or that are killed in the middle of a call. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/process/process.h"

#define FD_OF_OTHER 700

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

/* A process with a file that this one has not, which waits to be killed. */
static pid_t other_start(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* the test may fail before */
		dup2(memory_file(), FD_OF_OTHER);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

/* The caller was killed, the call went on, and its number was given out again. */
static void test_a_number_given_out_again_gives_no_file_of_the_new_one(void **state)
{
	struct process_table *table = process_table_create();
	pid_t other = other_start();
	struct process_client pc;

	(void)state;
	assert_int_equal(process_client_init(&pc, table, NULL, (uint32_t)getpid(), 0), 0);
	pc.client.tid = (uint32_t)other;
	assert_int_equal(process_client_fd_get(&pc.client, FD_OF_OTHER), -EBADF);
	pc.client.pid = (uint32_t)other;
	assert_int_equal(process_client_fd_get(&pc.client, FD_OF_OTHER), -EBADF);
	process_client_fini(&pc);
	process_table_destroy(table);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_given_out_again_gives_no_file_of_the_new_one),
		cmocka_unit_test(test_a_leased_file_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
