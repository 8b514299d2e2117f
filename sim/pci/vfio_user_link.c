/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/vfio_user_link.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S    5
#define VERSION_BYTES 4096u
#define BUFFER_BYTES  (VFIO_USER_DATA_MAX + 4096u)

bool vfio_user_link_init(struct vfio_user_link *link,
			 struct vfio_user_served (*serve)(void *opaque, uint16_t command,
							  uint8_t *data, size_t length),
			 void *opaque)
{
	*link = (struct vfio_user_link){
		.fd = -1, .twin_fd = -1, .serve = serve, .opaque = opaque
	};
	link->buffer = malloc(BUFFER_BYTES);
	return link->buffer;
}

void vfio_user_link_close(struct vfio_user_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	if (link->twin_fd >= 0)
		close(link->twin_fd);
	link->fd = link->twin_fd = -1;
}

void vfio_user_link_fini(struct vfio_user_link *link)
{
	vfio_user_link_close(link);
	free(link->buffer);
}

/* ---- bytes ------------------------------------------------------------------------ */

static int send_all(int fd, const struct iovec *parts, size_t parts_count, const int *files,
		    unsigned int files_count)
{
	char control[CMSG_SPACE(VFIO_USER_FILES_MAX * sizeof(int))] = { 0 };
	struct iovec iov[3];
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = parts_count };

	memcpy(iov, parts, parts_count * sizeof(*iov));
	if (files_count) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(files_count * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(files_count * sizeof(int));
		memcpy(CMSG_DATA(head), files, files_count * sizeof(int));
	}
	while (message.msg_iovlen) {
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
		message.msg_control = NULL; /* sent with the first byte */
		message.msg_controllen = 0;
		while (message.msg_iovlen && (size_t)n >= message.msg_iov->iov_len) {
			n -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
			message.msg_iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* The files that came with a message: the first goes to *file, if that is wanted. */
static void take_files(struct msghdr *message, int *file)
{
	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
	     head = CMSG_NXTHDR(message, head)) {
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int files[VFIO_USER_FILES_MAX];

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(files, CMSG_DATA(head), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			if (file && *file < 0)
				*file = files[i];
			else
				close(files[i]);
		}
	}
}

static int receive_all(int fd, void *buf, size_t length, int *file)
{
	while (length) {
		char control[CMSG_SPACE(VFIO_USER_FILES_MAX * sizeof(int))];
		struct iovec iov = { buf, length };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n && errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
		take_files(&message, file);
		buf = (char *)buf + n;
		length -= (size_t)n;
	}
	return 0;
}

/* A message's head, and its data in the link's buffer. */
static int receive_message(struct vfio_user_link *link, int fd, struct vfio_user_header *header,
			   int *file)
{
	int err = receive_all(fd, header, sizeof(*header), file);

	if (err)
		return err;
	if (header->bytes < sizeof(*header) ||
	    header->bytes - sizeof(*header) > BUFFER_BYTES - sizeof(struct vfio_user_dma_access))
		return -EPROTO;
	return receive_all(fd, link->buffer, header->bytes - sizeof(*header), file);
}

/* ---- messages ------------------------------------------------------------------------ */

static int serve_message(struct vfio_user_link *link, int fd, const struct vfio_user_header *header)
{
	struct vfio_user_served served = link->serve(link->opaque, header->command, link->buffer,
						     header->bytes - sizeof(*header));
	struct vfio_user_header reply = {
		.id = header->id,
		.command = header->command,
		.bytes = (uint32_t)(sizeof(reply) + (served.error ? 0 : served.bytes)),
		.flags = VFIO_USER_TYPE_REPLY | (served.error ? VFIO_USER_ERROR : 0),
		.error = (uint32_t)served.error,
	};
	const struct iovec parts[] = { { &reply, sizeof(reply) },
				       { link->buffer, reply.bytes - sizeof(reply) } };

	if (header->flags & VFIO_USER_NO_REPLY)
		return 0;
	return send_all(fd, parts, served.error ? 1 : 2, NULL, 0);
}

/*
 * Waits until something can be read: the socket that has it, the server's own first; -1:
 * neither has within ms.
 */
static int await_message(const struct vfio_user_link *link, int ms)
{
	struct pollfd fds[] = { { link->twin_fd, POLLIN, 0 }, { link->fd, POLLIN, 0 } };
	int n;

	do {
		n = poll(fds, 2, ms);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	return fds[0].revents ? link->twin_fd : link->fd;
}

void vfio_user_link_serve(struct vfio_user_link *link)
{
	struct vfio_user_header header;
	int fd, err = 0;

	while (!err && (fd = await_message(link, 0)) >= 0) {
		err = receive_message(link, fd, &header, NULL);
		if (!err)
			err = header.flags & VFIO_USER_TYPE_MASK ? -EPROTO
								 : serve_message(link, fd, &header);
	}
	if (err)
		vfio_user_link_close(link);
}

static bool is_broken(ssize_t err)
{
	return err == -EPIPE || err == -ETIMEDOUT || err == -EPROTO;
}

/* Waits for the reply to id, and serves what comes before it. */
static ssize_t await_reply(struct vfio_user_link *link, uint16_t id, void *reply,
			   size_t reply_bytes, int *file)
{
	struct vfio_user_header header;

	for (;;) {
		int fd = await_message(link, PATIENCE_S * 1000), err;
		size_t bytes;

		if (fd < 0)
			return -ETIMEDOUT;
		err = receive_message(link, fd, &header, file);
		if (err)
			return err;
		if (!(header.flags & VFIO_USER_TYPE_MASK)) {
			err = serve_message(link, fd, &header);
			if (err)
				return err;
			continue;
		}
		if (header.id != id)
			return -EPROTO;
		/* What says that the connection is broken is not for the server to say. */
		if (header.flags & VFIO_USER_ERROR)
			return header.error && header.error < 4096 && !is_broken(-(int)header.error)
				       ? -(int)header.error
				       : -EIO;
		bytes = header.bytes - sizeof(header);
		if (bytes && reply_bytes)
			memcpy(reply, link->buffer, bytes < reply_bytes ? bytes : reply_bytes);
		return (ssize_t)bytes;
	}
}

static ssize_t call(struct vfio_user_link *link, uint16_t command, const struct iovec *parts,
		    size_t parts_count, const int *files, unsigned int files_count, void *reply,
		    size_t reply_bytes, int *file)
{
	struct vfio_user_header header = { .id = link->next_id++,
					   .command = command,
					   .bytes = sizeof(header) };
	struct iovec all[3] = { { &header, sizeof(header) } };
	int err;

	for (size_t i = 0; i < parts_count; i++) {
		all[i + 1] = parts[i];
		header.bytes += (uint32_t)parts[i].iov_len;
	}
	err = send_all(link->fd, all, parts_count + 1, files, files_count);
	return err ? err : await_reply(link, header.id, reply, reply_bytes, file);
}

ssize_t vfio_user_link_call(struct vfio_user_link *link, uint16_t command, const void *head,
			    size_t head_bytes, const void *data, size_t data_bytes,
			    const int *files, unsigned int files_count, void *reply,
			    size_t reply_bytes)
{
	const struct iovec parts[2] = { { (void *)(uintptr_t)head, head_bytes },
					{ (void *)(uintptr_t)data, data_bytes } };
	ssize_t n;

	if (link->fd < 0)
		return -EPIPE;
	n = call(link, command, parts,
		 data_bytes   ? 2
		 : head_bytes ? 1
			      : 0,
		 files, files_count, reply, reply_bytes, NULL);
	if (is_broken(n))
		vfio_user_link_close(link);
	return n;
}

/* ---- version --------------------------------------------------------------------------- */

static const char version_text[] =
	"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
	"\"twin_socket\":{\"supported\":true}}}";

/* What the server says that it can. */
static void read_capabilities(struct vfio_user_link *link, const char *text)
{
	struct json_object *top = json_tokener_parse(text), *capabilities, *value;

	link->max_files = 1;
	if (json_object_object_get_ex(top, "capabilities", &capabilities) &&
	    json_object_object_get_ex(capabilities, "max_msg_fds", &value)) {
		int64_t n = json_object_get_int64(value);

		if (n > 0)
			link->max_files =
				n < VFIO_USER_FILES_MAX ? (uint32_t)n : VFIO_USER_FILES_MAX;
	}
	json_object_put(top);
}

static int negotiate(struct vfio_user_link *link)
{
	struct {
		struct vfio_user_version version;
		char text[VERSION_BYTES];
	} reply = { .version = { 0 } };
	const struct vfio_user_version ours = { .major = 0, .minor = 1 };
	const struct iovec parts[] = { { (void *)(uintptr_t)&ours, sizeof(ours) },
				       { (void *)(uintptr_t)version_text, sizeof(version_text) } };
	ssize_t n = call(link, VFIO_USER_VERSION, parts, 2, NULL, 0, &reply, sizeof(reply) - 1,
			 &link->twin_fd);

	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof(reply.version) || reply.version.major != ours.major)
		return -EPROTONOSUPPORT;
	read_capabilities(link, reply.text);
	return 0;
}

int vfio_user_link_open(struct vfio_user_link *link, const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)))
		err = -errno;
	else
		err = negotiate(link);
	if (err)
		vfio_user_link_close(link);
	return err;
}
