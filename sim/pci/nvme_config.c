/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/nvme_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A decimal or 0x number; false: there is none, or it is larger than 64 bits. */
static bool parse_number(const char *text, const char **end, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t base = hex ? 16 : 10;
	const char *at = text + (hex ? 2 : 0);

	*value = 0;
	*end = at;
	for (; hex ? isxdigit((unsigned char)**end) : isdigit((unsigned char)**end); (*end)++) {
		int c = tolower((unsigned char)**end);
		uint64_t digit = (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);

		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
	return *end != at;
}

bool nvme_parse_time(const char *text, const char **end, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };

	if (!isdigit((unsigned char)*text) || !parse_number(text, end, ns))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t length = strlen(units[i].name);

		if (!strncmp(*end, units[i].name, length) &&
		    !isalnum((unsigned char)(*end)[length])) {
			*end += length;
			return !__builtin_mul_overflow(*ns, units[i].ns, ns) && *ns < INT64_MAX;
		}
	}
	return false;
}

/* ---- faults -------------------------------------------------------------- */

enum fault_arg { ARG_NONE, ARG_TIME, ARG_STATUS, ARG_ADDRESS };

static const struct {
	const char *name;
	enum nvme_fault_kind kind;
	enum fault_arg arg;
} fault_kinds[] = {
	{ "remove", NVME_FAULT_REMOVE, ARG_NONE },  { "hang", NVME_FAULT_HANG, ARG_NONE },
	{ "cfs", NVME_FAULT_CFS, ARG_NONE },	    { "lose", NVME_FAULT_LOSE, ARG_NONE },
	{ "late", NVME_FAULT_LATE, ARG_TIME },	    { "status", NVME_FAULT_STATUS, ARG_STATUS },
	{ "stray", NVME_FAULT_STRAY, ARG_ADDRESS }, { "again", NVME_FAULT_AGAIN, ARG_TIME },
};

static const struct {
	const char *name;
	enum nvme_fault_of of;
} fault_ofs[] = {
	{ "io:", NVME_FAULT_OF_IO },
	{ "read:", NVME_FAULT_OF_READ },
	{ "write:", NVME_FAULT_OF_WRITE },
	{ "admin:", NVME_FAULT_OF_ADMIN },
};

static bool parse_fault_arg(const char **text, enum fault_arg arg, uint64_t *value)
{
	if (arg == ARG_NONE)
		return true;
	if (*(*text)++ != ':')
		return false;
	if (arg == ARG_TIME)
		return nvme_parse_time(*text, text, value);
	return parse_number(*text, text, value) &&
	       (arg != ARG_STATUS || (*value && *value <= 0x7ff));
}

/* What follows @: a time, or [OF:]N[/EVERY]. */
static bool parse_fault_when(const char *text, struct nvme_fault_config *fault)
{
	bool stops = fault->kind == NVME_FAULT_REMOVE || fault->kind == NVME_FAULT_HANG ||
		     fault->kind == NVME_FAULT_CFS;
	const char *end;

	if (stops && nvme_parse_time(text, &end, &fault->when) && !*end) {
		fault->of = NVME_FAULT_OF_TIME;
		return true;
	}
	fault->of = NVME_FAULT_OF_IO;
	for (size_t i = 0; i < sizeof(fault_ofs) / sizeof(*fault_ofs); i++) {
		size_t length = strlen(fault_ofs[i].name);

		if (!strncmp(text, fault_ofs[i].name, length)) {
			fault->of = fault_ofs[i].of;
			text += length;
			break;
		}
	}
	if (!parse_number(text, &end, &fault->when) || !fault->when)
		return false;
	if (*end == '/')
		return parse_number(end + 1, &end, &fault->every) && fault->every && !*end;
	return !*end;
}

bool nvme_parse_fault(const char *text, struct nvme_fault_config *fault)
{
	*fault = (struct nvme_fault_config){ 0 };
	for (size_t i = 0; i < sizeof(fault_kinds) / sizeof(*fault_kinds); i++) {
		size_t length = strlen(fault_kinds[i].name);
		const char *at = text + length;

		if (strncmp(text, fault_kinds[i].name, length) || (*at != ':' && *at != '@'))
			continue;
		fault->kind = fault_kinds[i].kind;
		return parse_fault_arg(&at, fault_kinds[i].arg, &fault->arg) && *at == '@' &&
		       parse_fault_when(at + 1, fault);
	}
	return false;
}

/* ---- keys ---------------------------------------------------------------- */

static bool set_file(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	if (!*value || strlen(value) >= PATH_MAX || nvme->memory_bytes ||
	    nvme->files_count == NVME_NAMESPACES_MAX)
		return false;
	strcpy(nvme->files[nvme->files_count++], value);
	return true;
}

static bool set_memory(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	return !nvme->files_count && pci_value_bytes(value, &nvme->memory_bytes) &&
	       nvme->memory_bytes >= 1 << 20 && nvme->memory_bytes <= UINT64_C(1) << 40 &&
	       !(nvme->memory_bytes % 4096);
}

static bool set_read_only(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	return pci_value_switch(value, &nvme->read_only);
}

static bool set_serial(void *config, const char *value)
{
	struct nvme_config *nvme = config;
	size_t length = strlen(value);

	if (!length || length > NVME_SERIAL_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (value[i] < 0x21 || value[i] > 0x7e)
			return false;
	}
	strcpy(nvme->serial, value);
	return true;
}

static bool set_queues(void *config, const char *value)
{
	struct nvme_config *nvme = config;
	uint64_t n;

	if (!pci_value_number(value, NVME_QUEUES_MAX, &n) || !n)
		return false;
	nvme->queues = (unsigned int)n;
	return true;
}

static bool set_lba(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	nvme->lba_bytes = !strcmp(value, "512") ? 512 : !strcmp(value, "4096") ? 4096 : 0;
	return nvme->lba_bytes;
}

static bool set_irq(void *config, const char *value)
{
	static const char *const names[] = { "msix", "msi", "intx" };
	struct nvme_config *nvme = config;

	for (unsigned int i = 0; i < 3; i++) {
		if (!strcmp(value, names[i])) {
			nvme->irq = (enum nvme_irq_kind)i;
			return true;
		}
	}
	return false;
}

/* A time, or two with a dash between; the second one is not less. */
static bool parse_times(const char *text, uint64_t *from_ns, uint64_t *to_ns)
{
	const char *end;

	if (!nvme_parse_time(text, &end, from_ns))
		return false;
	*to_ns = *from_ns;
	if (*end == '-' && !nvme_parse_time(end + 1, &end, to_ns))
		return false;
	return !*end && *to_ns >= *from_ns;
}

static bool set_delay(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	return parse_times(value, &nvme->delay_min_ns, &nvme->delay_max_ns);
}

#define POLL_MAX_NS UINT64_C(1000000000)

static bool set_poll(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	return parse_times(value, &nvme->poll_least_ns, &nvme->poll_most_ns) &&
	       nvme->poll_least_ns && nvme->poll_most_ns <= POLL_MAX_NS;
}

static bool set_fault(void *config, const char *value)
{
	struct nvme_config *nvme = config;

	return nvme->faults_count < NVME_FAULTS_MAX &&
	       nvme_parse_fault(value, &nvme->faults[nvme->faults_count++]);
}

const struct pci_model_key nvme_keys[] = {
	{ "file", "the path of a disk, for at most 4 namespaces, and no memory=", set_file },
	{ "memory",
	  "the size of a disk of memory from 1M to 1T, such as 64M, and no file=", set_memory },
	{ "ro", "on or off", set_read_only },
	{ "serial", "1 to 20 printable characters", set_serial },
	{ "queues", "a number of I/O queue pairs from 1 to 128", set_queues },
	{ "lba", "512 or 4096", set_lba },
	{ "irq", "msix, msi or intx", set_irq },
	{ "delay", "a time such as 100us, or two: 80us-120us", set_delay },
	{ "poll",
	  "how soon a doorbell is seen, busy and at rest, at most 1s: 5us-2ms, or one for both",
	  set_poll },
	{ "fault",
	  "KIND@WHEN, KIND one of remove, hang, cfs, lose, late:TIME, status:CODE, "
	  "stray:ADDRESS, again:TIME; WHEN a count of commands such as 100, read:100, write:100, "
	  "admin:5, 100/10, or for the first three a time such as 2s; at most 8",
	  set_fault },
	{ NULL, NULL, NULL },
};
