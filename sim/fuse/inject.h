/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that fail or take longer on purpose: what --fail and --delay say, and
 * whether the next call is one of them.
 *
 * A rule is COMMAND:WHAT[WHEN]. COMMAND is a name of inject_command_name(), the
 * kernel's name of the command, or *; WHAT an errno by name or a time; WHEN is @N
 * (the Nth such call alone), %N (N in a hundred, by chance) or *N (the first N). Calls
 * are counted for each rule, over all programs. Chance is seeded: the same seed and
 * the same order of calls fail the same calls.
 *
 * Threads: rules are added before the first decision; inject_decide() from anywhere.
 */
#ifndef IOASIS_SIM_FUSE_INJECT_H
#define IOASIS_SIM_FUSE_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INJECT_WHY_BYTES 512

struct inject;

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

/* Whether a rule goes by chance, so that the seed matters. */
bool inject_uses_chance(const struct inject *inject);
bool inject_is_empty(const struct inject *inject);

/*
 * What happens to the next call of command nr (_IOC_NR): returns 0 or the negative
 * errno that it ends with (the first rule that says so), and in *delay_ns how long
 * it takes longer (all rules together).
 */
int inject_decide(struct inject *inject, unsigned int nr, uint64_t *delay_ns);

/* The short name of a command ("map"), or NULL for no command. */
const char *inject_command_name(unsigned int nr);

#endif
