/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue pair: commands are fetched in batches, done or kept until they are due, and
 * their completions are posted with one write and one interrupt.
 *
 * What a doorbell says is checked before it is believed. A completion is never posted
 * over one that the host has not read: the queue stalls until its doorbell moves.
 */
#include "sim/pci/nvme_internal.h"

#include <stdlib.h>
#include <string.h>

#define CID_WORDS (65536 / 64)
#define ROUNDS	  16u /* batches, before others have their turn */

/* ---- commands that are under way ------------------------------------------ */

static bool is_before(const struct nvme_waiting *a, const struct nvme_waiting *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void waiting_push(struct nvme_sq *sq, const struct nvme_waiting *entry)
{
	uint32_t at = sq->waiting_count++;

	while (at && is_before(entry, &sq->waiting[(at - 1) / 2])) {
		sq->waiting[at] = sq->waiting[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	sq->waiting[at] = *entry;
}

/* Takes the entry at index out of the heap. */
static struct nvme_waiting waiting_take(struct nvme_sq *sq, uint32_t index)
{
	struct nvme_waiting taken = sq->waiting[index];
	struct nvme_waiting last = sq->waiting[--sq->waiting_count];
	uint32_t at = index, child;

	if (at == sq->waiting_count)
		return taken;
	while (at && is_before(&last, &sq->waiting[(at - 1) / 2])) {
		sq->waiting[at] = sq->waiting[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	while ((child = 2 * at + 1) < sq->waiting_count) {
		if (child + 1 < sq->waiting_count &&
		    is_before(&sq->waiting[child + 1], &sq->waiting[child]))
			child++;
		if (!is_before(&sq->waiting[child], &last))
			break;
		sq->waiting[at] = sq->waiting[child];
		at = child;
	}
	sq->waiting[at] = last;
	return taken;
}

static bool cid_is_used(const struct nvme_sq *sq, uint16_t cid)
{
	return sq->cids[cid / 64] >> (cid % 64) & 1;
}

void nvme_queue_hold(struct nvme_sq *sq, uint16_t cid, bool used)
{
	uint64_t bit = UINT64_C(1) << (cid % 64);

	if (used)
		sq->cids[cid / 64] |= bit;
	else
		sq->cids[cid / 64] &= ~bit;
}

/* ---- making and ending ------------------------------------------------------ */

bool nvme_sq_start(struct nvme *nvme, struct nvme_sq *sq, uint16_t cqid, uint64_t base,
		   uint32_t entries)
{
	sq->waiting = calloc(entries, sizeof(*sq->waiting));
	sq->cids = calloc(CID_WORDS, sizeof(*sq->cids));
	if (!sq->waiting || !sq->cids) {
		free(sq->waiting);
		free(sq->cids);
		sq->waiting = NULL;
		sq->cids = NULL;
		return false;
	}
	sq->cqid = cqid;
	sq->base = base;
	sq->entries = entries;
	sq->head = sq->tail = 0;
	sq->done_count = 0;
	sq->waiting_count = 0;
	sq->waiting_order = 0;
	__atomic_store_n(nvme_sq_doorbell(nvme, sq->id), 0, __ATOMIC_RELEASE);
	__atomic_store_n(&sq->doorbell, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&sq->stalled, false, __ATOMIC_RELAXED);
	__atomic_store_n(&sq->live, true, __ATOMIC_RELEASE);
	return true;
}

void nvme_sq_stop(struct nvme *nvme, struct nvme_sq *sq)
{
	__atomic_store_n(&sq->live, false, __ATOMIC_RELEASE);
	__atomic_store_n(&sq->stalled, false, __ATOMIC_RELAXED);
	__atomic_store_n(&sq->doorbell, 0, __ATOMIC_RELAXED);
	__atomic_store_n(nvme_sq_doorbell(nvme, sq->id), 0, __ATOMIC_RELEASE);
	free(sq->waiting);
	free(sq->cids);
	sq->waiting = NULL;
	sq->cids = NULL;
	sq->waiting_count = 0;
	sq->done_count = 0;
}

void nvme_cq_start(struct nvme *nvme, struct nvme_cq *cq, uint64_t base, uint32_t entries,
		   bool interrupts, uint16_t vector)
{
	cq->base = base;
	cq->entries = entries;
	cq->head = cq->tail = 0;
	cq->phase = true;
	cq->interrupts = interrupts;
	cq->vector = vector;
	cq->submitters = 0;
	__atomic_store_n(nvme_cq_doorbell(nvme, (unsigned int)(cq - nvme->cqs)), 0,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&cq->doorbell, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&cq->live, true, __ATOMIC_RELEASE);
}

void nvme_cq_stop(struct nvme *nvme, struct nvme_cq *cq)
{
	nvme_irq_lower(nvme, cq);
	__atomic_store_n(&cq->live, false, __ATOMIC_RELEASE);
	__atomic_store_n(&cq->doorbell, 0, __ATOMIC_RELAXED);
	__atomic_store_n(nvme_cq_doorbell(nvme, (unsigned int)(cq - nvme->cqs)), 0,
			 __ATOMIC_RELEASE);
}

/* ---- doorbells -------------------------------------------------------------- */

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

bool nvme_queue_has_news(const struct nvme *nvme, unsigned int id)
{
	const struct nvme_sq *sq = &nvme->sqs[id];
	const struct nvme_cq *cq = &nvme->cqs[id];

	if (load(nvme_sq_doorbell(nvme, id)) != load(&sq->doorbell))
		return true;
	if (__atomic_load_n(&sq->stalled, __ATOMIC_ACQUIRE) &&
	    load(nvme_cq_doorbell(nvme, sq->cqid)) != load(&sq->stalled_head))
		return true;
	/* The host's reading matters only where it takes the pin down. */
	return (__atomic_load_n(&cq->raised, __ATOMIC_RELAXED) ||
		!__atomic_load_n(&cq->live, __ATOMIC_RELAXED)) &&
	       load(nvme_cq_doorbell(nvme, id)) != load(&cq->doorbell);
}

/* A doorbell of no queue: told once, and forgotten. */
static void doorbell_refuse(struct nvme *nvme, uint32_t *doorbell)
{
	if (!load(doorbell))
		return;
	__atomic_store_n(doorbell, 0, __ATOMIC_RELEASE);
	nvme_event_queue(nvme, NVME_EVENT_BAD_DOORBELL, 0);
}

static void sq_look(struct nvme *nvme, struct nvme_sq *sq)
{
	uint32_t value = load(nvme_sq_doorbell(nvme, sq->id));

	if (value == sq->doorbell)
		return;
	__atomic_store_n(&sq->doorbell, value, __ATOMIC_RELAXED);
	if (value < sq->entries)
		sq->tail = value;
	else
		nvme_event_queue(nvme, NVME_EVENT_BAD_DOORBELL_VALUE, 0);
}

static uint32_t cq_used(const struct nvme_cq *cq, uint32_t head)
{
	return (cq->tail + cq->entries - head) % cq->entries;
}

/* With its lock. */
static void cq_look(struct nvme *nvme, struct nvme_cq *cq)
{
	uint32_t value = load(nvme_cq_doorbell(nvme, (unsigned int)(cq - nvme->cqs)));

	if (value == cq->doorbell)
		return;
	__atomic_store_n(&cq->doorbell, value, __ATOMIC_RELAXED);
	/* It can only go forward, up to what was posted. */
	if (value < cq->entries && cq_used(cq, value) <= cq_used(cq, cq->head))
		cq->head = value;
	else
		nvme_event_queue(nvme, NVME_EVENT_BAD_DOORBELL_VALUE, 0);
	if (cq->head == cq->tail)
		nvme_irq_lower(nvme, cq);
}

static void pair_look(struct nvme *nvme, struct nvme_sq *sq)
{
	struct nvme_cq *cq = &nvme->cqs[sq->id];

	if (sq->live)
		sq_look(nvme, sq);
	else
		doorbell_refuse(nvme, nvme_sq_doorbell(nvme, sq->id));
	pthread_mutex_lock(&cq->lock);
	if (cq->live)
		cq_look(nvme, cq);
	else
		doorbell_refuse(nvme, nvme_cq_doorbell(nvme, sq->id));
	pthread_mutex_unlock(&cq->lock);
}

/* ---- completions ------------------------------------------------------------ */

void nvme_queue_complete(struct nvme *nvme, struct nvme_sq *sq, uint16_t cid, uint32_t result,
			 uint16_t status)
{
	(void)nvme;
	sq->done[sq->done_count++] = (struct nvme_completion){
		.result = result,
		.sq_id = sq->id,
		.cid = cid,
		.status = (uint16_t)(status << 1),
	};
}

/* Posts n completions that fit before the end of the ring; false: they cannot be written. */
static bool cq_write(struct nvme *nvme, struct nvme_cq *cq, struct nvme_completion *done,
		     unsigned int n)
{
	const uint64_t first = cq->base + ((uint64_t)cq->tail << NVME_CQ_ENTRY_SHIFT);
	const uint64_t entry = UINT64_C(1) << NVME_CQ_ENTRY_SHIFT;
	/* The first one last, and of that the word with the phase: the host looks no further. */
	const struct pci_dma_piece pieces[] = { { first + entry, (n - 1) * entry },
						{ first, entry } };
	const struct iovec local[] = { { done + 1, (n - 1) * sizeof(*done) },
				       { done, 12 },
				       { &done->cid, 4 } };
	unsigned int skip = n == 1;

	for (unsigned int i = 0; i < n; i++)
		done[i].status = (uint16_t)((done[i].status & ~1u) | cq->phase);
	if (pci_dma_vector(nvme->function, PCI_NO_PASID, true, pieces + skip, 2 - skip,
			   local + skip, 3 - skip, NULL))
		return false;
	cq->tail += n;
	if (cq->tail == cq->entries) {
		cq->tail = 0;
		cq->phase = !cq->phase;
	}
	return true;
}

/* Posts what is done; false: there is no room for all, or none for ever. */
static bool queue_post(struct nvme *nvme, struct nvme_sq *sq)
{
	struct nvme_cq *cq = &nvme->cqs[sq->cqid];
	unsigned int posted = 0, n;
	bool good = true;

	if (!sq->done_count)
		return true;
	for (unsigned int i = 0; i < sq->done_count; i++)
		sq->done[i].sq_head = (uint16_t)sq->head;
	pthread_mutex_lock(&cq->lock);
	cq_look(nvme, cq);
	while (good && posted < sq->done_count) {
		uint32_t room = cq->entries - 1 - cq_used(cq, cq->head);
		uint32_t to_end = cq->entries - cq->tail;

		n = sq->done_count - posted;
		n = n < room ? n : room;
		n = n < to_end ? n : to_end;
		if (!n)
			break;
		good = cq_write(nvme, cq, sq->done + posted, n);
		posted += n;
	}
	if (posted && good)
		nvme_irq_raise(nvme, cq);
	__atomic_store_n(&sq->stalled_head, cq->doorbell, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&cq->lock);
	if (!good) {
		nvme_fail(nvme);
		return false;
	}
	sq->done_count -= posted;
	memmove(sq->done, sq->done + posted, sq->done_count * sizeof(*sq->done));
	__atomic_store_n(&sq->stalled, sq->done_count > 0, __ATOMIC_RELEASE);
	return !sq->done_count;
}

/* ---- commands ---------------------------------------------------------------- */

static void command_run(struct nvme *nvme, struct nvme_sq *sq, const struct nvme_command *command,
			uint64_t now_ns, bool again)
{
	struct nvme_request request = {
		.nvme = nvme,
		.sq = sq,
		.command = *command,
		.location = UINT16_MAX,
	};
	uint16_t status = sq->id ? nvme_io_execute(&request) : nvme_admin_execute(&request, now_ns);

	if (again || status == NVME_NO_COMPLETION)
		return;
	if (status)
		nvme_log_error(&request, status);
	nvme_queue_complete(nvme, sq, command->cid, request.result, status);
}

static void command_fail(struct nvme *nvme, struct nvme_sq *sq, const struct nvme_command *command,
			 uint16_t status)
{
	struct nvme_request request = {
		.nvme = nvme,
		.sq = sq,
		.command = *command,
		.location = UINT16_MAX,
	};

	nvme_log_error(&request, status);
	nvme_queue_complete(nvme, sq, command->cid, 0, status);
}

static uint64_t draw_delay(struct nvme *nvme)
{
	uint64_t span = nvme->config.delay_max_ns - nvme->config.delay_min_ns;

	if (!span)
		return nvme->config.delay_min_ns;
	return nvme->config.delay_min_ns + pci_random(nvme->function) % (span + 1);
}

static void command_wait(struct nvme_sq *sq, const struct nvme_command *command, uint64_t due_ns,
			 bool again)
{
	struct nvme_waiting entry = {
		.command = *command,
		.due_ns = due_ns,
		.order = sq->waiting_order++,
		.again = again,
	};

	waiting_push(sq, &entry);
	if (!again)
		nvme_queue_hold(sq, command->cid, true);
}

static uint64_t later(uint64_t now_ns, uint64_t ns)
{
	return ns < PCI_NEVER - now_ns ? now_ns + ns : PCI_NEVER;
}

/* A command that was just fetched. False: the controller does no more. */
static bool command_begin(struct nvme *nvme, struct nvme_sq *sq, const struct nvme_command *command,
			  uint64_t now_ns)
{
	struct nvme_effect effect = {
		.late_ns = sq->id ? draw_delay(nvme) : 0,
		.again_ns = PCI_NEVER,
	};

	if (cid_is_used(sq, command->cid)) {
		command_fail(nvme, sq, command, NVME_CID_CONFLICT | NVME_DNR);
		return true;
	}
	nvme_faults_apply(nvme, sq, command, &effect);
	switch (effect.outcome) {
	case NVME_OUTCOME_STOPPED:
		return false;
	case NVME_OUTCOME_LOST:
		return true;
	case NVME_OUTCOME_STATUS:
		command_fail(nvme, sq, command, effect.status);
		return true;
	case NVME_OUTCOME_NONE:
		break;
	}
	if (effect.late_ns) {
		command_wait(sq, command, later(now_ns, effect.late_ns), false);
		return true;
	}
	command_run(nvme, sq, command, now_ns, false);
	if (effect.again_ns != PCI_NEVER && nvme_is_running(nvme))
		command_wait(sq, command, later(now_ns, effect.again_ns), true);
	return true;
}

/* Does what is due now, at most a batch; how many there were. */
static unsigned int queue_run_due(struct nvme *nvme, struct nvme_sq *sq, uint64_t now_ns)
{
	unsigned int n = 0;

	while (n < NVME_BATCH && sq->waiting_count && sq->waiting[0].due_ns <= now_ns) {
		struct nvme_waiting entry = waiting_take(sq, 0);

		if (!entry.again)
			nvme_queue_hold(sq, entry.command.cid, false);
		command_run(nvme, sq, &entry.command, now_ns, entry.again);
		n++;
	}
	return n;
}

/* Fetches what is there, at most a batch, and begins it; how many there were. */
static unsigned int queue_fetch(struct nvme *nvme, struct nvme_sq *sq, uint64_t now_ns)
{
	struct nvme_command commands[NVME_BATCH];
	uint32_t n = (sq->tail + sq->entries - sq->head) % sq->entries;
	uint32_t room = sq->entries - sq->waiting_count, to_end = sq->entries - sq->head;

	n = n < NVME_BATCH ? n : NVME_BATCH;
	n = n < room ? n : room;
	n = n < to_end ? n : to_end;
	if (!n)
		return 0;
	if (pci_dma_read(nvme->function, sq->base + ((uint64_t)sq->head << NVME_SQ_ENTRY_SHIFT),
			 commands, n * sizeof(*commands))) {
		nvme_fail(nvme);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		sq->head = (sq->head + 1) % sq->entries;
		if (!command_begin(nvme, sq, &commands[i], now_ns) || !nvme_is_running(nvme))
			return 0;
	}
	return n;
}

uint64_t nvme_queue_run(struct nvme *nvme, struct nvme_sq *sq, uint64_t now_ns)
{
	pair_look(nvme, sq);
	if (!sq->live)
		return PCI_NEVER;
	for (unsigned int rounds = 0; rounds < ROUNDS; rounds++) {
		if (!queue_post(nvme, sq))
			return PCI_NEVER;
		if (!queue_run_due(nvme, sq, now_ns) && !queue_fetch(nvme, sq, now_ns)) {
			if (!nvme_is_running(nvme))
				return PCI_NEVER;
			if (!sq->id)
				nvme_events_deliver(nvme);
			if (!queue_post(nvme, sq))
				return PCI_NEVER;
			sq_look(nvme, sq);
			if (sq->head == sq->tail || sq->waiting_count == sq->entries)
				return sq->waiting_count ? sq->waiting[0].due_ns : PCI_NEVER;
		}
	}
	return now_ns;
}

/* ---- ending commands ---------------------------------------------------------- */

bool nvme_queue_abort(struct nvme *nvme, struct nvme_sq *sq, uint16_t cid)
{
	if (sq->done_count == NVME_DONE_MAX || !cid_is_used(sq, cid))
		return false;
	for (uint32_t i = 0; i < sq->waiting_count; i++) {
		if (sq->waiting[i].again || sq->waiting[i].command.cid != cid)
			continue;
		waiting_take(sq, i);
		nvme_queue_hold(sq, cid, false);
		nvme_queue_complete(nvme, sq, cid, 0, NVME_ABORT_REQUESTED);
		return true;
	}
	return false;
}

void nvme_queue_abort_all(struct nvme *nvme, struct nvme_sq *sq, uint16_t status)
{
	while (sq->waiting_count) {
		struct nvme_waiting entry = waiting_take(sq, sq->waiting_count - 1);

		if (!entry.again)
			nvme_queue_complete(nvme, sq, entry.command.cid, 0, status);
		if (sq->done_count == NVME_DONE_MAX && !queue_post(nvme, sq))
			return;
	}
	queue_post(nvme, sq);
}
