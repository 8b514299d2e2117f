/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between inject_parse.c, which reads rules, and inject.c, which goes by them. */
#ifndef IOASIS_SIM_FUSE_INJECT_INTERNAL_H
#define IOASIS_SIM_FUSE_INJECT_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "sim/fuse/inject.h"
#include "sim/pci/pci_model.h"

struct command_name {
	unsigned int nr;
	const char *name;
	const char *kernel_name; /* without IOMMU_ */
};

/* Every command, in the catalogue's order; ends with a NULL name. */
extern const struct command_name inject_commands[];

/* Numbers [first, last]. */
struct span {
	uint64_t first, last;
};

#define SPANS_MAX 16
#define NAMED_IDS_MAX 4

enum when {
	WHEN_ALWAYS,
	WHEN_NTH, /* the calls of spans */
	WHEN_CHANCE,
	WHEN_FIRST,
};

/* Which callers and arguments a rule is about; what is not said fits all. */
struct selection {
	bool by_pid, by_tid, by_space, by_size;
	uint32_t pid, tid, space;
	struct span size;
	char name[16]; /* of the process; "": any */
	/* Of a disk's commands: */
	bool by_device, by_nsid, by_lba;
	uint32_t device, nsid; /* device: pci_address_number() */
	struct span lba;
};

struct rule {
	struct rule *next;
	bool any_command;
	bool commands[256]; /* by number */
	bool nvme;	    /* it is about commands of a disk instead: */
	bool nvme_io[256], nvme_admin[256]; /* by opcode */
	struct selection selection;
	int errors[SPANS_MAX]; /* negative, in turn; none: a delay */
	struct pci_mishap mishaps[SPANS_MAX]; /* the same of a disk's commands */
	unsigned int errors_count, next_error;
	struct span delay_ns; /* by chance between these */
	enum when when;
	struct span spans[SPANS_MAX];
	unsigned int spans_count;
	uint32_t chance_ppm;
	uint64_t first_calls;
	uint64_t calls; /* that it is about, so far */
};

struct inject {
	pthread_mutex_t lock;
	struct rule *rules, **last;
	uint64_t random;
	bool looks_at_arguments; /* a rule goes by space or size */
	bool looks_at_names;
	bool counts_calls;
	bool has_nvme; /* a rule is about commands of a disk */
	uint64_t counts[256]; /* of each command */
};

/* ---- inject_parse.c ------------------------------------------------------------------ */

/* "12", "0x10"; a number with a unit of time. *end is what follows. */
bool inject_parse_number(const char *text, const char **end, uint64_t *value);
bool inject_parse_time(const char *text, const char **end, uint64_t *ns);

/* ---- inject_nvme.c ------------------------------------------------------------------- */

/* Adds the command of that name to the rule; false: no disk has it. */
bool inject_nvme_command(const char *text, size_t len, struct rule *rule);
/* Appends the names, as far as they fit. */
void inject_nvme_say_commands(char *why, size_t size);
/* "read-error,lose": in turn. *wrong: the name that is none. */
bool inject_nvme_parse(const char *text, size_t len, struct rule *rule, const char **wrong,
		       size_t *wrong_len);
bool inject_nvme_fits(const struct rule *rule, uint32_t device,
		      const struct pci_command *command);

#endif
