/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A uid_map takes up to 340 lines (user_namespaces(7)); one is at most 33 characters. */
#define MAP_BYTES (340 * 34)

/* The capabilities that a client needs, see namespace_keep_capabilities(). */
static const int client_caps[] = { CAP_IPC_LOCK, CAP_SYS_PTRACE, CAP_SYS_RESOURCE };
/* What it takes to make the namespace itself without a user namespace. */
static const int own_caps[] = { CAP_SYS_ADMIN, CAP_DAC_OVERRIDE };
/* What it takes to give a user namespace more than one id. */
static const int map_caps[] = { CAP_SETFCAP, CAP_SETGID, CAP_SETUID };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

__attribute__((format(printf, 4, 5))) static int failed(char *why, size_t size, int err,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -err;
}

/* ---- capabilities ------------------------------------------------------- */

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int caps_get(struct caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	*caps = (struct caps){ 0 };
	if (syscall(SYS_capget, &header, data))
		return -errno;
	caps->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	caps->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	caps->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int caps_set(const struct caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)caps->effective, (uint32_t)caps->permitted,
		  (uint32_t)caps->inheritable },
		{ (uint32_t)(caps->effective >> 32), (uint32_t)(caps->permitted >> 32),
		  (uint32_t)(caps->inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static bool caps_have(const struct caps *caps, const int *wanted, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!(caps->effective >> wanted[i] & 1))
			return false;
	}
	return true;
}

int namespace_keep_capabilities(void)
{
	struct caps caps;
	size_t i;
	int rc;

	if (!geteuid()) /* execve() gives root all it may have */
		return 0;
	rc = caps_get(&caps);
	if (rc)
		return rc;
	for (i = 0; i < COUNT(client_caps); i++)
		caps.inheritable |= (uint64_t)1 << client_caps[i] & caps.permitted;
	rc = caps_set(&caps);
	if (rc)
		return rc;
	for (i = 0; i < COUNT(client_caps); i++) {
		if ((caps.inheritable >> client_caps[i] & 1) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, client_caps[i], 0, 0))
			return -errno;
	}
	return 0;
}

/* ---- ids ----------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		rc = -errno;
	close(fd);
	return rc;
}

/* Every id that the caller's namespace has, mapped to itself. */
static int map_all(pid_t pid, const char *which)
{
	unsigned int inside, outside, count;
	char path[64], text[MAP_BYTES];
	size_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/%s", which);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	text[0] = 0;
	while (fscanf(file, "%u %u %u", &inside, &outside, &count) == 3 && len < MAP_BYTES - 34)
		len += (size_t)snprintf(text + len, MAP_BYTES - len, "%u %u %u\n", inside, inside,
					count);
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	return write_file(path, text);
}

/*
 * The child that maps all ids: only a process outside the new user namespace has
 * the right to. Reads a byte from gate once the namespace is there.
 */
static _Noreturn void map_all_child(pid_t parent, int gate)
{
	char byte;
	int rc;

	if (read(gate, &byte, 1) != 1)
		_exit(0);
	rc = map_all(parent, "uid_map");
	if (!rc)
		rc = map_all(parent, "gid_map");
	_exit(-rc);
}

/* The caller's own id alone, which every user may map. */
static int map_own(uid_t uid, gid_t gid)
{
	char text[32];
	int rc;

	rc = write_file("/proc/self/setgroups", "deny");
	if (rc && rc != -ENOENT)
		return rc;
	snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	rc = write_file("/proc/self/uid_map", text);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	return write_file("/proc/self/gid_map", text);
}

static int enter_with_all_ids(void)
{
	pid_t parent = getpid(), child;
	int gate[2], status, rc = 0;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child < 0) {
		rc = -errno;
		goto out_pipe;
	}
	if (!child) {
		close(gate[1]);
		map_all_child(parent, gate[0]);
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		rc = -errno;
	else if (write(gate[1], "", 1) != 1)
		rc = -errno;
	close(gate[1]);
	gate[1] = -1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc && (!WIFEXITED(status) || WEXITSTATUS(status)))
		rc = WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
out_pipe:
	if (gate[1] >= 0)
		close(gate[1]);
	close(gate[0]);
	return rc;
}

static int enter_with_own_id(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -errno;
	return map_own(uid, gid);
}

int namespace_enter(char *why, size_t size)
{
	struct caps caps;
	bool root_here;
	int rc;

	rc = caps_get(&caps);
	if (rc)
		return failed(why, size, -rc, "cannot read own capabilities: %s", strerror(-rc));
	root_here = !geteuid() && caps_have(&caps, own_caps, COUNT(own_caps));

	if (root_here && caps_have(&caps, client_caps, COUNT(client_caps)))
		rc = unshare(CLONE_NEWNS) ? -errno : 0;
	else if (caps_have(&caps, map_caps, COUNT(map_caps)))
		rc = enter_with_all_ids();
	else
		rc = enter_with_own_id();
	/* Root can do without a user namespace, at the price of a capability. */
	*why = 0;
	if (rc && root_here && !unshare(CLONE_NEWNS)) {
		snprintf(why, size,
			 "no user namespace (%s): CMD has root's capabilities and no more, and "
			 "IOMMU_OPTION may give EPERM", strerror(-rc));
		rc = 0;
	}
	if (rc)
		return failed(why, size, -rc,
			      "cannot make a user namespace: %s; the system allows them when "
			      "/proc/sys/user/max_user_namespaces is above 0 and no policy "
			      "(kernel.unprivileged_userns_clone, AppArmor, a container's "
			      "seccomp) forbids them",
			      strerror(-rc));
	/* Mounts of the host still come in; none goes out. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return failed(why, size, errno,
			      "cannot make the mounts private: %s; a policy forbids mounts in a "
			      "user namespace (AppArmor's "
			      "kernel.apparmor_restrict_unprivileged_userns?)",
			      strerror(errno));
	return 0;
}
