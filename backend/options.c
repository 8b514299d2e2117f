/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `iommufd,id=ID[,fd=FD]` and {"qom-type":"iommufd","id":"ID","fd":"FD"}.
 *
 * Both spellings end in option_set(), so both know the same keys and make the
 * same complaints.
 */
#include "backend/options.h"

#include <ioasis/iommufd_registry.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "backend/error_echo.h"

static const struct {
	const char *key;
	size_t offset;
	bool required;
} option_table[] = {
	{ "qom-type", offsetof(struct object_options, qom_type), true },
	{ "id", offsetof(struct object_options, id), true },
	{ "fd", offsetof(struct object_options, fd), false },
};

#define OPTION_COUNT (sizeof(option_table) / sizeof(option_table[0]))

static const char type_help[] = "List of user creatable objects:\n"
				"  iommufd\n";
static const char property_help[] =
	"iommufd options:\n"
	"  fd=<string>            - an open /dev/iommu: its number, or the name that it was handed "
	"in by; without one the backend opens the device itself\n"
	"  id=<string>            - the name of the object\n";

static bool is_help(const char *text)
{
	return !strcmp(text, "help") || !strcmp(text, "?");
}

const char *iommufd_registry_help(const char *text)
{
	const char *comma = strrchr(text, ',');

	if (is_help(text))
		return type_help;
	if (*text != '{' && comma && is_help(comma + 1))
		return property_help;
	return NULL;
}

static char **option_field(struct object_options *options, size_t i)
{
	return (char **)((char *)options + option_table[i].offset);
}

static int option_set(struct object_options *options, const char *key, const char *value,
		      Error **errp)
{
	char **field;
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		if (!strcmp(option_table[i].key, key))
			break;
	}
	if (i == OPTION_COUNT) {
		error_setg(errp, "unknown key '%s' of an iommufd object; known are id and fd",
			   error_echo(key).text);
		return -EINVAL;
	}
	field = option_field(options, i);
	if (*field) {
		error_setg(errp, "key '%s' is given twice", key);
		return -EINVAL;
	}
	*field = strdup(value);
	if (!*field) {
		error_setg(errp, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* A letter, then letters, digits and "-._". */
static bool id_is_well_formed(const char *id)
{
	if (!isalpha((unsigned char)*id))
		return false;
	for (; *id; id++) {
		if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
			return false;
	}
	return true;
}

static int options_check(struct object_options *options, Error **errp)
{
	size_t i;

	if (options->qom_type && strcmp(options->qom_type, "iommufd")) {
		error_setg(errp, "object type '%s' is unknown; the only one is iommufd",
			   error_echo(options->qom_type).text);
		return -EINVAL;
	}
	for (i = 0; i < OPTION_COUNT; i++) {
		if (option_table[i].required && !*option_field(options, i)) {
			error_setg(errp, "key '%s' is missing", option_table[i].key);
			return -EINVAL;
		}
	}
	if (!id_is_well_formed(options->id)) {
		error_setg(errp, "id '%s' is not an identifier: a letter, then letters, digits, "
				 "'-', '.' and '_'",
			   error_echo(options->id).text);
		return -EINVAL;
	}
	return 0;
}

/*
 * Takes the next `key=value` or bare word off *text, up to a comma that is not
 * doubled, undoubling the others. Owned by the caller; NULL: out of memory.
 */
static char *pair_take(const char **text)
{
	const char *from = *text;
	char *pair = malloc(strlen(from) + 1);
	char *to = pair;

	if (!pair)
		return NULL;
	while (*from) {
		if (*from == ',') {
			if (from[1] != ',')
				break;
			from++;
		}
		*to++ = *from++;
	}
	*to = 0;
	*text = *from ? from + 1 : from;
	return pair;
}

/* The first word may leave out its key: it is the type. */
static int pair_set(struct object_options *options, char *pair, bool first, Error **errp)
{
	char *value = strchr(pair, '=');

	if (!value && first && *pair)
		return option_set(options, "qom-type", pair, errp);
	if (!value || value == pair) {
		error_setg(errp, "'%s' is not key=value", error_echo(pair).text);
		return -EINVAL;
	}
	*value++ = 0;
	return option_set(options, pair, value, errp);
}

static int options_parse_pairs(struct object_options *options, const char *text, Error **errp)
{
	bool first = true;
	int ret;

	do {
		char *pair = pair_take(&text);

		if (!pair) {
			error_setg(errp, "out of memory");
			return -ENOMEM;
		}
		ret = pair_set(options, pair, first, errp);
		free(pair);
		first = false;
	} while (!ret && *text);
	return ret;
}

/*
 * How many members the text of an object of strings has: its colons outside of
 * strings. json-c keeps the last of two equal keys, so its count is lower then.
 */
static int members_count(const char *text)
{
	bool in_string = false;
	int count = 0;

	for (; *text; text++) {
		if (in_string && *text == '\\')
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (*text == ':' && !in_string)
			count++;
	}
	return count;
}

static int options_parse_members(struct object_options *options, struct json_object *object,
				 Error **errp)
{
	struct json_object_iterator it = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);
	int ret = 0;

	for (; !ret && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = json_object_iter_peek_name(&it);
		struct json_object *value = json_object_iter_peek_value(&it);

		if (!json_object_is_type(value, json_type_string)) {
			error_setg(errp, "the value of key '%s' is not a string: %s",
				   error_echo(key).text,
				   error_echo(json_object_to_json_string(value)).text);
			return -EINVAL;
		}
		if (strlen(json_object_get_string(value)) !=
		    (size_t)json_object_get_string_len(value)) {
			error_setg(errp, "the value of key '%s' has a zero byte in it: %s",
				   error_echo(key).text,
				   error_echo(json_object_to_json_string(value)).text);
			return -EINVAL;
		}
		ret = option_set(options, key, json_object_get_string(value), errp);
	}
	return ret;
}

static int options_parse_json(struct object_options *options, const char *text, Error **errp)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = NULL;
	enum json_tokener_error status;
	size_t len = strlen(text);
	int ret = -EINVAL;

	if (!tokener || len > INT32_MAX) {
		error_setg(errp, tokener ? "JSON is longer than 2 GiB" : "out of memory");
		ret = tokener ? -EINVAL : -ENOMEM;
		goto out_tokener;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* With the final NUL: strict parsing then sees where the text ends. */
	object = json_tokener_parse_ex(tokener, text, (int)len + 1);
	status = json_tokener_get_error(tokener);
	if (status != json_tokener_success) {
		error_setg(errp, "JSON is malformed at character %zu: %s",
			   json_tokener_get_parse_end(tokener) + 1,
			   status == json_tokener_continue ? "it ends too early" :
							     json_tokener_error_desc(status));
	} else if (!json_object_is_type(object, json_type_object)) {
		error_setg(errp, "JSON is not an object like {\"qom-type\":\"iommufd\",\"id\":"
				 "\"ID\"}");
	} else {
		ret = options_parse_members(options, object, errp);
		if (!ret && members_count(text) != json_object_object_length(object)) {
			error_setg(errp, "a key of the JSON object is given twice");
			ret = -EINVAL;
		}
	}
	json_object_put(object);
out_tokener:
	if (tokener)
		json_tokener_free(tokener);
	return ret;
}

int object_options_parse(struct object_options *options, const char *text, Error **errp)
{
	int ret;

	memset(options, 0, sizeof(*options));
	text += strspn(text, " \t\r\n");
	if (*text == '{')
		ret = options_parse_json(options, text, errp);
	else
		ret = options_parse_pairs(options, text, errp);
	if (!ret)
		ret = options_check(options, errp);
	if (ret)
		object_options_fini(options);
	return ret;
}

void object_options_fini(struct object_options *options)
{
	size_t i;

	for (i = 0; i < OPTION_COUNT; i++) {
		free(*option_field(options, i));
		*option_field(options, i) = NULL;
	}
}
