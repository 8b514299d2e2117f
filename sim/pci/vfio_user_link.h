/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to a vfio-user server: messages with their files, version negotiation.
 *
 * One command is under way at a time. A server may send commands of its own (DMA) while
 * it works on ours: who waits for a reply serves them. They come on the same socket or,
 * if both sides can (twin_socket), on a second one.
 *
 * A server is not trusted: lengths are checked, and one that does not answer in time is
 * given up.
 */
#ifndef IOASIS_SIM_PCI_VFIO_USER_LINK_H
#define IOASIS_SIM_PCI_VFIO_USER_LINK_H

#include "sim/pci/vfio_user_abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define VFIO_USER_DATA_MAX  (1u << 20) /* of one message */
#define VFIO_USER_FILES_MAX 16u

/* A command of the server's; it is answered with what this gives. */
struct vfio_user_served {
	int error; /* an errno; 0: the reply has bytes of data behind the request's head */
	size_t bytes;
};

struct vfio_user_link {
	int fd;	     /* -1: not connected */
	int twin_fd; /* the server's commands come here; -1: on fd */
	uint16_t next_id;
	uint32_t max_files; /* that the server takes in one message */
	uint8_t *buffer;    /* of a message of the server's, with its data; owned */
	/*
	 * A command of the server's: its length bytes at data, which has room for
	 * VFIO_USER_DATA_MAX more, and may be overwritten with the reply.
	 */
	struct vfio_user_served (*serve)(void *opaque, uint16_t command, uint8_t *data,
					 size_t length);
	void *opaque;
};

/* False: out of memory. */
bool vfio_user_link_init(struct vfio_user_link *link,
			 struct vfio_user_served (*serve)(void *opaque, uint16_t command,
							  uint8_t *data, size_t length),
			 void *opaque);
void vfio_user_link_fini(struct vfio_user_link *link);

/* Connects to the socket at path and agrees on the version; -errno. */
int vfio_user_link_open(struct vfio_user_link *link, const char *path);
void vfio_user_link_close(struct vfio_user_link *link);

/*
 * Sends a command of head and data (NULL: none), with files, and waits for its reply, of
 * which at most reply_bytes are kept in reply. How many bytes it had; -errno, what the
 * server answered, or after which the connection is closed: -EPIPE, -ETIMEDOUT, -EPROTO.
 * Not while another call runs.
 */
ssize_t vfio_user_link_call(struct vfio_user_link *link, uint16_t command, const void *head,
			    size_t head_bytes, const void *data, size_t data_bytes,
			    const int *files, unsigned int files_count, void *reply,
			    size_t reply_bytes);

/*
 * Serves the commands that came while no call runs, without waiting for any. The
 * connection is closed when it is broken.
 */
void vfio_user_link_serve(struct vfio_user_link *link);

#endif
