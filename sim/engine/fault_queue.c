/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults of devices: FAULT_QUEUE_ALLOC, its file, and where a fault goes.
 *
 * A fault waits to be read, then for its answer under a cookie, then it is gone.
 * It belongs to an attachment: what is detached is answered "invalid" at once.
 * Source: iommufd/eventq.c, drivers/iommu/io-pgfault.c.
 */
#include "sim/engine/eventq.h"

#include <poll.h>
#include <string.h>

#include "sim/engine/device.h"

struct fault {
	struct list_link link; /* in queue.deliver, then in response */
	const struct attach *attach;
	struct fault_request request;
	uint32_t cookie; /* from the read on */
};

static void faults_free(struct list_link *list, const struct attach *attach)
{
	list_for_each(link, list)
	{
		struct fault *fault = container_of(link, struct fault, link);

		if (attach && fault->attach != attach)
			continue;
		list_remove(&fault->link);
		free(fault);
	}
}

void fault_queue_drop(struct fault_queue *fault, const struct attach *attach)
{
	faults_free(&fault->queue.deliver, attach);
	faults_free(&fault->response, attach);
}

static void fault_queue_destroy(struct engine_object *object)
{
	struct fault_queue *fault = container_of(object, struct fault_queue, queue.object);

	faults_free(&fault->queue.deliver, NULL);
	faults_free(&fault->response, NULL);
}

static const struct object_ops fault_queue_ops = { .destroy = fault_queue_destroy };

/* Gives the fault the lowest free cookie from 1 and its place among those to be answered. */
static void fault_await_response(struct fault_queue *queue, struct fault *fault)
{
	struct list_link *before = &queue->response;

	fault->cookie = 1;
	list_for_each(link, &queue->response)
	{
		if (container_of(link, struct fault, link)->cookie != fault->cookie) {
			before = link;
			break;
		}
		fault->cookie++;
	}
	list_remove(&fault->link);
	list_append(before, &fault->link);
}

static void fault_message(const struct fault *fault, struct iommu_hwpt_pgfault *message)
{
	*message = (struct iommu_hwpt_pgfault){
		.flags = IOMMU_PGFAULT_FLAGS_LAST_PAGE,
		.dev_id = fault->attach->dev->object.id,
		.pasid = fault->request.pasid,
		.grpid = fault->request.grpid,
		.perm = fault->request.perm,
		.addr = fault->request.addr,
		.cookie = fault->cookie,
	};
	if (fault->request.pasid != NO_PASID)
		message->flags |= IOMMU_PGFAULT_FLAGS_PASID_VALID;
}

static ssize_t fault_file_read(struct engine_anon_file *file, void *buf, size_t len)
{
	struct iommu_hwpt_pgfault message;
	struct fault_queue *queue;
	struct engine_call call;
	size_t done = 0;

	if (len % sizeof(message))
		return -ESPIPE;
	queue = container_of(eventq_lock(file, &call), struct fault_queue, queue);
	/* Nothing waits: 0. Something waits and there is no room at all: an error. */
	if (!len && !list_empty(&queue->queue.deliver)) {
		eventq_unlock(&queue->queue);
		return -EINVAL;
	}
	while (done < len && !list_empty(&queue->queue.deliver)) {
		struct fault *fault =
			container_of(queue->queue.deliver.next, struct fault, link);

		fault_await_response(queue, fault);
		fault_message(fault, &message);
		memcpy((char *)buf + done, &message, sizeof(message));
		done += sizeof(message);
	}
	eventq_unlock(&queue->queue);
	return (ssize_t)done;
}

static struct fault *fault_find_cookie(struct fault_queue *queue, uint32_t cookie)
{
	list_for_each(link, &queue->response)
	{
		struct fault *fault = container_of(link, struct fault, link);

		if (fault->cookie == cookie)
			return fault;
	}
	return NULL;
}

static ssize_t fault_file_write(struct engine_anon_file *file, const void *buf, size_t len)
{
	struct iommu_hwpt_page_response response;
	struct fault_queue *queue;
	struct engine_call call;
	size_t done = 0;
	ssize_t rc = 0;

	if (len % sizeof(response))
		return -ESPIPE;
	queue = container_of(eventq_lock(file, &call), struct fault_queue, queue);
	while (done < len) {
		struct fault *fault;

		memcpy(&response, (const char *)buf + done, sizeof(response));
		if (response.code != IOMMUFD_PAGE_RESP_SUCCESS &&
		    response.code != IOMMUFD_PAGE_RESP_INVALID) {
			rc = -EINVAL;
			break;
		}
		fault = fault_find_cookie(queue, response.cookie);
		if (!fault) {
			rc = -EINVAL;
			break;
		}
		list_remove(&fault->link);
		free(fault);
		done += sizeof(response);
	}
	eventq_unlock(&queue->queue);
	return done ? (ssize_t)done : rc;
}

static short fault_file_poll(struct engine_anon_file *file)
{
	return eventq_file_poll(file, POLLOUT);
}

static const struct anon_file_ops fault_file_ops = {
	.kind = ENGINE_ANON_FAULT_QUEUE,
	.read = fault_file_read,
	.write = fault_file_write,
	.poll = fault_file_poll,
	.release = eventq_file_release,
	.free = eventq_file_free,
};

int cmd_fault_queue_alloc(struct engine_ucmd *ucmd)
{
	struct iommu_fault_alloc *cmd = ucmd->cmd;
	struct fault_queue *fault;
	int rc;

	if (cmd->flags)
		return -EOPNOTSUPP;
	fault = ucmd_object_alloc(ucmd, sizeof(*fault), ENGINE_OBJ_FAULT, &fault_queue_ops);
	if (!fault)
		return -ENOMEM;
	list_init(&fault->queue.deliver);
	list_init(&fault->response);
	rc = eventq_install(ucmd, &fault->queue, &fault_file_ops, &cmd->out_fault_fd);
	if (rc)
		return rc;
	cmd->out_fault_id = fault->queue.object.id;
	rc = ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		eventq_uninstall(ucmd, &fault->queue, cmd->out_fault_fd);
	return rc;
}

/* The attachment whose page table answers for pasid. Source: find_fault_handler(). */
static struct attach *fault_find_attach(const struct device *dev, uint32_t pasid)
{
	struct attach *attach = device_attach_find(dev, pasid);

	/* A PASID that only the client's own tables know goes to the device's nested one. */
	if (!attach && pasid != NO_PASID) {
		attach = device_attach_find(dev, NO_PASID);
		if (attach && !attach->hwpt->domain.nested)
			attach = NULL;
	}
	return attach && attach->hwpt->fault ? attach : NULL;
}

void fault_report(struct device *dev, const struct fault_request *request)
{
	struct attach *attach = fault_find_attach(dev, request->pasid);
	struct fault *fault;

	if (!attach)
		return;
	fault = ctx_alloc(dev->object.ctx, sizeof(*fault));
	if (!fault)
		return;
	fault->attach = attach;
	fault->request = *request;
	list_append(&attach->hwpt->fault->queue.deliver, &fault->link);
	eventq_changed(&attach->hwpt->fault->queue);
}
