/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before the name of a command when a user types it. */
static const char *prefix(const struct cli_command *command)
{
	return command->standalone ? "" : "ioasis ";
}

int cli_fail(const struct cli_command *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s%s: ", prefix(command), command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return command->error_status;
}

#define HELP_COLUMN  29 /* where the text of an option begins */
#define HELP_COLUMNS 80

/* How much of text stands in one line of width columns: whole words, if there are any. */
static int line_length(const char *text, int width)
{
	int length = (int)strlen(text);

	if (length <= width)
		return length;
	for (length = width; length && text[length] != ' '; length--)
		;
	return length ? length : (int)strcspn(text, " ");
}

static void print_option(const char *left, const char *text)
{
	int column = printf("  %-*s", HELP_COLUMN - 3, left);

	do {
		int length = line_length(text, HELP_COLUMNS - HELP_COLUMN);

		printf("%*s%.*s\n", HELP_COLUMN - column, "", length, text);
		text += length;
		text += strspn(text, " ");
		column = 0;
	} while (*text);
}

static void print_options(const struct cli_option *option)
{
	for (; option && option->name; option++) {
		char left[64];
		int n = 0;

		if (option->letter)
			n = snprintf(left, sizeof(left), "-%c, ", option->letter);
		snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", option->name,
			 option->arg ? " " : "", option->arg ? option->arg : "");
		print_option(left, option->help);
	}
}

static void print_help(const struct cli_command *command)
{
	printf("Usage: %s%s %s\n\n%s\n", prefix(command), command->name, command->synopsis,
	       command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	printf("\nOptions:\n");
	print_options(command->options);
	print_options(command->more_options);
	print_option("-h, --help", "show this text");
}

/* The option called name (len bytes long), or the one with the letter; NULL: none. */
static const struct cli_option *find_in(const struct cli_option *option, const char *name,
					size_t len, char letter)
{
	for (; option && option->name; option++) {
		if (letter ? option->letter == letter
			   : strlen(option->name) == len && !memcmp(option->name, name, len))
			return option;
	}
	return NULL;
}

static const struct cli_option *find(const struct cli_command *command, const char *name,
				     size_t len, char letter)
{
	const struct cli_option *option = find_in(command->options, name, len, letter);

	return option ? option : find_in(command->more_options, name, len, letter);
}

#define NEAREST_MAX 32u /* longer names are not compared */

/* How many letters one adds, leaves out, changes or swaps with their neighbour to make b of a. */
static unsigned int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][NEAREST_MAX + 1];
	unsigned int *two_before = rows[0], *before = rows[1], *now = rows[2], *spare;

	for (unsigned int j = 0; j <= b_len; j++)
		before[j] = j;
	for (unsigned int i = 1; i <= a_len; i++) {
		now[0] = i;
		for (unsigned int j = 1; j <= b_len; j++) {
			unsigned int least = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (before[j] + 1 < least)
				least = before[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_before[j - 2] + 1 < least)
				least = two_before[j - 2] + 1;
			now[j] = least;
		}
		spare = two_before;
		two_before = before;
		before = now;
		now = spare;
	}
	return before[b_len];
}

const char *cli_nearest(const char *text, size_t len,
			const char *(*name_at)(void *opaque, size_t index), void *opaque)
{
	unsigned int least = 3; /* a third letter wrong is another word */
	const char *name, *nearest = NULL;

	for (size_t i = 0; len <= NEAREST_MAX && (name = name_at(opaque, i)); i++) {
		size_t name_len = strlen(name);
		unsigned int wrong;

		if (name_len > NEAREST_MAX)
			continue;
		/* A beginning of the name, if it is long enough to say so. */
		wrong = len > 2 && len < name_len && !memcmp(text, name, len)
				? 1
				: distance(text, len, name, name_len);
		if (wrong < least && wrong * 2 < len) {
			least = wrong;
			nearest = name;
		}
	}
	return nearest;
}

/* The names of a command's options, for cli_nearest(). */
static const char *option_name(void *opaque, size_t index)
{
	const struct cli_command *command = opaque;
	const struct cli_option *option = command->options;

	for (; option && option->name; option++) {
		if (!index--)
			return option->name;
	}
	for (option = command->more_options; option && option->name; option++) {
		if (!index--)
			return option->name;
	}
	return index ? NULL : "help";
}

static int unknown_option(const struct cli_command *command, const char *word)
{
	const char *meant = NULL;

	if (word[1] == '-')
		meant = cli_nearest(word + 2, strcspn(word + 2, "="), option_name,
				    (void *)command);
	return cli_fail(command, "unknown option '%s'%s%s%s; '%s%s --help' lists the options", word,
			meant ? " (did you mean '--" : "", meant ? meant : "", meant ? "'?)" : "",
			prefix(command), command->name);
}

bool cli_option_is_own(const struct cli_command *command, const char *word, int *taken)
{
	size_t len = word[1] == '-' ? strcspn(word + 2, "=") : 0;
	bool has_value = word[1] == '-' ? word[2 + len] == '=' : word[2] != 0;
	const struct cli_option *option;

	option = word[1] == '-' ? find(command, word + 2, len, 0) : find(command, NULL, 0, word[1]);
	*taken = option && option->arg && !has_value ? 2 : 1;
	if (!option)
		return false;
	return find_in(command->options, option->name, strlen(option->name), 0) == option;
}

/* Stores the value of an option; false: it does not take that. */
static bool option_set(const struct cli_option *option, void *opaque, const char *value)
{
	void *member = (char *)opaque + option->offset;

	if (option->set)
		return option->set(opaque, value);
	if (!option->arg) {
		*(bool *)member = true;
		return true;
	}
	*(const char **)member = value;
	return *value;
}

/* Handles the option at argv[i]; returns how many words it took, or -1. */
static int parse_one(const struct cli_command *command, int argc, char **argv, int i,
		     void *opaque, int *status)
{
	const struct cli_option *option;
	const char *word = argv[i], *value = NULL;
	int words = 1;

	if (word[1] == '-') {
		size_t len = strcspn(word + 2, "=");

		option = find(command, word + 2, len, 0);
		if (word[2 + len] == '=')
			value = word + 2 + len + 1;
	} else {
		option = find(command, NULL, 0, word[1]);
		if (word[2])
			value = word + 2;
	}
	if (!option) {
		*status = unknown_option(command, word);
		return -1;
	}
	if (!option->arg && value) {
		*status = cli_fail(command, "option '--%s' takes no value, not '%s'", option->name,
				   value);
		return -1;
	}
	if (option->arg && !value) {
		if (i + 1 >= argc || !strcmp(argv[i + 1], "--")) {
			*status = cli_fail(command, "option '--%s' needs a value: %s", option->name,
					   option->accepted ? option->accepted : option->arg);
			return -1;
		}
		value = argv[i + 1];
		words = 2;
	}
	if (!option_set(option, opaque, value)) {
		*status = cli_fail(command, "--%s does not take '%s'; it takes %s", option->name,
				   value ? value : "",
				   option->accepted ? option->accepted : option->arg);
		return -1;
	}
	return words;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, void *opaque, int *status)
{
	char **arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	int arguments_count = 0, i;

	if (!arguments) {
		*status = cli_fail(command, "out of memory");
		return -1;
	}
	for (i = 1; i < argc; i++) {
		int words;

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			if (command->stops_at_argument)
				break;
			arguments[arguments_count++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(command);
			free(arguments);
			*status = 0;
			return -1;
		}
		words = parse_one(command, argc, argv, i, opaque, status);
		if (words < 0) {
			free(arguments);
			return -1;
		}
		i += words - 1;
	}
	/* The arguments found among the options go right before the rest. */
	for (int k = arguments_count; k-- > 0;)
		argv[--i] = arguments[k];
	free(arguments);
	return i;
}

bool cli_parse_u64(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && !*end;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool parse_with_unit(const char *text, const struct unit *unit, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno)
		return false;
	for (; unit->name; unit++) {
		if (!strcmp(end, unit->name))
			return !__builtin_mul_overflow(*value, unit->factor, value);
	}
	return false;
}

bool cli_parse_bytes(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },	       { "B", 1 },	      { "K", 1u << 10 },
		{ "KiB", 1u << 10 },   { "M", 1u << 20 },     { "MiB", 1u << 20 },
		{ "G", 1u << 30 },     { "GiB", 1u << 30 },   { "T", 1ull << 40 },
		{ "TiB", 1ull << 40 }, { NULL, 0 },
	};

	return parse_with_unit(text, units, bytes);
}

bool cli_parse_ns(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },	     { "us", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { NULL, 0 },
	};

	return parse_with_unit(text, units, ns);
}

bool cli_parse_bool(const char *text, bool *value)
{
	*value = !strcmp(text, "yes");
	return *value || !strcmp(text, "no");
}
