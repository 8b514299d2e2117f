/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/tracing_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/lttng_programs.h"
#include "cli/remove.h"
#include "tracepoints/load.h"

#define ROOT_RUNDIR "/run/lttng"
#define COMMAND_TIMEOUT_MS 20000
#define DAEMON_TIMEOUT_MS 15000
#define SUBBUFS 8u
#define SUBBUF_MAX (2u << 20)
#define SUBBUF_MIN (64u << 10)
#define ARGS_MAX 24

/* Keeps the reason in session->error, cut where it is too long; returns ret. */
static int __attribute__((format(printf, 3, 4)))
fail(struct tracing_session *session, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(session->error, sizeof(session->error), fmt, ap);
	va_end(ap);
	return ret;
}

/* ---- running LTTng's programs --------------------------------------------------- */

/* Runs `lttng --no-sessiond ARG...` (the list ends with NULL). 0 or -errno with session->error. */
static int lttng(struct tracing_session *session, ...)
{
	char *argv[ARGS_MAX] = { (char *)"lttng", (char *)"--no-sessiond" }, line[300];
	int argc = 2, status = 0, ret = 0;
	int out = memfd_create("lttng", MFD_CLOEXEC);
	va_list ap;
	pid_t pid;

	if (out < 0)
		return fail(session, -errno, "memfd_create: %s", strerror(errno));
	va_start(ap, session);
	while (argc < ARGS_MAX - 1 && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	argv[argc] = NULL;
	pid = lttng_spawn(argv, out, NULL);
	if (pid < 0) {
		ret = fail(session, -errno, "fork: %s", strerror(errno));
	} else if (!lttng_wait(pid, COMMAND_TIMEOUT_MS, &status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		ret = fail(session, -ETIMEDOUT,
			   "the LTTng session daemon does not answer (lttng %s took over %d s)",
			   argv[2], COMMAND_TIMEOUT_MS / 1000);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		ret = fail(session, -ENOENT,
			   "LTTng is not installed: no program 'lttng' (Debian: lttng-tools)");
	} else if (status) {
		lttng_last_line(out, line, sizeof(line));
		ret = fail(session, -EIO, "lttng %s failed: %s", argv[2], line);
	}
	close(out);
	return ret;
}

/* ---- the session daemon --------------------------------------------------------- */

static void socket_path(const struct tracing_session *session, char *path, size_t size)
{
	const char *home = session->home[0] ? session->home : getenv("LTTNG_HOME");

	if (!geteuid()) {
		snprintf(path, size, ROOT_RUNDIR "/client-lttng-sessiond");
		return;
	}
	if (!home || !*home)
		home = getenv("HOME");
	snprintf(path, size, "%s/.lttng/client-lttng-sessiond", home ? home : "");
}

/* True when a daemon accepts connections on the client socket. */
static bool daemon_answers(const struct tracing_session *session)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return false;
	socket_path(session, address.sun_path, sizeof(address.sun_path));
	/* A queue that is full: a daemon is there and hangs; its first command will say so. */
	answers = !connect(fd, (struct sockaddr *)&address, sizeof(address)) || errno == EAGAIN;
	close(fd);
	return answers;
}

/* A mount namespace with an empty run directory; output stays reachable under its path. */
static int enter_private_rundir(struct tracing_session *session)
{
	bool local = session->output[0];
	int output = local ? open(session->output, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	char link[64];
	int ret = 0;

	if (local && output < 0)
		return fail(session, -errno, "%s: %s", session->output, strerror(errno));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		ret = fail(session, -errno,
			   "cannot make a mount namespace for an LTTng session daemon: %s",
			   strerror(errno));
		goto out_close;
	}
	if ((mkdir(ROOT_RUNDIR, 0755) && errno != EEXIST) ||
	    mount("tmpfs", ROOT_RUNDIR, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") ||
	    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")) {
		ret = fail(session, -errno, "cannot mount a private " ROOT_RUNDIR ": %s",
			   strerror(errno));
		goto out_close;
	}
	if (!strncmp(session->output, "/dev/shm/", 9)) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", output);
		for (char *at = session->output + 9; (at = strchr(at, '/')); *at++ = '/') {
			*at = 0;
			mkdir(session->output, 0755);
		}
		mkdir(session->output, 0755);
		if (mount(link, session->output, NULL, MS_BIND, NULL))
			ret = fail(session, -errno, "cannot keep %s reachable: %s",
				   session->output, strerror(errno));
	}
out_close:
	if (output >= 0)
		close(output);
	return ret;
}

static int make_private_home(struct tracing_session *session)
{
	const char *tmp = getenv("TMPDIR");

	/* A socket's path has 108 bytes: use a long TMPDIR only if it fits. */
	snprintf(session->home, sizeof(session->home), "%s/ioasis-XXXXXX",
		 tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(session->home)) {
		int ret = fail(session, -errno, "%s: %s", session->home, strerror(errno));

		session->home[0] = 0;
		return ret;
	}
	setenv("LTTNG_HOME", session->home, 1);
	return 0;
}

static void daemon_stop(struct tracing_session *session)
{
	int status;

	if (session->daemon > 0) {
		kill(session->daemon, SIGTERM);
		if (!lttng_wait(session->daemon, 5000, &status)) {
			kill(-session->daemon, SIGKILL);
			waitpid(session->daemon, &status, 0);
		}
		/* Its consumer daemons are in its process group and end with it; make sure. */
		kill(-session->daemon, SIGTERM);
		while (waitpid(-session->daemon, &status, 0) > 0)
			;
	}
	session->daemon = 0;
	if (session->home[0])
		cli_remove_tree(session->home);
	session->home[0] = 0;
}

static int daemon_start(struct tracing_session *session)
{
	char *argv[] = { (char *)"lttng-sessiond", (char *)"--no-kernel", NULL };
	int64_t until = lttng_now_ms() + DAEMON_TIMEOUT_MS;
	int out, status, ret;
	char line[300];

	ret = geteuid() ? make_private_home(session) : enter_private_rundir(session);
	if (ret)
		return ret;
	out = memfd_create("lttng-sessiond", MFD_CLOEXEC);
	if (out < 0)
		return fail(session, -errno, "memfd_create: %s", strerror(errno));
	/* What the daemon leaves comes to us, so that its end can be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	session->daemon = lttng_spawn(argv, out, NULL);
	if (session->daemon < 0)
		ret = fail(session, -errno, "fork: %s", strerror(errno));
	while (!ret && !daemon_answers(session)) {
		if (waitpid(session->daemon, &status, WNOHANG) == session->daemon) {
			session->daemon = 0;
			lttng_last_line(out, line, sizeof(line));
			if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
				ret = fail(session, -ENOENT,
					   "LTTng is not installed: no program 'lttng-sessiond' "
					   "(Debian: lttng-tools)");
			else
				ret = fail(session, -EIO, "lttng-sessiond ended: %s", line);
		} else if (lttng_now_ms() > until) {
			ret = fail(session, -ETIMEDOUT,
				   "lttng-sessiond does not answer after %d s",
				   DAEMON_TIMEOUT_MS / 1000);
		} else {
			poll(NULL, 0, 5);
		}
	}
	session->daemon_log = out;
	if (ret)
		daemon_stop(session);
	return ret;
}

/* ---- the session ---------------------------------------------------------------- */

/* Bytes of a sub-buffer such that all CPUs' buffers fit into half of what /dev/shm has left. */
static unsigned int subbuf_bytes(void)
{
	unsigned long long room = 64ull << 20, cpus = (unsigned long long)get_nprocs_conf();
	unsigned int bytes = SUBBUF_MAX;
	struct statvfs shm;

	if (!statvfs("/dev/shm", &shm))
		room = (unsigned long long)shm.f_bavail * shm.f_frsize;
	while (bytes > SUBBUF_MIN && (unsigned long long)bytes * SUBBUFS * cpus > room / 2)
		bytes /= 2;
	return bytes;
}

static int enable_events(struct tracing_session *session)
{
	static const char *const providers[][2] = {
		{ "iommufd_backend:*", "iommufd_backend:map_dma_vaddr,iommufd_backend:data_ptr" },
		{ "iommufd_dev:*", "iommufd_dev:user_va" },
		{ "ioasis_sim:*", NULL },
		{ "qemu:iommu*", NULL },
		/* LTTng tells the name of each process once: cheaper than with every event. */
		{ "lttng_ust_statedump:procname", NULL },
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(providers) / sizeof(providers[0]); i++) {
		const char *exclude = session->config.addresses ? NULL : providers[i][1];

		ret = lttng(session, "enable-event", "-u", "-s", session->name, "-c", "ioasis",
			    providers[i][0], exclude ? "-x" : NULL, exclude, NULL);
	}
	return ret;
}

static int session_create(struct tracing_session *session)
{
	const struct tracing_config *config = &session->config;
	/* A flight recorder forgets what was told once: there each event carries the name. */
	bool snapshot = config->snapshot;
	char size[32], count[16], url[300], live[32];
	int ret;

	if (config->host) {
		snprintf(url, sizeof(url), "--set-url=net://%s", config->host);
		snprintf(live, sizeof(live), "--live=%u", config->live_us);
		ret = lttng(session, "create", session->name, url, config->live_us ? live : NULL,
			    NULL);
	} else {
		ret = lttng(session, "create", session->name, "-o", session->output,
			    config->snapshot ? "--snapshot" : NULL, NULL);
	}
	if (ret)
		return ret;
	session->created = true;
	snprintf(size, sizeof(size), "--subbuf-size=%u", subbuf_bytes());
	snprintf(count, sizeof(count), "--num-subbuf=%u", SUBBUFS);
	ret = lttng(session, "enable-channel", "-u", "-s", session->name, "ioasis", size, count,
		    config->snapshot ? "--overwrite" : "--discard",
		    config->lossless ? "--blocking-timeout=inf" : NULL, NULL);
	if (!ret)
		ret = enable_events(session);
	if (!ret)
		ret = lttng(session, "add-context", "-u", "-s", session->name, "-c", "ioasis", "-t",
			    "vpid", "-t", "vtid", "-t", "pid_ns", snapshot ? "-t" : NULL,
			    "procname", NULL);
	if (!ret)
		ret = lttng(session, "start", session->name, NULL);
	return ret;
}

static void set_environment(const struct tracing_session *session)
{
	char probes[PATH_MAX];

	setenv("IOASIS_TRACE", "1", 0);
	/* For programs that have the library in them, wherever they lie; they say if it fails. */
	if (trace_find_probes(probes))
		setenv("IOASIS_PROBES", probes, 0);
	setenv("IOASIS_TRACE_SAY", "1", 0);
	/* Early events count: programs wait for the daemon, which is there, however busy the machine. */
	setenv("LTTNG_UST_REGISTER_TIMEOUT", "60000", 0);
	if (session->config.lossless)
		setenv("LTTNG_UST_ALLOW_BLOCKING", "1", 1);
}

int tracing_session_start(struct tracing_session *session, const struct tracing_config *config)
{
	int ret;

	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->daemon_log = -1;
	if (!config->host && (!realpath(config->output, session->output) ||
			      recording_folder_note(&session->folder, session->output)))
		return fail(session, -errno, "%s: %s", config->output, strerror(errno));
	snprintf(session->name, sizeof(session->name), "ioasis-%d%s", (int)getpid(),
		 config->snapshot ? "-snapshot" : "");
	if (!daemon_answers(session)) {
		ret = daemon_start(session);
		if (ret)
			return ret;
	}
	ret = session_create(session);
	if (ret) {
		char error[sizeof(session->error)];

		memcpy(error, session->error, sizeof(error));
		tracing_session_end(session);
		memcpy(session->error, error, sizeof(error));
		return ret;
	}
	set_environment(session);
	return 0;
}

int tracing_session_snapshot(struct tracing_session *session, const char *path)
{
	char url[PATH_MAX + 16];

	if (mkdir(path, 0777) && errno != EEXIST)
		return fail(session, -errno, "%s: %s", path, strerror(errno));
	snprintf(url, sizeof(url), "file://%s", path);
	return lttng(session, "snapshot", "record", "-s", session->name, url, NULL);
}

int tracing_session_end(struct tracing_session *session)
{
	char why[sizeof(session->error)];
	int ret = 0;

	if (session->created) {
		ret = lttng(session, "stop", session->name, NULL);
		if (!ret)
			ret = lttng(session, "destroy", session->name, NULL);
	}
	daemon_stop(session);
	if (session->created && !session->config.host) {
		int lost = recording_folder_check(&session->folder, !session->config.snapshot,
						  session->daemon_log, why, sizeof(why));

		if (lost) /* it says more than LTTng's programs */
			ret = fail(session, lost, "%s", why);
	}
	session->created = false;
	if (session->daemon_log >= 0)
		close(session->daemon_log);
	session->daemon_log = -1;
	return ret;
}
