/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVM Express controller, between its files:
 *
 *   nvme.c           the model: making it, its units, poll and step
 *   nvme_config.c    what --device says
 *   nvme_regs.c      registers: enabling, shutdown, resets, interrupts
 *   nvme_queue.c     a queue pair: fetching commands, posting completions, doorbells
 *   nvme_prp.c       where a command's data is in the host's memory
 *   nvme_admin.c     admin commands: queues, abort, events, format
 *   nvme_identify.c  what Identify gives
 *   nvme_features.c  Get and Set Features
 *   nvme_log.c       log pages, and the events that point at them
 *   nvme_io.c        I/O commands
 *   nvme_disk.c      a namespace: blocks in a file
 *   nvme_faults.c    faults on purpose
 *
 * Threads. Unit 0 is the registers and the admin queues, unit N the I/O queue pair N.
 * Units run at the same time. A submission queue's lock is held by the unit that works on
 * it, and taken by unit 0 to make or end it; no I/O unit takes the lock of another one's
 * submission queue. A completion queue's lock is shared by the submission queues that the
 * host gave it. Order: submission queue 0, another one, completion queue, events.
 * What unit 0 sets and others read while they run is read and written with __atomic.
 */
#ifndef IOASIS_SIM_PCI_NVME_INTERNAL_H
#define IOASIS_SIM_PCI_NVME_INTERNAL_H

#include "sim/pci/nvme_abi.h"
#include "sim/pci/nvme_config.h"
#include "sim/pci/pci_model.h"

#include <pthread.h>

#define NVME_PAGE_SHIFT	      12u /* of CC.MPS 0 */
#define NVME_MPS_MAX	      4u  /* 64 KiB */
#define NVME_MDTS	      7u
#define NVME_TRANSFER_MAX     (1u << (NVME_PAGE_SHIFT + NVME_MDTS))
#define NVME_ENTRIES_MAX      2048u /* of a queue */
#define NVME_ABORTS	      4u
#define NVME_ASYNC_EVENTS     4u
#define NVME_ERRORS	      64u	       /* in the error log */
#define NVME_BATCH	      16u	       /* commands taken from a queue at once */
#define NVME_DONE_MAX	      (2 * NVME_BATCH) /* an Abort ends two commands */
#define NVME_EVENTS_QUEUED    16u
#define NVME_TEMPERATURE      0x143u /* in kelvin; it never gets warmer */
#define NVME_MODEL	      "IOASIS NVMe Ctrl"
#define NVME_FIRMWARE	      "1.0"
#define NVME_NSID_ALL	      0xffffffffu
#define NVME_VENDOR	      0x1b36u
#define NVME_SUBSYSTEM_VENDOR 0x1af4u

/* ---- a namespace: blocks in a file (nvme_disk.c) --------------------------- */

struct nvme_disk {
	int fd;		     /* owned */
	uint8_t *map;	     /* the whole file; NULL: it cannot be mapped */
	uint64_t file_bytes; /* what a namespace has of the file */
	bool read_only;
	uint32_t lba_shift; /* 9 or 12; changed by Format */
	uint8_t nguid[16];
	uint64_t identity; /* of the file: for the serial number */
};

/* Opens path, or makes a disk of bytes of memory when path is NULL. -errno and why. */
int nvme_disk_open(struct nvme_disk *disk, const char *path, uint64_t bytes, bool read_only,
		   char why[PCI_WHY_BYTES]);
void nvme_disk_close(struct nvme_disk *disk);

/* [offset, offset + length) must be inside file_bytes. 0 or -errno. */
int nvme_disk_read(const struct nvme_disk *disk, uint64_t offset, void *buf, size_t length);
int nvme_disk_write(const struct nvme_disk *disk, uint64_t offset, const void *buf, size_t length);
/* The range reads as zeros; discard: its space is given back where the file can. */
int nvme_disk_zero(const struct nvme_disk *disk, uint64_t offset, uint64_t length, bool discard);
int nvme_disk_flush(const struct nvme_disk *disk);

/* ---- queues (nvme_queue.c) -------------------------------------------------- */

/* A command that is under way: it ends, or moves its data once more, at due_ns. */
struct nvme_waiting {
	struct nvme_command command;
	uint64_t due_ns;
	uint64_t order; /* of two that are due at once, the first fetched goes first */
	bool again;	/* the fault of that name: it was completed already */
};

/* Of one queue; SMART's log adds them up. */
struct nvme_counters {
	uint64_t reads, writes;			/* commands */
	uint64_t sectors_read, sectors_written; /* of 512 bytes */
	uint64_t media_errors;
};

struct nvme_sq {
	pthread_mutex_t lock; /* of all below */
	bool live;
	uint16_t id, cqid;
	uint32_t entries;
	uint64_t base;
	uint32_t head;	   /* the next to fetch */
	uint32_t tail;	   /* where the host's commands end */
	uint32_t doorbell; /* as it was seen last; poll() reads it */
	bool stalled;	   /* its completions wait for room; poll() reads both */
	uint32_t stalled_head;
	struct nvme_completion done[NVME_DONE_MAX]; /* not posted yet */
	unsigned int done_count;
	struct nvme_waiting *waiting; /* a heap by due_ns; room for entries */
	uint32_t waiting_count;
	uint64_t waiting_order;
	uint64_t *cids; /* 65536 bits: identifiers of commands under way */
	struct nvme_counters counters;
};

struct nvme_cq {
	pthread_mutex_t lock; /* of all below */
	bool live;
	uint32_t entries;
	uint64_t base;
	uint32_t head;	   /* how far the host has read */
	uint32_t doorbell; /* as it was seen last; poll() reads it */
	uint32_t tail;
	bool phase;
	bool interrupts;
	uint16_t vector;
	bool raised;	     /* it holds the pin up, were it not masked; poll() reads it */
	uint32_t submitters; /* submission queues that complete here; of unit 0 */
};

/* ---- the controller ---------------------------------------------------------- */

struct nvme_error {
	uint64_t number;
	uint64_t lba;
	uint32_t nsid;
	uint16_t sq_id, cid, status, location;
};

/* Log pages and events (nvme_log.c). Its lock is held for a few loads and stores only. */
struct nvme_events {
	pthread_mutex_t lock;
	struct nvme_error errors[NVME_ERRORS];
	uint64_t errors_count; /* since power-on */
	uint32_t queued[NVME_EVENTS_QUEUED];
	unsigned int queued_count;
	uint32_t masked_types;	     /* told, and the log not read since: a bit for each type */
	uint32_t changed_namespaces; /* a bit for each, from 1 */
	uint64_t unsafe_shutdowns;
	uint64_t power_cycles;
};

struct nvme_fault {
	struct nvme_fault_config config;
	uint64_t seen; /* commands that it counts; __atomic */
	bool over;     /* of one at a time: it happened */
};

struct nvme {
	struct pci_function *function;
	struct nvme_config config;
	struct nvme_disk disks[NVME_NAMESPACES_MAX];
	unsigned int disks_count;
	unsigned int queues; /* I/O queue pairs that there may be */
	uint8_t *bar;	     /* registers and doorbells */

	/* Registers as they were acted on; of unit 0, but running and page_shift. */
	uint32_t cc, csts;
	uint32_t interrupts_masked; /* INTMS */
	bool running;		    /* enabled, and commands are taken: all units read it */
	bool dead;		    /* hangs, or is gone: not even registers are looked at */
	bool gone;		    /* pulled: ones are read for ever */
	bool failed;		    /* a unit met an error that only a reset ends */
	bool was_shut_down;
	uint32_t page_shift;
	uint64_t enabled_ns;	  /* when it was enabled first; 0: never */
	uint64_t kept_alive_ns;	  /* Keep Alive's clock starts anew */
	pthread_mutex_t irq_lock; /* the pin, while interrupts go by it */

	struct nvme_sq *sqs; /* queues + 1, the admin queue first */
	struct nvme_cq *cqs;

	/* Of unit 0, under the admin queue's lock. */
	uint32_t features[NVME_FEATURES];
	uint32_t temperature_under; /* the threshold below which it is too cold */
	uint32_t *vectors;	    /* NVME_FEAT_VECTOR of each: bit 16 is "no coalescing" */
	uint64_t timestamp_ms, timestamp_set_ns;
	bool timestamp_was_set;
	uint16_t async_cids[NVME_ASYNC_EVENTS];
	unsigned int async_count;

	struct nvme_events events;
	struct nvme_fault faults[NVME_FAULTS_MAX];
	unsigned int faults_count;
	uint64_t started_ns;
};

/* One command on its way. */
struct nvme_request {
	struct nvme *nvme;
	struct nvme_sq *sq;
	struct nvme_command command;
	uint32_t result;
	uint64_t lba;	   /* for the error log */
	uint16_t location; /* byte and bit of the command that is wrong; 0xffff: none */
};

#define NVME_NO_COMPLETION 0xffffu /* instead of a status: it comes later, or never */

static inline bool nvme_is_running(const struct nvme *nvme)
{
	return __atomic_load_n(&nvme->running, __ATOMIC_ACQUIRE);
}

static inline uint32_t nvme_reg_get(const struct nvme *nvme, enum nvme_register reg)
{
	return __atomic_load_n((const uint32_t *)(const void *)(nvme->bar + reg), __ATOMIC_ACQUIRE);
}

static inline void nvme_reg_set(struct nvme *nvme, enum nvme_register reg, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)(nvme->bar + reg), value, __ATOMIC_RELEASE);
}

static inline uint32_t *nvme_sq_doorbell(const struct nvme *nvme, unsigned int id)
{
	return (uint32_t *)(void *)(nvme->bar + NVME_REG_DOORBELLS) + 2 * id;
}

static inline uint32_t *nvme_cq_doorbell(const struct nvme *nvme, unsigned int id)
{
	return nvme_sq_doorbell(nvme, id) + 1;
}

/* The namespace with this number, or NULL. */
static inline struct nvme_disk *nvme_disk_get(struct nvme *nvme, uint32_t nsid)
{
	return nsid && nsid <= nvme->disks_count ? &nvme->disks[nsid - 1] : NULL;
}

/* ---- nvme_regs.c ---- */

/* All registers and queues as after power-on. */
void nvme_regs_reset(struct nvme *nvme);
bool nvme_regs_changed(const struct nvme *nvme);
/* Acts on what was written. The admin queue's lock is not held. */
void nvme_regs_look(struct nvme *nvme, uint64_t now_ns);
/* It stops, and CSTS says that only a reset helps. From any unit. */
void nvme_fail(struct nvme *nvme);
/* Nothing is answered any more. gone: and all reads give ones. From any unit. */
void nvme_die(struct nvme *nvme, bool gone);
/* A completion queue has news, or none any more. Its lock is held. */
void nvme_irq_raise(struct nvme *nvme, struct nvme_cq *cq);
void nvme_irq_lower(struct nvme *nvme, struct nvme_cq *cq);

/* ---- nvme_queue.c ---- */

/* Out of memory: false. entries: from 2. The queue's lock is held. */
bool nvme_sq_start(struct nvme *nvme, struct nvme_sq *sq, uint16_t cqid, uint64_t base,
		   uint32_t entries);
void nvme_sq_stop(struct nvme *nvme, struct nvme_sq *sq);
void nvme_cq_start(struct nvme *nvme, struct nvme_cq *cq, uint64_t base, uint32_t entries,
		   bool interrupts, uint16_t vector);
void nvme_cq_stop(struct nvme *nvme, struct nvme_cq *cq);
/* Whether the pair's doorbells say something new. Without a lock. */
bool nvme_queue_has_news(const struct nvme *nvme, unsigned int id);
/* Works; the time when there is more to do. The submission queue's lock is held. */
uint64_t nvme_queue_run(struct nvme *nvme, struct nvme_sq *sq, uint64_t now_ns);
/* Ends the command cid if it is still under way; false: it is not. */
bool nvme_queue_abort(struct nvme *nvme, struct nvme_sq *sq, uint16_t cid);
/* Completes every command under way with this status, as far as there is room. */
void nvme_queue_abort_all(struct nvme *nvme, struct nvme_sq *sq, uint16_t status);
/* The identifier is in use by a command that stays, or free again. */
void nvme_queue_hold(struct nvme_sq *sq, uint16_t cid, bool used);
/* Adds a completion; the caller has seen to it that there is room. */
void nvme_queue_complete(struct nvme *nvme, struct nvme_sq *sq, uint16_t cid, uint32_t result,
			 uint16_t status);

/* ---- nvme_prp.c ---- */

struct nvme_pieces {
	struct pci_dma_piece piece[NVME_TRANSFER_MAX / (1u << NVME_PAGE_SHIFT) + 1];
	unsigned int count;
};

/* Where the command's length bytes are; a status. */
uint16_t nvme_prp_walk(struct nvme_request *request, uint64_t length, struct nvme_pieces *pieces);
/* Moves length bytes between buf and where the command says; a status. */
uint16_t nvme_prp_to_host(struct nvme_request *request, const void *buf, uint64_t length);
uint16_t nvme_prp_from_host(struct nvme_request *request, void *buf, uint64_t length);

/* ---- commands: each gives a status ---- */

uint16_t nvme_admin_execute(struct nvme_request *request, uint64_t now_ns);
uint16_t nvme_io_execute(struct nvme_request *request);
uint16_t nvme_identify(struct nvme_request *request);
uint16_t nvme_features_get(struct nvme_request *request, uint64_t now_ns);
uint16_t nvme_features_set(struct nvme_request *request, uint64_t now_ns);
void nvme_features_reset(struct nvme *nvme);
uint16_t nvme_log_get(struct nvme_request *request, uint64_t now_ns);

/* What effect a command has, for the log of effects; 0: there is no such command. */
uint32_t nvme_admin_effects(uint8_t opcode);
uint32_t nvme_io_effects(uint8_t opcode);
#define NVME_EFFECT_SUPPORTED 0x1u
#define NVME_EFFECT_CONTENT   0x2u	 /* it changes what blocks hold */
#define NVME_EFFECT_NAMESPACE 0x4u	 /* it changes what a namespace is */
#define NVME_EFFECT_ALONE     (1u << 16) /* no other command to that namespace meanwhile */

/* ---- nvme_log.c ---- */

/* A command failed: into the error log. From any unit. */
void nvme_log_error(struct nvme_request *request, uint16_t status);
/* An event for the host: NVME_EVENT_*, of the namespace nsid if it is of one. From any unit. */
void nvme_event_queue(struct nvme *nvme, uint32_t event, uint32_t nsid);
/* Completes waiting requests for events. Under the admin queue's lock. */
void nvme_events_deliver(struct nvme *nvme);
void nvme_events_reset(struct nvme *nvme);
uint64_t nvme_errors_count(struct nvme *nvme);

/* ---- nvme_faults.c ---- */

enum nvme_outcome {
	NVME_OUTCOME_NONE,
	NVME_OUTCOME_STATUS, /* it fails with status */
	NVME_OUTCOME_LOST,
	NVME_OUTCOME_STOPPED, /* the controller does no more */
};

struct nvme_effect {
	enum nvme_outcome outcome;
	uint16_t status;
	uint64_t late_ns;  /* it takes longer */
	uint64_t again_ns; /* its data moves once more, so long after it; PCI_NEVER: it does not */
};

/* What happens to a command that was just fetched; added to *effect. */
void nvme_faults_apply(struct nvme *nvme, struct nvme_sq *sq, const struct nvme_command *command,
		       struct nvme_effect *effect);
/* Faults that come by time; when the next one is due, or PCI_NEVER. */
uint64_t nvme_faults_look(struct nvme *nvme, uint64_t now_ns);

#endif
