/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/result.h"

#include <inttypes.h>

#include "text/json_out.h"

void result_print_json(const struct scenario *scenario, const char *const *settings,
		       size_t settings_count, uint64_t seed, const struct report *report, FILE *out)
{
	struct json_out json;

	json_out_init(&json, out);
	fputs("{\n  \"scenario\": ", out);
	json_out_string(&json, NULL, scenario->top.name);
	fprintf(out, ",\n  \"scenario_seed\": %" PRIu64 ",\n  \"seed\": %" PRIu64 ",\n",
		scenario->top.seed, seed);
	fputs("  \"settings\": ", out);
	json_out_init(&json, out);
	json_out_begin(&json, NULL, '[');
	for (size_t i = 0; i < settings_count; i++)
		json_out_string(&json, NULL, settings[i]);
	json_out_end(&json, ']');
	fputs(",\n  \"warnings\": ", out);
	json_out_init(&json, out);
	json_out_begin(&json, NULL, '[');
	for (size_t i = 0; i < report->warnings_count; i++)
		json_out_string(&json, NULL, report->warnings[i]);
	json_out_end(&json, ']');
	fputs(",\n", out);
	report_print_json(report, out);
	fputs("\n}\n", out);
}
