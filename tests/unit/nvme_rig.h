/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world around an NVMe controller, and a little driver: memory that DMA reaches, with
 * holes; time that the test moves; interrupts that are counted.
 */
#ifndef IOASIS_TESTS_NVME_RIG_H
#define IOASIS_TESTS_NVME_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/pci/nvme_abi.h"
#include "sim/pci/pci_bus.h"

#define RIG_PAGE	 4096u
#define RIG_MEMORY_BYTES (16u << 20)
#define RIG_QUEUES	 9u
#define RIG_UNITS	 129u
/* Where the driver keeps things; what is behind is the tests'. */
#define RIG_QUEUE_AT(id) ((uint64_t)(id)*0x40000u)
#define RIG_CQ_AT(id)	 (RIG_QUEUE_AT(id) + 0x20000u)
#define RIG_DATA	 ((uint64_t)RIG_QUEUES * 0x40000u)

struct rig_queue {
	uint32_t sq_entries, cq_entries, cqid;
	uint32_t sq_tail, cq_head;
	bool phase;
};

struct rig {
	struct pci_bus *bus;
	struct pci_function *function;
	uint8_t *memory; /* I/O addresses 0 to RIG_MEMORY_BYTES */
	bool hole[RIG_MEMORY_BYTES / RIG_PAGE];
	uint64_t faults; /* accesses that met no memory */
	uint64_t fault_iova;
	uint64_t now_ns;
	uint64_t random;
	bool woken[RIG_UNITS];
	uint64_t due_ns[RIG_UNITS];
	unsigned int messages[RIG_UNITS];
	bool pin;
	struct rig_queue queues[RIG_QUEUES];
	uint16_t next_cid;
	/* What goes wrong with a command; NULL: nothing. */
	void (*mishap)(const struct pci_command *command, struct pci_mishap *mishap);
};

/* The one of a test program. */
extern struct rig rig;

#define RIG_DEVICE "nvme,memory=16M,queues=8,serial=RIG"
#define DNR	   NVME_DNR

/* cmocka's setup: RIG_DEVICE, enabled; and one queue pair of 64 entries. Its teardown. */
int rig_enabled(void **state);
int rig_ready(void **state);
int rig_end(void **state);
/* Begins with that device, enabled, and one queue pair of 64 entries. */
void rig_begin(const char *device);

/* device: what --device says. Bus mastering and MSI-X are on. Fails the test if it is wrong. */
void rig_init(struct rig *r, const char *device);
void rig_fini(struct rig *r);

uint32_t rig_reg(struct rig *r, uint32_t offset);
uint64_t rig_reg64(struct rig *r, uint32_t offset);
void rig_reg_set(struct rig *r, uint32_t offset, uint32_t value);

/* Runs units until nothing is due and nothing new is seen. */
void rig_run(struct rig *r);
/* Time passes; what is due meanwhile is done. */
void rig_pass(struct rig *r, uint64_t ns);

/* Resets and enables the controller with admin queues of 32 entries. */
void rig_enable(struct rig *r);
/* Makes queue pair id with that many entries. */
void rig_make_queue(struct rig *r, uint16_t id, uint32_t entries);

/* Puts a command into the queue, chooses its identifier and rings; the identifier. */
uint16_t rig_submit(struct rig *r, uint16_t id, const struct nvme_command *command);
/* The next completion of a completion queue, taken from it; false: there is none. */
bool rig_take(struct rig *r, uint16_t cqid, struct nvme_completion *completion);
/* Tells the controller how far the driver has read. */
void rig_ring_cq(struct rig *r, uint16_t cqid);
/* Submits, runs, and takes the completion; its status without phase. result may be NULL. */
uint16_t rig_do(struct rig *r, uint16_t id, const struct nvme_command *command, uint32_t *result);

/* A read or write of blocks with its data at iova, in one piece, by as many PRPs as needed. */
uint16_t rig_io(struct rig *r, uint16_t id, uint8_t opcode, uint64_t lba, uint32_t blocks,
		uint64_t iova, uint32_t block_bytes);
/* Reads a log to RIG_DATA; a status. */
uint16_t rig_read_log(struct rig *r, uint32_t log, uint32_t bytes);
uint16_t rig_get16(const struct rig *r, uint64_t iova);
uint32_t rig_get32(const struct rig *r, uint64_t iova);
uint64_t rig_get64(const struct rig *r, uint64_t iova);
/* Fills in prp1 and prp2 for length bytes at iova; a list goes to list_at. */
void rig_prps(struct rig *r, struct nvme_command *command, uint64_t iova, uint64_t length,
	      uint64_t list_at);

#endif
