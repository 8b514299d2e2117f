/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis serve: the fake device in the foreground, at a path, for any program.
 *
 * Nothing is left behind: the mount goes with SIGINT or SIGTERM, and so does the
 * file below it if serve made it. What a serve that was killed left is cleared away
 * by the next one.
 */
#include "cli/commands.h"
#include "cli/device_options.h"
#include "sim/fuse/mount.h"
#include "sim/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

struct serve_options {
	struct device_options device; /* first member */
	const char *at;
};

/* The file that the device is mounted on. */
struct mount_point {
	char path[PATH_MAX];
	bool made; /* by us, so removed at the end */
	int fd;	   /* of the file below the mount, locked; -1: none */
};

static const struct cli_option serve_option_table[] = {
	{ "at", 0, "PATH", "a path", "where the device appears (default /dev/iommu)",
	  CLI_TEXT(struct serve_options, at) },
	{ 0 },
};

static const struct cli_command serve_command = {
	.name = "serve",
	.synopsis = "[--at PATH] [OPTIONS]",
	.summary = "Runs a fake /dev/iommu in the foreground, for any program.",
	.details =
		"Prints 'ready PATH' once the device answers. SIGINT (Ctrl-C) or SIGTERM ends it.\n"
		"Commands that return a file descriptor work only under 'ioasis exec'.",
	.options = serve_option_table,
	.more_options = device_option_table,
	.error_status = 3,
};

static const char *kind_of_file(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
		return "a character device (the kernel's own?)";
	case S_IFBLK:
		return "a block device";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "no regular file";
	}
}

/* Makes the path absolute without asking the file at its end, which may be a dead mount. */
static int resolve(const char *at, char path[PATH_MAX])
{
	char copy[PATH_MAX], *slash, *folder;
	const char *name;

	if (snprintf(copy, sizeof(copy), "%s", at) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EISDIR;
	if (slash)
		*slash = '\0';
	folder = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!folder)
		return -errno;
	if (snprintf(path, PATH_MAX, "%s/%s", strcmp(folder, "/") ? folder : "", name) >=
	    PATH_MAX) {
		free(folder);
		return -ENAMETOOLONG;
	}
	free(folder);
	return 0;
}

/* What is mounted at the path already: 0 nothing (any more), or the exit status. */
static int clear_mount(const char *path)
{
	char type[64];

	while (fuse_mount_find(path, type, sizeof(type))) {
		if (strcmp(type, FUSE_MOUNT_TYPE))
			return cli_fail(
				&serve_command,
				"%s: a file system of type %s is mounted there; choose another "
				"path with --at",
				path, type);
		if (!fuse_mount_is_dead(path))
			return cli_fail(
				&serve_command,
				"%s: another 'ioasis serve' has its device there; end it, or "
				"choose another path with --at",
				path);
		fprintf(stderr, "ioasis serve: clearing away what a killed serve left at %s\n",
			path);
		fuse_mount_remove(path, geteuid() != 0);
		if (!fuse_mount_is_dead(path))
			continue;
		return cli_fail(&serve_command, "%s: a dead device is mounted there; unmount it",
				path);
	}
	return 0;
}

/* Gets an empty place for the device: 0, or the exit status after one line. */
static int mount_point_prepare(struct mount_point *point, const char *at)
{
	struct stat st;
	int err;

	point->fd = -1;
	point->made = false;
	err = resolve(at, point->path);
	if (err)
		return cli_fail(&serve_command,
				"%s: %s; --at takes the path of a file to be made or of an "
				"empty one",
				at, strerror(-err));
	err = clear_mount(point->path);
	if (err)
		return err;
	/* O_PATH does not open what it finds: it may be a device. */
	point->fd = open(point->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	point->made = point->fd >= 0;
	if (!point->made && errno != EEXIST)
		return cli_fail(&serve_command, "cannot make %s: %s; choose another path with --at",
				point->path, strerror(errno));
	if (!point->made) {
		if (stat(point->path, &st))
			return cli_fail(&serve_command,
					"%s: %s%s; choose another path with --at", point->path,
					errno == ENOENT ? "a link to nothing: " : "",
					strerror(errno));
		if (!S_ISREG(st.st_mode))
			return cli_fail(&serve_command, "%s is %s; choose another path with --at",
					point->path, kind_of_file(st.st_mode));
		if (st.st_size)
			return cli_fail(&serve_command,
					"%s is a file with something in it; choose another path "
					"with --at",
					point->path);
		point->fd = open(point->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	/* Two that start at once: the lock is on the file below the mount. */
	if (point->fd >= 0 && flock(point->fd, LOCK_EX | LOCK_NB))
		return cli_fail(
			&serve_command,
			"%s: another 'ioasis serve' is using that file; choose another path "
			"with --at",
			point->path);
	return 0;
}

static void mount_point_remove(struct mount_point *point)
{
	struct stat below, named;

	/* Only the file that we made, not one put in its place. */
	if (point->made && !fstat(point->fd, &below) && !lstat(point->path, &named) &&
	    below.st_dev == named.st_dev && below.st_ino == named.st_ino)
		unlink(point->path);
	if (point->fd >= 0)
		close(point->fd);
}

/* Said once: every call of such a process is refused. */
static void say_refused(void *opaque, uint32_t tid)
{
	static bool said;
	const char *why = "";

	(void)opaque;
	if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		return;
	if (!tid) {
		fprintf(stderr,
			"ioasis serve: cannot serve a process of another pid namespace; run "
			"'ioasis serve' inside that container\n");
		return;
	}
	process_readable(tid, &why);
	fprintf(stderr,
		"ioasis serve: cannot serve process %u: %s; run the program with 'ioasis exec', or "
		"serve as root\n",
		tid, why);
}

/* Waits for SIGINT, SIGTERM, SIGHUP, or for someone else to unmount the device. */
static void wait_for_end(struct fuse_device *device, const sigset_t *signals)
{
	struct pollfd fds[2] = {
		{ .fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = fuse_device_ended_fd(device), .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (!fds[0].revents)
		fprintf(stderr, "ioasis serve: the device was unmounted by someone else\n");
	close(fds[0].fd);
}

/* vfio/devices beside the device's path, made if need be; what was made, deepest first. */
struct vfio_folder {
	char path[PATH_MAX];
	unsigned int made; /* how many of its last two parts */
};

static int vfio_folder_prepare(struct vfio_folder *folder, const char *beside)
{
	size_t length = (size_t)(strrchr(beside, '/') - beside);
	static const char *const parts[] = { "/vfio", "/devices" };

	if (length + 32 > sizeof(folder->path))
		return -ENAMETOOLONG;
	memcpy(folder->path, beside, length);
	for (size_t i = 0; i < 2; i++) {
		strcpy(folder->path + length, parts[i]);
		length += strlen(parts[i]);
		if (!mkdir(folder->path, 0755))
			folder->made++;
		else if (errno != EEXIST)
			return -errno;
	}
	return 0;
}

static void vfio_folder_remove(struct vfio_folder *folder)
{
	for (; folder->made; folder->made--) {
		rmdir(folder->path);
		*strrchr(folder->path, '/') = '\0';
	}
}

/* The simulated devices, after the main one: 0, or the exit status after one line. */
static int mount_vfio(struct fuse_device *device, struct vfio_folder *folder, const char *beside)
{
	char why[FUSE_DEVICE_WHY_BYTES];
	int err = vfio_folder_prepare(folder, beside);

	if (err)
		return cli_fail(&serve_command, "cannot make %s: %s", folder->path, strerror(-err));
	if (fuse_device_mount_vfio(device, folder->path, why))
		return cli_fail(&serve_command, "%s", why);
	return 0;
}

static int serve(struct serve_options *options, const struct fuse_device_config *config)
{
	char why[FUSE_DEVICE_WHY_BYTES];
	struct fuse_device *device;
	struct vfio_folder vfio = { .made = 0 };
	struct mount_point point;
	unsigned int stuck;
	sigset_t signals;
	int status, err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	process_raise_file_limit();

	status = mount_point_prepare(&point, options->at);
	if (status)
		goto out_point;
	err = fuse_device_create(config, &device);
	if (err) {
		status = cli_fail(&serve_command, "cannot make the device: %s", strerror(-err));
		goto out_point;
	}
	if (fuse_device_mount(device, point.path, why)) {
		status = cli_fail(&serve_command, "%s", why);
		goto out_device;
	}
	if (config->bus)
		status = mount_vfio(device, &vfio, point.path);
	if (!status) {
		printf("ready %s\n", point.path);
		if (fflush(stdout))
			status = cli_fail(&serve_command, "cannot say that it is ready: %s",
					  strerror(errno));
		else
			wait_for_end(device, &signals);
	}
	stuck = fuse_device_stop(device);
	vfio_folder_remove(&vfio);
	if (!status)
		status = device_options_report(&options->device, 0);
	if (stuck) {
		mount_point_remove(&point);
		fflush(NULL);
		_exit(status);
	}
out_device:
	fuse_device_destroy(device);
out_point:
	mount_point_remove(&point);
	return status;
}

int cmd_serve(int argc, char **argv)
{
	struct serve_options options = {
		.device = {
			.leaks_at_close = true,
			.limits = {
				.files = 1024,
				.objects = 65536,
				.mappings = 262144,
				.calls = 256,
			},
		},
		.at = "/dev/iommu",
	};
	struct fuse_device_config config = { .refused = say_refused };
	int first, status;

	first = cli_parse(&serve_command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (options.device.list_devices)
		return device_options_list();
	if (first < argc)
		return cli_fail(&serve_command,
				"takes no argument, not '%s'; 'ioasis exec -- %s' runs a "
				"program on a device of its own",
				argv[first], argv[first]);
	status = device_options_apply(&options.device, &serve_command, &config);
	if (!status)
		status = serve(&options, &config);
	device_options_fini(&options.device);
	return status;
}
