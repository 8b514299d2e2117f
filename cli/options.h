/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options: one table a command drives parsing and the help text.
 */
#ifndef IOASIS_CLI_OPTIONS_H
#define IOASIS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_option {
	const char *name;     /* without the dashes */
	char letter;	      /* short form, or 0 */
	const char *arg;      /* what the value is called in the help; NULL: takes none */
	const char *accepted; /* what a right value is, for the error of a wrong one */
	const char *help;
	/* Takes the value (NULL for an option without) and stores it in opaque; false: not accepted. */
	bool (*set)(void *opaque, const char *value);
	size_t offset; /* with no set: of what CLI_FLAG or CLI_TEXT names */
};

/*
 * Instead of set, the member of the struct that opaque points to: a bool, true when the
 * option (without a value) is given, or a text, the value, which must not be empty and is
 * borrowed from argv.
 */
#define CLI_FLAG(type, member) \
	.offset = _Generic(((type *)0)->member, bool: offsetof(type, member))
#define CLI_TEXT(type, member) \
	.offset = _Generic(((type *)0)->member, const char *: offsetof(type, member))

struct cli_command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* a line for `ioasis --help` */
	const char *details;  /* paragraphs for `ioasis NAME --help`, or NULL */
	const struct cli_option *options; /* ends with a NULL name; may be NULL */
	const struct cli_option *more_options; /* a second table, shared by commands; may be NULL */
	bool stops_at_argument; /* options end at the first argument (exec, record) */
	int error_status;	/* exit status of a usage error */
	bool standalone;	/* a program of its own, not `ioasis NAME` */
};

/*
 * Parses argv[1..argc-1] (argv[0]: the command's name). Prints the help for
 * --help and one line for a wrong option. Returns the index of the first
 * argument (arguments are moved behind the options), or -1 with *status set
 * when the program should end now.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, void *opaque,
	      int *status);

/*
 * Of a word that cli_parse() took for an option: whether it is of command->options (or -h) and not
 * of more_options; *taken: how many words it takes.
 */
bool cli_option_is_own(const struct cli_command *command, const char *word, int *taken);

/* Prints `ioasis NAME: message` as one line on standard error and returns error_status. */
int cli_fail(const struct cli_command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Of the names name_at(opaque, 0), (opaque, 1) ... NULL the one that text (len bytes) is most likely
 * a misspelling of; NULL: none is near.
 */
const char *cli_nearest(const char *text, size_t len,
			const char *(*name_at)(void *opaque, size_t index), void *opaque);

/* Values. Each is true when all of text was understood. */
bool cli_parse_u64(const char *text, uint64_t *value);	/* 10, 0x10 */
bool cli_parse_bytes(const char *text, uint64_t *bytes); /* 4096, 4KiB, 2MiB, 1G */
bool cli_parse_ns(const char *text, uint64_t *ns);	/* 50us, 1ms, 2s, 100ns */
bool cli_parse_bool(const char *text, bool *value);	/* yes, no */

#endif
