/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/verdict_files.h"

#include <inttypes.h>
#include <string.h>

#include "analysis/state/state.h"
#include "text/json_out.h"
#include "text/xml_out.h"

#define MESSAGE_BYTES 1024

/* ---- findings ------------------------------------------------------------------------ */

/* Number `*index` of the findings with this verdict; NULL: there are fewer, and *index counts down. */
static const struct check_finding *finding_of(const struct verdict *v, enum check_verdict verdict,
					      size_t *index, const char **rule)
{
	const struct check_finding *findings, *finding;
	size_t count;

	findings = check_findings(v->check, &count);
	for (size_t i = 0; i < count; i++) {
		*rule = check_rule_name(findings[i].rule);
		if (findings[i].verdict == verdict && !(*index)--)
			return &findings[i];
	}
	for (size_t i = 0; (finding = rules_finding(v->rules, i, rule)); i++) {
		if (finding->verdict == verdict && !(*index)--)
			return finding;
	}
	return NULL;
}

const struct check_finding *verdict_finding(const struct verdict *verdict, size_t index,
					    const char **rule)
{
	for (int of = VERDICT_VIOLATION; of > VERDICT_OK; of--) {
		const struct check_finding *finding =
			finding_of(verdict, (enum check_verdict)of, &index, rule);

		if (finding)
			return finding;
	}
	return NULL;
}

/* What was found, who did it, and the witness, a line each. */
static void finding_text(const struct check_finding *finding, char text[MESSAGE_BYTES])
{
	size_t n = (size_t)snprintf(text, MESSAGE_BYTES, "%s", finding->cause);

	if (finding->process && finding->process->pid)
		n += (size_t)snprintf(text + n, MESSAGE_BYTES - n, "\nin process %" PRIu32 " %s",
				      finding->process->pid, finding->process->name);
	for (unsigned int i = 0; i < finding->witness_count && n < MESSAGE_BYTES - 1; i++) {
		const struct check_witness *witness = &finding->witness[i];
		char op_id[32];

		event_op_id_text(witness->op_id, op_id);
		n += (size_t)snprintf(text + n, MESSAGE_BYTES - n, "\n%s %s%s%s",
				      i + 1 == finding->witness_count ? "->" : "  ",
				      op_id[0] ? op_id : "", op_id[0] ? ": " : "", witness->text);
	}
}

static const char *rule_at(const struct verdict *v, size_t index, enum check_verdict *verdict,
			   const char **text)
{
	if (index >= RULE_LATENCY)
		index++; /* there is no budget here */
	if (index < RULE_COUNT) {
		*verdict = check_rule_verdict(v->check, (enum check_rule)index);
		*text = check_rule_text((enum check_rule)index);
		return check_rule_name((enum check_rule)index);
	}
	index -= RULE_COUNT;
	if (index >= rules_count(v->rules))
		return NULL;
	*verdict = rules_verdict_of(v->rules, index);
	*text = "a rule of the user's";
	return rules_name(v->rules, index);
}

/* ---- JUnit ---------------------------------------------------------------------------- */

/* One test case: a rule, with its findings. */
static void case_write(const struct verdict *v, const char *rule, enum check_verdict verdict,
		       FILE *out)
{
	const struct check_finding *finding;
	char text[MESSAGE_BYTES];
	const char *name;

	fputs("    <testcase classname=\"ioasis\"", out);
	xml_out_attribute(out, "name", rule);
	if (verdict == VERDICT_OK) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	for (size_t i = 0; (finding = verdict_finding(v, i, &name)); i++) {
		if (strcmp(name, rule) || finding->verdict != verdict)
			continue;
		finding_text(finding, text);
		/* What cannot be decided is neither passed nor failed. */
		fputs(verdict == VERDICT_VIOLATION ? "      <failure" : "      <skipped", out);
		xml_out_attribute(out, "message", finding->cause);
		if (verdict != VERDICT_VIOLATION) {
			fputs("/>\n", out);
			break; /* it can be said once */
		}
		xml_out_attribute(out, "type", check_verdict_name(verdict));
		putc('>', out);
		xml_out_text(out, text);
		fputs("</failure>\n", out);
	}
	fputs("    </testcase>\n", out);
}

void verdict_write_junit(const struct verdict *v, FILE *out)
{
	unsigned int tests = 1, failures = v->status != 0, skipped = 0;
	enum check_verdict verdict;
	const char *rule, *text;
	char number[32];

	for (size_t i = 0; (rule = rule_at(v, i, &verdict, &text)); i++) {
		tests++;
		failures += verdict == VERDICT_VIOLATION;
		skipped += verdict == VERDICT_POSSIBLE || verdict == VERDICT_UNKNOWN;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", out);
	xml_out_attribute(out, "name", "ioasis");
	fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.3f\">\n",
		tests, failures, skipped, v->seconds);
	fputs("    <testcase classname=\"ioasis\" name=\"command\"", out);
	fprintf(out, " time=\"%.3f\"", v->seconds);
	if (v->status) {
		snprintf(number, sizeof(number), "exit status %d", v->status);
		fputs(">\n      <failure", out);
		xml_out_attribute(out, "message", number);
		putc('>', out);
		for (size_t i = 0; v->argv[i]; i++) {
			if (i)
				putc(' ', out);
			xml_out_text(out, v->argv[i]);
		}
		fputs("</failure>\n    </testcase>\n", out);
	} else {
		fputs("/>\n", out);
	}
	for (size_t i = 0; (rule = rule_at(v, i, &verdict, &text)); i++)
		case_write(v, rule, verdict, out);
	fputs("  </testsuite>\n</testsuites>\n", out);
}

/* ---- SARIF ------------------------------------------------------------------------------ */

static void text_write(struct json_out *json, const char *key, const char *text)
{
	json_out_begin(json, key, '{');
	json_out_string(json, "text", text);
	json_out_end(json, '}');
}

static void result_write(struct json_out *json, const struct verdict *v,
			 const struct check_finding *finding, const char *rule)
{
	char text[MESSAGE_BYTES];

	finding_text(finding, text);
	json_out_begin(json, NULL, '{');
	json_out_string(json, "ruleId", rule);
	json_out_string(json, "level",
			finding->verdict == VERDICT_VIOLATION  ? "error"
			: finding->verdict == VERDICT_POSSIBLE ? "warning"
							       : "note");
	text_write(json, "message", text);
	/* A trace knows no line; the program is what code scanners can show. */
	json_out_begin(json, "locations", '[');
	json_out_begin(json, NULL, '{');
	json_out_begin(json, "physicalLocation", '{');
	json_out_begin(json, "artifactLocation", '{');
	json_out_string(json, "uri", v->argv[0]);
	json_out_end(json, '}');
	json_out_begin(json, "region", '{');
	json_out_u64(json, "startLine", 1);
	json_out_end(json, '}');
	json_out_end(json, '}');
	json_out_end(json, '}');
	json_out_end(json, ']');
	json_out_end(json, '}');
}

void verdict_write_sarif(const struct verdict *v, FILE *out)
{
	const struct check_finding *finding;
	enum check_verdict verdict;
	const char *rule, *text;
	struct json_out json;

	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	json_out_string(&json, "$schema",
			"https://json.schemastore.org/sarif-2.1.0.json");
	json_out_string(&json, "version", "2.1.0");
	json_out_begin(&json, "runs", '[');
	json_out_begin(&json, NULL, '{');
	json_out_begin(&json, "tool", '{');
	json_out_begin(&json, "driver", '{');
	json_out_string(&json, "name", "ioasis");
	json_out_string(&json, "version", IOASIS_VERSION);
	json_out_begin(&json, "rules", '[');
	for (size_t i = 0; (rule = rule_at(v, i, &verdict, &text)); i++) {
		json_out_begin(&json, NULL, '{');
		json_out_string(&json, "id", rule);
		text_write(&json, "shortDescription", text);
		json_out_end(&json, '}');
	}
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	json_out_end(&json, '}');
	json_out_begin(&json, "invocations", '[');
	json_out_begin(&json, NULL, '{');
	json_out_bool(&json, "executionSuccessful", !v->status);
	json_out_i64(&json, "exitCode", v->status);
	json_out_begin(&json, "arguments", '[');
	for (size_t i = 0; v->argv[i]; i++)
		json_out_string(&json, NULL, v->argv[i]);
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	json_out_end(&json, ']');
	json_out_begin(&json, "results", '[');
	for (size_t i = 0; (finding = verdict_finding(v, i, &rule)); i++)
		result_write(&json, v, finding, rule);
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	json_out_end(&json, ']');
	json_out_end(&json, '}');
	putc('\n', out);
}

/* ---- GitHub ------------------------------------------------------------------------------- */

/* A workflow command's text: what would end it is written as %XX; in a property more so. */
static void command_text(FILE *out, const char *text, bool property)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' ||
		    (property && (*text == ':' || *text == ',')))
			fprintf(out, "%%%02X", (unsigned char)*text);
		else
			putc(*text, out);
	}
}

void verdict_write_annotations(const struct verdict *v, FILE *out)
{
	const struct check_finding *finding;
	char text[MESSAGE_BYTES];
	const char *rule;

	for (size_t i = 0; (finding = verdict_finding(v, i, &rule)); i++) {
		finding_text(finding, text);
		fputs(finding->verdict == VERDICT_VIOLATION ? "::error title=" : "::warning title=",
		      out);
		command_text(out, "ioasis ", true);
		command_text(out, rule, true);
		fputs("::", out);
		command_text(out, text, false);
		putc('\n', out);
	}
}
