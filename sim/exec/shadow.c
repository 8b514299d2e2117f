/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/shadow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* An entry of the folder as the host has it. */
struct entry {
	struct entry *next;
	mode_t mode;
	int tree;     /* a mount of it, attached nowhere; -1: a link */
	char *target; /* of a link */
	char name[NAME_MAX + 1];
};

static void entries_free(struct entry *entries)
{
	while (entries) {
		struct entry *entry = entries;

		entries = entry->next;
		if (entry->tree >= 0)
			close(entry->tree);
		free(entry->target);
		free(entry);
	}
}

static int entry_read(int folder, const char *name, struct entry *entry)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t len;

	snprintf(entry->name, sizeof(entry->name), "%s", name);
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	entry->mode = st.st_mode;
	if (!S_ISLNK(st.st_mode)) {
		entry->tree = open_tree(folder, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						      AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
		return entry->tree < 0 ? -errno : 0;
	}
	len = readlinkat(folder, name, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	entry->target = strdup(target);
	return entry->target ? 0 : -ENOMEM;
}

/* All that path has now; what goes away meanwhile, or may not be bound, is left out. */
static int entries_read(const char *path, struct entry **entries)
{
	DIR *folder = opendir(path);
	struct dirent *found;
	int rc = 0;

	*entries = NULL;
	if (!folder)
		return -errno;
	while (!rc && (found = readdir(folder))) {
		struct entry *entry;

		if (!strcmp(found->d_name, ".") || !strcmp(found->d_name, ".."))
			continue;
		entry = calloc(1, sizeof(*entry));
		if (!entry) {
			rc = -ENOMEM;
			break;
		}
		entry->tree = -1;
		entry->next = *entries;
		*entries = entry;
		rc = entry_read(dirfd(folder), found->d_name, entry);
		if (rc == -EMFILE || rc == -ENOMEM)
			break;
		if (rc) {
			*entries = entry->next;
			entry->next = NULL;
			entries_free(entry);
			rc = 0;
		}
	}
	closedir(folder);
	if (rc) {
		entries_free(*entries);
		*entries = NULL;
	}
	return rc;
}

static int entry_show(int folder, const struct entry *entry)
{
	int fd;

	if (entry->target)
		return symlinkat(entry->target, folder, entry->name) ? -errno : 0;
	if (S_ISDIR(entry->mode)) {
		if (mkdirat(folder, entry->name, 0755))
			return -errno;
	} else {
		fd = openat(folder, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return move_mount(entry->tree, "", folder, entry->name, MOVE_MOUNT_F_EMPTY_PATH) ? -errno
											 : 0;
}

static int mount_empty(const char *path)
{
	return mount("ioasis", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755")
		       ? -errno
		       : 0;
}

/* Whether path lies in what mount_point mounts. */
static bool is_below(const char *path, const char *mount_point)
{
	size_t len = strlen(mount_point);

	if (!strcmp(mount_point, "/"))
		return true;
	return !strncmp(path, mount_point, len) && (!path[len] || path[len] == '/');
}

/* Whether it is one of ours already, or of an exec around this one. */
static bool is_ours(const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, point[PATH_MAX];
	size_t size = 0, longest = 0;
	bool ours = false;

	if (!mounts)
		return false;
	while (getline(&line, &size, mounts) > 0) {
		if (sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1 || !is_below(path, point) ||
		    strlen(point) < longest)
			continue;
		longest = strlen(point); /* the last of a length is on top */
		ours = strstr(line, " - tmpfs ioasis ");
	}
	free(line);
	fclose(mounts);
	return ours;
}

static int make_parent(const char *path)
{
	char parent[PATH_MAX], *end;

	snprintf(parent, sizeof(parent), "%s", path);
	end = strrchr(parent, '/');
	if (!end || end == parent)
		return -ENOENT;
	*end = '\0';
	return shadow_folder(parent);
}

int shadow_folder(const char *path)
{
	struct entry *entries;
	int rc, folder;

	if (access(path, F_OK)) {
		rc = make_parent(path);
		return rc || !mkdir(path, 0755) ? rc : -errno;
	}
	if (is_ours(path))
		return 0;
	rc = entries_read(path, &entries);
	if (!rc)
		rc = mount_empty(path);
	folder = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && folder < 0)
		rc = -errno;
	for (struct entry *entry = rc ? NULL : entries; entry; entry = entry->next) {
		int err = entry_show(folder, entry);

		if (err == -ENOMEM || err == -ENOSPC)
			rc = err;
	}
	if (folder >= 0)
		close(folder);
	entries_free(entries);
	return rc;
}

int shadow_replace(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return mkdir(path, 0755) ? -errno : 0;
	if (S_ISLNK(st.st_mode)) {
		if (unlink(path) || mkdir(path, 0755))
			return -errno;
		return 0;
	}
	return mount_empty(path);
}
