/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/json_add.h"

#include <stdlib.h>

#include "text/utf8.h"

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	char *copy = utf8_is_valid(text) ? NULL : utf8_copy(text);

	json_object_object_add(object, key, json_object_new_string(copy ? copy : text));
	free(copy);
}

void json_add_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void json_add_i64(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}
