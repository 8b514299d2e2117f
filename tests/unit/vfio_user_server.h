/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small vfio-user server in a thread: a device with one BAR, whose registers make it do
 * DMA and interrupt, and ways to be a bad server.
 */
#ifndef IOASIS_TESTS_VFIO_USER_SERVER_H
#define IOASIS_TESTS_VFIO_USER_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define SERVER_REGION_BYTES 0x30u /* not a power of two */
#define SERVER_VECTORS	    5u
#define SERVER_DMA_BYTES    64u
#define SERVER_PIECES	    40u

/* Registers of 64 bits; others keep what was written. */
enum {
	SERVER_REG_ADDRESS = 0x08,
	SERVER_REG_COPY = 0x10,	  /* inverts memory at the address to what is behind it */
	SERVER_REG_RAISE = 0x18,  /* interrupts by that vector */
	SERVER_REG_STATUS = 0x20, /* errno of the last DMA */
};

enum server_fault {
	SERVER_GOOD,
	SERVER_SHORT,	 /* says less than it was asked for */
	SERVER_HUGE,	 /* says that more comes than can be */
	SERVER_OTHER_ID, /* answers what nobody asked */
	SERVER_REFUSES,	 /* answers with an error */
	SERVER_NO_PCI,	 /* is no PCI device */
	SERVER_OLD,	 /* of another version */
	SERVER_CLOSES,	 /* ends in the middle of its answer */
	SERVER_NO_FILES, /* maps nothing */
	SERVER_NO_UNMAP, /* ends when memory is to be given up */
};

/* Memory that it was told of. */
struct server_piece {
	uint64_t address, bytes;
	uint32_t flags;
	uint8_t *base; /* where it has mapped it; NULL: it has not */
};

struct vfio_user_server {
	char path[108];
	bool twin;
	enum server_fault fault; /* __atomic */
	uint16_t device_id;

	/* What it saw. */
	unsigned int connections, resets, maps, unmaps; /* __atomic */
	uint64_t map_bytes;
	pthread_mutex_t lock;
	struct server_piece pieces[SERVER_PIECES]; /* bytes 0: free; with the lock */
	uint16_t command;

	int listener, fd, twin_fd; /* twin_fd: __atomic */
	int eventfds[SERVER_VECTORS];
	uint64_t regs[SERVER_REGION_BYTES / 8];
	bool stopping; /* __atomic */
	pthread_t thread;
};

/* path is chosen when it is empty. */
void vfio_user_server_start(struct vfio_user_server *server);
/* The piece in that place, as it is now. */
struct server_piece vfio_user_server_piece(struct vfio_user_server *server, unsigned int index);
void vfio_user_server_stop(struct vfio_user_server *server);

#endif
