/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of json-c's objects, one a line. Not for streams: json_out.h writes as it goes. */
#ifndef IOASIS_ANALYSIS_JSON_ADD_H
#define IOASIS_ANALYSIS_JSON_ADD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* Each adds key to object; text is copied, what of it is not UTF-8 as U+FFFD. */
void json_add_text(struct json_object *object, const char *key, const char *text);
void json_add_u64(struct json_object *object, const char *key, uint64_t value);
void json_add_i64(struct json_object *object, const char *key, int64_t value);
void json_add_bool(struct json_object *object, const char *key, bool value);

#endif
