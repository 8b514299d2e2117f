/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COPY_BYTES 65536u
#define PAGE 4096u

/* ---- a file that a client cuts short ------------------------------------------------ */

#define GUARDED_MAX 512u /* BARs of all functions */

/* What the handler looks at: atomic, since it takes no lock. base NULL: free. */
static struct {
	uint8_t *base;
	size_t bytes;
} guarded[GUARDED_MAX];
static struct sigaction before_guard;

/* Puts a page of zeros where the file has none, for a SIGBUS in memory of ours. */
static void handle_sigbus(int signal, siginfo_t *info, void *context)
{
	uint8_t *at = info->si_addr;

	(void)context;
	for (unsigned int i = 0; i < GUARDED_MAX; i++) {
		uint8_t *base = __atomic_load_n(&guarded[i].base, __ATOMIC_ACQUIRE);
		size_t offset = (size_t)(at - base);

		if (!base || at < base ||
		    offset >= __atomic_load_n(&guarded[i].bytes, __ATOMIC_RELAXED))
			continue;
		if (mmap(base + offset / PAGE * PAGE, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
			return;
	}
	/* Another fault: as if this handler were not there, when it happens again. */
	sigaction(signal, &before_guard, NULL);
}

void pci_memory_guard(void)
{
	struct sigaction action = { .sa_sigaction = handle_sigbus, .sa_flags = SA_SIGINFO };
	struct sigaction before;

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &before);
	if (before.sa_sigaction != handle_sigbus)
		before_guard = before;
}

/* False: there are too many. */
static bool guard_add(uint8_t *base, size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, pci_memory_guard);
	for (unsigned int i = 0; i < GUARDED_MAX; i++) {
		uint8_t *none = NULL;

		if (!__atomic_compare_exchange_n(&guarded[i].base, &none, base, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&guarded[i].bytes, bytes, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

static void guard_remove(const uint8_t *base)
{
	for (unsigned int i = 0; i < GUARDED_MAX; i++) {
		if (__atomic_load_n(&guarded[i].base, __ATOMIC_RELAXED) != base)
			continue;
		__atomic_store_n(&guarded[i].bytes, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&guarded[i].base, NULL, __ATOMIC_RELEASE);
	}
}

/* ---- the memory ---------------------------------------------------------------------- */

int pci_memory_init(struct pci_memory *memory, size_t bytes)
{
	int err;

	*memory = (struct pci_memory){ .fd = -1 };
	memory->fd = memfd_create(PCI_MEMORY_NAME, MFD_CLOEXEC);
	if (memory->fd < 0)
		return -errno;
	if (ftruncate(memory->fd, (off_t)bytes))
		goto out_close;
	memory->base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			    memory->fd, 0);
	if (memory->base == MAP_FAILED)
		goto out_close;
	memory->bytes = bytes;
	if (guard_add(memory->base, bytes))
		return 0;
	munmap(memory->base, bytes);
	errno = ENOSPC;

out_close:
	err = -errno;
	close(memory->fd);
	*memory = (struct pci_memory){ .fd = -1 };
	return err;
}

void pci_memory_fini(struct pci_memory *memory)
{
	if (memory->fd < 0)
		return;
	guard_remove(memory->base);
	munmap(memory->base, memory->bytes);
	/* Who has it mapped, also by a dma-buf, has nothing any more. */
	if (ftruncate(memory->fd, 0))
		memory->bytes = 0;
	close(memory->fd);
	*memory = (struct pci_memory){ .fd = -1 };
}

void pci_memory_clear(struct pci_memory *memory)
{
	if (memory->fd < 0)
		return;
	if (memory->hidden)
		madvise(memory->base, memory->bytes, MADV_DONTNEED);
	else
		madvise(memory->base, memory->bytes, MADV_REMOVE);
}

/* Copies what is not a hole between the file and keep, a mapping of its own. */
static int copy_out(const struct pci_memory *memory, uint8_t *keep)
{
	off_t at = 0, end;

	while ((size_t)at < memory->bytes) {
		at = lseek(memory->fd, at, SEEK_DATA);
		if (at < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(memory->fd, at, SEEK_HOLE);
		if (end < 0)
			return -errno;
		for (; at < end; at += COPY_BYTES) {
			size_t left = (size_t)(end - at);

			if (pread(memory->fd, keep + at, left < COPY_BYTES ? left : COPY_BYTES,
				  at) < 0)
				return -errno;
		}
		at = end;
	}
	return 0;
}

/* Pages of zeros stay holes. */
static int copy_in(const struct pci_memory *memory)
{
	static const uint8_t zeros[4096];

	for (size_t at = 0; at < memory->bytes; at += sizeof(zeros)) {
		if (memcmp(memory->base + at, zeros, sizeof(zeros)) &&
		    pwrite(memory->fd, memory->base + at, sizeof(zeros), (off_t)at) !=
			    (ssize_t)sizeof(zeros))
			return -ENOMEM;
	}
	return 0;
}

int pci_memory_hide(struct pci_memory *memory)
{
	uint8_t *keep;
	int err;

	if (memory->fd < 0 || memory->hidden)
		return 0;
	keep = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (keep == MAP_FAILED)
		return -ENOMEM;
	err = copy_out(memory, keep);
	if (err || mremap(keep, memory->bytes, memory->bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
			  memory->base) == MAP_FAILED) {
		munmap(keep, memory->bytes);
		return -ENOMEM;
	}
	memory->hidden = true;
	return ftruncate(memory->fd, 0) ? -ENOMEM : 0;
}

int pci_memory_show(struct pci_memory *memory)
{
	int err;

	if (memory->fd < 0 || !memory->hidden)
		return 0;
	if (ftruncate(memory->fd, (off_t)memory->bytes))
		return -ENOMEM;
	err = copy_in(memory);
	if (err || mmap(memory->base, memory->bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED | MAP_NORESERVE, memory->fd, 0) == MAP_FAILED) {
		return ftruncate(memory->fd, 0) ? -EIO : -ENOMEM;
	}
	memory->hidden = false;
	return 0;
}
