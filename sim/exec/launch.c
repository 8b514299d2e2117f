/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/launch.h"

#include "sim/exec/client.h"
#include "sim/exec/fail_nth.h"
#include "sim/exec/filter.h"
#include "sim/exec/guard.h"
#include "sim/exec/namespace.h"
#include "sim/exec/preload_env.h"
#include "sim/exec/ring.h"
#include "sim/exec/ring_abi.h"
#include "sim/exec/supervisor.h"
#include "sim/exec/sysfs.h"
#include "sim/exec/test_calls.h"
#include "sim/fuse/inject.h"
#include "sim/fuse/mount.h"
#include "sim/process/process.h"
#include "tracepoints/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one thread ------------------------------------------------------------ */

/* What starts threads before main(), and where it waits until there may be some. */
static const struct {
	const char *name, *put_off;
} thread_starters[] = {
	{ "IOASIS_TRACE", "IOASIS_EXEC_PUT_OFF_TRACE" },
	{ "LD_PRELOAD", "IOASIS_EXEC_PUT_OFF_PRELOAD" },
};
#define STARTERS (sizeof(thread_starters) / sizeof(thread_starters[0]))

static bool move_variable(const char *from, const char *to)
{
	const char *value = getenv(from);

	if (!value)
		return false;
	setenv(to, value, 1);
	unsetenv(from);
	return true;
}

static bool alone(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) || st.st_nlink <= 3;
}

/* By its own path, so that its name stays what it is in traces and in ps. */
static void run_again(char *const argv[])
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len > 0) {
		path[len] = 0;
		execv(path, argv);
	}
	execv("/proc/self/exe", argv);
}

/*
 * A standard file that is closed stays closed for CMD, but its number must not become
 * one of ours, which a message would be written to.
 */
static void hold_standard_files(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", O_RDWR | O_CLOEXEC);
	}
}

void launch_start_alone(char *const argv[])
{
	bool again = false, moved = false;
	size_t i;

	hold_standard_files();
	for (i = 0; i < STARTERS; i++)
		again |= move_variable(thread_starters[i].put_off, thread_starters[i].name);
	if (again || alone())
		return;
	for (i = 0; i < STARTERS; i++)
		moved |= move_variable(thread_starters[i].name, thread_starters[i].put_off);
	if (moved)
		run_again(argv);
	/* The namespaces will say why not, if they cannot be made now. */
	for (i = 0; i < STARTERS; i++)
		move_variable(thread_starters[i].put_off, thread_starters[i].name);
}

/* Tracing as the environment wants it, now that threads may start. */
static void start_tracing(void)
{
	const char *wanted = getenv("IOASIS_TRACE");

	if (trace_armed() || !wanted || !*wanted || !strcmp(wanted, "0"))
		return;
	if (!trace_load_probes() && !strcmp(wanted, "late"))
		trace_mode = TRACE_MODE_LATE;
}

/* ---- the launch ------------------------------------------------------------- */

struct launch {
	const struct launch_config *config;
	enum call_way way;
	struct launch_result *result;
	struct fuse_device *device;
	struct fail_nth_table *fail_nth; /* NULL without the test command */
	struct rings *rings;		 /* NULL: by another way */
	struct supervisor *supervisor;	 /* NULL: no listener */
	struct sysfs *sysfs;		 /* NULL: no devices */
	struct guard guard;
	struct client client;
	struct filter filter;
};

static uint32_t *launch_fail_nth(void *opaque, uint32_t tid)
{
	return fail_nth_find(((struct launch *)opaque)->fail_nth, tid);
}

static int launch_offer(void *opaque, struct process_client *pc, const void *data, size_t bytes)
{
	struct rings *rings = ((struct launch *)opaque)->rings;

	return rings ? rings_offer(rings, pc, data, bytes) : -ENOTTY;
}

/* 0, or the exit status with result->why. */
static int launch_prepare(struct launch *launch)
{
	char *why = launch->result->why;
	bool test_ops = launch->config->device.engine.test_ops;
	char preload[PATH_MAX];
	int fd, rc;

	/* Asked here, before anything is made, for the plainest of messages. */
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, LAUNCH_WHY_BYTES,
			 "cannot open /dev/fuse: %s; the fake device needs it (modprobe fuse, or "
			 "give the container the device; a user needs the right to read and "
			 "write it)",
			 strerror(errno));
		return LAUNCH_FAILED;
	}
	rc = !fuse_mount_is_device(fd, why, LAUNCH_WHY_BYTES);
	close(fd);
	if (rc)
		return LAUNCH_FAILED;
	rc = guard_init(&launch->guard);
	if (rc) {
		snprintf(why, LAUNCH_WHY_BYTES, "cannot look at /proc/self/ns: %s; /proc must be "
			 "mounted", strerror(-rc));
		return LAUNCH_FAILED;
	}
	rc = namespace_enter(why, LAUNCH_WHY_BYTES);
	if (!rc) {
		memcpy(launch->result->note, why, LAUNCH_WHY_BYTES);
		*why = 0;
	}
	if (!rc)
		rc = namespace_make_device_path(why, LAUNCH_WHY_BYTES);
	if (!rc && launch->config->device.bus)
		rc = namespace_make_vfio_folder(fuse_device_has_vfio_files(&launch->config->device), why,
						LAUNCH_WHY_BYTES);
	if (!rc && launch->config->device.bus)
		rc = sysfs_make(launch->config->device.bus,
				engine_config_linux(&launch->config->device.engine), why,
				LAUNCH_WHY_BYTES);
	if (!rc && test_ops)
		rc = test_make_debugfs(why, LAUNCH_WHY_BYTES);
	if (rc)
		return LAUNCH_FAILED;
	rc = guard_start(&launch->guard);
	if (rc) {
		snprintf(why, LAUNCH_WHY_BYTES, "cannot fork: %s", strerror(-rc));
		return LAUNCH_FAILED;
	}
	filter_build(&launch->filter, test_ops, launch->config->device.bus,
		     launch->way != CALL_BY_FUSE);
	if (launch->way == CALL_BY_RING && !preload_find(preload))
		launch->way = CALL_BY_NOTIFY;
	rc = client_fork(&launch->client, launch->config->argv, &launch->filter,
			 launch->way == CALL_BY_RING ? preload : NULL, why, LAUNCH_WHY_BYTES);
	return rc ? LAUNCH_FAILED : 0;
}

static int launch_make_device(struct launch *launch)
{
	struct fuse_device_config config = launch->config->device;
	char *why = launch->result->why;
	int rc;

	process_raise_file_limit(); /* CMD, already there, keeps the limit that it was given */
	config.sees_mmap = launch->client.listener >= 0;
	config.supervised = config.sees_mmap && launch->way != CALL_BY_FUSE;
	if (config.engine.test_ops) {
		launch->fail_nth = fail_nth_table_create();
		if (!launch->fail_nth) {
			snprintf(why, LAUNCH_WHY_BYTES, "out of memory");
			return LAUNCH_FAILED;
		}
		config.fail_nth = launch_fail_nth;
	}
	if (config.supervised && launch->way == CALL_BY_RING) {
		config.offer = launch_offer;
		config.offer_cmd = RING_OFFER;
	}
	config.opaque = launch;
	config.engine.trace = trace_of_process();
	rc = fuse_device_create(&config, &launch->device);
	if (rc) {
		snprintf(why, LAUNCH_WHY_BYTES, "cannot make the device: %s", strerror(-rc));
		return LAUNCH_FAILED;
	}
	rc = fuse_device_mount(launch->device, NAMESPACE_DEVICE_PATH, why);
	if (!rc && config.bus)
		rc = fuse_device_show_vfio(launch->device, "/dev/vfio", why);
	if (!rc && config.bus)
		rc = sysfs_show(config.bus, engine_config_linux(&config.engine), launch->device,
				&launch->sysfs, why, LAUNCH_WHY_BYTES);
	return rc ? LAUNCH_FAILED : 0;
}

static int launch_supervise(struct launch *launch)
{
	struct supervisor_config config = {
		.listener = launch->client.listener,
		.device = launch->device,
		.fail_nth = launch->fail_nth,
	};
	int rc;

	/* Without one, what is offered is refused, and calls come by the supervisor. */
	if (config.listener >= 0 && launch->way == CALL_BY_RING &&
	    !rings_start(launch->device, launch->fail_nth, launch->config->look_us,
			 &launch->rings))
		config.rings = launch->rings;

	/* Inside another exec: its listener is the only one that there can be. */
	if (config.listener < 0)
		return 0;
	rc = supervisor_start(&config, &launch->supervisor);
	if (rc) {
		snprintf(launch->result->why, LAUNCH_WHY_BYTES, "cannot start a thread: %s",
			 strerror(-rc));
		return LAUNCH_FAILED;
	}
	launch->client.listener = -1; /* the supervisor's */
	return 0;
}

static int launch_client(struct launch *launch)
{
	int rc = client_start(&launch->client, launch->config->argv[0], launch->result->why,
			      LAUNCH_WHY_BYTES);

	if (rc)
		return rc == -ENOENT ? CLIENT_NOT_FOUND : CLIENT_NOT_RUNNABLE;
	launch->result->ran = true;
	rc = client_wait(&launch->client);
	return WIFSIGNALED(rc) ? 128 + WTERMSIG(rc) : WEXITSTATUS(rc);
}

/* Which way the calls took, for who wonders why they take the time that they take. */
static void say_counts(const struct launch *launch)
{
	const struct ioctl_counts *counts;
	const char *say = getenv("IOASIS_CALL_SAY");

	if (!say || strcmp(say, "1") || !launch->supervisor)
		return;
	counts = supervisor_counts(launch->supervisor);
	fprintf(stderr, "ioasis exec: ioctls of the device: %llu by ring, %llu by notification, "
		"%llu let go to FUSE\n",
		launch->rings ? (unsigned long long)rings_answered(launch->rings) : 0,
		(unsigned long long)__atomic_load_n(&counts->answered, __ATOMIC_RELAXED),
		(unsigned long long)__atomic_load_n(&counts->let_go, __ATOMIC_RELAXED));
}

void launch_run(const struct launch_config *config, struct fuse_device **device,
		struct launch_result *result)
{
	struct launch launch = {
		.config = config,
		.way = config->way,
		.result = result,
		.guard = { .pid = -1 },
	};
	int status;

	*result = (struct launch_result){ .exit_status = LAUNCH_FAILED };
	/* A supervisor is not told of signals. */
	if (config->device.inject && inject_heeds_signals(config->device.inject))
		launch.way = CALL_BY_FUSE;
	/* A thread that waits for a ring is in no system call, which tells where it is. */
	else if (config->device.where && launch.way == CALL_BY_RING)
		launch.way = CALL_BY_NOTIFY;
	status = launch_prepare(&launch);
	if (!status) {
		start_tracing();
		status = launch_make_device(&launch);
		if (!status)
			status = launch_supervise(&launch);
		if (!status)
			status = launch_client(&launch);
		client_kill(&launch.client);
	}
	/* To look at every process of a machine takes milliseconds. */
	guard_finish(&launch.guard,
		     launch.supervisor && supervisor_is_alone(launch.supervisor));
	if (launch.rings)
		result->stuck += rings_stop(launch.rings);
	say_counts(&launch);
	if (launch.supervisor)
		result->stuck += supervisor_stop(launch.supervisor);
	if (launch.device)
		result->stuck += fuse_device_stop(launch.device);
	if (!result->stuck && launch.rings)
		rings_destroy(launch.rings);
	if (!result->stuck)
		sysfs_destroy(launch.sysfs);
	if (launch.fail_nth && !result->stuck)
		fail_nth_table_destroy(launch.fail_nth);
	result->exit_status = status;
	*device = launch.device;
}
