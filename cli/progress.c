/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVERY_NS 200000000
/* Before that a rate is chance. */
#define RATE_NS 100000000

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

void progress_begin(struct progress *progress, FILE *out, const char *noun)
{
	*progress = (struct progress){ .out = out, .noun = noun, .on = isatty(fileno(out)) };
	if (getenv(PROGRESS_OFF))
		progress->on = false;
	progress->begin_ns = progress->shown_ns = now_ns();
}

bool progress_is_due(struct progress *progress)
{
	return progress->on && now_ns() - progress->shown_ns >= EVERY_NS;
}

/* 999, 12.3 thousand, 4.5 million. */
static int print_count(char *text, size_t size, uint64_t count)
{
	if (count < 10000)
		return snprintf(text, size, "%" PRIu64, count);
	if (count < 1000000)
		return snprintf(text, size, "%" PRIu64 ".%" PRIu64 " thousand", count / 1000,
				count / 100 % 10);
	return snprintf(text, size, "%" PRIu64 ".%" PRIu64 " million", count / 1000000,
			count / 100000 % 10);
}

static int print_time(char *text, size_t size, uint64_t seconds)
{
	if (seconds < 60)
		return snprintf(text, size, "%" PRIu64 " s", seconds);
	if (seconds < 3600)
		return snprintf(text, size, "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
				seconds % 60);
	return snprintf(text, size, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
			seconds / 60 % 60);
}

int progress_print(char *text, size_t size, const char *noun, uint64_t count, uint64_t done,
		   uint64_t total, int64_t elapsed_ns)
{
	char number[40], rate[40], left[40];
	uint64_t left_s = 0, rate_s = 0;
	bool known = total && done && done <= total && elapsed_ns >= RATE_NS;

	print_count(number, sizeof(number), count);
	if (elapsed_ns >= RATE_NS)
		rate_s = (uint64_t)((unsigned __int128)count * 1000000000 / (uint64_t)elapsed_ns);
	print_count(rate, sizeof(rate), rate_s);
	if (known) {
		unsigned __int128 left_ns = (unsigned __int128)(uint64_t)elapsed_ns *
					    (total - done) / done;

		left_s = (uint64_t)((left_ns + 999999999) / 1000000000);
		print_time(left, sizeof(left), left_s);
		return snprintf(text, size, "%3u %%, %s %s, %s a second, %s left",
				(unsigned int)((unsigned __int128)done * 100 / total), number, noun,
				rate, left);
	}
	if (rate_s)
		return snprintf(text, size, "%s %s, %s a second", number, noun, rate);
	return snprintf(text, size, "%s %s", number, noun);
}

void progress_show(struct progress *progress, uint64_t count, uint64_t done, uint64_t total)
{
	char text[160];

	if (!progress->on)
		return;
	progress->shown_ns = now_ns();
	progress->shown = true;
	progress_print(text, sizeof(text), progress->noun, count, done, total,
		       progress->shown_ns - progress->begin_ns);
	fprintf(progress->out, "\r%s\033[K", text);
	fflush(progress->out);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", progress->out);
	progress->shown = false;
}
