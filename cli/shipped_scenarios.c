/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/shipped_scenarios.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text/json_out.h"
#include "sim/scenario/estimate.h"
#include "sim/scenario/load.h"

#define SUFFIX ".yaml"

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The folder of the shipped scenarios; false: there is none. */
static bool find_folder(char folder[PATH_MAX])
{
	/* Installed, and where it was built. */
	static const char *const below[] = {
		"../share/ioasis/scenarios",
		"share/ioasis/scenarios",
	};
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len < 0)
		return false;
	program[len] = 0;
	*strrchr(program, '/') = 0;
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		char path[PATH_MAX + 32];

		snprintf(path, sizeof(path), "%s/%s", program, below[i]);
		if (is_folder(path) && realpath(path, folder))
			return true;
	}
	return false;
}

static int is_scenario(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(SUFFIX) && !strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX);
}

/* The names with their suffix, sorted; returns how many. The caller frees with free_names(). */
static size_t find_names(struct dirent ***names)
{
	char folder[PATH_MAX];
	int count = find_folder(folder) ? scandir(folder, names, is_scenario, alphasort) : -1;

	if (count >= 0)
		return (size_t)count;
	*names = NULL;
	return 0;
}

static void free_names(struct dirent **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int name_length(const struct dirent *entry)
{
	return (int)(strlen(entry->d_name) - strlen(SUFFIX));
}

static int fail_unknown(const struct cli_command *command, const char *word)
{
	struct dirent **names;
	size_t count = find_names(&names), len = 0;
	char list[512] = "";

	for (size_t i = 0; i < count && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %.*s",
					name_length(names[i]), names[i]->d_name);
	free_names(names, count);
	if (!count)
		return cli_fail(command, "there is no file '%s'; name a scenario's file",
				word);
	return cli_fail(command,
			"'%s' is no file and no shipped scenario; name a file, or one of%s", word,
			list);
}

const char *shipped_scenario_file(const struct cli_command *command, const char *word,
				  char path[PATH_MAX], int *status)
{
	char folder[PATH_MAX];
	struct stat st;

	if (strchr(word, '/') || (!stat(word, &st) && !S_ISDIR(st.st_mode)))
		return word;
	if (find_folder(folder) &&
	    snprintf(path, PATH_MAX, "%s/%s" SUFFIX, folder, word) < PATH_MAX &&
	    !access(path, R_OK))
		return path;
	/* A folder of that name, or a file that may not be looked at: the loader says which. */
	if (!stat(word, &st) || errno != ENOENT)
		return word;
	*status = fail_unknown(command, word);
	return NULL;
}

static int print_one(const struct cli_command *command, const char *folder,
		     const struct dirent *entry, struct json_out *json)
{
	char path[PATH_MAX + NAME_MAX + 2], name[NAME_MAX + 1], error[SCENARIO_ERROR_BYTES];
	struct scenario scenario;
	char text[ESTIMATE_TEXT_BYTES];
	uint64_t host_ns;

	snprintf(name, sizeof(name), "%.*s", name_length(entry), entry->d_name);
	snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
	if (scenario_load(path, NULL, 0, &scenario, error))
		return cli_fail(command, "%s", error);
	host_ns = scenario_estimate(&scenario).host_ns;
	if (json) {
		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", name);
		json_out_string(json, "about", scenario.top.about);
		json_out_string(json, "file", path);
		json_out_u64(json, "estimate_ns", host_ns);
		json_out_end(json, '}');
	} else {
		printf("%-16s %-14s  %s\n", name, scenario_estimate_text(host_ns, text),
		       scenario.top.about);
	}
	scenario_fini(&scenario);
	return 0;
}

int shipped_scenarios_print(const struct cli_command *command, bool json)
{
	struct json_out out;
	struct dirent **names;
	char folder[PATH_MAX];
	size_t count = find_names(&names);
	int status = 0;

	if (!count || !find_folder(folder)) {
		free_names(names, count);
		return cli_fail(command, "no shipped scenarios beside the program; install "
					 "share/ioasis with it, or name a scenario's file");
	}
	json_out_init(&out, stdout);
	if (json)
		json_out_begin(&out, NULL, '[');
	for (size_t i = 0; i < count && !status; i++)
		status = print_one(command, folder, names[i], json ? &out : NULL);
	if (json) {
		json_out_end(&out, ']');
		putchar('\n');
	}
	free_names(names, count);
	return status;
}
