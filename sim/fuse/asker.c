/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/asker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fuse_asker {
	pthread_t thread;
	pthread_mutex_t lock; /* held while a question is asked */
	int ours, theirs;     /* the ends of a socket; theirs is the thread's, from its start on */
};

enum question_kind {
	ASK_IOCTL,
	ASK_SYNC,
	ASK_OPEN,
};

/* Passed with the file that it is about. */
struct question {
	enum question_kind kind;
	unsigned int cmd;
	int oflags;
	char name[FUSE_ASKER_NAME_BYTES];
};

/* Comes twice if a file was opened: with the file, and when the thread has closed it. */
struct answer {
	long result;
	uint64_t value;
};

/* ---- messages with a file ---------------------------------------------------------- */

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

/*
 * The thread's own calls that deal with numbers of open files go past the C library:
 * ThreadSanitizer, which watches it, takes one number for one file in all threads.
 */
static long call_result(long rc)
{
	return rc < 0 ? -errno : rc;
}

static long message_send(int socket, void *data, size_t size, int fd)
{
	union control control = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = fd < 0 ? NULL : control.bytes,
		.msg_controllen = fd < 0 ? 0 : sizeof(control.bytes),
	};
	long n;

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	do {
		n = call_result(syscall(SYS_sendmsg, socket, &message, MSG_NOSIGNAL));
	} while (n == -EINTR);
	return n;
}

/* *fd: the file that came along; -1: none did. */
static long message_receive(int socket, void *data, size_t size, int *fd)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	long n;

	do {
		n = call_result(syscall(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC));
	} while (n == -EINTR);
	*fd = -1;
	if (n > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    control.header.cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	return n;
}

/* ---- the thread ------------------------------------------------------------------ */

/* Makes the call. *opened: the file that it opened, or -1. */
static void question_ask(const struct question *question, int fd, struct answer *answer,
			 int *opened)
{
	struct statx st;
	long rc = -EIO;

	*opened = -1;
	switch (question->kind) {
	case ASK_IOCTL:
		rc = syscall(SYS_ioctl, fd, question->cmd, &answer->value);
		break;
	case ASK_SYNC:
		rc = syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_MODE,
			     &st);
		break;
	case ASK_OPEN:
		rc = syscall(SYS_openat, fd, question->name, question->oflags | O_CLOEXEC);
		*opened = (int)rc;
		break;
	}
	answer->result = call_result(rc);
}

/* Leaves the process's open files for a table that has nothing but socket. 0 or -errno. */
static long files_leave(int socket)
{
	long rc = syscall(SYS_close_range, socket + 1, ~0u, CLOSE_RANGE_UNSHARE);

	if (!rc && socket)
		rc = syscall(SYS_close_range, 0, socket - 1, 0);
	return call_result(rc);
}

static void *asker_main(void *arg)
{
	int socket = ((struct fuse_asker *)arg)->theirs, fd, opened;
	struct answer answer = { .result = files_leave(socket) };
	struct question question;
	long n;

	/* The first answer says that it has begun. The others find no file left open here. */
	while (message_send(socket, &answer, sizeof(answer), -1) > 0 &&
	       message_receive(socket, &question, sizeof(question), &fd) > 0) {
		question_ask(&question, fd, &answer, &opened);
		if (fd >= 0)
			syscall(SYS_close, fd);
		if (opened < 0)
			continue;
		n = message_send(socket, &answer, sizeof(answer), opened);
		syscall(SYS_close, opened);
		if (n < 0)
			answer.result = n; /* too many files under way: the only answer */
	}
	return NULL;
}

/* ---- the others ------------------------------------------------------------------ */

static long answer_receive(struct fuse_asker *asker, struct answer *answer, int *fd)
{
	long n = message_receive(asker->ours, answer, sizeof(*answer), fd);

	return n == (long)sizeof(*answer) ? answer->result : -EIO;
}

/* *opened: the file, for ASK_OPEN. */
static long ask(struct fuse_asker *asker, int fd, struct question *question,
		struct answer *answer, int *opened)
{
	long rc = -EIO;
	int none;

	pthread_mutex_lock(&asker->lock);
	if (message_send(asker->ours, question, sizeof(*question), fd) > 0)
		rc = answer_receive(asker, answer, opened);
	if (rc >= 0 && question->kind == ASK_OPEN)
		answer_receive(asker, answer, &none);
	pthread_mutex_unlock(&asker->lock);
	return rc;
}

int fuse_asker_ioctl(struct fuse_asker *asker, int fd, unsigned int cmd, uint64_t *value)
{
	struct question question = { .kind = ASK_IOCTL, .cmd = cmd };
	struct answer answer;
	int opened, err = (int)ask(asker, fd, &question, &answer, &opened);

	if (!err)
		*value = answer.value;
	return err;
}

int fuse_asker_sync(struct fuse_asker *asker, int fd)
{
	struct question question = { .kind = ASK_SYNC };
	struct answer answer;
	int opened;

	return (int)ask(asker, fd, &question, &answer, &opened);
}

int fuse_asker_open(struct fuse_asker *asker, int folder, const char *name, int oflags)
{
	struct question question = { .kind = ASK_OPEN, .oflags = oflags };
	struct answer answer;
	int opened;
	long rc;

	snprintf(question.name, sizeof(question.name), "%s", name);
	rc = ask(asker, folder, &question, &answer, &opened);
	/* -EMFILE: no number is free here, so the file did not come along. */
	return rc < 0 ? (int)rc : opened < 0 ? -EMFILE : opened;
}

/* ---- start and end --------------------------------------------------------------- */

static int thread_start(struct fuse_asker *asker)
{
	struct answer answer;
	sigset_t all, old;
	int err, opened;

	sigfillset(&all); /* signals are for the main thread */
	sigdelset(&all, SIGBUS); /* but this one: see sim/pci/pci_memory.h */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&asker->thread, NULL, asker_main, asker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err;
	err = (int)answer_receive(asker, &answer, &opened);
	if (!err)
		return 0;
	shutdown(asker->ours, SHUT_RDWR);
	pthread_join(asker->thread, NULL);
	return err;
}

int fuse_asker_create(struct fuse_asker **out)
{
	struct fuse_asker *asker = calloc(1, sizeof(*asker));
	int sockets[2], err;

	if (!asker)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		err = -errno;
		free(asker);
		return err;
	}
	asker->ours = sockets[0];
	asker->theirs = sockets[1];
	pthread_mutex_init(&asker->lock, NULL);
	err = thread_start(asker);
	close(asker->theirs); /* the thread has it in its own table */
	if (!err) {
		*out = asker;
		return 0;
	}
	close(asker->ours);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
	return err;
}

void fuse_asker_destroy(struct fuse_asker *asker)
{
	if (!asker)
		return;
	shutdown(asker->ours, SHUT_RDWR);
	pthread_join(asker->thread, NULL);
	close(asker->ours);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}
