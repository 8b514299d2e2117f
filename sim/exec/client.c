/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/client.h"

#include "sim/exec/namespace.h"
#include "sim/exec/preload_env.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals that a fault of this process raises: blocking them helps nobody. */
static const int own_signals[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };

/* What the child tells through the gate: how far it came and how it failed. */
struct gate_message {
	int step; /* enum gate_step */
	int err;
};

enum gate_step {
	GATE_READY, /* err 0, and the listener as SCM_RIGHTS if there is one */
	GATE_PARENT,
	GATE_CAPABILITIES,
	GATE_FILTER,
	GATE_EXECVE,
};

static const char *const gate_errors[] = {
	[GATE_PARENT] = "cannot tie CMD to ioasis",
	[GATE_CAPABILITIES] = "cannot keep capabilities for CMD",
	[GATE_FILTER] = "cannot install a seccomp filter with a listener",
};

union gate_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void gate_send(int gate, int step, int err, int fd)
{
	struct gate_message message = { .step = step, .err = err };
	struct iovec iov = { &message, sizeof(message) };
	union gate_control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	while (sendmsg(gate, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* 1 with *message, 0 when the other end is closed, -errno. *fd: what came with it, or -1. */
static int gate_receive(int gate, struct gate_message *message, int *fd)
{
	struct iovec iov = { message, sizeof(*message) };
	union gate_control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	ssize_t len;

	*fd = -1;
	do {
		len = recvmsg(gate, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	if (len != (ssize_t)sizeof(*message))
		return 0;
	header = CMSG_FIRSTHDR(&msg);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return 1;
}

static _Noreturn void child_fail(int gate, int step, int err)
{
	gate_send(gate, step, err, -1);
	_exit(err == ENOENT ? CLIENT_NOT_FOUND : CLIENT_NOT_RUNNABLE);
}

/* What the child gives back before it becomes CMD. */
struct inherited {
	sigset_t mask;
	struct sigaction chld;
};

static _Noreturn void child_run(int gate, char *const argv[], const struct filter *filter,
				const char *preload, pid_t parent,
				const struct inherited *inherited)
{
	int listener = -1, rc;
	char byte;

	/* The parent may have died before the kernel knew what to do then. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		child_fail(gate, GATE_PARENT, errno);
	if (getppid() != parent)
		_exit(CLIENT_NOT_RUNNABLE);
	rc = namespace_keep_capabilities();
	if (rc)
		child_fail(gate, GATE_CAPABILITIES, -rc);
	listener = filter_install(filter);
	if (listener < 0 && listener != -EBUSY)
		child_fail(gate, GATE_FILTER, -listener);
	gate_send(gate, GATE_READY, listener < 0 ? -listener : 0, listener);
	if (listener >= 0)
		close(listener);
	while ((rc = (int)recv(gate, &byte, 1, 0)) < 0 && errno == EINTR)
		;
	if (rc != 1)
		_exit(CLIENT_NOT_RUNNABLE);
	sigaction(SIGCHLD, &inherited->chld, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
	/* Without the listener, calls come by FUSE alone. */
	if (preload && listener >= 0)
		preload_set(preload);
	execvp(argv[0], argv);
	child_fail(gate, GATE_EXECVE, errno);
}

/* Blocks all signals that can be waited for; a parent that ignores SIGCHLD learns nothing. */
static void signals_take(struct inherited *before)
{
	struct sigaction chld = { .sa_handler = SIG_DFL };
	sigset_t set;
	size_t i;

	sigfillset(&set);
	for (i = 0; i < sizeof(own_signals) / sizeof(own_signals[0]); i++)
		sigdelset(&set, own_signals[i]);
	sigprocmask(SIG_BLOCK, &set, &before->mask);
	sigaction(SIGCHLD, &chld, &before->chld);
}

int client_fork(struct client *client, char *const argv[], const struct filter *filter,
		const char *preload, char *why, size_t size)
{
	struct gate_message message;
	pid_t parent = getpid();
	int gate[2], rc;
	struct inherited inherited;

	*client = (struct client){ .pid = -1, .gate = -1, .listener = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate)) {
		rc = -errno;
		snprintf(why, size, "cannot make a socket pair: %s", strerror(-rc));
		return rc;
	}
	signals_take(&inherited);
	client->pid = fork();
	if (!client->pid) {
		close(gate[0]);
		child_run(gate[1], argv, filter, preload, parent, &inherited);
	}
	rc = client->pid < 0 ? -errno : 0;
	close(gate[1]);
	client->gate = gate[0];
	if (rc) {
		snprintf(why, size, "cannot fork: %s", strerror(-rc));
		close(gate[0]);
		client->gate = -1;
		return rc;
	}
	rc = gate_receive(client->gate, &message, &client->listener);
	if (rc == 1 && message.step == GATE_READY)
		return 0;
	if (rc == 1)
		snprintf(why, size, "%s: %s", gate_errors[message.step], strerror(message.err));
	else
		snprintf(why, size, "the process for CMD died before it ran");
	rc = rc == 1 ? -message.err : -ECHILD;
	client_kill(client);
	return rc;
}

int client_start(struct client *client, const char *name, char *why, size_t size)
{
	struct gate_message message;
	int rc, fd;

	if (send(client->gate, "", 1, MSG_NOSIGNAL) != 1) {
		snprintf(why, size, "the process for CMD died before it ran");
		client_kill(client);
		return -ECHILD;
	}
	/* execve() closes the other end. */
	rc = gate_receive(client->gate, &message, &fd);
	close(client->gate);
	client->gate = -1;
	if (rc != 1)
		return 0;
	if (message.err == ENOENT && !strchr(name, '/'))
		snprintf(why, size, "%s: command not found", *name ? name : "''");
	else
		snprintf(why, size, "cannot run %s: %s", name, strerror(message.err));
	client_kill(client);
	return -message.err;
}

void client_kill(struct client *client)
{
	if (client->pid > 0) {
		kill(client->pid, SIGKILL);
		while (waitpid(client->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (client->gate >= 0)
		close(client->gate);
	if (client->listener >= 0)
		close(client->listener);
	*client = (struct client){ .pid = -1, .gate = -1, .listener = -1 };
}

/* ---- waiting -------------------------------------------------------------- */

/* The terminal's stops; SIGSTOP concerns CMD alone, whoever sent it. */
static bool is_terminal_stop(int signo)
{
	return signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

/* True with *status when CMD has ended. */
static bool client_reap(struct client *client, int *status)
{
	for (;;) {
		pid_t pid = waitpid(client->pid, status, WNOHANG | WUNTRACED);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) { /* cannot be: nobody else waits for it */
			*status = SIGKILL;
			return true;
		}
		if (pid != client->pid)
			return false;
		if (!WIFSTOPPED(*status))
			return true;
		if (is_terminal_stop(WSTOPSIG(*status))) {
			raise(SIGSTOP);
			kill(client->pid, SIGCONT);
		}
	}
}

/*
 * A signal that a process sent to us is meant for CMD. One of the terminal went to
 * the whole process group, so CMD has it.
 */
static void client_pass(struct client *client, const siginfo_t *info)
{
	if (info->si_code > 0 || info->si_pid == client->pid)
		return;
	if (info->si_signo == SIGTSTP || info->si_signo == SIGCHLD)
		return;
	kill(client->pid, info->si_signo);
}

int client_wait(struct client *client)
{
	siginfo_t info;
	sigset_t set;
	int status;

	sigfillset(&set);
	while (!client_reap(client, &status)) {
		if (sigwaitinfo(&set, &info) < 0)
			continue;
		client_pass(client, &info);
	}
	client->pid = -1;
	return status;
}
