/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file becomes a list of assignments (section, key, value, where it stands), in
 * the order in which they hold; the list is then put into the scenario by the
 * table of schema.c. So includes, presets and --set are all the same thing.
 */
#include "sim/scenario/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "sim/scenario/conflicts.h"
#include "sim/scenario/schema.h"

#define INCLUDE_DEPTH_MAX 8
/* A scenario that says everything it can has some 200 lines. */
#define FILE_BYTES_MAX	  ((size_t)1 << 20)
#define FILES_MAX	  64
/* Of groups and lists in each other: sections and keys are two. */
#define NESTING_MAX	  8

struct assignment {
	struct assignment *next;
	const struct schema_key *key;
	char *value; /* owned */
	char *where; /* FILE:LINE; owned */
};

struct loader {
	struct assignment *first; /* owned, in the order in which they hold */
	struct assignment **last_next;
	char *preset;	    /* the name, or NULL; owned */
	char *preset_where; /* owned */
	bool has[SECTION_COUNT];
	char *has_where[SECTION_COUNT]; /* where a section begins; owned */
	const char *open_files[INCLUDE_DEPTH_MAX];
	unsigned int open_count;
	unsigned int files_count; /* read so far: an include may stand in several files */
	char *error;
};

static int fail(struct loader *loader, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct loader *loader, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(loader->error, SCENARIO_ERROR_BYTES, fmt, ap);
	va_end(ap);
	for (char *c = loader->error; *c; c++) {
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	}
	return err;
}

static int fail_memory(struct loader *loader)
{
	return fail(loader, -ENOMEM, "out of memory");
}

/* ---- assignments --------------------------------------------------------- */

static int add_assignment(struct loader *loader, const struct schema_key *key, const char *value,
			  const char *where)
{
	struct assignment *assignment = calloc(1, sizeof(*assignment));

	if (!assignment)
		return fail_memory(loader);
	assignment->key = key;
	assignment->value = strdup(value);
	assignment->where = strdup(where);
	*loader->last_next = assignment;
	loader->last_next = &assignment->next;
	if (!assignment->value || !assignment->where)
		return fail_memory(loader);
	loader->has[key->section] = true;
	return 0;
}

static const char *full_name(enum scenario_section section, const char *key, char *buf, size_t size)
{
	const char *name = schema_section_name(section);

	snprintf(buf, size, "%s%s%s", name, *name ? "." : "", key);
	return buf;
}

static int fail_unknown_key(struct loader *loader, const char *where, enum scenario_section section,
			    const char *key)
{
	const char *suggestion = schema_suggest(section, key);
	char name[128];

	full_name(section, key, name, sizeof(name));
	if (suggestion)
		return fail(loader, -EINVAL, "%s: %s: is no key; did you mean '%s'?", where, name,
			    suggestion);
	return fail(loader, -EINVAL, "%s: %s: is no key; 'ioasis simulate --keys' lists the %s",
		    where, name,
		    section == SECTION_TOP ? "sections and keys" : "keys of each section");
}

static int set_preset(struct loader *loader, const char *value, const char *where)
{
	free(loader->preset);
	free(loader->preset_where);
	loader->preset = strdup(value);
	loader->preset_where = strdup(where);
	return loader->preset && loader->preset_where ? 0 : fail_memory(loader);
}

/* ---- one file ------------------------------------------------------------ */

struct file {
	struct loader *loader;
	const char *path;
	yaml_document_t document;
};

static void node_where(const struct file *file, const yaml_node_t *node, char *buf, size_t size)
{
	snprintf(buf, size, "%s:%zu", file->path, node->start_mark.line + 1);
}

static const char *node_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a group of keys";
	default:
		return "a value";
	}
}

static const char *node_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* Refuses a key that stands twice in the mapping before `pair`. */
static int check_twice(struct file *file, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
		       const char *name, const char *where)
{
	const yaml_node_t *node = yaml_document_get_node(&file->document, pair->key);

	for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(&file->document, p->key);

		if (!strcmp(node_text(other), node_text(node)))
			return fail(file->loader, -EINVAL,
				    "%s: %s: stands a second time (first in line %zu); remove one",
				    where, name, other->start_mark.line + 1);
	}
	return 0;
}

static int check_key_node(struct file *file, const yaml_node_t *node, const char *where)
{
	if (node->type == YAML_SCALAR_NODE && node_text(node)[0] &&
	    strlen(node_text(node)) == node->data.scalar.length)
		return 0;
	return fail(file->loader, -EINVAL, "%s: ?: a key is %s; write a name before the colon",
		    where, node->type == YAML_SCALAR_NODE ? "empty" : node_kind(node));
}

static int read_value(struct file *file, enum scenario_section section, const char *name,
		      const yaml_node_t *value)
{
	const struct schema_key *key = schema_find(section, name);
	char where[512], full[128];

	node_where(file, value, where, sizeof(where));
	full_name(section, name, full, sizeof(full));
	if (!key)
		return fail_unknown_key(file->loader, where, section, name);
	if (value->type != YAML_SCALAR_NODE)
		return fail(file->loader, -EINVAL, "%s: %s: is %s; write one value", where, full,
			    node_kind(value));
	if (!value->data.scalar.length && key->type != SCHEMA_TEXT)
		return fail(file->loader, -EINVAL,
			    "%s: %s: has no value; write one behind the colon, like %s", where,
			    full, key->fallback && *key->fallback ? key->fallback : "10ms");
	if (strlen(node_text(value)) != value->data.scalar.length)
		return fail(file->loader, -EINVAL,
			    "%s: %s: holds a NUL character; write plain text", where, full);
	return add_assignment(file->loader, key, node_text(value), where);
}

static int read_section(struct file *file, enum scenario_section section,
			const yaml_node_t *mapping)
{
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *node = yaml_document_get_node(&file->document, pair->key);
		char where[512], full[128];
		int err;

		node_where(file, node, where, sizeof(where));
		err = check_key_node(file, node, where);
		if (err)
			return err;
		full_name(section, node_text(node), full, sizeof(full));
		err = check_twice(file, mapping, pair, full, where);
		if (!err)
			err = read_value(file, section, node_text(node),
					 yaml_document_get_node(&file->document, pair->value));
		if (err)
			return err;
	}
	return 0;
}

static int read_file(struct loader *loader, const char *path, const char *included_from);

static int read_include(struct file *file, const yaml_node_t *node)
{
	const char *slash = strrchr(file->path, '/');
	char where[512], path[4096];
	int length;

	node_where(file, node, where, sizeof(where));
	if (node->type != YAML_SCALAR_NODE || !node->data.scalar.length)
		return fail(file->loader, -EINVAL,
			    "%s: include: is %s; write a file's name or a list of names", where,
			    node->type == YAML_SCALAR_NODE ? "empty" : node_kind(node));
	if (node_text(node)[0] == '/' || !slash)
		length = snprintf(path, sizeof(path), "%s", node_text(node));
	else
		length = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - file->path),
				  file->path, node_text(node));
	if (length < 0 || (size_t)length >= sizeof(path))
		return fail(file->loader, -EINVAL, "%s: include: the name is too long; shorten it",
			    where);
	return read_file(file->loader, path, where);
}

static int read_includes(struct file *file, const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return read_include(file, node);
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		int err = read_include(file, yaml_document_get_node(&file->document, *item));

		if (err)
			return err;
	}
	return 0;
}

static int read_preset(struct file *file, const yaml_node_t *value, const char *where)
{
	if (value->type != YAML_SCALAR_NODE)
		return fail(file->loader, -EINVAL, "%s: preset: is %s; write one name", where,
			    node_kind(value));
	return set_preset(file->loader, node_text(value), where);
}

/* A pair of the top level: a section, a key, or one of the words that load more. */
static int read_top_pair(struct file *file, const yaml_node_t *mapping,
			 const yaml_node_pair_t *pair)
{
	const yaml_node_t *node = yaml_document_get_node(&file->document, pair->key);
	const yaml_node_t *value = yaml_document_get_node(&file->document, pair->value);
	struct loader *loader = file->loader;
	enum scenario_section section;
	char where[512];
	int err;

	node_where(file, node, where, sizeof(where));
	err = check_key_node(file, node, where);
	if (!err)
		err = check_twice(file, mapping, pair, node_text(node), where);
	if (err)
		return err;
	if (!strcmp(node_text(node), "include"))
		return 0; /* read before all else */
	if (!strcmp(node_text(node), "preset"))
		return read_preset(file, value, where);
	section = schema_section_find(node_text(node));
	if (section == SECTION_COUNT) {
		if (value->type == YAML_MAPPING_NODE)
			return fail_unknown_key(loader, where, SECTION_TOP, node_text(node));
		return read_value(file, SECTION_TOP, node_text(node), value);
	}
	loader->has[section] = true;
	if (!loader->has_where[section])
		loader->has_where[section] = strdup(where);
	/* `nvme:` alone, or {}: the section with all its defaults. */
	if (value->type == YAML_SCALAR_NODE && !value->data.scalar.length)
		return 0;
	if (value->type != YAML_MAPPING_NODE)
		return fail(loader, -EINVAL,
			    "%s: %s: is %s; it is a section, write its keys indented below it",
			    where, node_text(node), node_kind(value));
	return read_section(file, section, value);
}

static int read_document(struct file *file)
{
	const yaml_node_t *root = yaml_document_get_root_node(&file->document);

	if (!root)
		return fail(file->loader, -EINVAL,
			    "%s:1: name: the file is empty; write at least name and duration",
			    file->path);
	if (root->type != YAML_MAPPING_NODE)
		return fail(file->loader, -EINVAL,
			    "%s:%zu: name: the file is %s; write keys with colons, like name: demo",
			    file->path, root->start_mark.line + 1, node_kind(root));
	for (int includes = 1; includes >= 0; includes--) {
		for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		     pair < root->data.mapping.pairs.top; pair++) {
			const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);
			bool is_include =
				key->type == YAML_SCALAR_NODE && !strcmp(node_text(key), "include");
			int err = 0;

			if (includes && is_include)
				err = read_includes(
					file, yaml_document_get_node(&file->document, pair->value));
			else if (!includes)
				err = read_top_pair(file, root, pair);
			if (err)
				return err;
		}
	}
	return 0;
}

static int fail_syntax(struct file *file, const yaml_parser_t *parser)
{
	size_t line = parser->problem_mark.line + 1;
	const char *remedy = "mend the line, or the one before it";

	if (parser->error == YAML_MEMORY_ERROR)
		return fail_memory(file->loader);
	if (parser->error == YAML_READER_ERROR)
		return fail(file->loader, -EINVAL,
			    "%s:1: ?: %s at byte %zu; write the file in UTF-8", file->path,
			    parser->problem, parser->problem_offset);
	if (parser->problem && (strstr(parser->problem, "cannot start any token") ||
				strstr(parser->problem, "tab character")))
		remedy = "indent with spaces, and quote a value with special characters";
	else if (parser->context && strstr(parser->context, "quoted"))
		remedy = "close the quote";
	else if (parser->problem && strstr(parser->problem, "alias"))
		remedy = "write the anchor (&name) before its alias (*name)";
	else if (parser->problem && strstr(parser->problem, "':'"))
		remedy = "write `key: value` with a space behind the colon";
	return fail(file->loader, -EINVAL, "%s:%zu: ?: %s%s%s; %s", file->path, line,
		    parser->context ? parser->context : "", parser->context ? ", " : "",
		    parser->problem ? parser->problem : "not YAML", remedy);
}

/*
 * Goes through the text before it is loaded: what is nested deeper than a scenario can be takes
 * libyaml time that grows with the square of the depth, and memory for each node. A mistake in
 * the syntax is left to who loads it.
 */
static int check_nesting(struct file *file, const char *text, size_t size)
{
	unsigned int depth = 0;
	yaml_event_type_t type;
	yaml_parser_t parser;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return fail_memory(file->loader);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	do {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event))
			break;
		type = event.type;
		if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
			depth++;
		if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (depth > NESTING_MAX)
			err = fail(file->loader, -EINVAL,
				   "%s:%zu: ?: more than %d groups or lists inside each other; "
				   "a scenario has sections, and keys in them",
				   file->path, event.start_mark.line + 1, NESTING_MAX);
		yaml_event_delete(&event);
	} while (!err && type != YAML_STREAM_END_EVENT);
	yaml_parser_delete(&parser);
	return err;
}

/* Parses the one document of the text; a second one is an error. */
static int parse(struct file *file, const char *text, size_t size)
{
	yaml_document_t second;
	yaml_parser_t parser;
	int err = check_nesting(file, text, size);

	if (err)
		return err;
	if (!yaml_parser_initialize(&parser))
		return fail_memory(file->loader);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &file->document)) {
		err = fail_syntax(file, &parser);
		goto out_parser;
	}
	if (yaml_document_get_root_node(&file->document)) {
		if (!yaml_parser_load(&parser, &second)) {
			err = fail_syntax(file, &parser);
			goto out_document;
		}
		if (yaml_document_get_root_node(&second))
			err = fail(file->loader, -EINVAL,
				   "%s:%zu: ---: a second document begins; write one per file",
				   file->path, second.start_mark.line + 1);
		yaml_document_delete(&second);
	}
	if (!err)
		err = read_document(file);
out_document:
	yaml_document_delete(&file->document);
out_parser:
	yaml_parser_delete(&parser);
	return err;
}

/*
 * Reads all of the stream, of a file that problems call PREFIX + WHAT: *text is the caller's to
 * free.
 */
static int read_text(struct loader *loader, FILE *stream, const char *prefix, const char *what,
		     char **text, size_t *size)
{
	/* One more than is allowed: a file that has it is too large, whatever its length says. */
	char *bytes = malloc(FILE_BYTES_MAX + 1);

	if (!bytes)
		return fail_memory(loader);
	*size = fread(bytes, 1, FILE_BYTES_MAX + 1, stream);
	*text = bytes;
	if (ferror(stream))
		return fail(loader, -EIO, "%s%scannot be read to its end; name another file",
			    prefix, what);
	if (*size > FILE_BYTES_MAX)
		return fail(loader, -EFBIG,
			    "%s%sis larger than 1 MiB; a scenario has some lines, name its file",
			    prefix, what);
	return 0;
}

static int read_file(struct loader *loader, const char *path, const char *included_from)
{
	struct file file = { .loader = loader, .path = path };
	const char *prefix = included_from ? included_from : path;
	const char *what = included_from ? ": include: " : ": ";
	struct stat st;
	char *text = NULL;
	size_t size = 0;
	FILE *stream;
	int err;

	for (unsigned int i = 0; i < loader->open_count; i++) {
		if (!strcmp(loader->open_files[i], path))
			return fail(loader, -EINVAL,
				    "%s: include: %s includes itself; take one include out", prefix,
				    path);
	}
	if (loader->open_count == INCLUDE_DEPTH_MAX)
		return fail(loader, -EINVAL,
			    "%s: include: more than %d files deep; put them together", prefix,
			    INCLUDE_DEPTH_MAX);
	if (loader->files_count++ == FILES_MAX)
		return fail(loader, -EINVAL,
			    "%s: include: more than %d files in all; put them together", prefix,
			    FILES_MAX);
	stream = fopen(path, "re");
	if (!stream) {
		err = -errno;
		return fail(loader, err, "%s%scannot read %s: %s; name a file that can be read",
			    prefix, what, included_from ? path : "it", strerror(-err));
	}
	if (!fstat(fileno(stream), &st) && S_ISDIR(st.st_mode)) {
		fclose(stream);
		return fail(loader, -EISDIR, "%s%sis a directory; name a file", prefix, what);
	}
	loader->open_files[loader->open_count++] = path;
	err = read_text(loader, stream, prefix, what, &text, &size);
	fclose(stream);
	if (!err)
		err = parse(&file, text, size);
	free(text);
	loader->open_count--;
	return err;
}

/* ---- --set --------------------------------------------------------------- */

static int read_setting(struct loader *loader, const char *setting)
{
	enum scenario_section section = SECTION_TOP;
	const struct schema_key *key;
	char name[64];
	const char *equals = strchr(setting, '='), *dot, *key_name = name;

	if (!equals || equals == setting || (size_t)(equals - setting) >= sizeof(name))
		return fail(loader, -EINVAL,
			    "--set: %s: has no key and value; write SECTION.KEY=VALUE, like "
			    "nic.rate=25G",
			    setting);
	memcpy(name, setting, (size_t)(equals - setting));
	name[equals - setting] = 0;
	if (!strcmp(name, "preset"))
		return set_preset(loader, equals + 1, "--set");
	dot = strchr(name, '.');
	if (dot) {
		name[dot - name] = 0;
		section = schema_section_find(name);
		key_name = dot + 1;
		if (section == SECTION_COUNT)
			return fail_unknown_key(loader, "--set", SECTION_TOP, name);
	}
	key = schema_find(section, key_name);
	if (!key)
		return fail_unknown_key(loader, "--set", section, key_name);
	return add_assignment(loader, key, equals + 1, "--set");
}

/* ---- putting it together ------------------------------------------------- */

static int set_key(struct loader *loader, const struct schema_key *key, const char *value,
		   const char *where, struct scenario *scenario)
{
	char buf[SCHEMA_PROBLEM_BYTES], full[128];
	const char *problem = schema_set(key, value, scenario, buf);

	if (!problem)
		return 0;
	full_name(key->section, key->name, full, sizeof(full));
	return fail(loader, -EINVAL, "%s: %s: '%s' %s", where, full, value, problem);
}

static int apply_preset(struct loader *loader, struct scenario *scenario)
{
	const char *const *lines = schema_preset(loader->preset);

	if (!lines) {
		char names[400] = "";

		for (const char *const *name = schema_preset_names(); *name; name++)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s",
				 *name);
		return fail(loader, -EINVAL, "%s: preset: '%s' is not known; there are:%s",
			    loader->preset_where, loader->preset, names);
	}
	for (; *lines; lines++) {
		const char *dot = strchr(*lines, '.'), *equals = strchr(*lines, '=');
		const struct schema_key *key;
		char section[32], name[32];
		int err;

		snprintf(section, sizeof(section), "%.*s", (int)(dot - *lines), *lines);
		snprintf(name, sizeof(name), "%.*s", (int)(equals - dot - 1), dot + 1);
		key = schema_find(schema_section_find(section), name);
		if (!key)
			return fail(loader, -EINVAL, "preset %s: %s: is no key; mend presets.c",
				    loader->preset, *lines);
		err = set_key(loader, key, equals + 1, "preset", scenario);
		if (err)
			return err;
	}
	return 0;
}

static int apply(struct loader *loader, struct scenario *scenario)
{
	const struct assignment *a;
	int err = 0;

	for (const struct schema_key *key = schema_keys; key->name && !err; key++) {
		if (key->fallback)
			err = set_key(loader, key, key->fallback, "default", scenario);
	}
	/* The clock first: other values may be in its cycles. */
	for (a = loader->first; a && !err; a = a->next) {
		if (a->key->offset == offsetof(struct scenario, host.clock_hertz))
			err = set_key(loader, a->key, a->value, a->where, scenario);
	}
	if (!err && loader->preset)
		err = apply_preset(loader, scenario);
	for (a = loader->first; a && !err; a = a->next)
		err = set_key(loader, a->key, a->value, a->where, scenario);
	memcpy(scenario->has, loader->has, sizeof(scenario->has));
	return err;
}

static int check_given(struct loader *loader, const char *path)
{
	for (const struct schema_key *key = schema_keys; key->name; key++) {
		const struct assignment *a;
		char full[128];

		if (key->fallback || (key->section != SECTION_TOP && !loader->has[key->section]))
			continue;
		for (a = loader->first; a && a->key != key; a = a->next)
			;
		if (a)
			continue;
		full_name(key->section, key->name, full, sizeof(full));
		return fail(loader, -EINVAL, "%s: %s: is missing; write it (%s)",
			    loader->has_where[key->section] ? loader->has_where[key->section]
							    : path,
			    full, key->help);
	}
	return 0;
}

/* What no single key can be blamed for, told where one of them was given last. */
static int check_together(struct loader *loader, const struct scenario *scenario)
{
	const struct schema_key *key = schema_keys;
	const char *where = "default", *text;
	char full[128];
	size_t offset;

	text = scenario_conflict(scenario, &offset);
	if (!text)
		return 0;
	for (const struct assignment *a = loader->first; a; a = a->next) {
		if (a->key->offset == offset)
			where = a->where;
	}
	while (key->offset != offset)
		key++;
	full_name(key->section, key->name, full, sizeof(full));
	return fail(loader, -EINVAL, "%s: %s: %s", where, full, text);
}

static void loader_fini(struct loader *loader)
{
	while (loader->first) {
		struct assignment *a = loader->first;

		loader->first = a->next;
		free(a->value);
		free(a->where);
		free(a);
	}
	for (unsigned int i = 0; i < SECTION_COUNT; i++)
		free(loader->has_where[i]);
	free(loader->preset);
	free(loader->preset_where);
}

int scenario_load(const char *path, const char *const *settings, size_t settings_count,
		  struct scenario *scenario, char error[SCENARIO_ERROR_BYTES])
{
	struct loader loader = { .error = error };
	int err;

	loader.last_next = &loader.first;
	*scenario = (struct scenario){ 0 };
	err = read_file(&loader, path, NULL);
	for (size_t i = 0; i < settings_count && !err; i++)
		err = read_setting(&loader, settings[i]);
	if (!err)
		err = check_given(&loader, path);
	if (!err)
		err = apply(&loader, scenario);
	if (!err)
		err = check_together(&loader, scenario);
	loader_fini(&loader);
	if (err)
		scenario_fini(scenario);
	return err;
}

void scenario_fini(struct scenario *scenario)
{
	free(scenario->top.name);
	free(scenario->top.about);
	scenario->top.name = NULL;
	scenario->top.about = NULL;
}
