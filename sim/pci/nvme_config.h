/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `--device nvme,KEY=VALUE` says: the disks, the controller's sizes, how long a
 * command takes, and which faults are wanted.
 */
#ifndef IOASIS_SIM_PCI_NVME_CONFIG_H
#define IOASIS_SIM_PCI_NVME_CONFIG_H

#include "sim/pci/pci_model.h"

#include <limits.h>

#define NVME_NAMESPACES_MAX 4u
#define NVME_QUEUES_MAX	    (PCI_UNITS_MAX - 1) /* pairs, without the admin queues */
#define NVME_QUEUES_DEFAULT 64u
#define NVME_SERIAL_BYTES   20u
#define NVME_FAULTS_MAX	    8u

enum nvme_irq_kind {
	NVME_IRQ_MSIX, /* and the pin, for drivers that want it */
	NVME_IRQ_MSI,  /* the same */
	NVME_IRQ_INTX,
};

enum nvme_fault_kind {
	NVME_FAULT_REMOVE, /* the card is pulled: all reads give ones */
	NVME_FAULT_HANG,   /* it stops answering; registers stay */
	NVME_FAULT_CFS,	   /* it stops, and says so in CSTS.CFS */
	NVME_FAULT_LOSE,   /* a command is never completed */
	NVME_FAULT_LATE,   /* a command takes longer by arg nanoseconds */
	NVME_FAULT_STATUS, /* a command fails with status arg */
	NVME_FAULT_STRAY,  /* with a command, the device also reads memory at arg */
	NVME_FAULT_AGAIN,  /* the device moves a command's data once more, arg ns later */
};

enum nvme_fault_of {
	NVME_FAULT_OF_IO,
	NVME_FAULT_OF_READ,
	NVME_FAULT_OF_WRITE,
	NVME_FAULT_OF_ADMIN,
	NVME_FAULT_OF_TIME, /* when nanoseconds after the controller was enabled first */
};

struct nvme_fault_config {
	enum nvme_fault_kind kind;
	enum nvme_fault_of of;
	uint64_t arg;
	uint64_t when;	/* the first such command that has it, counted from 1 */
	uint64_t every; /* 0: that one alone; else also each every-th after it */
};

/* All zeros is what no key at all means. */
struct nvme_config {
	char files[NVME_NAMESPACES_MAX][PATH_MAX];
	unsigned int files_count;
	uint64_t memory_bytes; /* a disk of memory instead of a file */
	bool read_only;
	char serial[NVME_SERIAL_BYTES + 1];
	unsigned int queues;	/* 0: NVME_QUEUES_DEFAULT */
	unsigned int lba_bytes; /* 0: 512 */
	enum nvme_irq_kind irq;
	uint64_t delay_min_ns, delay_max_ns;
	uint64_t poll_least_ns, poll_most_ns; /* 0: as pci_runner.h says */
	struct nvme_fault_config faults[NVME_FAULTS_MAX];
	unsigned int faults_count;
};

/* The keys of pci_model; each fills a struct nvme_config. */
extern const struct pci_model_key nvme_keys[];

/* A time: a whole number and ns, us, ms or s, such as 100us. *end is what follows it. */
bool nvme_parse_time(const char *text, const char **end, uint64_t *ns);
/* Puts a fault's text, KIND[:ARG]@[OF:]WHEN, into fault; false: it is wrong. */
bool nvme_parse_fault(const char *text, struct nvme_fault_config *fault);

#endif
