/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues that a client reads through a file: page faults, and events of a vIOMMU.
 *
 * The file counts in the queue's object, so the object outlives it, and holds
 * the context, so closing the iommufd alone ends nothing. Needs the context's
 * lock except where said. Source: iommufd/eventq.c.
 */
#ifndef IOASIS_ENGINE_EVENTQ_H
#define IOASIS_ENGINE_EVENTQ_H

#include <ioasis/iommufd_abi.h>

#include "sim/engine/anon_file.h"
#include "sim/engine/command.h"

struct attach;
struct device;
struct viommu;

/* What both kinds share: the object, what waits to be read, the file while it is open. */
struct eventq {
	struct engine_object object;
	struct list_link deliver;
	struct eventq_file *file; /* weak; NULL after the last close */
};

/*
 * Puts a file for queue into the calling process; *fd is its number. -ENOMEM,
 * -EMFILE or what the process gives; nothing changed then.
 */
int eventq_install(struct engine_ucmd *ucmd, struct eventq *queue,
		   const struct anon_file_ops *ops, uint32_t *fd);
/* Undoes it, when the command fails after it. */
void eventq_uninstall(struct engine_ucmd *ucmd, struct eventq *queue, uint32_t fd);

/* The queue behind a file, with its context locked, until eventq_unlock(). No lock needed. */
struct eventq *eventq_lock(struct engine_anon_file *file, struct engine_call *call);
void eventq_unlock(struct eventq *queue);

/* Common to both kinds' files. No lock needed. */
void eventq_file_release(struct engine_anon_file *file);
void eventq_file_free(struct engine_anon_file *file);
/* POLLIN while something waits, and always what else says. */
short eventq_file_poll(struct engine_anon_file *file, short also);

/* Something new waits: whoever polls is told after the call. */
void eventq_changed(struct eventq *queue);

/* ---- page faults ------------------------------------------------------------ */

struct fault_queue {
	struct eventq queue;
	struct list_link response; /* struct fault that were read, by rising cookie */
};

/* What a device wants to know. pasid 0: without one. */
struct fault_request {
	uint32_t pasid;
	uint32_t grpid;
	uint32_t perm;
	uint64_t addr;
};

/*
 * A page request of dev: queued where the page table of its PASID says, refused
 * otherwise, which the device alone learns. Source: iommu_report_device_fault().
 */
void fault_report(struct device *dev, const struct fault_request *request);

/* Answers all that waits for attach with "invalid": it is detached. */
void fault_queue_drop(struct fault_queue *fault, const struct attach *attach);

/* ---- events of a vIOMMU ----------------------------------------------------- */

struct vevent {
	struct list_link link; /* in eventq.deliver */
	struct iommufd_vevent_header header;
	uint32_t data_len; /* bytes */
	uint8_t data[16];
};

struct veventq {
	struct eventq queue;
	struct viommu *viommu; /* counted */
	struct list_link link; /* in viommu.veventqs */
	uint32_t type;
	uint32_t depth;	     /* events */
	uint32_t num_events; /* that wait, without the one about lost ones */
	uint32_t sequence;
	struct vevent lost; /* stands at the end of the list while events were lost */
};

/* The queue of this type, or NULL. */
struct veventq *viommu_find_veventq(const struct viommu *viommu, uint32_t type);

/*
 * Queues an event; a full queue notes that one was lost. -EOPNOTSUPP: no queue of
 * this type. -ENOMEM: lost. Source: iommufd_viommu_report_event().
 */
int viommu_report_event(struct viommu *viommu, uint32_t type, const void *data, uint32_t data_len);

void eventq_verify(struct eventq *queue);

#endif
