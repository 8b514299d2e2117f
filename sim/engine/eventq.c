/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues with a file: what fault queues and event queues of a vIOMMU share.
 */
#include "sim/engine/eventq.h"

#include <fcntl.h>
#include <poll.h>

struct eventq_file {
	struct engine_anon_file base;
	struct eventq *queue; /* counted in its object while the file is open */
};

int eventq_install(struct engine_ucmd *ucmd, struct eventq *queue,
		   const struct anon_file_ops *ops, uint32_t *fd)
{
	const struct engine_client *client = ucmd->client;
	struct eventq_file *file;
	int rc;

	if (!client->ops->fd_install)
		return -EMFILE;
	file = ctx_alloc(ucmd->ctx, sizeof(*file));
	if (!file)
		return -ENOMEM;
	anon_file_init(&file->base, ops, ucmd->ctx);
	file->queue = queue;
	/* A number can be refused as memory can. */
	rc = ctx_should_fail(ucmd->ctx) ? -ENOMEM :
					  client->ops->fd_install(client, &file->base,
								  O_RDWR | O_CLOEXEC);
	if (rc < 0) {
		anon_file_put(&file->base);
		return rc;
	}
	queue->file = file;
	queue->object.users++;
	ctx_get(ucmd->ctx);
	*fd = (uint32_t)rc;
	return 0;
}

void eventq_uninstall(struct engine_ucmd *ucmd, struct eventq *queue, uint32_t fd)
{
	struct eventq_file *file = queue->file;

	ucmd->client->ops->fd_remove(ucmd->client, (int)fd);
	queue->file = NULL;
	queue->object.users--;
	anon_file_put(&file->base);
	/* Not the last reference: the call that runs here has the open file. */
	ctx_put(ucmd->ctx);
}

struct eventq *eventq_lock(struct engine_anon_file *file, struct engine_call *call)
{
	struct eventq *queue = container_of(file, struct eventq_file, base)->queue;

	ctx_lock(file->ctx, call, NULL);
	return queue;
}

void eventq_unlock(struct eventq *queue)
{
	ctx_unlock(queue->object.ctx);
}

void eventq_file_release(struct engine_anon_file *file)
{
	struct eventq *queue = eventq_lock(file, NULL);
	struct engine_ctx *ctx = file->ctx;

	if (!list_empty(&file->changed)) {
		list_remove(&file->changed);
		anon_file_put(file);
	}
	queue->file = NULL;
	queue->object.users--;
	ctx_unlock(ctx);
	ctx_put(ctx);
}

void eventq_file_free(struct engine_anon_file *file)
{
	free(container_of(file, struct eventq_file, base));
}

short eventq_file_poll(struct engine_anon_file *file, short also)
{
	struct eventq *queue = eventq_lock(file, NULL);
	short events = also;

	if (!list_empty(&queue->deliver))
		events |= POLLIN | POLLRDNORM;
	eventq_unlock(queue);
	return events;
}

void eventq_changed(struct eventq *queue)
{
	if (queue->file)
		anon_file_changed(&queue->file->base);
}

void eventq_verify(struct eventq *queue)
{
	ENGINE_BUG_ON(queue->object.users < (queue->file ? 2u : 1u));
	if (queue->object.type == ENGINE_OBJ_VEVENTQ) {
		const struct veventq *veventq = container_of(queue, struct veventq, queue);
		uint32_t count = 0;

		list_for_each(link, &queue->deliver)
		{
			const struct vevent *event = container_of(link, struct vevent, link);

			ENGINE_BUG_ON(event == &veventq->lost && link->next != &queue->deliver);
			count += event != &veventq->lost;
		}
		ENGINE_BUG_ON(count != veventq->num_events || count > veventq->depth);
	}
}
