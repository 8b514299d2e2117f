/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admin commands: queues, abort, asynchronous events, format. Base Specification 1.4,
 * section 5. All run in unit 0, with the admin queue's lock.
 */
#include "sim/pci/nvme_internal.h"

struct admin_row {
	uint8_t opcode;
	uint32_t effects;
	uint16_t (*execute)(struct nvme_request *request, uint64_t now_ns);
};

/* ---- queues -------------------------------------------------------------------- */

static bool qid_is_good(const struct nvme *nvme, uint32_t qid)
{
	return qid && qid <= nvme->queues;
}

/* What Create Submission and Completion Queue have in common. */
static uint16_t create_check(struct nvme_request *request, uint32_t entry_shift,
			     uint32_t wanted_shift, bool exists)
{
	const struct nvme *nvme = request->nvme;
	const struct nvme_command *command = &request->command;
	uint32_t entries = (command->cdw10 >> 16) + 1;

	if (!qid_is_good(nvme, command->cdw10 & 0xffff) || exists) {
		request->location = 40;
		return NVME_INVALID_QID | NVME_DNR;
	}
	if (entries < 2 || entries > NVME_ENTRIES_MAX || entry_shift != wanted_shift) {
		request->location = 42;
		return NVME_INVALID_QUEUE_SIZE | NVME_DNR;
	}
	/* CAP.CQR: queues are physically contiguous. */
	if (!(command->cdw11 & 1)) {
		request->location = 44;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	if (command->prp1 & ((UINT64_C(1) << nvme->page_shift) - 1)) {
		request->location = 24;
		return NVME_INVALID_PRP_OFFSET | NVME_DNR;
	}
	return NVME_OK;
}

static uint16_t create_cq(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	const struct nvme_command *command = &request->command;
	uint32_t qid = command->cdw10 & 0xffff, vector = command->cdw11 >> 16;
	struct nvme_cq *cq = qid_is_good(nvme, qid) ? &nvme->cqs[qid] : NULL;
	uint16_t status = create_check(request, NVME_CC_IOCQES(nvme->cc), NVME_CQ_ENTRY_SHIFT,
				       cq && cq->live);

	(void)now_ns;
	if (status)
		return status;
	if (vector > nvme->queues) {
		request->location = 46;
		return NVME_INVALID_VECTOR | NVME_DNR;
	}
	pthread_mutex_lock(&cq->lock);
	nvme_cq_start(nvme, cq, command->prp1, (command->cdw10 >> 16) + 1, command->cdw11 & 2,
		      (uint16_t)vector);
	pthread_mutex_unlock(&cq->lock);
	return NVME_OK;
}

static uint16_t delete_cq(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t qid = request->command.cdw10 & 0xffff;
	struct nvme_cq *cq;

	(void)now_ns;
	request->location = 40;
	if (!qid_is_good(nvme, qid) || !nvme->cqs[qid].live)
		return NVME_INVALID_QID | NVME_DNR;
	cq = &nvme->cqs[qid];
	if (cq->submitters)
		return NVME_INVALID_QUEUE_DELETION | NVME_DNR;
	pthread_mutex_lock(&cq->lock);
	nvme_cq_stop(nvme, cq);
	pthread_mutex_unlock(&cq->lock);
	return NVME_OK;
}

static uint16_t create_sq(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	const struct nvme_command *command = &request->command;
	uint32_t qid = command->cdw10 & 0xffff, cqid = command->cdw11 >> 16;
	struct nvme_sq *sq = qid_is_good(nvme, qid) ? &nvme->sqs[qid] : NULL;
	uint16_t status;
	bool good;

	(void)now_ns;
	if (!qid_is_good(nvme, cqid) || !nvme->cqs[cqid].live) {
		request->location = 46;
		return NVME_INVALID_CQ | NVME_DNR;
	}
	status = create_check(request, NVME_CC_IOSQES(nvme->cc), NVME_SQ_ENTRY_SHIFT,
			      sq && sq->live);
	if (status)
		return status;
	pthread_mutex_lock(&sq->lock);
	good = nvme_sq_start(nvme, sq, (uint16_t)cqid, command->prp1, (command->cdw10 >> 16) + 1);
	pthread_mutex_unlock(&sq->lock);
	if (!good)
		return NVME_INTERNAL_ERROR;
	nvme->cqs[cqid].submitters++;
	return NVME_OK;
}

static uint16_t delete_sq(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t qid = request->command.cdw10 & 0xffff;
	struct nvme_sq *sq;

	(void)now_ns;
	if (!qid_is_good(nvme, qid) || !nvme->sqs[qid].live) {
		request->location = 40;
		return NVME_INVALID_QID | NVME_DNR;
	}
	sq = &nvme->sqs[qid];
	pthread_mutex_lock(&sq->lock);
	nvme_queue_abort_all(nvme, sq, NVME_ABORTED_SQ_DELETED);
	nvme->cqs[sq->cqid].submitters--;
	nvme_sq_stop(nvme, sq);
	pthread_mutex_unlock(&sq->lock);
	return NVME_OK;
}

/* ---- abort and events ------------------------------------------------------------- */

/* Ends an Asynchronous Event Request that waits. */
static bool async_abort(struct nvme *nvme, uint16_t cid)
{
	for (unsigned int i = 0; i < nvme->async_count; i++) {
		if (nvme->async_cids[i] != cid)
			continue;
		nvme->async_cids[i] = nvme->async_cids[--nvme->async_count];
		nvme_queue_hold(&nvme->sqs[0], cid, false);
		nvme_queue_complete(nvme, &nvme->sqs[0], cid, 0, NVME_ABORT_REQUESTED);
		return true;
	}
	return false;
}

static uint16_t abort_command(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t qid = request->command.cdw10 & 0xffff;
	uint16_t cid = (uint16_t)(request->command.cdw10 >> 16);
	bool aborted = false;
	struct nvme_sq *sq;

	(void)now_ns;
	if (!qid) {
		aborted = async_abort(nvme, cid) || nvme_queue_abort(nvme, &nvme->sqs[0], cid);
	} else if (qid <= nvme->queues) {
		sq = &nvme->sqs[qid];
		pthread_mutex_lock(&sq->lock);
		aborted = sq->live && nvme_queue_abort(nvme, sq, cid);
		pthread_mutex_unlock(&sq->lock);
		if (aborted)
			pci_wake(nvme->function, qid);
	}
	/* Bit 0 says that it was not aborted: that is no error. */
	request->result = !aborted;
	return NVME_OK;
}

static uint16_t async_event(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;

	(void)now_ns;
	if (nvme->async_count == NVME_ASYNC_EVENTS)
		return NVME_ASYNC_EVENT_LIMIT | NVME_DNR;
	nvme->async_cids[nvme->async_count++] = request->command.cid;
	nvme_queue_hold(request->sq, request->command.cid, true);
	return NVME_NO_COMPLETION;
}

static uint16_t keep_alive(struct nvme_request *request, uint64_t now_ns)
{
	request->nvme->kept_alive_ns = now_ns;
	return NVME_OK;
}

/* ---- format ------------------------------------------------------------------------- */

static uint16_t format_one(struct nvme *nvme, uint32_t nsid, uint32_t lba_shift)
{
	struct nvme_disk *disk = nvme_disk_get(nvme, nsid);

	if (disk->read_only)
		return NVME_WRITE_PROTECTED | NVME_DNR;
	if (nvme_disk_zero(disk, 0, disk->file_bytes, true))
		return NVME_WRITE_FAULT;
	if (disk->lba_shift != lba_shift) {
		__atomic_store_n(&disk->lba_shift, lba_shift, __ATOMIC_RELAXED);
		nvme_event_queue(nvme, NVME_EVENT_NAMESPACE, nsid);
	}
	return NVME_OK;
}

static uint16_t format(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t nsid = request->command.nsid, word = request->command.cdw10;
	uint32_t lba_format = word & 0xf, secure_erase = word >> 9 & 0x7;
	uint16_t status = NVME_OK;

	(void)now_ns;
	if (nsid != NVME_NSID_ALL && !nvme_disk_get(nvme, nsid)) {
		request->location = 4;
		return NVME_INVALID_NAMESPACE | NVME_DNR;
	}
	request->location = 40;
	if (lba_format > 1)
		return NVME_INVALID_FORMAT | NVME_DNR;
	/* No metadata, no protection; erasing user data is what it does, keys it has none. */
	if (word & 0x1f0)
		return NVME_INVALID_FORMAT | NVME_DNR;
	if (secure_erase > 1)
		return NVME_INVALID_FIELD | NVME_DNR;
	request->location = UINT16_MAX;
	for (uint32_t i = 1; i <= nvme->disks_count && !status; i++) {
		if (nsid == NVME_NSID_ALL || nsid == i)
			status = format_one(nvme, i, lba_format ? 12 : 9);
	}
	return status;
}

/* ---- the table ------------------------------------------------------------------------ */

static uint16_t get_log(struct nvme_request *request, uint64_t now_ns)
{
	return nvme_log_get(request, now_ns);
}

static uint16_t identify(struct nvme_request *request, uint64_t now_ns)
{
	(void)now_ns;
	return nvme_identify(request);
}

static const struct admin_row admin_rows[] = {
	{ NVME_ADMIN_DELETE_SQ, 0, delete_sq },
	{ NVME_ADMIN_CREATE_SQ, 0, create_sq },
	{ NVME_ADMIN_GET_LOG, 0, get_log },
	{ NVME_ADMIN_DELETE_CQ, 0, delete_cq },
	{ NVME_ADMIN_CREATE_CQ, 0, create_cq },
	{ NVME_ADMIN_IDENTIFY, 0, identify },
	{ NVME_ADMIN_ABORT, 0, abort_command },
	{ NVME_ADMIN_SET_FEATURES, 0, nvme_features_set },
	{ NVME_ADMIN_GET_FEATURES, 0, nvme_features_get },
	{ NVME_ADMIN_ASYNC_EVENT, 0, async_event },
	{ NVME_ADMIN_KEEP_ALIVE, 0, keep_alive },
	{ NVME_ADMIN_FORMAT, NVME_EFFECT_CONTENT | NVME_EFFECT_NAMESPACE | NVME_EFFECT_ALONE,
	  format },
};

static const struct admin_row *row_find(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(admin_rows) / sizeof(*admin_rows); i++) {
		if (admin_rows[i].opcode == opcode)
			return &admin_rows[i];
	}
	return NULL;
}

uint32_t nvme_admin_effects(uint8_t opcode)
{
	const struct admin_row *row = row_find(opcode);

	return row ? row->effects | NVME_EFFECT_SUPPORTED : 0;
}

uint16_t nvme_admin_execute(struct nvme_request *request, uint64_t now_ns)
{
	const struct admin_row *row = row_find(request->command.opcode);

	if (!row) {
		request->location = 0;
		return NVME_INVALID_OPCODE | NVME_DNR;
	}
	/* No fused operations, no scatter gather lists: only PRPs. */
	if (request->command.flags & (NVME_FLAGS_FUSED | NVME_FLAGS_SGL)) {
		request->location = 1;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	return row->execute(request, now_ns);
}
