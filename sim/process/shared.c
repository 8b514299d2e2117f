/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinned pages of shared memory after the end of the process that they were pinned
 * in: they are reached through another client that has them mapped.
 *
 * The kernel keeps such pages by their reference. Here all that can be kept is what
 * they are: the file and the offset of each shared mapping that was pinned. Private
 * pages are lost with their process.
 */
#include "sim/process/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A shared mapping as it was when pages of it were pinned. */
struct process_shared {
	struct process_shared *next; /* the newest first; none overlaps another */
	struct process_vma vma;
	struct process *other; /* who had it mapped last time; a reference, or NULL */
	uint64_t other_va;     /* where the byte at vma.start is there */
};

static void shared_free(struct process_shared *shared)
{
	process_put(shared->other);
	free(shared);
}

void process_shared_note(struct process *process, const struct process_vma *vma)
{
	struct process_shared **link, *shared;

	pthread_mutex_lock(&process->shared_lock);
	for (shared = process->shared; shared; shared = shared->next) {
		if (shared->vma.start == vma->start && shared->vma.end == vma->end &&
		    shared->vma.inode == vma->inode && shared->vma.device == vma->device &&
		    shared->vma.offset == vma->offset)
			goto out;
	}
	shared = calloc(1, sizeof(*shared));
	if (!shared) /* then its pages are lost with the process */
		goto out;
	/* Where another one is now, an older one can only be remembered in vain. */
	for (link = &process->shared; *link;) {
		struct process_shared *old = *link;

		if (old->vma.end <= vma->start || vma->end <= old->vma.start) {
			link = &old->next;
			continue;
		}
		*link = old->next;
		shared_free(old);
	}
	shared->vma = *vma;
	shared->next = process->shared;
	process->shared = shared;
out:
	pthread_mutex_unlock(&process->shared_lock);
}

void process_shared_forget(struct process *process)
{
	struct process_shared *shared;

	while ((shared = process->shared)) {
		process->shared = shared->next;
		shared_free(shared);
	}
}

/* Whether the byte at offset of the mapping's file is at va in the process. */
static bool is_mapped_at(struct process *process, uint64_t va, const struct process_vma *wanted,
			 uint64_t offset)
{
	struct process_vma vma;

	return process_alive(process) && !process_vma_find(process, va, &vma) && vma.shared &&
	       vma.inode == wanted->inode && vma.device == wanted->device &&
	       vma.offset + (va - vma.start) == offset;
}

/* Looks for a live client that has the byte at offset mapped. False: none. */
static bool find_other(struct process *process, struct process_shared *shared, uint64_t offset)
{
	struct process *others[PROCESS_OTHERS_MAX];
	size_t count = process_table_others(process->table, process, others), i;
	bool found = false;

	for (i = 0; i < count; i++) {
		struct process_vma vma;

		if (!found && !process_vma_find_file(others[i], &shared->vma, offset, &vma)) {
			process_put(shared->other);
			shared->other = others[i];
			shared->other_va = vma.start - vma.offset + shared->vma.offset;
			found = true;
			continue;
		}
		process_put(others[i]);
	}
	return found;
}

int process_shared_reach(struct process *process, uint64_t va, int *mem_fd, uint64_t *other_va,
			 uint64_t *length)
{
	struct process_shared *shared;
	int err = -EFAULT;

	pthread_mutex_lock(&process->shared_lock);
	for (shared = process->shared; shared; shared = shared->next) {
		uint64_t skip = va - shared->vma.start;

		if (va < shared->vma.start || va >= shared->vma.end)
			continue;
		if ((!shared->other || !is_mapped_at(shared->other, shared->other_va + skip,
						     &shared->vma, shared->vma.offset + skip)) &&
		    !find_other(process, shared, shared->vma.offset + skip))
			break;
		*mem_fd = shared->other->mem_fd;
		*other_va = shared->other_va + skip;
		*length = ENGINE_PAGE_SIZE - va % ENGINE_PAGE_SIZE;
		err = 0;
		break;
	}
	/* The lock is kept, and with it the other process, until the bytes are there. */
	if (err)
		pthread_mutex_unlock(&process->shared_lock);
	return err;
}

void process_shared_done(struct process *process)
{
	pthread_mutex_unlock(&process->shared_lock);
}
