/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of --fail and --delay that are about commands of a simulated NVMe disk: their
 * names, and what can go wrong with them. The rest of the language is inject_parse.c's.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sim/fuse/inject_internal.h"

/* Opcodes of NVM Express 1.4. ANY: all of that kind. */
#define ANY 256u
static const struct {
	const char *name;
	bool io, admin;
	unsigned int opcode;
} nvme_commands[] = {
	{ "nvme", true, true, ANY },
	{ "nvme-io", true, false, ANY },
	{ "nvme-admin", false, true, ANY },
	{ "nvme-flush", true, false, 0x00 },
	{ "nvme-write", true, false, 0x01 },
	{ "nvme-read", true, false, 0x02 },
	{ "nvme-compare", true, false, 0x05 },
	{ "nvme-write-zeroes", true, false, 0x08 },
	{ "nvme-dsm", true, false, 0x09 },
	{ "nvme-verify", true, false, 0x0c },
	{ "nvme-delete-sq", false, true, 0x00 },
	{ "nvme-create-sq", false, true, 0x01 },
	{ "nvme-get-log", false, true, 0x02 },
	{ "nvme-delete-cq", false, true, 0x04 },
	{ "nvme-create-cq", false, true, 0x05 },
	{ "nvme-identify", false, true, 0x06 },
	{ "nvme-abort", false, true, 0x08 },
	{ "nvme-set-features", false, true, 0x09 },
	{ "nvme-get-features", false, true, 0x0a },
	{ "nvme-async-event", false, true, 0x0c },
	{ "nvme-keep-alive", false, true, 0x18 },
	{ "nvme-format", false, true, 0x80 },
};

bool inject_nvme_command(const char *text, size_t len, struct rule *rule)
{
	for (size_t i = 0; i < sizeof(nvme_commands) / sizeof(*nvme_commands); i++) {
		unsigned int opcode = nvme_commands[i].opcode;

		if (strlen(nvme_commands[i].name) != len ||
		    strncasecmp(text, nvme_commands[i].name, len))
			continue;
		rule->nvme = true;
		for (unsigned int n = 0; n < 256; n++) {
			if (opcode != ANY && opcode != n)
				continue;
			rule->nvme_io[n] |= nvme_commands[i].io;
			rule->nvme_admin[n] |= nvme_commands[i].admin;
		}
		return true;
	}
	return false;
}

void inject_nvme_say_commands(char *why, size_t size)
{
	size_t used = strlen(why);

	for (size_t i = 0; i < sizeof(nvme_commands) / sizeof(*nvme_commands); i++) {
		if (used + strlen(nvme_commands[i].name) + 2 > size)
			return;
		used += (size_t)snprintf(why + used, size - used, " %s", nvme_commands[i].name);
	}
}

/* ---- what goes wrong ------------------------------------------------------------------ */

enum arg { ARG_NONE, ARG_TIME, ARG_NUMBER };

static const struct {
	const char *name;
	enum pci_mishap_kind kind;
	enum arg arg;
} kinds[] = {
	{ "remove", PCI_MISHAP_REMOVE, ARG_NONE },  { "hang", PCI_MISHAP_HANG, ARG_NONE },
	{ "cfs", PCI_MISHAP_FATAL, ARG_NONE },	    { "lose", PCI_MISHAP_LOSE, ARG_NONE },
	{ "stray=", PCI_MISHAP_STRAY, ARG_NUMBER }, { "again=", PCI_MISHAP_AGAIN, ARG_TIME },
};

/* The status codes that a driver meets most, with their type in bits 10:8. */
static const struct {
	const char *name;
	uint16_t status;
} statuses[] = {
	{ "invalid-field", 0x002 },	  { "data-transfer-error", 0x004 },
	{ "power-loss", 0x005 },	  { "internal-error", 0x006 },
	{ "abort-requested", 0x007 },	  { "invalid-namespace", 0x00b },
	{ "write-protected", 0x020 },	  { "lba-out-of-range", 0x080 },
	{ "capacity-exceeded", 0x081 },	  { "not-ready", 0x082 },
	{ "write-fault", 0x280 },	  { "read-error", 0x281 },
	{ "guard-check", 0x282 },	  { "compare-failure", 0x285 },
	{ "access-denied", 0x286 },
};

#define STATUS_MASK 0x47ffu /* with "do not retry" */

static bool parse_one(const char *text, size_t len, struct pci_mishap *mishap)
{
	const char *end;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		if (strlen(statuses[i].name) == len && !strncasecmp(text, statuses[i].name, len)) {
			*mishap = (struct pci_mishap){ PCI_MISHAP_STATUS, statuses[i].status, 0 };
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t name_len = strlen(kinds[i].name);

		if (len < name_len || strncasecmp(text, kinds[i].name, name_len))
			continue;
		*mishap = (struct pci_mishap){ kinds[i].kind, 0, 0 };
		end = text + name_len;
		if ((kinds[i].arg == ARG_TIME && !inject_parse_time(end, &end, &mishap->arg)) ||
		    (kinds[i].arg == ARG_NUMBER && !inject_parse_number(end, &end, &mishap->arg)))
			return false;
		return end == text + len;
	}
	*mishap = (struct pci_mishap){ PCI_MISHAP_STATUS, 0, 0 };
	return inject_parse_number(text, &end, &mishap->arg) && end == text + len &&
	       mishap->arg && !(mishap->arg & ~(uint64_t)STATUS_MASK);
}

bool inject_nvme_parse(const char *text, size_t len, struct rule *rule, const char **wrong,
		       size_t *wrong_len)
{
	for (;;) {
		size_t one = strcspn(text, ",");

		one = one < len ? one : len;
		*wrong = text;
		*wrong_len = one;
		if (rule->errors_count == SPANS_MAX ||
		    !parse_one(text, one, &rule->mishaps[rule->errors_count]))
			return false;
		rule->errors_count++;
		if (one == len)
			return true;
		text += one + 1;
		len -= one + 1;
	}
}

/* ---- which commands ------------------------------------------------------------------ */

bool inject_nvme_fits(const struct rule *rule, uint32_t device, const struct pci_command *command)
{
	const struct selection *selection = &rule->selection;
	uint64_t last = command->blocks ? command->block + command->blocks - 1 : command->block;

	if (!rule->nvme || !(command->admin ? rule->nvme_admin : rule->nvme_io)[command->opcode])
		return false;
	if (selection->by_device && selection->device != device)
		return false;
	if (selection->by_nsid && selection->nsid != command->nsid)
		return false;
	if (selection->by_lba && (!command->blocks || last < selection->lba.first ||
				  command->block > selection->lba.last))
		return false;
	return !selection->by_size || (selection->size.first <= command->bytes &&
				       command->bytes <= selection->size.last);
}
