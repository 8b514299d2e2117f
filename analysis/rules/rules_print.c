/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules found, for people and for programs. */
#include "analysis/rules/rules_internal.h"

#include <inttypes.h>
#include <json-c/json.h>

#include "analysis/json_add.h"

enum check_verdict rules_verdict_of(const struct rules *rules, size_t index)
{
	const struct rule *rule = &rules->rules[index];

	for (int verdict = VERDICT_VIOLATION; verdict > VERDICT_OK; verdict--) {
		if (rule->count[verdict])
			return (enum check_verdict)verdict;
	}
	return VERDICT_OK;
}

enum check_verdict rules_verdict(const struct rules *rules)
{
	enum check_verdict worst = rules->failed ? VERDICT_UNKNOWN : VERDICT_OK;

	for (size_t i = 0; i < rules->count; i++) {
		enum check_verdict verdict = rules_verdict_of(rules, i);

		worst = verdict > worst ? verdict : worst;
	}
	return worst;
}

size_t rules_count(const struct rules *rules)
{
	return rules->count;
}

const char *rules_name(const struct rules *rules, size_t index)
{
	return rules->rules[index].automaton->name;
}

const struct check_finding *rules_finding(const struct rules *rules, size_t index,
					  const char **name)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (index < rule->found_count) {
			*name = rule->automaton->name;
			return &rule->found[index].finding;
		}
		index -= rule->found_count;
	}
	return NULL;
}

static uint64_t rule_findings(const struct rule *rule)
{
	return rule->count[VERDICT_UNKNOWN] + rule->count[VERDICT_POSSIBLE] +
	       rule->count[VERDICT_VIOLATION];
}

void rules_print(const struct rules *rules, FILE *out)
{
	const struct check_finding *finding;
	const char *name;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		fprintf(out, "%-10s %s (%s): %" PRIu64 " events, %" PRIu64 " found\n",
			check_verdict_name(rules_verdict_of(rules, i)), rule->automaton->name,
			rules_object_name(rule->automaton->object), rule->asked,
			rule_findings(rule));
	}
	for (size_t i = 0; (finding = rules_finding(rules, i, &name)); i++)
		check_finding_print(rules->analysis, finding, name, out);
}

struct json_object *rules_to_json(const struct rules *rules)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];
		struct json_object *json = json_object_new_object();
		struct json_object *findings = json_object_new_array();

		json_add_text(json, "rule", rule->automaton->name);
		json_add_text(json, "object", rules_object_name(rule->automaton->object));
		json_add_text(json, "verdict", check_verdict_name(rules_verdict_of(rules, i)));
		json_add_u64(json, "events", rule->asked);
		json_add_u64(json, "findings_count", rule_findings(rule));
		for (size_t k = 0; k < rule->found_count; k++)
			json_object_array_add(findings,
					      check_finding_to_json(rules->analysis,
								    &rule->found[k].finding,
								    rule->automaton->name));
		json_object_object_add(json, "findings", findings);
		json_object_array_add(array, json);
	}
	return array;
}

/* ---- with the built-in rules ------------------------------------------------------ */

enum check_verdict rules_verdict_with(const struct rules *rules, const struct check *check)
{
	enum check_verdict built_in = check_verdict(check), theirs = rules_verdict(rules);

	return theirs > built_in ? theirs : built_in;
}

void rules_print_with(const struct rules *rules, const struct check *check, FILE *out)
{
	check_print(check, out);
	if (!rules->count)
		return;
	fputs("\nrules of yours:\n", out);
	rules_print(rules, out);
	fprintf(out, "\nverdict of all: %s\n",
		check_verdict_name(rules_verdict_with(rules, check)));
}

struct json_object *rules_to_json_with(const struct rules *rules, const struct check *check)
{
	struct json_object *object = check_to_json(check);

	if (!rules->count)
		return object;
	json_object_object_add(object, "user_rules", rules_to_json(rules));
	json_add_text(object, "verdict", check_verdict_name(rules_verdict_with(rules, check)));
	return object;
}
