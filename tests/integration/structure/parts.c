/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/integration/structure.sh adds to a copy of the sources, seen by a program: a rule that
 * judges, an actor with a section of its own in a scenario, a kind of device on a bus.
 */
#include <stdio.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "sim/pci/pci_bus.h"
#include "sim/scenario/load.h"
#include "sim/scenario/simulate.h"

/* A release of an open file, which the new rule forbids. */
static int see_rule(void)
{
	const struct event release = { .kind = EVENT_DEV_RELEASE, .ctx = 1, .time_ns = 5 };
	struct analysis *analysis = analysis_create();
	struct check *check = check_create(analysis, NULL);
	const struct check_finding *findings;
	size_t count;

	quality_machine(analysis_quality(analysis), "here", "");
	analysis_event(analysis, &release);
	analysis_finish(analysis, false);
	findings = check_findings(check, &count);
	for (int i = 0; i < RULE_COUNT; i++) {
		if (check_rule_verdict(check, (enum check_rule)i) == VERDICT_VIOLATION)
			printf("rule %s: %s\n", check_rule_name((enum check_rule)i),
			       check_rule_text((enum check_rule)i));
	}
	for (size_t i = 0; i < count; i++)
		printf("  %s\n", findings[i].cause);
	check_destroy(check);
	analysis_destroy(analysis);
	return count != 1;
}

static int see_actor(const char *path)
{
	const struct simulate_options options = { .seed = 1 };
	struct simulate_difference difference;
	char error[SCENARIO_ERROR_BYTES] = "", why[SIMULATE_ERROR_BYTES] = "";
	struct scenario scenario;
	struct report report;
	int err = scenario_load(path, NULL, 0, &scenario, error);

	if (err) {
		printf("%s\n", error);
		return 1;
	}
	report_init(&report);
	err = simulate_run(&scenario, &options, &report, &difference, why);
	for (size_t i = 0; i < report.count; i++) {
		if (!strcmp(report.rows[i].group, "ping"))
			printf("actor %s.%s: %llu\n", report.rows[i].group, report.rows[i].name,
			       (unsigned long long)report.rows[i].value);
	}
	printf("%s", why);
	report_fini(&report);
	scenario_fini(&scenario);
	return err != 0;
}

static int see_device(void)
{
	struct pci_bus *bus = pci_bus_create(1);
	char why[PCI_WHY_BYTES] = "";
	int err = pci_bus_add(bus, "ping,id=p", why);

	if (!err)
		err = pci_bus_settle(bus, why);
	if (!err)
		printf("device %s: %s\n", pci_bus_at(bus, 0)->id,
		       pci_function_model(pci_bus_at(bus, 0)->function)->summary);
	else
		printf("%s\n", why);
	pci_bus_destroy(bus);
	return err != 0;
}

int main(int argc, char **argv)
{
	return argc != 2 || see_rule() || see_actor(argv[1]) || see_device();
}
