/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file behind a client's memory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/process/process.h"

#define PAGE ENGINE_PAGE_SIZE
#define BYTES (4 * PAGE)

static struct process_table *table;
static struct process_client client; /* this process is its own client */

static int setup(void **state)
{
	(void)state;
	table = process_table_create();
	return process_client_init(&client, table, NULL, (uint32_t)getpid(), 0);
}

static int teardown(void **state)
{
	(void)state;
	process_client_fini(&client);
	process_table_destroy(table);
	return 0;
}

/* What is lent of [at, +length); its byte at *offset is the one at `at`. */
static int lend(const void *at, size_t length, bool write, uint64_t *offset)
{
	struct engine_memory memory = { .mm = client.client.ops->mm_get(&client.client),
					.at = (uint64_t)(uintptr_t)at };
	int fd = process_memory_file(&memory, length, write, offset);

	engine_mm_put(memory.mm);
	return fd;
}

static char *map_file(int fd, int prot, int flags, off_t offset)
{
	char *at = mmap(NULL, BYTES, prot, flags, fd, offset);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

static int make_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4 * BYTES), 0);
	return fd;
}

static void test_memory_of_a_memfd_is_lent(void **state)
{
	int fd = make_memfd("lent"), other = make_memfd("lent"), got;
	char *at = map_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE);
	uint64_t offset;
	char text[8] = "";

	(void)state;
	got = lend(at + PAGE + 8, PAGE, true, &offset);
	assert_true(got >= 0);
	assert_int_equal(offset, 2 * PAGE + 8);
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	strcpy(at + PAGE + 8, "here");
	assert_int_equal(pread(got, text, 5, (off_t)offset), 5);
	assert_string_equal(text, "here");
	close(got);
	/* Beyond its end there is something else. */
	assert_int_equal(lend(at + 3 * PAGE, 2 * PAGE, true, &offset), -1);
	munmap(at, BYTES);
	close(fd);
	close(other);
}

static void test_mappings_side_by_side_are_one_piece(void **state)
{
	int fd = make_memfd("pieces"), got;
	char *at = map_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	uint64_t offset;

	(void)state;
	assert_int_equal(mprotect(at + PAGE, PAGE, PROT_READ), 0); /* now there are three */
	got = lend(at, BYTES, false, &offset);
	assert_true(got >= 0);
	close(got);
	/* The second one shows another part of the file. */
	assert_ptr_not_equal(mmap(at + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0),
			     MAP_FAILED);
	assert_int_equal(lend(at, BYTES, false, &offset), -1);
	munmap(at, BYTES);
	close(fd);
}

static void test_what_has_no_file_or_may_not_be_lent_is_not(void **state)
{
	const char *dir = getenv("TEST_DIR");
	int fd = make_memfd("kept"), disk, read_only;
	uint64_t offset;
	char path[256], *at;

	(void)state;
	at = map_file(-1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	assert_int_equal(lend(at, PAGE, true, &offset), -1);
	munmap(at, BYTES);
	at = map_file(-1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0);
	assert_int_equal(lend(at, PAGE, true, &offset), -1); /* shared, but nobody has it open */
	munmap(at, BYTES);
	at = map_file(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	assert_int_equal(lend(at, PAGE, true, &offset), -1);
	munmap(at, BYTES);
	/* A file that is only open for reading lets nobody write. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	at = map_file(read_only, PROT_READ, MAP_SHARED, 0);
	assert_int_equal(lend(at, PAGE, true, &offset), -1);
	fd = lend(at, PAGE, false, &offset);
	assert_true(fd >= 0);
	close(fd);
	close(read_only);
	/* Nor is one that was closed. */
	assert_int_equal(lend(at, PAGE, false, &offset), -1);
	munmap(at, BYTES);
	/* A file on a disk is not asked for. */
	snprintf(path, sizeof(path), "%s/file", dir ? dir : "/tmp");
	disk = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(disk >= 0);
	assert_int_equal(ftruncate(disk, BYTES), 0);
	at = map_file(disk, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (fcntl(disk, F_GET_SEALS) < 0)
		assert_int_equal(lend(at, PAGE, true, &offset), -1);
	munmap(at, BYTES);
	close(disk);
	unlink(path);
}

static void test_file_of_map_file_is_lent(void **state)
{
	int fd = make_memfd("file"), got, err = 0;
	struct engine_memory memory = { .at = 3 * PAGE };
	uint64_t offset;

	(void)state;
	memory.file = client.client.ops->file_get(&client.client, fd, &err);
	assert_non_null(memory.file);
	got = process_memory_file(&memory, PAGE, true, &offset);
	assert_true(got >= 0);
	assert_int_equal(offset, 3 * PAGE);
	close(got);
	engine_file_put(memory.file);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_of_a_memfd_is_lent),
		cmocka_unit_test(test_mappings_side_by_side_are_one_piece),
		cmocka_unit_test(test_what_has_no_file_or_may_not_be_lent_is_not),
		cmocka_unit_test(test_file_of_map_file_is_lent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
