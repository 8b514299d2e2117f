/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/inject.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tracepoints/commands.h"

struct command_name {
	unsigned int nr;
	const char *name;
	const char *kernel_name; /* without IOMMU_ */
};

/* Native commands, VFIO's type 1 calls on the same file, the test command. */
#define VFIO_BASE 100
#define NATIVE(nr, NAME, text, ...) { nr, text, #NAME },
#define TYPE1(nr, NAME, text, ...) { VFIO_BASE + (nr), text, #NAME },

static const struct command_name command_names[] = {
	IOMMUFD_COMMANDS(NATIVE)
	{ IOMMUFD_TEST_COMMAND, "test", "TEST_CMD" },
	VFIO_TYPE1_COMMANDS(TYPE1)
};
#define COMMAND_NAMES (sizeof(command_names) / sizeof(*command_names))

enum when {
	WHEN_ALWAYS,
	WHEN_NTH,
	WHEN_PERCENT,
	WHEN_FIRST,
};

struct rule {
	struct rule *next;
	bool any_command;
	unsigned int nr;
	int error;	   /* negative; 0: a delay */
	uint64_t delay_ns;
	enum when when;
	uint64_t n;
	uint64_t calls; /* of the command so far */
};

struct inject {
	pthread_mutex_t lock;
	struct rule *rules, **last;
	uint64_t random;
};

const char *inject_command_name(unsigned int nr)
{
	for (size_t i = 0; i < COMMAND_NAMES; i++) {
		if (command_names[i].nr == nr)
			return command_names[i].name;
	}
	return NULL;
}

struct inject *inject_create(uint64_t seed)
{
	struct inject *inject = calloc(1, sizeof(*inject));

	if (!inject)
		return NULL;
	pthread_mutex_init(&inject->lock, NULL);
	inject->last = &inject->rules;
	inject->random = seed;
	return inject;
}

void inject_set_seed(struct inject *inject, uint64_t seed)
{
	inject->random = seed;
}

void inject_destroy(struct inject *inject)
{
	if (!inject)
		return;
	while (inject->rules) {
		struct rule *rule = inject->rules;

		inject->rules = rule->next;
		free(rule);
	}
	pthread_mutex_destroy(&inject->lock);
	free(inject);
}

bool inject_is_empty(const struct inject *inject)
{
	return !inject->rules;
}

bool inject_uses_chance(const struct inject *inject)
{
	for (const struct rule *rule = inject->rules; rule; rule = rule->next) {
		if (rule->when == WHEN_PERCENT)
			return true;
	}
	return false;
}

/* ---- reading a rule -------------------------------------------------------------- */

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
	for (size_t i = 0; i < COMMAND_NAMES; i++) {
		const struct command_name *row = &command_names[i];

		if ((strlen(row->name) == len && !strncasecmp(text, row->name, len)) ||
		    (strlen(row->kernel_name) == len &&
		     !strncasecmp(text, row->kernel_name, len))) {
			rule->nr = row->nr;
			return true;
		}
	}
	return false;
}

static bool parse_number(const char *text, const char **end, uint64_t *value)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	*end = stop;
	return !errno;
}

/* @N, %N, *N or nothing. */
static bool parse_when(const char *text, struct rule *rule)
{
	const char *end;

	switch (*text) {
	case '\0':
		rule->when = WHEN_ALWAYS;
		return true;
	case '@':
		rule->when = WHEN_NTH;
		break;
	case '%':
		rule->when = WHEN_PERCENT;
		break;
	case '*':
		rule->when = WHEN_FIRST;
		break;
	default:
		return false;
	}
	if (!parse_number(text + 1, &end, &rule->n) || *end || !rule->n)
		return false;
	return rule->when != WHEN_PERCENT || rule->n <= 100;
}

static bool parse_errno(const char *text, size_t len, struct rule *rule)
{
	for (int error = 1; error < 134; error++) {
		const char *name = strerrorname_np(error);

		if (name && strlen(name) == len && !strncmp(name, text, len)) {
			rule->error = -error;
			return true;
		}
	}
	return false;
}

static bool parse_time(const char *text, size_t len, struct rule *rule)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	const char *end;
	uint64_t value;

	if (!parse_number(text, &end, &value))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t unit_len = strlen(units[i].unit);

		if ((size_t)(end - text) + unit_len == len &&
		    !strncmp(end, units[i].unit, unit_len))
			return !__builtin_mul_overflow(value, units[i].ns, &rule->delay_ns);
	}
	return false;
}

static void say_commands(const char *kind, const char *spec, int len, char *why)
{
	int n = snprintf(why, INJECT_WHY_BYTES, "%s '%s': no command '%.*s'; it is one of *", kind,
			 spec, len, spec);

	for (size_t i = 0; i < COMMAND_NAMES && n > 0 && n < INJECT_WHY_BYTES; i++)
		n += snprintf(why + n, (size_t)(INJECT_WHY_BYTES - n), " %s",
			      command_names[i].name);
}

static int inject_add(struct inject *inject, const char *spec, bool fails,
		      char why[INJECT_WHY_BYTES])
{
	const char *kind = fails ? "--fail" : "--delay", *what = strchr(spec, ':');
	struct rule rule = { 0 }, *kept;
	size_t len;

	if (!what) {
		snprintf(why, INJECT_WHY_BYTES, "%s '%s': it is COMMAND:%s[@N|%%N|*N], as in %s",
			 kind, spec, fails ? "ERRNO" : "TIME",
			 fails ? "map:ENOMEM@100" : "map:50us");
		return -EINVAL;
	}
	if (!parse_command(spec, (size_t)(what - spec), &rule)) {
		say_commands(kind, spec, (int)(what - spec), why);
		return -EINVAL;
	}
	what++;
	len = strcspn(what, "@%*");
	if (fails ? !parse_errno(what, len, &rule) : !parse_time(what, len, &rule)) {
		snprintf(why, INJECT_WHY_BYTES, "%s '%s': '%.*s' is no %s", kind, spec, (int)len,
			 what,
			 fails ? "errno; it is a name such as ENOMEM, EFAULT or EIO"
			       : "time; it is a number with ns, us, ms or s, such as 50us");
		return -EINVAL;
	}
	if (!parse_when(what + len, &rule)) {
		snprintf(why, INJECT_WHY_BYTES,
			 "%s '%s': '%s' does not say when; @N is the Nth call, %%N is N in a "
			 "hundred "
			 "(1 to 100), *N the first N",
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

/* ---- deciding -------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators). */
static uint64_t next_random(struct inject *inject)
{
	uint64_t z = inject->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool rule_hits(struct inject *inject, struct rule *rule)
{
	rule->calls++;
	switch (rule->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_NTH:
		return rule->calls == rule->n;
	case WHEN_PERCENT:
		return next_random(inject) % 100 < rule->n;
	case WHEN_FIRST:
		return rule->calls <= rule->n;
	}
	return false;
}

int inject_decide(struct inject *inject, unsigned int nr, uint64_t *delay_ns)
{
	int error = 0;

	*delay_ns = 0;
	pthread_mutex_lock(&inject->lock);
	for (struct rule *rule = inject->rules; rule; rule = rule->next) {
		if ((!rule->any_command && rule->nr != nr) || !rule_hits(inject, rule))
			continue;
		if (!rule->error && __builtin_add_overflow(*delay_ns, rule->delay_ns, delay_ns))
			*delay_ns = UINT64_MAX;
		if (rule->error && !error)
			error = rule->error;
	}
	pthread_mutex_unlock(&inject->lock);
	return error;
}
