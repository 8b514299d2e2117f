/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fake device adds to a FUSE round trip.
 *
 * Three daemons, each a process of its own in a private mount namespace: a minimal
 * one that answers every ioctl at once through libfuse's loop with its defaults (the
 * baseline: what any FUSE file costs), the same through our own channel, and the
 * device. This process is the client. Blocks of calls to each take turns, so that a
 * noisy machine is noisy for all; the figures are medians.
 *
 * The bars hold for client and daemons on one processor: the work is compared, not
 * where the scheduler puts it. Client and daemon on two processors that fall asleep in
 * turns wait for two wake-ups a call, which takes several times as long as the call in
 * a virtual machine; which of the two happens changes from minute to minute. The figures
 * with free placement come after, without a bar.
 */
#include "sim/fuse/channel.h"
#include "sim/fuse/device.h"
#include "sim/fuse/mount.h"
#include "tests/bench/bench.h"

#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <ioasis/iommufd_abi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 100
#define CALLS_A_ROUND 100
#define SAMPLES (ROUNDS * CALLS_A_ROUND)
#define EMPTY_CALL _IO(IOMMUFD_TYPE, 0x20)

enum daemon_kind {
	DAEMON_EMPTY,
	DAEMON_LIBFUSE,
	DAEMON_DEVICE,
	DAEMONS,
};

static const char *const daemon_files[DAEMONS] = { "empty", "libfuse", "iommu" };

/* ---- a daemon that answers at once ----------------------------------------------- */

static void empty_attr(struct fuse_attr *attr)
{
	*attr = (struct fuse_attr){
		.ino = 1,
		.mode = S_IFREG | 0666,
		.nlink = 1,
		.uid = getuid(),
		.gid = getgid(),
	};
}

static void empty_handle(void *opaque, const struct fuse_request *request)
{
	struct fuse_attr_out attr = { .attr_valid = 86400 };
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };
	struct fuse_ioctl_out answer = { 0 };

	(void)opaque;
	switch (request->in->opcode) {
	case FUSE_IOCTL:
		fuse_request_reply(request, 0, &answer, sizeof(answer));
		return;
	case FUSE_OPEN:
		fuse_request_reply(request, 0, &opened, sizeof(opened));
		return;
	case FUSE_GETATTR:
		empty_attr(&attr.attr);
		fuse_request_reply(request, 0, &attr, sizeof(attr));
		return;
	case FUSE_RELEASE:
		fuse_request_reply(request, 0, NULL, 0);
		return;
	case FUSE_FORGET:
		return;
	default:
		fuse_request_reply(request, -ENOSYS, NULL, 0);
	}
}

/* ---- the same through libfuse ---------------------------------------------------- */

static void libfuse_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = {
		.st_ino = 1,
		.st_mode = S_IFREG | 0666,
		.st_nlink = 1,
		.st_uid = getuid(),
		.st_gid = getgid(),
	};

	(void)ino, (void)fi;
	fuse_reply_attr(req, &st, 86400);
}

static void libfuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void libfuse_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
			  struct fuse_file_info *fi, unsigned int flags, const void *in,
			  size_t in_size, size_t out_size)
{
	(void)ino, (void)cmd, (void)arg, (void)fi, (void)flags, (void)in, (void)in_size;
	(void)out_size;
	fuse_reply_ioctl(req, 0, NULL, 0);
}

static int libfuse_serve(int fd)
{
	static const struct fuse_lowlevel_ops ops = {
		.getattr = libfuse_getattr,
		.open = libfuse_open,
		.ioctl = libfuse_ioctl,
	};
	char program[] = "bench", point[32], *argv[] = { program, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (!session || !config)
		return -ENOMEM;
	snprintf(point, sizeof(point), "/dev/fd/%d", fd);
	if (fuse_session_mount(session, point))
		return -EIO;
	fuse_session_loop_mt(session, config);
	return 0;
}

/* ---- daemons --------------------------------------------------------------------- */

/* Runs in the child until it is killed; returns only when it cannot. */
static void daemon_main(enum daemon_kind kind, const char *path)
{
	struct fuse_device_config config = { .engine = { 0 } };
	char why[FUSE_MOUNT_WHY_BYTES];
	struct fuse_channel *channel;
	struct fuse_device *device;
	bool by_helper;
	int fd;

	if (kind == DAEMON_DEVICE) {
		if (fuse_device_create(&config, &device) ||
		    fuse_device_mount(device, path, why))
			return;
		pause();
	}
	fd = fuse_mount_file(path, &by_helper, why);
	if (fd < 0)
		return;
	if (kind == DAEMON_LIBFUSE)
		libfuse_serve(fd);
	else if (!fuse_channel_start(fd, empty_handle, NULL, 0, FUSE_CHANNEL_ANY_ORDER, &channel))
		pause();
}

/* Starts a daemon and waits until its file answers: its process id, or -errno. */
static pid_t daemon_start(enum daemon_kind kind, const char *folder, int *fd)
{
	struct stat st, mounted;
	char path[64];
	pid_t pid;
	int below;

	snprintf(path, sizeof(path), "%s/%s", folder, daemon_files[kind]);
	below = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (below < 0 || fstat(below, &st))
		return -errno;
	close(below);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		daemon_main(kind, path);
		_exit(1);
	}
	do { /* until something is mounted over the file */
		if (waitpid(pid, NULL, WNOHANG))
			return -EIO;
		sched_yield();
	} while (stat(path, &mounted) || mounted.st_dev == st.st_dev);
	*fd = open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : pid;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* A private mount namespace; for users that are not root with a user namespace around it. */
static int enter_namespace(void)
{
	unsigned int uid = getuid(), gid = getgid();
	char uid_map[64], gid_map[64];
	int err = 0;

	if (unshare(CLONE_NEWNS)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			return -errno;
		snprintf(uid_map, sizeof(uid_map), "%u %u 1", uid, uid);
		snprintf(gid_map, sizeof(gid_map), "%u %u 1", gid, gid);
		err = write_text("/proc/self/setgroups", "deny");
		if (!err)
			err = write_text("/proc/self/uid_map", uid_map);
		if (!err)
			err = write_text("/proc/self/gid_map", gid_map);
	}
	if (!err && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err = -errno;
	return err;
}

/* ---- measuring ------------------------------------------------------------------- */

struct samples {
	uint64_t empty[SAMPLES], libfuse[SAMPLES], map[SAMPLES], unmap[SAMPLES], pair[SAMPLES];
};

static uint64_t timed_ioctl(int fd, unsigned long cmd, void *arg, int *err)
{
	uint64_t start = bench_now_ns();

	if (ioctl(fd, cmd, arg) < 0)
		*err = -errno;
	return bench_now_ns() - start;
}

static int measure(const int fds[DAEMONS], struct samples *samples)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	int err = 0, at = 0;

	if (memory == MAP_FAILED)
		return -ENOMEM;
	timed_ioctl(fds[DAEMON_DEVICE], IOMMU_IOAS_ALLOC, &alloc, &err);
	for (int round = 0; round < ROUNDS && !err; round++) {
		for (int i = 0; i < CALLS_A_ROUND; i++)
			samples->empty[at + i] =
				timed_ioctl(fds[DAEMON_EMPTY], EMPTY_CALL, NULL, &err);
		for (int i = 0; i < CALLS_A_ROUND; i++)
			samples->libfuse[at + i] =
				timed_ioctl(fds[DAEMON_LIBFUSE], EMPTY_CALL, NULL, &err);
		for (int i = 0; i < CALLS_A_ROUND; i++) {
			struct iommu_ioas_map map = {
				.size = sizeof(map),
				.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					 IOMMU_IOAS_MAP_WRITEABLE,
				.ioas_id = alloc.out_ioas_id,
				.user_va = (uint64_t)(uintptr_t)memory,
				.length = 4096,
				.iova = 0x1000000,
			};
			struct iommu_ioas_unmap unmap = {
				.size = sizeof(unmap),
				.ioas_id = alloc.out_ioas_id,
				.iova = map.iova,
				.length = map.length,
			};
			int fd = fds[DAEMON_DEVICE], k = at + i;

			samples->map[k] = timed_ioctl(fd, IOMMU_IOAS_MAP, &map, &err);
			samples->unmap[k] = timed_ioctl(fd, IOMMU_IOAS_UNMAP, &unmap, &err);
			samples->pair[k] = samples->map[k] + samples->unmap[k];
		}
		at += CALLS_A_ROUND;
	}
	munmap(memory, 1 << 20);
	return err;
}

static void tell(struct bench *bench, struct samples *samples, bool placed)
{
	if (!placed) {
		bench_figure(bench, "placed freely: empty ioctl, libfuse",
			     (double)bench_median(samples->libfuse, SAMPLES), "ns");
		bench_figure(bench, "placed freely: empty ioctl, our own loop",
			     (double)bench_median(samples->empty, SAMPLES), "ns");
		bench_figure(bench, "placed freely: MAP and UNMAP",
			     (double)bench_median(samples->pair, SAMPLES), "ns");
		return;
	}
	bench_figure(bench, "empty ioctl, libfuse (the baseline)",
		     (double)bench_median(samples->libfuse, SAMPLES), "ns");
	bench_figure(bench, "empty ioctl, our own loop",
		     (double)bench_median(samples->empty, SAMPLES), "ns");
	bench_figure(bench, "IOMMU_IOAS_MAP", (double)bench_median(samples->map, SAMPLES), "ns");
	bench_figure(bench, "IOMMU_IOAS_UNMAP", (double)bench_median(samples->unmap, SAMPLES), "ns");
	bench_ratio_at_most(bench, "MAP / empty ioctl", samples->map, samples->libfuse, SAMPLES, 1.2);
	bench_ratio_at_most(bench, "UNMAP / empty ioctl", samples->unmap, samples->libfuse, SAMPLES,
			    1.2);
	bench_figure(bench, "MAP and UNMAP / empty ioctl of our own loop",
		     (double)bench_median(samples->pair, SAMPLES) /
			     (double)bench_median(samples->empty, SAMPLES), "");
}

/* This process, and the daemons that it starts, on the first processor that it may use. */
static void stay_on_one(const cpu_set_t *allowed)
{
	cpu_set_t one;
	int cpu = 0;

	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* One set of daemons from start to end. placed: all of it on one processor. */
static int run(struct bench *bench, const char *folder, bool placed)
{
	struct samples *samples = calloc(1, sizeof(*samples));
	pid_t pids[DAEMONS] = { 0 };
	int fds[DAEMONS], err = 0;
	cpu_set_t allowed;

	if (!samples)
		return -ENOMEM;
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		placed = false;
	if (placed)
		stay_on_one(&allowed);
	for (int kind = 0; kind < DAEMONS && !err; kind++) {
		pids[kind] = daemon_start(kind, folder, &fds[kind]);
		if (pids[kind] < 0)
			err = pids[kind];
	}
	if (!err)
		err = measure(fds, samples);
	if (!err)
		tell(bench, samples, placed);
	for (int kind = 0; kind < DAEMONS; kind++) {
		char path[64];

		if (pids[kind] <= 0)
			continue;
		close(fds[kind]);
		kill(pids[kind], SIGKILL);
		waitpid(pids[kind], NULL, 0);
		snprintf(path, sizeof(path), "%s/%s", folder, daemon_files[kind]);
		umount2(path, MNT_DETACH);
		unlink(path);
	}
	if (placed)
		sched_setaffinity(0, sizeof(allowed), &allowed);
	free(samples);
	return err;
}

int bench_ioctl(struct bench *bench)
{
	char folder[] = "/tmp/ioasis-bench-XXXXXX";
	int err;

	if (access("/dev/fuse", R_OK | W_OK)) {
		bench_skip(bench, "no /dev/fuse: %s", strerror(errno));
		return 0;
	}
	if (!mkdtemp(folder))
		return -errno;
	err = enter_namespace();
	if (err) {
		bench_skip(bench, "no private mount namespace: %s", strerror(-err));
		rmdir(folder);
		return 0;
	}
	err = run(bench, folder, true);
	if (!err)
		err = run(bench, folder, false);
	rmdir(folder);
	return err;
}
