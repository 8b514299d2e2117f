/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/known.h"
#include "sim/fuse/files.h"

static struct known_open *slot_of(struct known_opens *known, uint32_t tid, int fd)
{
	return &known->opens[(tid * 31u + (uint32_t)fd) % KNOWN_OPENS];
}

void known_opens_init(struct known_opens *known)
{
	*known = (struct known_opens){ .generation = 1 };
	pthread_mutex_init(&known->lock, NULL);
}

void known_opens_fini(struct known_opens *known)
{
	pthread_mutex_destroy(&known->lock);
}

void known_opens_change(struct known_opens *known)
{
	pthread_mutex_lock(&known->lock);
	__atomic_add_fetch(&known->generation, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&known->lock);
}

struct fuse_open *known_opens_find(struct known_opens *known, const struct process_client *pc,
				   int fd, uint64_t *generation)
{
	struct known_open *slot = slot_of(known, pc->client.tid, fd);
	struct fuse_open *open = NULL;

	pthread_mutex_lock(&known->lock);
	/* A thread's id may have been given to another process. */
	if (slot->generation == known->generation && slot->tid == pc->client.tid &&
	    slot->fd == fd && slot->pid == pc->client.pid &&
	    slot->serial == process_client_serial(pc) && fuse_open_get_live(slot->open))
		open = slot->open;
	if (generation)
		*generation = known->generation;
	pthread_mutex_unlock(&known->lock);
	return open;
}

void known_opens_expect(struct known_opens *known, uint32_t tid, int fd, unsigned int cmd,
			uint64_t arg)
{
	struct known_lesson *lesson = &known->lessons[tid % KNOWN_LESSONS];

	pthread_mutex_lock(&known->lock);
	*lesson = (struct known_lesson){
		.generation = known->generation,
		.tid = tid,
		.fd = fd,
		.cmd = cmd,
		.arg = arg,
	};
	pthread_mutex_unlock(&known->lock);
}

bool known_opens_expects(struct known_opens *known, uint32_t tid)
{
	struct known_lesson *lesson = &known->lessons[tid % KNOWN_LESSONS];
	bool expects;

	pthread_mutex_lock(&known->lock);
	expects = lesson->tid == tid && lesson->generation == known->generation;
	pthread_mutex_unlock(&known->lock);
	return expects;
}

void known_opens_learn(struct known_opens *known, const struct process_client *pc,
		       unsigned int cmd, uint64_t arg, struct fuse_open *open)
{
	struct known_lesson *lesson = &known->lessons[pc->client.tid % KNOWN_LESSONS];

	pthread_mutex_lock(&known->lock);
	if (lesson->generation == known->generation && lesson->tid == pc->client.tid &&
	    lesson->cmd == cmd && lesson->arg == arg) {
		*slot_of(known, lesson->tid, lesson->fd) = (struct known_open){
			.generation = known->generation,
			.serial = process_client_serial(pc),
			.open = open,
			.pid = pc->client.pid,
			.tid = lesson->tid,
			.fd = lesson->fd,
		};
		lesson->generation = 0;
	}
	pthread_mutex_unlock(&known->lock);
}
