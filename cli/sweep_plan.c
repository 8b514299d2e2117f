/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * {"scenario": FILE, "runs": [{"file": NAME, "settings": TEXT, "seed": N}, ...]}, in the order of
 * their numbers.
 */
#include "cli/sweep_plan.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "cli/output.h"
#include "text/json_out.h"

#define SETTINGS_BYTES (SWEEP_VARIES_MAX * SWEEP_SETTING_BYTES)

static void join_settings(const struct sweep *sweep, const struct sweep_run *run,
			  char text[SETTINGS_BYTES])
{
	size_t length = 0;

	text[0] = 0;
	for (size_t i = 0; i < sweep->varies_count; i++)
		length += (size_t)snprintf(text + length, SETTINGS_BYTES - length, "%s%s",
					   i ? " " : "", run->settings[i]);
}

struct comparison {
	const struct sweep *sweep;
	uint64_t number; /* of the planned run that comes */
};

/* 1: the planned run is none of the sweep's, or another. */
static int compare_run(void *opaque, const struct sweep_planned *planned)
{
	struct comparison *comparison = opaque;
	char settings[SETTINGS_BYTES];
	struct sweep_run run;

	if (comparison->number >= sweep_runs(comparison->sweep) ||
	    !sweep_run(comparison->sweep, comparison->number++, &run))
		return 1;
	join_settings(comparison->sweep, &run, settings);
	return strcmp(planned->name, run.name) || planned->seed != run.seed ||
	       strcmp(planned->settings, settings);
}

static int write_plan(const struct sweep *sweep, const char *path)
{
	struct output output;
	struct json_out json;
	int err = output_begin(&output, path);

	if (err)
		return err;
	json_out_init(&json, output.file);
	json_out_begin(&json, NULL, '{');
	json_out_string(&json, "scenario", sweep->scenario);
	json_out_begin(&json, "runs", '[');
	for (uint64_t i = 0; i < sweep_runs(sweep); i++) {
		char settings[SETTINGS_BYTES];
		struct sweep_run run;

		sweep_run(sweep, i, &run);
		join_settings(sweep, &run, settings);
		json_out_begin(&json, NULL, '{');
		json_out_string(&json, "file", run.name);
		json_out_string(&json, "settings", settings);
		json_out_u64(&json, "seed", run.seed);
		json_out_end(&json, '}');
	}
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	putc('\n', output.file);
	return output_commit(&output);
}

int sweep_plan_write(const struct sweep *sweep, char error[SWEEP_PLAN_ERROR_BYTES])
{
	struct comparison comparison = { .sweep = sweep };
	int ret = sweep_plan_each(sweep->dir, compare_run, &comparison, error);
	char path[PATH_MAX + sizeof(SWEEP_PLAN_NAME)];

	if (ret > 0) {
		snprintf(error, SWEEP_PLAN_ERROR_BYTES,
			 "%s holds the results of another sweep (%s); choose another --output",
			 sweep->dir, SWEEP_PLAN_NAME);
		return -EEXIST;
	}
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret && comparison.number == sweep_runs(sweep))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", sweep->dir, SWEEP_PLAN_NAME);
	ret = write_plan(sweep, path);
	if (ret)
		snprintf(error, SWEEP_PLAN_ERROR_BYTES, "%s: %s", path, strerror(-ret));
	return ret;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static bool planned_of(struct json_object *object, struct sweep_planned *run)
{
	struct json_object *seed = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "seed", &seed))
		return false;
	*run = (struct sweep_planned){
		.name = text_of(object, "file"),
		.settings = text_of(object, "settings"),
		.seed = json_object_get_uint64(seed),
	};
	return run->name && run->settings && !strchr(run->name, '/');
}

int sweep_plan_each(const char *dir, int (*visit)(void *opaque, const struct sweep_planned *run),
		    void *opaque, char error[SWEEP_PLAN_ERROR_BYTES])
{
	char path[PATH_MAX + sizeof(SWEEP_PLAN_NAME)];
	struct json_object *plan, *runs = NULL;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, SWEEP_PLAN_NAME);
	errno = 0;
	plan = json_object_from_file(path);
	if (!plan && errno == ENOENT)
		return -ENOENT;
	if (!plan || !json_object_object_get_ex(plan, "runs", &runs) ||
	    !json_object_is_type(runs, json_type_array))
		ret = -EINVAL;
	for (size_t i = 0; !ret && i < json_object_array_length(runs); i++) {
		struct sweep_planned run;

		ret = planned_of(json_object_array_get_idx(runs, i), &run) ? visit(opaque, &run)
									    : -EINVAL;
	}
	if (ret == -EINVAL)
		snprintf(error, SWEEP_PLAN_ERROR_BYTES,
			 "%s is no plan of a sweep; the same 'ioasis sweep' writes it anew once "
			 "the file is gone", path);
	json_object_put(plan);
	return ret;
}
