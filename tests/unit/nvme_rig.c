/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/nvme_rig.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#define ADMIN_ENTRIES 32u

struct rig rig;

int rig_enabled(void **state)
{
	(void)state;
	rig_init(&rig, RIG_DEVICE);
	rig_enable(&rig);
	return 0;
}

void rig_begin(const char *device)
{
	rig_init(&rig, device);
	rig_enable(&rig);
	rig_make_queue(&rig, 1, 64);
}

int rig_ready(void **state)
{
	(void)state;
	rig_begin(RIG_DEVICE);
	return 0;
}

int rig_end(void **state)
{
	(void)state;
	rig_fini(&rig);
	return 0;
}

/* ---- the world ------------------------------------------------------------------ */

/* Where the next byte of a string of pieces is. */
static uint64_t piece_next(const struct pci_dma_piece **piece, uint64_t *at)
{
	while (*at == (*piece)->bytes) {
		(*piece)++;
		*at = 0;
	}
	return (*piece)->iova + (*at)++;
}

static int world_dma(void *opaque, uint32_t pasid, bool write, const struct pci_dma_piece *pieces,
		     unsigned int pieces_count, const struct iovec *local, unsigned int local_count,
		     uint64_t *fault_iova)
{
	struct rig *r = opaque;
	uint64_t at = 0, all = 0, iova;

	assert_int_equal(pasid, 0);
	for (unsigned int i = 0; i < pieces_count; i++)
		all += pieces[i].bytes;
	for (unsigned int i = 0; i < local_count; i++) {
		uint8_t *bytes = local[i].iov_base;

		for (size_t k = 0; k < local[i].iov_len; k++) {
			assert_true(all-- > 0);
			iova = piece_next(&pieces, &at);
			if (iova >= RIG_MEMORY_BYTES || r->hole[iova / RIG_PAGE]) {
				r->faults++;
				r->fault_iova = iova;
				if (fault_iova)
					*fault_iova = iova;
				return -EFAULT;
			}
			if (write)
				r->memory[iova] = bytes[k];
			else
				bytes[k] = r->memory[iova];
		}
	}
	assert_int_equal(all, 0);
	return 0;
}

static void world_message(void *opaque, unsigned int vector)
{
	((struct rig *)opaque)->messages[vector]++;
}

static void world_pin(void *opaque, bool up)
{
	((struct rig *)opaque)->pin = up;
}

static uint64_t world_now(void *opaque)
{
	return ((struct rig *)opaque)->now_ns;
}

static uint64_t world_random(void *opaque)
{
	struct rig *r = opaque;

	r->random = r->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return r->random >> 11;
}

static void world_wake(void *opaque, unsigned int unit)
{
	((struct rig *)opaque)->woken[unit] = true;
}

static void world_mishap(void *opaque, const struct pci_command *command,
			 struct pci_mishap *mishap)
{
	const struct rig *r = opaque;

	if (r->mishap)
		r->mishap(command, mishap);
}

static const struct pci_world_ops world_ops = {
	.dma = world_dma,
	.message = world_message,
	.pin = world_pin,
	.now = world_now,
	.random = world_random,
	.wake = world_wake,
	.mishap = world_mishap,
};

void rig_init(struct rig *r, const char *device)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char why[PCI_WHY_BYTES] = "";

	memset(r, 0, sizeof(*r));
	r->now_ns = 1000;
	r->memory = calloc(1, RIG_MEMORY_BYTES);
	r->bus = pci_bus_create(1);
	assert_non_null(r->memory);
	assert_non_null(r->bus);
	if (pci_bus_add(r->bus, device, why) || pci_bus_settle(r->bus, why))
		fail_msg("%s: %s", device, why);
	r->function = pci_bus_at(r->bus, 0)->function;
	pci_function_connect(r->function, &world_ops, r);
	pci_function_config_write(r->function, PCI_COMMAND, &command, sizeof(command));
	if (pci_function_description(r->function)->msix)
		pci_function_irq_mode(r->function, PCI_IRQ_MSIX,
				      pci_function_description(r->function)->msix);
	memset(r->due_ns, 0xff, sizeof(r->due_ns));
	assert_true(pci_function_units(r->function) <= RIG_UNITS);
}

void rig_fini(struct rig *r)
{
	pci_bus_destroy(r->bus);
	free(r->memory);
}

uint32_t rig_reg(struct rig *r, uint32_t offset)
{
	return (uint32_t)pci_function_read(r->function, 0, offset, 4);
}

uint64_t rig_reg64(struct rig *r, uint32_t offset)
{
	return pci_function_read(r->function, 0, offset, 8);
}

void rig_reg_set(struct rig *r, uint32_t offset, uint32_t value)
{
	pci_function_write(r->function, 0, offset, value, 4);
}

void rig_run(struct rig *r)
{
	unsigned int units = pci_function_units(r->function);
	bool again = true;

	while (again) {
		again = false;
		for (unsigned int i = 0; i < units; i++) {
			if (!r->woken[i] && r->due_ns[i] > r->now_ns &&
			    !pci_function_poll(r->function, i))
				continue;
			r->woken[i] = false;
			r->due_ns[i] = pci_function_step(r->function, i, r->now_ns);
			again = true;
		}
	}
}

void rig_pass(struct rig *r, uint64_t ns)
{
	uint64_t end = r->now_ns + ns;

	for (;;) {
		uint64_t next = end;

		rig_run(r);
		for (unsigned int i = 0; i < RIG_UNITS; i++)
			next = r->due_ns[i] < next ? r->due_ns[i] : next;
		if (r->now_ns == end)
			return;
		r->now_ns = next;
	}
}

/* ---- the driver ------------------------------------------------------------------- */

static void queue_init(struct rig *r, uint16_t id, uint32_t entries)
{
	r->queues[id] = (struct rig_queue){
		.sq_entries = entries,
		.cq_entries = entries,
		.cqid = id,
		.phase = true,
	};
	memset(r->memory + RIG_QUEUE_AT(id), 0, 0x40000);
}

void rig_enable(struct rig *r)
{
	rig_reg_set(r, NVME_REG_CC, 0);
	rig_run(r);
	queue_init(r, 0, ADMIN_ENTRIES);
	rig_reg_set(r, NVME_REG_AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
	rig_reg_set(r, NVME_REG_ASQ, (uint32_t)RIG_QUEUE_AT(0));
	rig_reg_set(r, NVME_REG_ASQ + 4, 0);
	rig_reg_set(r, NVME_REG_ACQ, (uint32_t)RIG_CQ_AT(0));
	rig_reg_set(r, NVME_REG_ACQ + 4, 0);
	rig_reg_set(r, NVME_REG_CC, 4u << 20 | 6u << 16 | NVME_CC_EN);
	rig_run(r);
	assert_int_equal(rig_reg(r, NVME_REG_CSTS) & (NVME_CSTS_RDY | NVME_CSTS_CFS),
			 NVME_CSTS_RDY);
}

void rig_make_queue(struct rig *r, uint16_t id, uint32_t entries)
{
	struct nvme_command command = {
		.opcode = NVME_ADMIN_CREATE_CQ,
		.prp1 = RIG_CQ_AT(id),
		.cdw10 = (entries - 1) << 16 | id,
		.cdw11 = (uint32_t)id << 16 | 3,
	};

	queue_init(r, id, entries);
	assert_int_equal(rig_do(r, 0, &command, NULL), 0);
	command.opcode = NVME_ADMIN_CREATE_SQ;
	command.prp1 = RIG_QUEUE_AT(id);
	command.cdw11 = (uint32_t)id << 16 | 1;
	assert_int_equal(rig_do(r, 0, &command, NULL), 0);
}

uint16_t rig_submit(struct rig *r, uint16_t id, const struct nvme_command *command)
{
	struct rig_queue *queue = &r->queues[id];
	struct nvme_command *entry =
		(struct nvme_command *)(void *)(r->memory + RIG_QUEUE_AT(id)) + queue->sq_tail;

	*entry = *command;
	entry->cid = r->next_cid++;
	queue->sq_tail = (queue->sq_tail + 1) % queue->sq_entries;
	rig_reg_set(r, NVME_REG_DOORBELLS + 8u * id, queue->sq_tail);
	return entry->cid;
}

bool rig_take(struct rig *r, uint16_t cqid, struct nvme_completion *completion)
{
	struct rig_queue *queue = &r->queues[cqid];
	const struct nvme_completion *entry =
		(struct nvme_completion *)(void *)(r->memory + RIG_CQ_AT(cqid)) + queue->cq_head;

	if ((entry->status & 1) != queue->phase)
		return false;
	*completion = *entry;
	queue->cq_head = (queue->cq_head + 1) % queue->cq_entries;
	if (!queue->cq_head)
		queue->phase = !queue->phase;
	return true;
}

void rig_ring_cq(struct rig *r, uint16_t cqid)
{
	rig_reg_set(r, NVME_REG_DOORBELLS + 8u * cqid + 4, r->queues[cqid].cq_head);
}

uint16_t rig_do(struct rig *r, uint16_t id, const struct nvme_command *command, uint32_t *result)
{
	struct nvme_completion completion;
	uint16_t cid = rig_submit(r, id, command), cqid = (uint16_t)r->queues[id].cqid;

	rig_run(r);
	assert_true(rig_take(r, cqid, &completion));
	rig_ring_cq(r, cqid);
	assert_int_equal(completion.cid, cid);
	assert_int_equal(completion.sq_id, id);
	assert_int_equal(completion.sq_head, r->queues[id].sq_tail);
	if (result)
		*result = completion.result;
	return completion.status >> 1;
}

void rig_prps(struct rig *r, struct nvme_command *command, uint64_t iova, uint64_t length,
	      uint64_t list_at)
{
	uint64_t first = RIG_PAGE - iova % RIG_PAGE;

	command->prp1 = iova;
	command->prp2 = 0;
	if (length <= first)
		return;
	iova += first;
	length -= first;
	if (length <= RIG_PAGE) {
		command->prp2 = iova;
		return;
	}
	command->prp2 = list_at;
	for (; length; iova += RIG_PAGE) {
		memcpy(r->memory + list_at, &iova, sizeof(iova));
		list_at += sizeof(iova);
		length -= length < RIG_PAGE ? length : RIG_PAGE;
	}
}

uint16_t rig_io(struct rig *r, uint16_t id, uint8_t opcode, uint64_t lba, uint32_t blocks,
		uint64_t iova, uint32_t block_bytes)
{
	struct nvme_command command = {
		.opcode = opcode,
		.nsid = 1,
		.cdw10 = (uint32_t)lba,
		.cdw11 = (uint32_t)(lba >> 32),
		.cdw12 = blocks - 1,
	};

	/* The last page of memory is for the list. */
	rig_prps(r, &command, iova, (uint64_t)blocks * block_bytes,
		 RIG_MEMORY_BYTES - 2 * RIG_PAGE);
	return rig_do(r, id, &command, NULL);
}

uint16_t rig_read_log(struct rig *r, uint32_t log, uint32_t bytes)
{
	const struct nvme_command command = {
		.opcode = NVME_ADMIN_GET_LOG,
		.nsid = 0xffffffff,
		.prp1 = RIG_DATA,
		.cdw10 = (bytes / 4 - 1) << 16 | log,
	};

	memset(r->memory + RIG_DATA, 0, bytes);
	return rig_do(r, 0, &command, NULL);
}

uint16_t rig_get16(const struct rig *r, uint64_t iova)
{
	uint16_t value;

	memcpy(&value, r->memory + iova, sizeof(value));
	return value;
}

uint32_t rig_get32(const struct rig *r, uint64_t iova)
{
	uint32_t value;

	memcpy(&value, r->memory + iova, sizeof(value));
	return value;
}

uint64_t rig_get64(const struct rig *r, uint64_t iova)
{
	uint64_t value;

	memcpy(&value, r->memory + iova, sizeof(value));
	return value;
}
