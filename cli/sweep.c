/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep.h"

#include <inttypes.h>
#include <string.h>

bool sweep_vary(struct sweep *sweep, const char *text)
{
	const char *equals = strchr(text, '=');
	struct sweep_vary *vary;

	if (!equals || equals == text || !equals[1] || sweep->varies_count == SWEEP_VARIES_MAX)
		return false;
	vary = &sweep->varies[sweep->varies_count++];
	vary->text = text;
	vary->values_count = 1;
	for (const char *c = equals; *c; c++)
		vary->values_count += *c == ',';
	return vary->values_count <= SWEEP_VALUES_MAX;
}

size_t sweep_combinations(const struct sweep *sweep)
{
	size_t count = 1;

	for (size_t i = 0; i < sweep->varies_count; i++)
		count *= sweep->varies[i].values_count;
	return count;
}

uint64_t sweep_runs(const struct sweep *sweep)
{
	return sweep_combinations(sweep) * (sweep->last_seed - sweep->first_seed + 1);
}

/* Value number `index` of vary as KEY=VALUE. */
static bool print_setting(const struct sweep_vary *vary, size_t index,
			  char buf[SWEEP_SETTING_BYTES])
{
	const char *value = strchr(vary->text, '=') + 1;

	for (; index; index--)
		value = strchr(value, ',') + 1;
	return snprintf(buf, SWEEP_SETTING_BYTES, "%.*s%.*s",
			(int)(strchr(vary->text, '=') + 1 - vary->text), vary->text,
			(int)strcspn(value, ","), value) < SWEEP_SETTING_BYTES;
}

bool sweep_run(const struct sweep *sweep, uint64_t number, struct sweep_run *run)
{
	size_t combinations = sweep_combinations(sweep), left = number % combinations, words = 0;

	run->words[words++] = sweep->program;
	run->words[words++] = "simulate";
	run->words[words++] = sweep->scenario;
	/* The values of the last --vary come and go fastest. */
	for (size_t i = sweep->varies_count; i-- > 0;) {
		const struct sweep_vary *vary = &sweep->varies[i];

		if (!print_setting(vary, left % vary->values_count, run->settings[i]))
			return false;
		left /= vary->values_count;
	}
	for (size_t i = 0; i < sweep->varies_count; i++) {
		run->words[words++] = "--set";
		run->words[words++] = run->settings[i];
	}
	run->seed = sweep->first_seed + number / combinations;
	snprintf(run->seed_text, sizeof(run->seed_text), "%" PRIu64, run->seed);
	run->words[words++] = "--seed";
	run->words[words++] = run->seed_text;
	run->words[words++] = "--json";
	run->words[words++] = "--output";
	snprintf(run->name, sizeof(run->name), "run-%06" PRIu64 ".json", number);
	run->words[words++] = run->output;
	run->words[words] = NULL;
	return snprintf(run->output, sizeof(run->output), "%s/%s", sweep->dir, run->name) <
	       (int)sizeof(run->output);
}

/* ---- printing ------------------------------------------------------------------ */

void sweep_print_word(const char *word, FILE *out)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_./=%:,+")]) {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	}
	putc('\'', out);
}

void sweep_print_words(const char *const *words, FILE *out)
{
	for (size_t i = 0; words[i]; i++) {
		if (i)
			putc(' ', out);
		sweep_print_word(words[i], out);
	}
}

/* The command of a task, up to and with the word --share. */
static void print_task(const struct sweep *sweep, FILE *out)
{
	char seeds[48];
	const char *tail[] = { "--seeds", seeds, "--output", sweep->dir, "--share", NULL };
	const char *head[] = { sweep->program, "sweep", sweep->scenario, NULL };

	snprintf(seeds, sizeof(seeds), "%" PRIu64 "..%" PRIu64, sweep->first_seed,
		 sweep->last_seed);
	sweep_print_words(head, out);
	for (size_t i = 0; i < sweep->varies_count; i++) {
		const char *vary[] = { "", "--vary", sweep->varies[i].text, NULL };

		putc(' ', out);
		sweep_print_words(vary + 1, out);
	}
	putc(' ', out);
	sweep_print_words(tail, out);
}

/* A path in a line #SBATCH, which knows % and no quotes but double ones. */
static void print_sbatch_path(const char *path, FILE *out)
{
	for (; *path; path++) {
		if (*path == '%')
			putc('%', out);
		putc(*path, out);
	}
}

void sweep_print_slurm(const struct sweep *sweep, uint64_t tasks, FILE *out)
{
	fprintf(out, "#!/bin/sh\n"
		     "# %" PRIu64 " runs in %" PRIu64 " tasks. Submit with: sbatch THIS-FILE\n"
		     "# The program and both paths must be the same on all nodes.\n"
		     "# Once more makes only what is missing. Then: ",
		sweep_runs(sweep), tasks);
	sweep_print_words((const char *const[]){ sweep->program, "merge", sweep->dir, NULL }, out);
	fprintf(out, "\n#SBATCH --job-name=ioasis-sweep\n#SBATCH --array=0-%" PRIu64 "\n",
		tasks - 1);
	fputs("#SBATCH --ntasks=1\n#SBATCH --output=\"", out);
	print_sbatch_path(sweep->dir, out);
	fputs("/slurm-%a.log\"\nexec ", out);
	print_task(sweep, out);
	fprintf(out, " \"$SLURM_ARRAY_TASK_ID/%" PRIu64 "\" -j \"${SLURM_CPUS_PER_TASK:-1}\"\n",
		tasks);
}

void sweep_print_parallel(const struct sweep *sweep, uint64_t tasks, FILE *out)
{
	fprintf(out, "#!/bin/sh\n"
		     "# %" PRIu64 " runs in %" PRIu64 " tasks, by GNU parallel. Its options may "
		     "follow: sh THIS-FILE --jobs 4,\n"
		     "# or --sshlogin HOST,HOST where the program and both paths are the same.\n"
		     "# Once more makes only what is missing. Then: ",
		sweep_runs(sweep), tasks);
	sweep_print_words((const char *const[]){ sweep->program, "merge", sweep->dir, NULL }, out);
	fputs("\nexec parallel --will-cite --joblog ", out);
	sweep_print_words((const char *const[]){ sweep->dir, NULL }, out);
	fputs("/parallel.log \"$@\" ", out);
	/* parallel hands the line to a shell once more. */
	fputs("\"$(cat <<'END'\n", out);
	print_task(sweep, out);
	fprintf(out, " {}/%" PRIu64 " -j 1\nEND\n)\" ::: $(seq 0 %" PRIu64 ")\n", tasks,
		tasks - 1);
}
