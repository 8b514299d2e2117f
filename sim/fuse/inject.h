/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that fail or take longer on purpose: what --fail and --delay say, and
 * whether the next call is one of them.
 *
 * A rule is COMMANDS[SELECTION]:WHAT[WHEN], for example map,copy[size=2M..]:ENOMEM@2..5
 *
 *	COMMANDS   names of inject_command_name(), the kernel's names, or *; with commas
 *	SELECTION  [pid=N,tid=N,name=TEXT,space=ID,size=N or A..B or A..]: of whom, and with
 *		   which arguments; space: any id that the call names
 *	WHAT	   errnos by name, in turn where there are several; or a time, or two (50us..1ms):
 *		   by chance between them
 *	WHEN	   @N the Nth such call (also @A..B, @A.., and several with commas), %P so many in a
 *		   hundred by chance (0.5 too), *N the first N
 *
 * A rule can be about commands of a simulated NVMe disk instead, for example
 * nvme-read[lba=100..200]:read-error%5. There
 *
 *	COMMANDS   nvme-read, nvme-write, nvme-identify, ..., nvme-io, nvme-admin, nvme
 *	SELECTION  [device=0000:00:02.0,nsid=N,lba=N or A..B,size=N or A..B]
 *	WHAT	   in turn: a status by name or number (read-error, 0x281); lose (never
 *		   completed); hang, cfs, remove (of the whole controller); stray=ADDRESS (it also
 *		   reads there); again=TIME (its data moves once more)
 *
 * Calls are counted for each rule, over all programs. Chance is seeded: the same seed and
 * the same order of calls fail the same calls.
 *
 * Threads: rules are added before the first decision; inject_decide() from anywhere.
 */
#ifndef IOASIS_SIM_FUSE_INJECT_H
#define IOASIS_SIM_FUSE_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INJECT_WHY_BYTES 1024

struct inject;
struct pci_command;
struct pci_mishap;

/* No rules yet. NULL when out of memory. */
struct inject *inject_create(uint64_t seed);
void inject_destroy(struct inject *inject);

/* Starts the chance anew with this seed. Before the first decision. */
void inject_set_seed(struct inject *inject, uint64_t seed);

/*
 * Adds a rule. 0; -EINVAL with one line in why that names the spec and what is
 * accepted; -ENOMEM.
 */
int inject_add_fail(struct inject *inject, const char *spec, char why[INJECT_WHY_BYTES]);
int inject_add_delay(struct inject *inject, const char *spec, char why[INJECT_WHY_BYTES]);

/* Has the calls counted from now on. */
void inject_count_calls(struct inject *inject);

/* Writes a line "NAME COUNT" for each command that was called since. */
void inject_write_counts(struct inject *inject, FILE *out);

/* Whether a rule goes by the name of the process. */
bool inject_wants_name(const struct inject *inject);

/* Whether a rule goes by chance, so that the seed matters. */
bool inject_uses_chance(const struct inject *inject);
/* Whether a rule makes calls wait, which a signal ends, or end as if by one (EINTR). */
bool inject_heeds_signals(const struct inject *inject);
/* Neither a rule, nor is anything counted. */
bool inject_is_empty(const struct inject *inject);

/* Who calls, and what the call names. */
struct inject_call {
	uint32_t pid, tid;
	const char *name; /* of the process; NULL: not known */
	uint32_t ids[4];  /* filled by inject_read_arguments(), as what follows */
	unsigned int ids_count;
	bool has_bytes;
	uint64_t bytes; /* of the range that the call names */
};

/*
 * Fills what call names where a rule wants to know: read(opaque, to, offset, bytes) copies of the
 * call's argument; false: it cannot be read.
 */
void inject_read_arguments(struct inject *inject, unsigned int nr, struct inject_call *call,
			   bool (*read)(void *opaque, void *to, size_t offset, size_t bytes),
			   void *opaque);

/*
 * What happens to the next call of command nr (_IOC_NR): returns 0 or the negative
 * errno that it ends with (the first rule that says so), and in *delay_ns how long
 * it takes longer (all rules together).
 */
int inject_decide(struct inject *inject, unsigned int nr, const struct inject_call *call,
		  uint64_t *delay_ns);

/* Whether a rule is about commands of a disk. */
bool inject_has_nvme(const struct inject *inject);

/*
 * What goes wrong with a command that the disk at that address (pci_address_number()) has
 * fetched: the first rule that says so, and all delays together.
 */
void inject_decide_nvme(struct inject *inject, uint32_t device, const struct pci_command *command,
			struct pci_mishap *mishap);

/* The short name of a command ("map"), or NULL for no command. */
const char *inject_command_name(unsigned int nr);

#endif
