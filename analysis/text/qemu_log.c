/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/text/qemu_log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/decode/decoded.h"

#define LINE_MAX_BYTES 4096 /* a longer line is none of these */
#define WORDS_MAX 16

/* Where the value behind "KEY=" goes. */
struct log_word {
	char key[20];
	int32_t offset; /* in struct decoded; -1: nobody reads it */
};

/* The events of one name. Their words have the same keys in every line, so each is looked up once. */
struct log_class {
	struct decoded decoded;
	struct decoded empty; /* what decoded is before a line's values are in */
	struct log_word words[WORDS_MAX];
	unsigned int words_count; /* of the first line */
	unsigned int numbers;	  /* that a whole line has; less: it is cut or mixed with another */
	int32_t ret;		  /* where "(RET)" goes; -1: nowhere */
	bool is_known;		  /* a line was read whole */
	struct log_class *next;
	char name[];
};

struct qemu_log {
	FILE *file;
	char *line; /* of getline() */
	size_t line_size;
	struct log_class *classes;
	uint64_t lines;
	int64_t last_ns;
	uint32_t pid; /* the first thread's number: QEMU begins in its main thread */
	bool has_times, has_threads;
	bool pending; /* the first event was read when the log was opened */
	enum qemu_log_status pending_status;
	struct event *event;
	struct event_loss loss;
};

/* ---- what stands before the name ------------------------------------------------- */

static const char *digits(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*value = strtoull(text, &end, 10);
	return end;
}

/* "THREAD@SECONDS.MICROSECONDS:"; false: it does not stand there. */
static bool read_old_prefix(const char *text, uint64_t *tid, int64_t *time_ns)
{
	uint64_t seconds, micros;

	text = digits(text, tid);
	if (!text || *text != '@' || !(text = digits(text + 1, &seconds)) || *text != '.' ||
	    !(text = digits(text + 1, &micros)) || *text != ':')
		return false;
	*time_ns = (int64_t)(seconds * 1000000000 + micros * 1000);
	return true;
}

/* "2026-11-28T13:04:30.123456Z"; the fraction is left out where it is 0. */
static bool read_iso_time(const char *text, int64_t *time_ns)
{
	struct tm tm = { 0 };
	int64_t fraction = 0, unit = 100000000;
	int at = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &at) != 6)
		return false;
	text += at;
	if (*text == '.') {
		for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
			fraction += (*text - '0') * unit;
	}
	if (*text != 'Z')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*time_ns = (int64_t)timegm(&tm) * 1000000000 + fraction;
	return true;
}

/* The event's name in line; NULL: there is none. A name stands at the beginning, or after a prefix. */
static char *find_name(char *line)
{
	char *at = line;

	while ((at = strstr(at, "iommu"))) {
		if ((at == line || at[-1] == ' ' || at[-1] == ':') &&
		    (!strncmp(at, "iommufd_", 8) || !strncmp(at, "iommu_backend_", 14)))
			return at;
		at += 5;
	}
	return NULL;
}

/* ---- classes ---------------------------------------------------------------------- */

static struct log_class *class_get(struct qemu_log *log, const char *name, size_t len)
{
	static const char prefix[] = "qemu:";
	struct log_class *class;

	for (class = log->classes; class; class = class->next) {
		if (!strncmp(class->name + sizeof(prefix) - 1, name, len) &&
		    !class->name[sizeof(prefix) - 1 + len])
			return class;
	}
	class = calloc(1, sizeof(*class) + sizeof(prefix) + len);
	if (!class)
		return NULL;
	memcpy(class->name, prefix, sizeof(prefix) - 1);
	memcpy(class->name + sizeof(prefix) - 1, name, len);
	decoded_init(&class->decoded, class->name);
	class->decoded.event.qemu = true;
	class->ret = decoded_member(&class->decoded, "ret", true);
	class->empty = class->decoded;
	class->next = log->classes;
	log->classes = class;
	return class;
}

/* The field that the log's key means; LTTng's field has another name in some places. */
static const char *field_name(const char *key)
{
	static const struct {
		const char *key, *field;
	} names[] = {
		{ "addr", "vaddr" },   { "devid", "dev_id" },	    { "enable", "start" },
		{ "hwpt", "hwpt_id" }, { "out_hwpt", "out_hwpt_id" }, { "ioasid", "ioas" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i].key, key))
			return names[i].field;
	}
	return key;
}

/* The place of the value number `index` of a line, whose key this is; NULL: there are too many. */
static const struct log_word *word_get(struct log_class *class, unsigned int index,
				       const char *key, size_t len)
{
	struct log_word *word = &class->words[index];

	if (index >= WORDS_MAX || len >= sizeof(word->key))
		return NULL;
	if (index < class->words_count && !strncmp(word->key, key, len) && !word->key[len])
		return word;
	memcpy(word->key, key, len);
	word->key[len] = 0;
	word->offset = decoded_member(&class->decoded, field_name(word->key), true);
	class->empty = class->decoded;
	if (index >= class->words_count)
		class->words_count = index + 1;
	return word;
}

/* ---- lines ------------------------------------------------------------------------ */

static bool read_number(const char *text, uint64_t *value)
{
	char *end;

	if (!strncmp(text, "(nil)", 5)) {
		*value = 0;
		return true;
	}
	errno = 0;
	*value = *text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 0);
	return end > text && !errno && (!*end || strchr(" )],:", *end));
}

static void store(struct decoded *decoded, int32_t offset, uint64_t value)
{
	if (offset >= 0)
		memcpy((char *)decoded + offset, &value, sizeof(value));
}

/* Reads "KEY=VALUE ... (RET)" behind the name. False: a value is no number. */
static bool read_values(struct log_class *class, char *text, unsigned int *numbers)
{
	struct {
		int32_t offset;
		uint64_t value;
	} values[WORDS_MAX + 1];
	unsigned int count = 0, words = 0;
	char *rest;

	for (char *word = strtok_r(text, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		char *key = word + strspn(word, "(["), *equals = strchr(key, '=');
		const struct log_word *place;

		if (!equals && word[0] == '(' && (isdigit((unsigned char)word[1]) || word[1] == '-') &&
		    !*rest) {
			if (!read_number(word + 1, &values[count].value))
				return false;
			values[count++].offset = class->ret;
			break;
		}
		if (!equals)
			continue;
		place = word_get(class, words++, key, (size_t)(equals - key));
		if (!place || !read_number(equals + 1, &values[count].value))
			return false;
		values[count++].offset = place->offset;
	}
	class->decoded = class->empty;
	for (unsigned int i = 0; i < count; i++)
		store(&class->decoded, values[i].offset, values[i].value);
	*numbers = count;
	return true;
}

/* The time of a line; without one its number, so that lines keep their order. */
static int64_t line_time(struct qemu_log *log, const char *line, uint64_t *tid)
{
	int64_t time_ns;

	*tid = 0;
	if (read_old_prefix(line, tid, &time_ns)) {
		if (!log->has_threads)
			log->pid = (uint32_t)*tid;
		log->has_threads = true;
		log->has_times = true;
	} else if (read_iso_time(line, &time_ns)) {
		log->has_times = true;
	} else {
		time_ns = log->has_times ? log->last_ns : (int64_t)log->lines;
	}
	/* Threads take the time before they take the log's lock. */
	return time_ns > log->last_ns ? time_ns : log->last_ns;
}

/* A line that cannot be read: an event that came after the one before, and till now. */
static enum qemu_log_status lose_line(struct qemu_log *log, int64_t before_ns)
{
	log->loss = (struct event_loss){
		.first_ns = before_ns == INT64_MIN ? log->last_ns : before_ns,
		.last_ns = log->last_ns,
		.events = 1,
	};
	return QEMU_LOG_LOSS;
}

/* Reads line, which has an event's name. False: not an event that the analysis knows. */
static bool read_event(struct qemu_log *log, char *line, char *name, enum qemu_log_status *status)
{
	size_t name_len = strcspn(name, " \t\r\n");
	struct log_class *class = class_get(log, name, name_len);
	unsigned int numbers = 0;
	int64_t before_ns = log->last_ns;
	uint64_t tid;

	if (!class || class->decoded.class.kind == EVENT_OTHER)
		return false;
	log->last_ns = line_time(log, line, &tid);
	if (!read_values(class, name + name_len, &numbers) ||
	    (class->is_known && numbers < class->numbers)) {
		*status = lose_line(log, before_ns);
		return true;
	}
	if (!class->is_known || numbers > class->numbers)
		class->numbers = numbers;
	class->is_known = true;
	class->decoded.vpid = log->pid;
	class->decoded.vtid = tid;
	decoded_finish(&class->decoded);
	class->decoded.event.time_ns = log->last_ns;
	log->event = &class->decoded.event;
	*status = QEMU_LOG_EVENT;
	return true;
}

static enum qemu_log_status read_next(struct qemu_log *log)
{
	enum qemu_log_status status;
	ssize_t len;

	while ((len = getline(&log->line, &log->line_size, log->file)) >= 0) {
		char *name;

		log->lines++;
		/* The last line has no end when QEMU was killed: who knows what it would have said. */
		if (log->line[len - 1] != '\n')
			return log->last_ns == INT64_MIN ? QEMU_LOG_END
							 : lose_line(log, log->last_ns);
		if (len > LINE_MAX_BYTES || strlen(log->line) != (size_t)len)
			continue; /* too long, or not text */
		name = find_name(log->line);
		if (name && read_event(log, log->line, name, &status))
			return status;
	}
	return QEMU_LOG_END;
}

int qemu_log_open(const char *path, struct qemu_log **result)
{
	struct qemu_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->last_ns = INT64_MIN;
	log->file = fopen(path, "re");
	if (!log->file) {
		free(log);
		return -errno;
	}
	log->pending_status = read_next(log);
	log->pending = true;
	if (log->pending_status == QEMU_LOG_END) {
		qemu_log_close(log);
		return -ENODATA;
	}
	*result = log;
	return 0;
}

void qemu_log_close(struct qemu_log *log)
{
	if (!log)
		return;
	while (log->classes) {
		struct log_class *class = log->classes;

		log->classes = class->next;
		free(class);
	}
	free(log->line);
	fclose(log->file);
	free(log);
}

bool qemu_log_has_times(const struct qemu_log *log)
{
	return log->has_times;
}

enum qemu_log_status qemu_log_next(struct qemu_log *log, struct event **event,
				   struct event_loss *loss)
{
	enum qemu_log_status status = log->pending ? log->pending_status : read_next(log);

	log->pending = false;
	*event = log->event;
	*loss = log->loss;
	return status;
}
