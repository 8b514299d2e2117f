/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A FUSE connection: reads requests from the kernel on as many threads as are
 * busy at once, hands each to a function, and writes the answers.
 *
 * This speaks the protocol of /dev/fuse itself (linux/fuse.h) rather than through
 * libfuse, for three reasons: a thread that a client's memory keeps in the kernel
 * must not stop the end of the program, which libfuse waits for; the last free
 * thread must never be taken; and a request costs no allocation.
 *
 * A request that its caller was killed in is answered early (EINTR) so that the
 * caller can end: the thread that works on it goes on alone and finds
 * fuse_request_abandoned().
 */
#ifndef IOASIS_SIM_FUSE_CHANNEL_H
#define IOASIS_SIM_FUSE_CHANNEL_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuse_channel;
struct fuse_worker;

/* One request, on the thread that handles it. */
struct fuse_request {
	struct fuse_channel *channel;
	struct fuse_worker *worker;
	const struct fuse_in_header *in;
	const void *arg; /* what follows the header */
	size_t arg_bytes;
	/*
	 * No thread is left to take the next request: do nothing that may wait for
	 * the client. Only when the system refuses more threads.
	 */
	bool must_not_wait;
};

/*
 * Handles a request; answers it with one of fuse_request_reply*() before it
 * returns, or keeps silent where FUSE wants no answer (FORGET). INIT, INTERRUPT and
 * DESTROY never come here.
 */
typedef void (*fuse_handler)(void *opaque, const struct fuse_request *request);

/* How threads take requests: what is promised of a RELEASE costs time. */
enum fuse_channel_order {
	FUSE_CHANNEL_ANY_ORDER,
	FUSE_CHANNEL_IN_ORDER,	/* for fuse_channel_await_releases() */
	FUSE_CHANNEL_DRAINABLE, /* in order, and for fuse_channel_drain() */
};

/*
 * Serves fd, an open /dev/fuse that is mounted or about to be, which the channel
 * owns from now on. extra_init_flags: FUSE_* flags of INIT to ask for. 0, -ENOMEM,
 * -EAGAIN (no thread). *channel is set before the first request is handled.
 */
int fuse_channel_start(int fd, fuse_handler handler, void *opaque, uint64_t extra_init_flags,
		       enum fuse_channel_order order, struct fuse_channel **channel);

/*
 * Waits until every RELEASE is done with that was in the queue before a request that
 * has been taken: the one that the calling thread handles, say. But not for ever: one that
 * cannot end before a client does something is waited for once, for a second.
 */
void fuse_channel_await_releases(struct fuse_channel *channel);

/* The same for up to ns, and not once only. */
void fuse_channel_await_releases_for(struct fuse_channel *channel, uint64_t ns);

/*
 * Waits until every RELEASE is done with that is in the queue now, but not for ever: one
 * that cannot end before a client does something holds up no other for more than a second.
 * Not for a thread that handles a request of this channel.
 */
void fuse_channel_drain(struct fuse_channel *channel);

/*
 * Ends the connection for everyone (callers get ECONNABORTED or ENOTCONN) and its
 * threads. Returns how many threads are stuck in a request and did not end within
 * grace_ms; with any, fuse_channel_free() must not follow.
 */
unsigned int fuse_channel_stop(struct fuse_channel *channel, unsigned int grace_ms);
void fuse_channel_free(struct fuse_channel *channel);

/* An eventfd that is readable once the connection has ended (unmounted by someone). Borrowed. */
int fuse_channel_ended_fd(struct fuse_channel *channel);

/* Answers with a negative errno, or 0 and size bytes of data. */
void fuse_request_reply(const struct fuse_request *request, int error, const void *data,
			size_t size);

/*
 * True once the caller has been killed and has got its answer: its thread id may
 * be another's by now, so its memory is not to be touched again.
 */
bool fuse_request_abandoned(const struct fuse_request *request);

/* Sleeps, but not beyond the moment when the caller gets a signal. */
void fuse_request_sleep_ns(const struct fuse_request *request, uint64_t ns);

/*
 * The calling thread, in a request or not, is about to make a system call that this
 * very connection has to answer: another of its threads is to be ready for it.
 */
void fuse_channel_expect(struct fuse_channel *channel);

/* Tells the kernel that poll on the file with this handle (fuse_poll_in.kh) may have changed. */
void fuse_channel_notify_poll(struct fuse_channel *channel, uint64_t kh);

#endif
