/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that asks its own file system: what comes back, which files stay open, and
 * that it can be killed while its question has been taken and not answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/fuse/asker.h"
#include "sim/fuse/channel.h"
#include "sim/fuse/mount.h"

#define NODE_FILE 2u
#define QUESTION _IOR('a', 1, uint64_t)
#define ANSWER UINT64_C(0x123456789abcdef0)
#define WAIT_MS 20000

/* A file system of one directory in which every name is the same file. */
struct world {
	struct fuse_asker *asker;
	struct fuse_channel *channel;
	int root;
	int taken; /* where a byte is written instead of any answer; -1: answers */
	unsigned int released; /* __atomic */
	pthread_mutex_t gate;  /* a RELEASE waits for it */
};

static void answer(void *opaque, const struct fuse_request *request)
{
	struct world *world = opaque;
	struct fuse_attr_out attr = { .attr = { .ino = 1, .mode = S_IFDIR | 0700, .nlink = 1 } };
	struct fuse_entry_out entry = {
		.nodeid = NODE_FILE,
		.attr = { .ino = NODE_FILE, .mode = S_IFREG | 0600, .nlink = 1 },
	};
	struct fuse_open_out open_out = { .open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH };
	struct {
		struct fuse_ioctl_out out;
		uint64_t value;
	} ioctl_out = { .value = ANSWER };

	if (world->taken >= 0 && write(world->taken, "t", 1) == 1)
		return;
	switch (request->in->opcode) {
	case FUSE_GETATTR:
		fuse_request_reply(request, 0, &attr, sizeof(attr));
		return;
	case FUSE_LOOKUP:
		fuse_request_reply(request, 0, &entry, sizeof(entry));
		return;
	case FUSE_OPEN:
		fuse_request_reply(request, 0, &open_out, sizeof(open_out));
		return;
	case FUSE_IOCTL:
		if (((const struct fuse_ioctl_in *)request->arg)->cmd == QUESTION)
			fuse_request_reply(request, 0, &ioctl_out, sizeof(ioctl_out));
		else
			fuse_request_reply(request, -ENOTTY, NULL, 0);
		return;
	case FUSE_RELEASE:
		pthread_mutex_lock(&world->gate);
		pthread_mutex_unlock(&world->gate);
		__atomic_add_fetch(&world->released, 1, __ATOMIC_RELAXED);
		fuse_request_reply(request, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

static int world_start(struct world *world)
{
	int err = fuse_asker_create(&world->asker), fd;

	pthread_mutex_init(&world->gate, NULL);
	if (err)
		return err;
	fd = fuse_mount_hidden(&world->root);
	if (fd >= 0)
		return fuse_channel_start(fd, answer, world, 0, FUSE_CHANNEL_DRAINABLE,
					  &world->channel);
	fuse_asker_destroy(world->asker);
	return fd;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	int err;

	world->taken = -1;
	err = world_start(world);
	if (err) {
		free(world);
		world = NULL;
		print_message("# no file system of one's own here: %d\n", err);
	}
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	if (!world)
		return 0;
	close(world->root);
	assert_int_equal(fuse_channel_stop(world->channel, WAIT_MS), 0);
	fuse_channel_free(world->channel);
	fuse_asker_destroy(world->asker);
	free(world);
	return 0;
}

static struct world *world_of(void **state)
{
	if (!*state)
		skip();
	return *state;
}

static void test_asker_gives_the_answer(void **state)
{
	struct world *world = world_of(state);
	uint64_t value = 0;
	int fd;

	assert_int_equal(fuse_asker_sync(world->asker, world->root), 0);
	fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fuse_asker_ioctl(world->asker, fd, QUESTION, &value), 0);
	assert_true(value == ANSWER);
	close(fd);
}

static void test_asker_gives_the_error(void **state)
{
	struct world *world = world_of(state);
	uint64_t value = 5;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fuse_asker_ioctl(world->asker, fd, QUESTION, &value), -ENOTTY);
	assert_true(value == 5);
	assert_int_equal(fuse_asker_open(world->asker, fd, "7", O_RDWR), -ENOTDIR);
	assert_int_equal(fuse_asker_sync(world->asker, fd), 0);
	close(fd);
	assert_int_equal(fuse_asker_sync(world->asker, fd), -EIO); /* no such file to pass on */
	assert_int_equal(fuse_asker_sync(world->asker, world->root), 0);
}

static unsigned int released(struct world *world)
{
	fuse_channel_drain(world->channel);
	return __atomic_load_n(&world->released, __ATOMIC_RELAXED);
}

/* No other thread has the file open when its caller gets it: the last close() is the caller's. */
static void test_asker_keeps_no_file(void **state)
{
	struct world *world = world_of(state);
	uint64_t value;

	for (unsigned int i = 0; i < 300; i++) {
		int fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);

		assert_true(fd >= 0);
		assert_int_equal(fuse_asker_ioctl(world->asker, fd, QUESTION, &value), 0);
		assert_int_equal(released(world), i);
		close(fd);
		assert_int_equal(released(world), i + 1);
	}
}

/* As one that waits for a lock that a call of the client holds, which waits for the client. */
static void test_drain_gives_up_on_a_close_that_does_not_end(void **state)
{
	struct world *world = world_of(state);
	int fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);

	assert_true(fd >= 0);
	pthread_mutex_lock(&world->gate);
	close(fd);
	assert_int_equal(released(world), 0);
	assert_int_equal(released(world), 0);
	pthread_mutex_unlock(&world->gate);
	/* Until that one is done for good, one more may be taken for it: two, not waited for. */
	fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);
	close(fd);
	for (unsigned int i = 0; i < WAIT_MS && released(world) < 2; i++)
		poll(NULL, 0, 1);
	for (unsigned int i = 2; i < 100; i++) { /* and waits for others as before */
		fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);
		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(released(world), i + 1);
	}
}

static void test_asker_ends_with_the_connection(void **state)
{
	struct world *world = world_of(state);
	int fd = fuse_asker_open(world->asker, world->root, "7", O_RDWR);
	uint64_t value;

	assert_true(fd >= 0);
	assert_int_equal(fuse_channel_stop(world->channel, WAIT_MS), 0);
	assert_int_equal(fuse_asker_ioctl(world->asker, fd, QUESTION, &value), -ENOTCONN);
	close(fd);
}

/* The process that is killed: what it asks is taken and never answered. */
static void ask_in_vain(int taken)
{
	struct world world = { .taken = taken };

	if (world_start(&world))
		_exit(1);
	fuse_asker_sync(world.asker, world.root);
	_exit(2);
}

static bool has_ended(pid_t pid, int *status)
{
	struct pollfd process = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ended = process.fd >= 0 && poll(&process, 1, WAIT_MS) == 1;

	close(process.fd);
	return ended && waitpid(pid, status, 0) == pid;
}

static void test_asker_killed_while_it_waits_is_gone(void **state)
{
	int ends[2], status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (!pid)
		ask_in_vain(ends[1]);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1) { /* it could make no file system */
		waitpid(pid, &status, 0);
		close(ends[0]);
		assert_int_equal(WEXITSTATUS(status), 1);
		print_message("# no file system of one's own here\n");
		skip();
	}
	kill(pid, SIGKILL);
	assert_true(has_ended(pid, &status));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: it forks, and the others have threads. */
		cmocka_unit_test(test_asker_killed_while_it_waits_is_gone),
		cmocka_unit_test_setup_teardown(test_asker_gives_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_gives_the_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_keeps_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain_gives_up_on_a_close_that_does_not_end,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_ends_with_the_connection, setup,
						teardown),
	};

	/* Mounting takes rights that an ordinary user has in a namespace of his own. */
	if (geteuid())
		unshare(CLONE_NEWUSER | CLONE_NEWNS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
