/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis simulate: a scenario in virtual time. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cost_from.h"
#include "cli/guard.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/shipped_scenarios.h"
#include "sim/scenario/estimate.h"
#include "sim/scenario/load.h"
#include "sim/scenario/result.h"
#include "sim/scenario/schema.h"
#include "sim/scenario/simulate.h"
#include "tracepoints/load.h"

#define SETTINGS_MAX 64
/* An estimate of more is told before the run. */
#define TOLD_NS	     (10 * UINT64_C(1000000000))

/* Exit status of a run whose device answers unlike the engine. */
#define STATUS_DIFFERS 1

enum timing {
	TIMING_AUTO, /* the model, but measured on a real device */
	TIMING_MODEL,
	TIMING_MEASURED,
};

struct options {
	uint64_t seed;
	const char *device;
	const char *trace_dir;
	const char *output;
	const char *settings[SETTINGS_MAX + COST_FROM_SETTINGS];
	size_t settings_count;
	const char *cost_from; /* a trace */
	struct cost_from costs;
	enum timing timing;
	bool json;
	bool keys;
	bool list;
	bool lttng;
	bool unlimited;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static bool set_seed(void *opaque, const char *value)
{
	return cli_parse_u64(value, &((struct options *)opaque)->seed);
}

static bool set_device(void *opaque, const char *value)
{
	struct options *options = opaque;

	options->device = strcmp(value, "inproc") ? value : NULL;
	return *value;
}

static bool set_setting(void *opaque, const char *value)
{
	struct options *options = opaque;

	if (options->settings_count == SETTINGS_MAX)
		return false;
	options->settings[options->settings_count++] = value;
	return strchr(value, '=') != NULL;
}

static bool set_timing(void *opaque, const char *value)
{
	struct options *options = opaque;

	options->timing = strcmp(value, "measured") ? TIMING_MODEL : TIMING_MEASURED;
	return !strcmp(value, "measured") || !strcmp(value, "model");
}

static const struct cli_option option_table[] = {
	{ "seed", 0, "N", "a number", "seed of the run (default 1)", .set = set_seed },
	{ "device", 0, "inproc|PATH", "inproc or the path of a device",
	  "make the calls there too (default inproc: in this process only)", .set = set_device },
	{ "timing", 0, "model|measured", "model or measured",
	  "what a call costs (default: measured on a real device)", .set = set_timing },
	{ "trace", 0, "DIR", "a directory", "write a trace in virtual time (CTF)",
	  CLI_TEXT(struct options, trace_dir) },
	{ "lttng", 0, NULL, NULL, "emit LTTng events in real time, for a session that is running",
	  CLI_FLAG(struct options, lttng) },
	{ "set", 0, "KEY=VALUE", "SECTION.KEY=VALUE, up to 64 times",
	  "change the scenario, e.g. nic.rate=25G", .set = set_setting },
	{ "cost-from", 0, "TRACE", "a recorded trace", "take the costs of calls from its latencies",
	  CLI_TEXT(struct options, cost_from) },
	{ "output", 'o', "FILE", "a file's name", "write the result there, whole or not at all",
	  CLI_TEXT(struct options, output) },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct options, json) },
	{ "unlimited", 0, NULL, NULL, "also run what is estimated to take over a day",
	  CLI_FLAG(struct options, unlimited) },
	{ "keys", 0, NULL, NULL, "list what a scenario may say, and the presets",
	  CLI_FLAG(struct options, keys) },
	{ "list", 0, NULL, NULL, "list the scenarios that come with ioasis, and how long each runs",
	  CLI_FLAG(struct options, list) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "simulate",
	.synopsis = "SCENARIO [OPTIONS]",
	.summary = "Runs a scenario in virtual time: the same seed gives the same result.",
	.details =
		"SCENARIO is a file, or the name of one that comes with ioasis (--list).\n"
		"Simulated clients use the real backend on the real engine; only time, load and\n"
		"cost are simulated. With --device PATH every call is also made there and its\n"
		"answer compared; exit status 1 says that one differs (3: nothing was run).\n"
		"docs/SIMULATOR.md says what there is.",
	.options = option_table,
	.error_status = 3,
};

static int print_keys(void)
{
	schema_print(stdout);
	puts("\npreset:  # a named set of costs");
	for (const char *const *name = schema_preset_names(); *name; name++)
		printf("  %-24s %s\n", *name, schema_preset_about(*name));
	return 0;
}

static bool show_progress(void *opaque, uint64_t now_ns, uint64_t duration_ns)
{
	struct progress *progress = opaque;

	/* Virtual time is what is counted and what there is of it. */
	if (progress_is_due(progress))
		progress_show(progress, now_ns / 1000000, now_ns, duration_ns);
	return !interrupted;
}

/* What was measured counts over the file, and what is --set over that. */
static int apply_costs(struct options *options)
{
	size_t count = options->settings_count;
	int status = cost_from_trace(&command, (char *)options->cost_from, &options->costs);

	if (status)
		return status;
	memmove(options->settings + options->costs.count, options->settings,
		count * sizeof(*options->settings));
	for (size_t i = 0; i < options->costs.count; i++)
		options->settings[i] = options->costs.settings[i];
	options->settings_count = count + options->costs.count;
	return 0;
}

/* The kernel's device is a character device; the fake is a file. */
static bool is_real_device(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) && S_ISCHR(st.st_mode);
}

static void print_result(const struct scenario *scenario, const struct options *options,
			 const struct report *report, FILE *out)
{
	if (options->json) {
		result_print_json(scenario, options->settings, options->settings_count,
				  options->seed, report, out);
		return;
	}
	fprintf(out, "%s: %s\n", scenario->top.name, scenario->top.about);
	fprintf(out, "seed %" PRIu64 " (scenario's %" PRIu64 ")\n\n", options->seed,
		scenario->top.seed);
	report_print(report, out);
}

static int write_result(const struct scenario *scenario, const struct options *options,
			const struct report *report)
{
	struct output output;
	int err = output_begin(&output, options->output);

	if (!err) {
		print_result(scenario, options, report, output.file);
		err = output_commit(&output);
	}
	return err ? cli_fail(&command, "--output %s: %s", options->output, strerror(-err)) : 0;
}

static const char *answer(int ret)
{
	return ret ? strerrorname_np(-ret) ? strerrorname_np(-ret) : "an unknown error" : "success";
}

static void tell_difference(const char *device, const struct simulate_difference *difference)
{
	fprintf(stderr,
		"ioasis simulate: %s answers %" PRIu64 " calls unlike the engine, first %s at "
		"%" PRIu64 " ns: the engine %s, the device %s\n",
		device, difference->count, difference->call, difference->begin_ns,
		answer(difference->engine_ret), answer(difference->device_ret));
}

/* Says so when a run is worth a cup of coffee. */
static void tell_estimate(const struct scenario *scenario, uint64_t memory_bytes)
{
	struct scenario_estimate estimate = scenario_estimate(scenario);
	char text[ESTIMATE_TEXT_BYTES];

	if (estimate.host_ns > TOLD_NS && estimate.host_ns <= SCENARIO_HOST_NS_MAX &&
	    estimate.memory_bytes <= memory_bytes)
		fprintf(stderr, "ioasis simulate: this takes %s; Ctrl-C ends it with what there is\n",
			scenario_estimate_text(estimate.host_ns, text));
}

static int run(const struct options *options, const struct scenario *scenario)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct progress progress;
	char error[SIMULATE_ERROR_BYTES];
	struct simulate_options run_options = {
		.seed = options->seed,
		.device = options->device,
		.measured = options->timing == TIMING_MEASURED ||
			    (options->timing == TIMING_AUTO && is_real_device(options->device)),
		.trace_dir = options->trace_dir,
		.unlimited = options->unlimited,
		.memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
		.progress = show_progress,
		.progress_opaque = &progress,
	};
	struct simulate_difference difference;
	struct report report;
	int err, status = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	tell_estimate(scenario, run_options.memory_bytes);
	progress_begin(&progress, stderr, "ms of virtual time");
	err = simulate_run(scenario, &run_options, &report, &difference, error);
	progress_end(&progress);
	if (err && err != -EINTR) {
		report_fini(&report);
		return cli_fail(&command, "%s", error);
	}
	if (err) {
		guard_interrupted(interrupted);
		status = 128 + interrupted;
	}
	if (!options->output)
		print_result(scenario, options, &report, stdout);
	else if (!err)
		status = write_result(scenario, options, &report);
	for (size_t i = 0; i < report.warnings_count; i++)
		fprintf(stderr, "ioasis simulate: warning: %s\n", report.warnings[i]);
	if (difference.count) {
		tell_difference(options->device, &difference);
		status = status ? status : STATUS_DIFFERS;
	}
	report_fini(&report);
	return status;
}

int cmd_simulate(int argc, char **argv)
{
	struct options options = { .seed = 1 };
	char error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;
	char path[PATH_MAX];
	const char *file;
	int status, first = cli_parse(&command, argc, argv, &options, &status);

	if (first < 0)
		return status;
	if ((options.keys || options.list) && first != argc)
		return cli_fail(&command, "--%s takes no argument, not '%s'",
				options.keys ? "keys" : "list", argv[first]);
	if (options.keys)
		return print_keys();
	if (options.list)
		return shipped_scenarios_print(&command, options.json);
	if (first == argc)
		return cli_fail(&command, "no scenario given; name a file, or one of --list");
	if (first != argc - 1)
		return cli_fail(&command, "more than one scenario: %s and %s; name one",
				argv[first], argv[first + 1]);
	if (options.timing == TIMING_MEASURED && !options.device)
		return cli_fail(&command, "--timing measured: nothing to measure in this process; "
					  "name a device with --device");
	file = shipped_scenario_file(&command, argv[first], path, &status);
	if (!file)
		return status;
	if (options.lttng) {
		const char *why = trace_load_probes();

		if (why)
			return cli_fail(&command, "--lttng: %s", why);
	}
	if (options.cost_from && (status = apply_costs(&options)))
		return status;
	if (scenario_load(file, options.settings, options.settings_count, &scenario,
			  error)) {
		fprintf(stderr, "%s\n", error);
		return 3;
	}
	status = run(&options, &scenario);
	scenario_fini(&scenario);
	return status;
}
