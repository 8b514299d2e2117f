/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/fail_nth.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fail_nth {
	struct fail_nth *next;
	uint32_t tid;
	uint32_t number;
};

struct fail_nth_table {
	pthread_mutex_t lock;
	struct fail_nth *first; /* read without the lock for "is there any" */
};

struct fail_nth_table *fail_nth_table_create(void)
{
	struct fail_nth_table *table = calloc(1, sizeof(*table));

	if (table)
		pthread_mutex_init(&table->lock, NULL);
	return table;
}

void fail_nth_table_destroy(struct fail_nth_table *table)
{
	struct fail_nth *entry, *next;

	for (entry = table->first; entry; entry = next) {
		next = entry->next;
		free(entry);
	}
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static struct fail_nth *find_locked(struct fail_nth_table *table, uint32_t tid)
{
	struct fail_nth *entry;

	for (entry = table->first; entry && entry->tid != tid; entry = entry->next)
		;
	return entry;
}

uint32_t *fail_nth_find(struct fail_nth_table *table, uint32_t tid)
{
	struct fail_nth *entry;

	/* This is asked in every call, and hardly anyone injects faults. */
	if (!__atomic_load_n(&table->first, __ATOMIC_ACQUIRE))
		return NULL;
	pthread_mutex_lock(&table->lock);
	entry = find_locked(table, tid);
	pthread_mutex_unlock(&table->lock);
	return entry ? &entry->number : NULL;
}

uint32_t *fail_nth_get(struct fail_nth_table *table, uint32_t tid)
{
	struct fail_nth *entry;

	pthread_mutex_lock(&table->lock);
	entry = find_locked(table, tid);
	if (!entry && (entry = calloc(1, sizeof(*entry)))) {
		entry->tid = tid;
		entry->next = table->first;
		__atomic_store_n(&table->first, entry, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&table->lock);
	return entry ? &entry->number : NULL;
}

ssize_t fail_nth_read(uint32_t *number, char *buf, size_t len, uint64_t offset)
{
	char text[16];
	size_t size = (size_t)snprintf(text, sizeof(text), "%u\n",
				       __atomic_load_n(number, __ATOMIC_RELAXED));

	if (offset >= size)
		return 0;
	if (len > size - offset)
		len = size - offset;
	memcpy(buf, text + offset, len);
	return (ssize_t)len;
}

/* As kstrtouint(): one number with an optional newline, nothing else. */
ssize_t fail_nth_write(uint32_t *number, const char *buf, size_t len)
{
	char text[24], *end;
	unsigned long long value;

	if (!len || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, buf, len);
	text[len] = 0;
	if (text[len - 1] == '\n')
		text[len - 1] = 0;
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	value = strtoull(text, &end, 0);
	if (*end)
		return -EINVAL;
	if (value > UINT32_MAX)
		return -ERANGE;
	__atomic_store_n(number, (uint32_t)value, __ATOMIC_RELAXED);
	return (ssize_t)len;
}

/* Takes a decimal number and the slash behind it from *path. */
static bool take_id(const char **path, uint32_t *id)
{
	char *end;
	unsigned long value = strtoul(*path, &end, 10);

	if (end == *path || *end != '/' || value > INT32_MAX || **path < '1' || **path > '9')
		return false;
	*id = (uint32_t)value;
	*path = end + 1;
	return true;
}

static bool take(const char **path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*path, prefix, len))
		return false;
	*path += len;
	return true;
}

uint32_t fail_nth_path(const char *path, uint32_t tid)
{
	uint32_t id = tid, thread;

	if (!take(&path, "/proc/"))
		return 0;
	if (!take(&path, "thread-self/") && !take(&path, "self/") && !take_id(&path, &id))
		return 0;
	if (take(&path, "task/")) {
		if (!take_id(&path, &thread))
			return 0;
		id = thread;
	}
	return strcmp(path, "fail-nth") ? 0 : id;
}
