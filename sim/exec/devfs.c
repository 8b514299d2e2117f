/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private /dev: a tmpfs with every entry of the real one bound into it, and
 * an empty file `iommu`. A bound node is the host's node, so terminals, /dev/kvm
 * and shared memory work as before.
 *
 * The real /dev stays visible as HOST_DEV, because of one node: opening ptmx looks
 * for `pts` beside it on the same mount (fs/devpts/inode.c, devpts_acquire), which
 * a bound file does not have.
 */
#include "sim/exec/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HOST_DEV_NAME ".host"
#define HOST_DEV "/dev/" HOST_DEV_NAME

/* Documentation/admin-guide/devices.txt */
#define PTMX_MINOR 2

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int make_file(int dir, const char *name)
{
	return mknodat(dir, name, S_IFREG | 0666, 0) ? -errno : 0;
}

static int copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = 0;
	return symlinkat(target, to, name) ? -errno : 0;
}

static bool is_ptmx(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(TTYAUX_MAJOR, PTMX_MINOR);
}

/* Shows entry `name` of from, the real /dev, in to, the new one. */
static int show_entry(int from, int to, const char *name)
{
	char source[PATH_MAX], target[PATH_MAX];
	struct stat st;
	int rc;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name);
	if (snprintf(source, sizeof(source), HOST_DEV "/%s", name) >= (int)sizeof(source) ||
	    snprintf(target, sizeof(target), "/dev/%s", name) >= (int)sizeof(target))
		return -ENAMETOOLONG;
	if (is_ptmx(&st))
		return symlinkat(source + strlen("/dev/"), to, name) ? -errno : 0;
	if (S_ISDIR(st.st_mode))
		rc = mkdirat(to, name, 0755) ? -errno : 0;
	else
		rc = make_file(to, name);
	if (rc)
		return rc;
	return mount(source, target, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
}

/* An entry that went away meanwhile, or that the system will not have bound, is left out. */
static int show_all(int to)
{
	DIR *from = opendir(HOST_DEV);
	struct dirent *entry;
	int rc = 0;

	if (!from)
		return -errno;
	while (!rc && (errno = 0, entry = readdir(from))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !strcmp(entry->d_name, base_name(NAMESPACE_DEVICE_PATH)))
			continue;
		rc = show_entry(dirfd(from), to, entry->d_name);
		if (rc != -ENOMEM && rc != -ENOSPC)
			rc = 0;
	}
	if (!rc)
		rc = -errno;
	closedir(from);
	return rc;
}

/* real: the mounts of the real /dev, attached nowhere. */
static int replace_dev(int real)
{
	int to, rc;

	if (mount("ioasis", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755"))
		return -errno;
	to = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return -errno;
	rc = mkdirat(to, HOST_DEV_NAME, 0755) ? -errno : 0;
	if (!rc && move_mount(real, "", AT_FDCWD, HOST_DEV, MOVE_MOUNT_F_EMPTY_PATH))
		rc = -errno;
	if (!rc)
		rc = show_all(to);
	if (!rc)
		rc = make_file(to, base_name(NAMESPACE_DEVICE_PATH));
	close(to);
	return rc == -EEXIST ? 0 : rc; /* the host's node, to mount over */
}

/* A /dev of this namespace alone, instead of the host's. While there is one thread. */
static int make_private_dev(void)
{
	int real = open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	mode_t mask = umask(0);
	int rc = real < 0 ? -errno : replace_dev(real);

	umask(mask);
	if (real >= 0)
		close(real);
	return rc;
}

int namespace_make_device_path(char *why, size_t size)
{
	struct stat st;
	int rc;

	if (!lstat(NAMESPACE_DEVICE_PATH, &st) && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)))
		return 0;
	rc = make_private_dev();
	if (rc)
		snprintf(why, size, "cannot make a private /dev: %s", strerror(-rc));
	return rc;
}

int namespace_make_vfio_folder(bool with_devices, char *why, size_t size)
{
	int rc = 0;

	/* Nothing may be made in a /dev that is the host's. */
	if (access("/dev/vfio", F_OK) && access(HOST_DEV, F_OK))
		rc = make_private_dev();
	if (!rc && mkdir("/dev/vfio", 0755) && errno != EEXIST)
		rc = -errno;
	if (!rc && mount("ioasis", "/dev/vfio", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755"))
		rc = -errno;
	if (!rc && with_devices && mkdir(NAMESPACE_VFIO_FOLDER, 0755))
		rc = -errno;
	if (rc)
		snprintf(why, size, "cannot make %s: %s", NAMESPACE_VFIO_FOLDER, strerror(-rc));
	return rc;
}
