/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/arena.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOWHERE		  ((char *)0x100000000000)
#define CHUNK_BYTES_FIRST ((uint64_t)16 << 20)
#define CHUNKS_MAX	  4096u

void arena_nowhere(struct arena *arena, uint64_t bytes)
{
	*arena = (struct arena){ NOWHERE, bytes };
}

int arena_map(struct arena *arena, uint64_t bytes)
{
	uint64_t chunk = CHUNK_BYTES_FIRST;
	int fd, err = 0;

	while (bytes / chunk > CHUNKS_MAX)
		chunk *= 2;
	arena->bytes = (bytes / chunk + 1) * chunk;
	arena->first = mmap(NULL, arena->bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena->first == MAP_FAILED) {
		arena->first = NULL;
		return -errno;
	}
	fd = memfd_create("ioasis-guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)chunk))
		err = -errno;
	for (uint64_t at = 0; at < arena->bytes && !err; at += chunk) {
		if (mmap(arena->first + at, chunk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 fd, 0) == MAP_FAILED)
			err = -errno;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		arena_unmap(arena);
	return err;
}

void arena_unmap(struct arena *arena)
{
	if (arena->first && arena->first != NOWHERE)
		munmap(arena->first, arena->bytes);
	arena->first = NULL;
}
