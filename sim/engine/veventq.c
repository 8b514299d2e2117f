/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queues of a vIOMMU: VEVENTQ_ALLOC, its file, and how events get there.
 *
 * A full queue keeps one note at its end that events were lost; the note takes a
 * number of the sequence for each of them, and goes when the next event fits.
 * Source: iommufd/eventq.c, driver.c.
 */
#include "sim/engine/eventq.h"

#include <limits.h>
#include <string.h>

#include "sim/engine/viommu.h"

/* Fits all hardware there is (eventq.c, VEVENTQ_MAX_DEPTH). */
#define DEPTH_MAX (1u << 19)

struct veventq *viommu_find_veventq(const struct viommu *viommu, uint32_t type)
{
	list_for_each(link, &viommu->veventqs)
	{
		struct veventq *veventq = container_of(link, struct veventq, link);

		if (veventq->type == type)
			return veventq;
	}
	return NULL;
}

static void veventq_destroy(struct engine_object *object)
{
	struct veventq *veventq = container_of(object, struct veventq, queue.object);

	list_for_each(link, &veventq->queue.deliver)
	{
		struct vevent *event = container_of(link, struct vevent, link);

		list_remove(&event->link);
		if (event != &veventq->lost)
			free(event);
	}
	list_remove(&veventq->link);
	veventq->viommu->object.users--;
}

static const struct object_ops veventq_ops = { .destroy = veventq_destroy };

/* Takes the first event that fits into room bytes; -EINVAL: there is one, but no room. */
static ssize_t veventq_read_one(struct veventq *veventq, char *buf, size_t room)
{
	struct vevent *event = container_of(veventq->queue.deliver.next, struct vevent, link);
	size_t len = sizeof(event->header);

	if (event != &veventq->lost)
		len += event->data_len;
	if (room < sizeof(event->header) || room < len)
		return -EINVAL;
	memcpy(buf, &event->header, sizeof(event->header));
	memcpy(buf + sizeof(event->header), event->data, len - sizeof(event->header));
	list_remove(&event->link);
	if (event != &veventq->lost) {
		veventq->num_events--;
		free(event);
	}
	return (ssize_t)len;
}

static ssize_t veventq_file_read(struct engine_anon_file *file, void *buf, size_t len)
{
	struct veventq *veventq;
	struct engine_call call;
	size_t done = 0;
	ssize_t rc = 0;

	if (len < sizeof(struct iommufd_vevent_header))
		return -EINVAL;
	veventq = container_of(eventq_lock(file, &call), struct veventq, queue);
	while (!list_empty(&veventq->queue.deliver)) {
		rc = veventq_read_one(veventq, (char *)buf + done, len - done);
		if (rc < 0)
			break;
		done += (size_t)rc;
	}
	eventq_unlock(&veventq->queue);
	return done ? (ssize_t)done : rc;
}

static short veventq_file_poll(struct engine_anon_file *file)
{
	return eventq_file_poll(file, 0);
}

static const struct anon_file_ops veventq_file_ops = {
	.kind = ENGINE_ANON_EVENT_QUEUE,
	.read = veventq_file_read,
	.poll = veventq_file_poll,
	.release = eventq_file_release,
	.free = eventq_file_free,
};

int cmd_veventq_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct veventq *veventq;
	struct viommu *viommu;
	int rc;

	if (cmd->flags || cmd->__reserved || cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->veventq_depth || cmd->veventq_depth > DEPTH_MAX)
		return -EINVAL;
	viommu = object_get(ucmd->ctx, cmd->viommu_id, ENGINE_OBJ_VIOMMU);
	if (!viommu)
		return -ENOENT;
	if (viommu_find_veventq(viommu, cmd->type))
		return -EEXIST;
	veventq = ucmd_object_alloc(ucmd, sizeof(*veventq), ENGINE_OBJ_VEVENTQ, &veventq_ops);
	if (!veventq)
		return -ENOMEM;
	ucmd->new_parent = viommu->object.id;
	list_init(&veventq->queue.deliver);
	list_init(&veventq->lost.link);
	veventq->lost.header.flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
	veventq->type = cmd->type;
	veventq->depth = cmd->veventq_depth;
	veventq->viommu = viommu;
	viommu->object.users++;
	list_append(&viommu->veventqs, &veventq->link);

	rc = eventq_install(ucmd, &veventq->queue, &veventq_file_ops, &cmd->out_veventq_fd);
	if (rc)
		return rc;
	cmd->out_veventq_id = veventq->queue.object.id;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		eventq_uninstall(ucmd, &veventq->queue, cmd->out_veventq_fd);
	return rc;
}

/* Puts event at the end with the next number; it takes the place of a note of lost ones. */
static void veventq_append(struct veventq *veventq, struct vevent *event)
{
	if (veventq->queue.deliver.prev == &veventq->lost.link)
		list_remove(&veventq->lost.link);
	list_append(&veventq->queue.deliver, &event->link);
	event->header.sequence = veventq->sequence;
	veventq->sequence = (veventq->sequence + 1) & INT_MAX;
	eventq_changed(&veventq->queue);
}

int viommu_report_event(struct viommu *viommu, uint32_t type, const void *data, uint32_t data_len)
{
	struct veventq *veventq = viommu_find_veventq(viommu, type);
	struct vevent *event;

	if (!veventq)
		return -EOPNOTSUPP;
	event = ctx_alloc(viommu->object.ctx, sizeof(*event));
	if (!event) {
		veventq_append(veventq, &veventq->lost);
		return -ENOMEM;
	}
	if (veventq->num_events == veventq->depth) {
		free(event);
		veventq_append(veventq, &veventq->lost);
		return 0;
	}
	ENGINE_BUG_ON(data_len > sizeof(event->data));
	event->data_len = data_len;
	memcpy(event->data, data, data_len);
	veventq->num_events++;
	veventq_append(veventq, event);
	return 0;
}
