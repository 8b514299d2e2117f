/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/relay_daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/lttng_programs.h"
#include "cli/remove.h"

#define START_TIMEOUT_MS 15000
#define TRIES 3 /* a port that was free can be taken by another program */

static int __attribute__((format(printf, 3, 4)))
fail(struct relay_daemon *relay, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(relay->error, sizeof(relay->error), fmt, ap);
	va_end(ap);
	return ret;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Ports that are free now. 0 or -errno. */
static int choose_ports(uint16_t ports[3])
{
	int fds[3], ret = 0, made = 0;

	for (; !ret && made < 3; made++) {
		struct sockaddr_in address = loopback(0);
		socklen_t size = sizeof(address);

		fds[made] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fds[made] < 0 || bind(fds[made], (struct sockaddr *)&address, size) ||
		    getsockname(fds[made], (struct sockaddr *)&address, &size))
			ret = -errno;
		else
			ports[made] = ntohs(address.sin_port);
	}
	while (made--) {
		if (fds[made] >= 0)
			close(fds[made]);
	}
	return ret;
}

static bool answers(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address));

	if (fd >= 0)
		close(fd);
	return ok;
}

static void end(struct relay_daemon *relay)
{
	int status;

	if (relay->pid > 0) {
		kill(relay->pid, SIGTERM);
		if (!lttng_wait(relay->pid, 5000, &status)) {
			kill(-relay->pid, SIGKILL);
			waitpid(relay->pid, &status, 0);
		}
		kill(-relay->pid, SIGKILL); /* what it started is in its process group */
		while (waitpid(-relay->pid, &status, 0) > 0)
			;
	}
	relay->pid = 0;
}

/* One try. 0, -EAGAIN: it ended at once, or another -errno; with relay->error. */
static int start(struct relay_daemon *relay)
{
	static const char *const kinds[3] = { "-C", "-D", "-L" };
	char urls[3][40], line[300];
	char *argv[16] = { (char *)"lttng-relayd" };
	int64_t until = lttng_now_ms() + START_TIMEOUT_MS;
	int argc = 1, status, ret = choose_ports(relay->ports);
	int out = memfd_create("lttng-relayd", MFD_CLOEXEC);

	if (ret || out < 0) {
		if (out >= 0)
			close(out);
		return fail(relay, ret ? ret : -errno, "no port for a relay daemon: %s",
			    strerror(ret ? -ret : errno));
	}
	for (int i = 0; i < 3; i++) {
		snprintf(urls[i], sizeof(urls[i]), "tcp://127.0.0.1:%u", relay->ports[i]);
		argv[argc++] = (char *)kinds[i];
		argv[argc++] = urls[i];
	}
	argv[argc++] = (char *)"-o";
	argv[argc++] = relay->folder;
	relay->pid = lttng_spawn(argv, out, relay->folder);
	if (relay->pid < 0) {
		relay->pid = 0;
		ret = fail(relay, -errno, "fork: %s", strerror(errno));
	}
	while (!ret && !answers(relay->ports[2])) {
		if (waitpid(relay->pid, &status, WNOHANG) == relay->pid) {
			relay->pid = 0;
			lttng_last_line(out, line, sizeof(line));
			if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
				ret = fail(relay, -ENOENT,
					   "LTTng is not installed: no program 'lttng-relayd' "
					   "(Debian: lttng-tools)");
			else
				ret = fail(relay, -EAGAIN, "lttng-relayd ended: %s", line);
		} else if (lttng_now_ms() > until) {
			ret = fail(relay, -ETIMEDOUT, "lttng-relayd does not answer after %d s",
				   START_TIMEOUT_MS / 1000);
		} else {
			poll(NULL, 0, 5);
		}
	}
	close(out);
	if (ret)
		end(relay);
	return ret;
}

int relay_daemon_start(struct relay_daemon *relay)
{
	const char *tmp = getenv("TMPDIR");
	int ret = -EAGAIN;

	memset(relay, 0, sizeof(*relay));
	snprintf(relay->folder, sizeof(relay->folder), "%s/ioasis-relay-XXXXXX",
		 tmp && *tmp && strlen(tmp) < 200 ? tmp : "/tmp");
	if (!mkdtemp(relay->folder)) {
		ret = fail(relay, -errno, "%s: %s", relay->folder, strerror(errno));
		relay->folder[0] = 0;
		return ret;
	}
	for (int i = 0; i < TRIES && ret == -EAGAIN; i++)
		ret = start(relay);
	if (ret) {
		relay_daemon_stop(relay);
		return ret;
	}
	snprintf(relay->host, sizeof(relay->host), "127.0.0.1:%u:%u", relay->ports[0],
		 relay->ports[1]);
	return 0;
}

void relay_daemon_stop(struct relay_daemon *relay)
{
	end(relay);
	if (relay->folder[0])
		cli_remove_tree(relay->folder);
	relay->folder[0] = 0;
}

void relay_daemon_url(const struct relay_daemon *relay, const char *name, char *url, size_t size)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	snprintf(url, size, "net://127.0.0.1:%u/host/%s/%s", relay->ports[2], host, name);
}
