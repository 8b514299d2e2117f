/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the rules of --fail and --delay; inject.h says what they are. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/fuse/inject_internal.h"
#include "sim/pci/pci_bus.h"
#include "tracepoints/commands.h"

/* Native commands, VFIO's type 1 calls on the same file, the test command. */
#define VFIO_BASE 100
#define NATIVE(nr, NAME, text, ...) { nr, text, #NAME },
#define TYPE1(nr, NAME, text, ...) { VFIO_BASE + (nr), text, #NAME },

const struct command_name inject_commands[] = {
	IOMMUFD_COMMANDS(NATIVE)
	{ IOMMUFD_TEST_COMMAND, "test", "TEST_CMD" },
	VFIO_TYPE1_COMMANDS(TYPE1)
	{ 0, NULL, NULL },
};

/* A command by our name or the kernel's, with or without IOMMU_, in any case. */
static bool parse_command(const char *text, size_t len, struct rule *rule)
{
	if (len == 1 && *text == '*') {
		rule->any_command = true;
		return true;
	}
	if (len > 6 && !strncasecmp(text, "IOMMU_", 6) && strncasecmp(text, "IOMMU_GET_", 10)) {
		text += 6;
		len -= 6;
	}
	for (const struct command_name *row = inject_commands; row->name; row++) {
		if ((strlen(row->name) == len && !strncasecmp(text, row->name, len)) ||
		    (strlen(row->kernel_name) == len &&
		     !strncasecmp(text, row->kernel_name, len))) {
			rule->commands[row->nr] = true;
			return true;
		}
	}
	return inject_nvme_command(text, len, rule);
}

bool inject_parse_number(const char *text, const char **end, uint64_t *value)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &stop, strncasecmp(text, "0x", 2) ? 10 : 16);
	*end = stop;
	return !errno;
}

/* "12", "0.5": in units of 1/scale; digits that are finer are refused. */
static bool parse_decimal(const char *text, const char **end, uint64_t scale, uint64_t *value)
{
	if (!inject_parse_number(text, end, value) || __builtin_mul_overflow(*value, scale, value))
		return false;
	if (**end != '.' || !isdigit((unsigned char)(*end)[1]))
		return true;
	for ((*end)++; isdigit((unsigned char)**end); (*end)++) {
		scale /= 10;
		if (!scale && **end != '0')
			return false;
		if (__builtin_add_overflow(*value, (uint64_t)(**end - '0') * scale, value))
			return false;
	}
	return true;
}

/* "4096", "64K", "2MiB" */
static bool parse_bytes(const char *text, const char **end, uint64_t *value)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!inject_parse_number(text, end, value))
		return false;
	unit = **end ? strchr(units, **end) : NULL;
	if (!unit)
		return true;
	(*end)++;
	if (!strncmp(*end, "iB", 2))
		*end += 2;
	return !__builtin_mul_overflow(*value, 1ull << (10 * (unit - units + 1)), value);
}

/* "N", "A..B", "A..", "..B" with numbers as parse reads them. */
static bool parse_span(const char *text, const char **end,
		       bool (*parse)(const char *text, const char **end, uint64_t *value),
		       struct span *span)
{
	*span = (struct span){ 0, UINT64_MAX };
	*end = text;
	if (strncmp(text, "..", 2) && !parse(text, end, &span->first))
		return false;
	if (strncmp(*end, "..", 2)) {
		span->last = span->first;
		return true;
	}
	*end += 2;
	if (isdigit((unsigned char)**end) && !parse(*end, end, &span->last))
		return false;
	return span->first <= span->last && *end - text > 2; /* ".." alone is none */
}

/* @N, @A..B, @N,A..B; %P; *N; or nothing. */
static bool parse_when(const char *text, struct rule *rule)
{
	const char *end = text;
	uint64_t ppm;

	switch (*text) {
	case '\0':
		rule->when = WHEN_ALWAYS;
		return true;
	case '@':
		rule->when = WHEN_NTH;
		do {
			struct span *span = &rule->spans[rule->spans_count];

			if (rule->spans_count++ == SPANS_MAX ||
			    !parse_span(end + 1, &end, inject_parse_number, span) || !span->last)
				return false; /* calls count from 1 */
		} while (*end == ',');
		return !*end;
	case '%':
		rule->when = WHEN_CHANCE;
		if (!parse_decimal(text + 1, &end, 10000, &ppm) || *end || !ppm || ppm > 1000000)
			return false;
		rule->chance_ppm = (uint32_t)ppm;
		return true;
	case '*':
		rule->when = WHEN_FIRST;
		return inject_parse_number(text + 1, &end, &rule->first_calls) && !*end &&
		       rule->first_calls;
	default:
		return false;
	}
}

static bool parse_errno(const char *text, size_t len, struct rule *rule)
{
	if (rule->errors_count == SPANS_MAX)
		return false;
	for (int error = 1; error < 134; error++) {
		const char *name = strerrorname_np(error);

		if (name && strlen(name) == len && !strncmp(name, text, len)) {
			rule->errors[rule->errors_count++] = -error;
			return true;
		}
	}
	return false;
}

/* "ENOMEM,EINTR": in turn. *wrong: the name that is none. */
static bool parse_errnos(const char *text, size_t len, struct rule *rule, const char **wrong,
			 size_t *wrong_len)
{
	for (;;) {
		size_t one = strcspn(text, ",");

		one = one < len ? one : len;
		*wrong = text;
		*wrong_len = one;
		if (!parse_errno(text, one, rule))
			return false;
		if (one == len)
			return true;
		text += one + 1;
		len -= one + 1;
	}
}

bool inject_parse_time(const char *text, const char **end, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t unit_len = strlen(units[i].unit);

		if (parse_decimal(text, end, units[i].ns, ns) &&
		    !strncmp(*end, units[i].unit, unit_len)) {
			*end += unit_len;
			return true;
		}
	}
	return false;
}

/* "50us", "1.5ms", "50us..1ms" of len bytes. */
static bool parse_delay(const char *text, size_t len, struct rule *rule)
{
	const char *end;

	if (!inject_parse_time(text, &end, &rule->delay_ns.first))
		return false;
	rule->delay_ns.last = rule->delay_ns.first;
	if (!strncmp(end, "..", 2) && !inject_parse_time(end + 2, &end, &rule->delay_ns.last))
		return false;
	return end == text + len && rule->delay_ns.first <= rule->delay_ns.last;
}

/* "0000:00:1e.0" */
static bool parse_device(const char *text, const char **end, struct selection *selection)
{
	struct pci_address address;
	char copy[32];
	size_t len = strcspn(text, ",]");

	*end = text + len;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	selection->by_device = true;
	if (!pci_address_parse(copy, &address))
		return false;
	selection->device = pci_address_number(&address);
	return true;
}

/* One "KEY=VALUE" of a selection. */
static bool parse_one_selection(const char *text, const char **end, struct selection *selection)
{
	uint64_t number;
	size_t len;

	if (!strncmp(text, "size=", 5)) {
		selection->by_size = true;
		return parse_span(text + 5, end, parse_bytes, &selection->size);
	}
	if (!strncmp(text, "name=", 5)) {
		len = strcspn(text + 5, ",]");
		*end = text + 5 + len;
		if (!len || len >= sizeof(selection->name))
			return false;
		memcpy(selection->name, text + 5, len);
		selection->name[len] = 0;
		return true;
	}
	if (!strncmp(text, "lba=", 4)) {
		selection->by_lba = true;
		return parse_span(text + 4, end, inject_parse_number, &selection->lba);
	}
	if (!strncmp(text, "device=", 7))
		return parse_device(text + 7, end, selection);
	len = strcspn(text, "=");
	if (text[len] != '=' || !inject_parse_number(text + len + 1, end, &number) ||
	    number > UINT32_MAX)
		return false;
	if (!strncmp(text, "pid=", 4)) {
		selection->by_pid = true;
		selection->pid = (uint32_t)number;
		return true;
	}
	if (!strncmp(text, "tid=", 4)) {
		selection->by_tid = true;
		selection->tid = (uint32_t)number;
		return true;
	}
	if (!strncmp(text, "nsid=", 5)) {
		selection->by_nsid = true;
		selection->nsid = (uint32_t)number;
		return true;
	}
	selection->by_space = true;
	selection->space = (uint32_t)number;
	return !strncmp(text, "space=", 6);
}

/* "[KEY=VALUE,...]"; *end is behind it. */
static bool parse_selection(const char *text, const char **end, struct selection *selection)
{
	*end = text;
	if (*text != '[')
		return true;
	do {
		if (!parse_one_selection(*end + 1, end, selection))
			return false;
	} while (**end == ',');
	if (**end != ']')
		return false;
	(*end)++;
	return true;
}

static void say_commands(const char *kind, const char *spec, int len, const char *name, char *why)
{
	int n = snprintf(why, INJECT_WHY_BYTES, "%s '%s': no command '%.*s'; it is one of *", kind,
			 spec, len, name);

	for (const struct command_name *row = inject_commands;
	     row->name && n > 0 && n < INJECT_WHY_BYTES; row++)
		n += snprintf(why + n, (size_t)(INJECT_WHY_BYTES - n), " %s", row->name);
	inject_nvme_say_commands(why, INJECT_WHY_BYTES);
}

/* What goes with which commands. */
static bool head_fits(const struct rule *rule)
{
	const struct selection *selection = &rule->selection;

	if (rule->nvme)
		return !selection->by_pid && !selection->by_tid && !selection->by_space &&
		       !selection->name[0];
	return !selection->by_device && !selection->by_nsid && !selection->by_lba;
}

static bool names_both(const struct rule *rule)
{
	if (!rule->nvme)
		return false;
	for (unsigned int i = 0; i < 256; i++) {
		if (rule->commands[i])
			return true;
	}
	return rule->any_command;
}

/* "map,unmap[...]": *what is behind the colon. 0 or -EINVAL. */
static int parse_head(const char *kind, const char *spec, bool fails, struct rule *rule,
		      const char **what, char why[INJECT_WHY_BYTES])
{
	const char *at = spec, *end;

	if (!strchr(spec, ':')) {
		snprintf(why, INJECT_WHY_BYTES,
			 "%s '%s': it is COMMAND:%s[@N|%%N|*N], as in %s", kind, spec,
			 fails ? "ERRNO" : "TIME", fails ? "map:ENOMEM@100" : "map:50us");
		return -EINVAL;
	}
	for (;; at++) {
		size_t len = strcspn(at, ",:[");

		if (!parse_command(at, len, rule)) {
			say_commands(kind, spec, (int)len, at, why);
			return -EINVAL;
		}
		at += len;
		if (*at != ',')
			break;
	}
	if (names_both(rule)) {
		snprintf(why, INJECT_WHY_BYTES,
			 "%s '%s': a rule is about calls or about commands of a disk; say two "
			 "rules", kind, spec);
		return -EINVAL;
	}
	if (!parse_selection(at, &end, &rule->selection) || *end != ':' || !head_fits(rule)) {
		snprintf(why, INJECT_WHY_BYTES,
			 "%s '%s': '%.*s' does not say which %s; it is %s", kind, spec,
			 (int)(end != at ? strcspn(at, "]") + 1 : strcspn(at, ":")), at,
			 rule->nvme ? "commands" : "calls",
			 rule->nvme ? "[device=0000:00:02.0,nsid=N,lba=N or A..B,size=N or A..B]"
				    : "[pid=N,tid=N,name=TEXT,space=ID,size=N or A..B]");
		return -EINVAL;
	}
	*what = end + 1;
	return 0;
}

static int inject_add(struct inject *inject, const char *spec, bool fails,
		      char why[INJECT_WHY_BYTES])
{
	const char *kind = fails ? "--fail" : "--delay", *what, *wrong;
	struct rule rule = { 0 }, *kept;
	size_t len, wrong_len;
	int err;

	err = parse_head(kind, spec, fails, &rule, &what, why);
	if (err)
		return err;
	len = strcspn(what, "@%*");
	wrong = what;
	wrong_len = len;
	if (!fails ? !parse_delay(what, len, &rule)
	    : rule.nvme ? !inject_nvme_parse(what, len, &rule, &wrong, &wrong_len)
			: !parse_errnos(what, len, &rule, &wrong, &wrong_len)) {
		snprintf(why, INJECT_WHY_BYTES, "%s '%s': '%.*s' is no %s", kind, spec,
			 (int)wrong_len, wrong,
			 fails && rule.nvme ?
				 "fault of a disk; it is lose, remove, hang, cfs, stray=ADDRESS, "
				 "again=TIME, or a status by name (read-error, write-fault, ...) "
				 "or number (0x281)"
			 : fails ? "errno; it is a name such as ENOMEM, EFAULT or EIO"
			       : "time; it is a number with ns, us, ms or s, such as 50us, 1.5ms or "
				 "50us..1ms");
		return -EINVAL;
	}
	if (!parse_when(what + len, &rule)) {
		snprintf(why, INJECT_WHY_BYTES,
			 "%s '%s': '%s' does not say when; @N is the Nth call (@2..5, @7,9.. too), "
			 "%%N is N in a hundred (1 to 100, or 0.5), *N the first N",
			 kind, spec, what + len);
		return -EINVAL;
	}
	kept = malloc(sizeof(*kept));
	if (!kept) {
		snprintf(why, INJECT_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	*kept = rule;
	*inject->last = kept;
	inject->last = &kept->next;
	inject->has_nvme |= rule.nvme;
	inject->looks_at_names |= rule.selection.name[0] != 0;
	inject->looks_at_arguments |=
		!rule.nvme && (rule.selection.by_space || rule.selection.by_size);
	return 0;
}

int inject_add_fail(struct inject *inject, const char *spec, char why[INJECT_WHY_BYTES])
{
	return inject_add(inject, spec, true, why);
}

int inject_add_delay(struct inject *inject, const char *spec, char why[INJECT_WHY_BYTES])
{
	return inject_add(inject, spec, false, why);
}
