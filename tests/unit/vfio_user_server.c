/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/vfio_user_server.h"

#include "sim/pci/vfio_user_abi.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DATA_MAX 8192u

static enum server_fault fault_of(const struct vfio_user_server *server)
{
	return __atomic_load_n(&server->fault, __ATOMIC_ACQUIRE);
}

/* Waits until fd has something; false: the server is to stop. */
static bool await(const struct vfio_user_server *server, int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (!__atomic_load_n(&server->stopping, __ATOMIC_ACQUIRE)) {
		if (poll(&ready, 1, 20) > 0)
			return true;
	}
	return false;
}

static bool get(const struct vfio_user_server *server, int fd, void *buf, size_t length, int *files,
		unsigned int *files_count)
{
	while (length) {
		char control[CMSG_SPACE(16 * sizeof(int))];
		struct iovec iov = { buf, length };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		struct cmsghdr *head;
		ssize_t n;

		if (!await(server, fd))
			return false;
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return false;
		head = CMSG_FIRSTHDR(&message);
		if (head && files) {
			*files_count = (unsigned int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(files, CMSG_DATA(head), *files_count * sizeof(int));
		}
		buf = (char *)buf + n;
		length -= (size_t)n;
	}
	return true;
}

static bool put(int fd, const void *buf, size_t length, const int *file)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)buf, length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (file) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), file, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool reply(struct vfio_user_server *server, const struct vfio_user_header *request,
		  const void *data, size_t length, int error, const int *file)
{
	uint8_t bytes[sizeof(struct vfio_user_header) + DATA_MAX];
	struct vfio_user_header header = {
		.id = request->id,
		.command = request->command,
		.bytes = (uint32_t)(sizeof(header) + length),
		.flags = VFIO_USER_TYPE_REPLY | (error ? VFIO_USER_ERROR : 0),
		.error = (uint32_t)error,
	};

	memcpy(bytes, &header, sizeof(header));
	if (length)
		memcpy(bytes + sizeof(header), data, length);
	return put(server->fd, bytes, sizeof(header) + length, file);
}

/* ---- memory ------------------------------------------------------------------------- */

static void piece_forget(struct server_piece *piece)
{
	if (piece->base)
		munmap(piece->base, piece->bytes);
	*piece = (struct server_piece){ .bytes = 0 };
}

/* An errno. */
static int piece_add(struct vfio_user_server *server, const struct vfio_user_dma_map *map,
		     const int *file)
{
	for (unsigned int i = 0; i < SERVER_PIECES; i++) {
		struct server_piece *piece = &server->pieces[i];

		if (piece->bytes)
			continue;
		*piece = (struct server_piece){ map->address, map->size, map->flags, NULL };
		if (!file)
			return 0;
		piece->base = mmap(NULL, map->size,
				   map->flags & VFIO_USER_DMA_WRITABLE ? PROT_READ | PROT_WRITE :
									 PROT_READ,
				   MAP_SHARED, *file, (off_t)map->offset);
		if (piece->base == MAP_FAILED || fault_of(server) == SERVER_NO_FILES) {
			piece->base = piece->base == MAP_FAILED ? NULL : piece->base;
			piece_forget(piece);
			return EINVAL;
		}
		return 0;
	}
	return ENOSPC;
}

/* Only a piece as it was mapped can be given up; an errno. */
static int piece_remove(struct vfio_user_server *server, const struct vfio_user_dma_unmap *unmap)
{
	for (unsigned int i = 0; i < SERVER_PIECES; i++) {
		struct server_piece *piece = &server->pieces[i];

		if (!piece->bytes || piece->address != unmap->address ||
		    piece->bytes != unmap->size)
			continue;
		piece_forget(piece);
		return 0;
	}
	return ENOENT;
}

/* Where the server has mapped SERVER_DMA_BYTES at the address; NULL: nowhere. */
static uint8_t *mapped_at(const struct vfio_user_server *server, uint64_t address)
{
	for (unsigned int i = 0; i < SERVER_PIECES; i++) {
		const struct server_piece *piece = &server->pieces[i];

		if (piece->base && address >= piece->address &&
		    address - piece->address <= piece->bytes - SERVER_DMA_BYTES)
			return piece->base + (address - piece->address);
	}
	return NULL;
}

/* A command of the server's: memory of the client is read or written. An errno. */
static int dma(struct vfio_user_server *server, uint16_t command, uint64_t address, void *data)
{
	int fd = server->twin_fd >= 0 ? server->twin_fd : server->fd;
	struct {
		struct vfio_user_header header;
		struct vfio_user_dma_access access;
		uint8_t data[SERVER_DMA_BYTES];
	} message = { .header = { .id = 0x7777, .command = command },
		      .access = { address, SERVER_DMA_BYTES } };
	bool write = command == VFIO_USER_DMA_WRITE;

	message.header.bytes = (uint32_t)(sizeof(message) - (write ? 0 : SERVER_DMA_BYTES));
	if (write)
		memcpy(message.data, data, SERVER_DMA_BYTES);
	if (!put(fd, &message, message.header.bytes, NULL) ||
	    !get(server, fd, &message.header, sizeof(message.header), NULL, NULL))
		return EPIPE;
	if (message.header.flags & VFIO_USER_ERROR)
		return (int)message.header.error;
	if (!get(server, fd, &message.access, message.header.bytes - sizeof(message.header), NULL,
		 NULL))
		return EPIPE;
	if (!write)
		memcpy(data, message.data, SERVER_DMA_BYTES);
	return 0;
}

static void copy(struct vfio_user_server *server)
{
	uint64_t address = server->regs[SERVER_REG_ADDRESS / 8];
	uint8_t data[SERVER_DMA_BYTES], *from = mapped_at(server, address);
	uint8_t *to = mapped_at(server, address + SERVER_DMA_BYTES);
	int err;

	for (size_t i = 0; from && to && i < sizeof(data); i++)
		to[i] = (uint8_t)~from[i];
	if (from && to) {
		server->regs[SERVER_REG_STATUS / 8] = 0;
		return;
	}
	err = dma(server, VFIO_USER_DMA_READ, address, data);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)~data[i];
	if (!err)
		err = dma(server, VFIO_USER_DMA_WRITE, address + SERVER_DMA_BYTES, data);
	server->regs[SERVER_REG_STATUS / 8] = (uint64_t)err;
}

static void raise(struct vfio_user_server *server, uint64_t vector)
{
	const uint64_t one = 1;

	if (vector >= SERVER_VECTORS || server->eventfds[vector] < 0 ||
	    write(server->eventfds[vector], &one, sizeof(one)) < 0)
		fprintf(stderr, "# no eventfd for vector %u\n", (unsigned int)vector);
}

/* Configuration space: ids, and a list with MSI-X whose table has no page of its own. */
static void config_read(const struct vfio_user_server *server, uint8_t *space)
{
	memset(space, 0, 256);
	memcpy(space + PCI_VENDOR_ID, "\x34\x12", 2);
	memcpy(space + PCI_DEVICE_ID, &server->device_id, 2);
	memcpy(space + PCI_COMMAND, &server->command, 2);
	space[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	memcpy(space + PCI_CLASS_REVISION, "\x03\x00\x00\xff", 4);
	space[PCI_CAPABILITY_LIST] = 0x40;
	space[PCI_INTERRUPT_PIN] = 1;
	space[0x40] = PCI_CAP_ID_MSI;
	space[0x41] = 0x50;
	space[0x50] = PCI_CAP_ID_PM;
	space[0x51] = 0x40; /* a loop */
}

static bool region(struct vfio_user_server *server, const struct vfio_user_header *header,
		   uint8_t *data)
{
	struct vfio_user_region_access access;
	bool write = header->command == VFIO_USER_REGION_WRITE;
	uint8_t space[256], *from;
	enum server_fault fault = fault_of(server);

	memcpy(&access, data, sizeof(access));
	config_read(server, space);
	from = access.region == 7 ? space : (uint8_t *)server->regs;
	if (access.region != 7 && fault != SERVER_GOOD) {
		static const uint8_t zeros[4] = { 0 };
		struct vfio_user_header wrong = *header;

		wrong.id++;
		switch (fault) {
		case SERVER_SHORT:
			return reply(server, header, zeros, sizeof(zeros), 0, NULL);
		case SERVER_OTHER_ID:
			return reply(server, &wrong, data, sizeof(access) + 8, 0, NULL);
		case SERVER_REFUSES:
			return reply(server, header, NULL, 0, EPERM, NULL);
		case SERVER_CLOSES:
			put(server->fd, header, 7, NULL);
			return false;
		default:
			wrong.id--;
			wrong.flags = VFIO_USER_TYPE_REPLY;
			wrong.bytes = 0xfffffff0;
			return put(server->fd, &wrong, sizeof(wrong), NULL);
		}
	}
	if (!write) {
		memcpy(data + sizeof(access), from + access.offset, access.count);
		return reply(server, header, data, sizeof(access) + access.count, 0, NULL);
	}
	if (access.region == 7)
		memcpy(&server->command, data + sizeof(access), 2);
	else
		memcpy((uint8_t *)server->regs + access.offset, data + sizeof(access),
		       access.count);
	if (access.region == 0 && access.offset == SERVER_REG_COPY)
		copy(server);
	if (access.region == 0 && access.offset == SERVER_REG_RAISE)
		raise(server, server->regs[SERVER_REG_RAISE / 8]);
	return reply(server, header, data, sizeof(access), 0, NULL);
}

static bool version(struct vfio_user_server *server, const struct vfio_user_header *header,
		    bool client_has_twin)
{
	static const char with_twin[] =
		"{\"capabilities\":{\"max_msg_fds\":2,\"twin_socket\":{\"supported\":true,"
		"\"fd_index\":0}}}";
	static const char without[] = "{\"capabilities\":{\"max_msg_fds\":2}}";
	const struct vfio_user_version ours = {
		.major = fault_of(server) == SERVER_OLD ? 7 : 0,
		.minor = 1,
	};
	bool twin = server->twin && client_has_twin;
	uint8_t data[256];
	int pair[2];
	bool good;

	memcpy(data, &ours, sizeof(ours));
	memcpy(data + sizeof(ours), twin ? with_twin : without,
	       twin ? sizeof(with_twin) : sizeof(without));
	if (!twin)
		return reply(server, header, data, sizeof(ours) + sizeof(without), 0, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	__atomic_store_n(&server->twin_fd, pair[0], __ATOMIC_RELEASE);
	good = reply(server, header, data, sizeof(ours) + sizeof(with_twin), 0, &pair[1]);
	close(pair[1]);
	return good;
}

static bool serve(struct vfio_user_server *server)
{
	struct vfio_user_header header;
	uint8_t data[DATA_MAX] = { 0 };
	unsigned int files_count = 0;
	int files[16], err;

	if (!get(server, server->fd, &header, sizeof(header), files, &files_count) ||
	    header.bytes - sizeof(header) > sizeof(data) / 2 ||
	    !get(server, server->fd, data, header.bytes - sizeof(header), files, &files_count))
		return false;
	switch (header.command) {
	case VFIO_USER_VERSION:
		return version(server, &header, strstr((char *)data + 4, "twin_socket"));
	case VFIO_USER_GET_INFO: {
		const struct vfio_user_info info = {
			.argsz = sizeof(info),
			.flags = fault_of(server) == SERVER_NO_PCI ? 0 : 3,
			.regions = 9,
			.irqs = 5,
		};

		return reply(server, &header, &info, sizeof(info), 0, NULL);
	}
	case VFIO_USER_GET_REGION_INFO: {
		struct vfio_user_region_info info;

		memcpy(&info, data, sizeof(info));
		info.size = info.index == 7 ? 256 : info.index == 0 ? SERVER_REGION_BYTES : 0;
		return reply(server, &header, &info, sizeof(info), 0, NULL);
	}
	case VFIO_USER_GET_IRQ_INFO: {
		struct vfio_user_irq_info info;

		memcpy(&info, data, sizeof(info));
		info.count = info.index == 1 ? SERVER_VECTORS : info.index == 0;
		return reply(server, &header, &info, sizeof(info), 0, NULL);
	}
	case VFIO_USER_SET_IRQS: {
		struct vfio_user_irq_set set;

		memcpy(&set, data, sizeof(set));
		if (set.index != 1 || set.count != files_count || files_count > 2 ||
		    set.start + set.count > SERVER_VECTORS)
			return reply(server, &header, NULL, 0, EINVAL, NULL);
		memcpy(server->eventfds + set.start, files, files_count * sizeof(int));
		return reply(server, &header, NULL, 0, 0, NULL);
	}
	case VFIO_USER_DMA_MAP: {
		struct vfio_user_dma_map map;

		memcpy(&map, data, sizeof(map));
		__atomic_add_fetch(&server->maps, 1, __ATOMIC_ACQ_REL);
		server->map_bytes += map.size;
		pthread_mutex_lock(&server->lock);
		err = piece_add(server, &map, files_count ? files : NULL);
		pthread_mutex_unlock(&server->lock);
		if (files_count)
			close(files[0]);
		return reply(server, &header, NULL, 0, err, NULL);
	}
	case VFIO_USER_DMA_UNMAP: {
		struct vfio_user_dma_unmap unmap;

		if (fault_of(server) == SERVER_NO_UNMAP)
			return false;
		memcpy(&unmap, data, sizeof(unmap));
		pthread_mutex_lock(&server->lock);
		err = piece_remove(server, &unmap);
		pthread_mutex_unlock(&server->lock);
		__atomic_add_fetch(&server->unmaps, !err, __ATOMIC_ACQ_REL);
		return reply(server, &header, &unmap, sizeof(unmap), err, NULL);
	}
	case VFIO_USER_RESET:
		__atomic_add_fetch(&server->resets, 1, __ATOMIC_ACQ_REL);
		memset(server->regs, 0, sizeof(server->regs));
		return reply(server, &header, NULL, 0, 0, NULL);
	case VFIO_USER_REGION_READ:
	case VFIO_USER_REGION_WRITE:
		return region(server, &header, data);
	default:
		return reply(server, &header, NULL, 0, ENOTSUP, NULL);
	}
}

static void *run(void *argument)
{
	struct vfio_user_server *server = argument;

	while (await(server, server->listener)) {
		server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		__atomic_add_fetch(&server->connections, 1, __ATOMIC_ACQ_REL);
		while (serve(server))
			;
		close(server->fd);
		if (server->twin_fd >= 0)
			close(server->twin_fd);
		__atomic_store_n(&server->twin_fd, -1, __ATOMIC_RELEASE);
		pthread_mutex_lock(&server->lock);
		for (unsigned int i = 0; i < SERVER_PIECES; i++)
			piece_forget(&server->pieces[i]);
		pthread_mutex_unlock(&server->lock);
		for (unsigned int i = 0; i < SERVER_VECTORS; i++) {
			if (server->eventfds[i] >= 0)
				close(server->eventfds[i]);
			server->eventfds[i] = -1;
		}
	}
	return NULL;
}

void vfio_user_server_start(struct vfio_user_server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *dir = getenv("TEST_DIR");

	if (!server->path[0])
		snprintf(server->path, sizeof(server->path), "%.60s/vfio-user-%d.sock",
			 dir && strlen(dir) < 60 ? dir : "/tmp", getpid());
	memcpy(address.sun_path, server->path, sizeof(server->path));
	unlink(server->path);
	memset(server->eventfds, 0xff, sizeof(server->eventfds));
	server->twin_fd = -1;
	server->stopping = false;
	pthread_mutex_init(&server->lock, NULL);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(server->listener, 1) || pthread_create(&server->thread, NULL, run, server))
		abort();
}

struct server_piece vfio_user_server_piece(struct vfio_user_server *server, unsigned int index)
{
	struct server_piece piece;

	pthread_mutex_lock(&server->lock);
	piece = server->pieces[index];
	pthread_mutex_unlock(&server->lock);
	return piece;
}

void vfio_user_server_stop(struct vfio_user_server *server)
{
	__atomic_store_n(&server->stopping, true, __ATOMIC_RELEASE);
	pthread_join(server->thread, NULL);
	pthread_mutex_destroy(&server->lock);
	close(server->listener);
	unlink(server->path);
}
