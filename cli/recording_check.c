/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/recording_check.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CTF_MAGIC 0xc1fc1fc1u
#define PROBE_BYTES (256u << 10) /* of a few small packets: less room is none */

/* The head of a packet of LTTng-UST, as far as it is read here; little-endian, no padding. */
struct packet_head {
	uint32_t magic;
	uint8_t uuid[16];
	uint32_t stream_id;
	uint64_t stream_instance;
	uint64_t begin, end;
	uint64_t content_bits, packet_bits;
};

int recording_folder_note(struct recording_folder *folder, const char *path)
{
	struct stat st;

	snprintf(folder->path, sizeof(folder->path), "%s", path);
	if (stat(path, &st))
		return -errno;
	folder->device = st.st_dev;
	folder->inode = st.st_ino;
	return 0;
}

/* Whether a stream's packets fill its file. True for files of another kind, too. */
static bool stream_is_whole(const char *path, off_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct packet_head head;
	off_t at = 0;
	bool whole = true;

	if (fd < 0)
		return true;
	while (whole && at < size && pread(fd, &head, sizeof(head), at) == (ssize_t)sizeof(head)) {
		if (head.magic != CTF_MAGIC || head.packet_bits < sizeof(head) * 8) {
			whole = !at; /* the first has no such head: of another kind */
			break;
		}
		at += (off_t)(head.packet_bits / 8);
	}
	close(fd);
	return whole && (!at || at == size);
}

/* Whether the stream is there that LTTng made before the one at path: each CPU has one, from 0 on. */
static bool has_sibling(const char *path, char *why, size_t why_size)
{
	const char *number = strrchr(path, '_');
	char other[4300], *end;
	unsigned long cpu = number ? strtoul(number + 1, &end, 10) : 0;

	if (!cpu || *end)
		return true;
	snprintf(other, sizeof(other), "%.*s_%lu", (int)(number - path), path, cpu - 1);
	if (!access(other, F_OK))
		return true;
	snprintf(why, why_size, "%s was removed while it was written", other);
	return false;
}

/* Whether the stream is there of an index at path, index/NAME.idx. */
static bool has_stream(const char *path, char *why, size_t why_size)
{
	const char *name = strrchr(path, '/') + 1, *end = strstr(name, ".idx");
	const char *folder = memrchr(path, '/', (size_t)(name - 1 - path));
	char stream[4300];

	if (!end || end[4] || !folder)
		return true;
	snprintf(stream, sizeof(stream), "%.*s/%.*s", (int)(folder - path), path,
		 (int)(end - name), name);
	if (!access(stream, F_OK))
		return true;
	snprintf(why, why_size, "%s was removed while it was written", stream);
	return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Looks at every stream. 0 or -EIO with why. */
static int check_streams(const char *path, char *why, size_t why_size)
{
	char *roots[] = { (char *)path, NULL }, metadata[4200];
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	int ret = 0;

	while (walk && !ret && (entry = fts_read(walk))) {
		int folder = (int)(entry->fts_pathlen - entry->fts_namelen);

		if (entry->fts_info != FTS_F)
			continue;
		if (!strcmp(entry->fts_parent->fts_name, "index")) {
			if (!has_stream(entry->fts_path, why, why_size))
				ret = -ENOENT;
			continue;
		}
		if (!strcmp(entry->fts_name, "metadata")) {
			if (!entry->fts_statp->st_size) {
				snprintf(why, why_size, "%s is empty", entry->fts_path);
				ret = -EIO;
			}
			continue;
		}
		snprintf(metadata, sizeof(metadata), "%.*smetadata", folder, entry->fts_path);
		if (access(metadata, F_OK)) {
			snprintf(why, why_size, "%s is not there", metadata);
			ret = -EIO;
		} else if (!stream_is_whole(entry->fts_path, entry->fts_statp->st_size)) {
			snprintf(why, why_size, "%s ends in the middle of a packet",
				 entry->fts_path);
			ret = -EIO;
		} else if (!has_sibling(entry->fts_path, why, why_size)) {
			ret = -ENOENT;
		}
	}
	if (walk)
		fts_close(walk);
	return ret;
}

/* Whether the file system still takes something. 0 or -errno. */
static int check_room(const char *path)
{
	int fd = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), err = 0;
	char *bytes = calloc(1, PROBE_BYTES), name[4200] = "";

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		snprintf(name, sizeof(name), "%s/.room-%d", path, (int)getpid());
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	}
	if (fd < 0) {
		err = -errno;
	} else if (bytes) {
		ssize_t put = write(fd, bytes, PROBE_BYTES);

		if (put < 0)
			err = -errno;
		else if (put < (ssize_t)PROBE_BYTES)
			err = -ENOSPC;
		else if (fsync(fd))
			err = -errno;
	}
	if (fd >= 0)
		close(fd);
	if (name[0])
		unlink(name);
	free(bytes);
	return err;
}

/* A consumer that could not write says so, and goes on. */
static bool log_has_failure(int log, char *why, size_t why_size)
{
	static const char *const signs[] = { "No space left",
					     "Disk quota exceeded", "File too large",
					     "Error in file write", "Error writing to tracefile" };
	char text[16384], *line;
	ssize_t got = log < 0 ? 0 : pread(log, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		line = strstr(text, signs[i]);
		if (!line)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(why, why_size, "LTTng could not write all of it: %.100s", line);
		return true;
	}
	return false;
}

int recording_folder_check(const struct recording_folder *folder, bool holds_trace, int daemon_log,
			   char *why, size_t why_size)
{
	char below[sizeof(folder->path) + 8];
	struct stat st;
	int err;

	if (stat(folder->path, &st)) {
		err = -errno;
		snprintf(why, why_size, "%s was removed while it was written", folder->path);
		return err;
	}
	if (st.st_dev != folder->device || st.st_ino != folder->inode) {
		snprintf(why, why_size, "%s was removed while it was written, and is another folder now",
			 folder->path);
		return -ESTALE;
	}
	snprintf(below, sizeof(below), "%s/ust", folder->path);
	if (holds_trace && access(below, F_OK)) {
		snprintf(why, why_size, "what was in %s was removed while it was written",
			 folder->path);
		return -ENOENT;
	}
	if (log_has_failure(daemon_log, why, why_size))
		return -EIO;
	err = check_room(folder->path);
	if (err) {
		snprintf(why, why_size, "%s: %s", folder->path, strerror(-err));
		return err;
	}
	return check_streams(folder->path, why, why_size);
}
