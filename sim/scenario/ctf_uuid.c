/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/ctf_uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/des/random.h"

#define UUID_TEXT_LENGTH 36

void ctf_uuid_derive(const char *name, uint64_t seed, uint64_t run_seed, uint8_t uuid[16])
{
	struct des_random random;

	des_random_init(&random, seed, name, run_seed);
	for (unsigned int half = 0; half < 2; half++) {
		uint64_t bits = des_random_next(&random);

		for (unsigned int i = 0; i < 8; i++)
			uuid[half * 8 + i] = (uint8_t)(bits >> (8 * i));
	}
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static void uuid_print(const uint8_t uuid[16], char text[UUID_TEXT_LENGTH + 1])
{
	char *at = text;

	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += sprintf(at, "%02x", uuid[i]);
	}
}

static bool uuid_parse(const char *text, uint8_t uuid[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int byte;

		if (*text == '-')
			text++;
		if (sscanf(text, "%2x", &byte) != 1)
			return false;
		uuid[i] = (uint8_t)byte;
		text += 2;
	}
	return true;
}

/* A file in memory, to be changed in place. */
struct mapped_file {
	char *bytes;
	size_t size;
};

static int map_file(const char *path, struct mapped_file *file)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), err = 0;
	struct stat st;

	*file = (struct mapped_file){ 0 };
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		err = -errno;
	} else if (st.st_size) {
		file->size = (size_t)st.st_size;
		file->bytes = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (file->bytes == MAP_FAILED)
			err = -errno;
	}
	close(fd);
	return err;
}

/* Replaces the UUID in the metadata's text; *old becomes the one that was there. */
static int pin_metadata(const char *path, const uint8_t uuid[16], uint8_t old[16])
{
	static const char key[] = "uuid = \"";
	char text[UUID_TEXT_LENGTH + 1];
	struct mapped_file file;
	int err = map_file(path, &file);
	char *at;

	if (err)
		return err;
	at = file.size ? memmem(file.bytes, file.size, key, strlen(key)) : NULL;
	if (!at || (size_t)(file.bytes + file.size - at) < strlen(key) + UUID_TEXT_LENGTH ||
	    !uuid_parse(at + strlen(key), old)) {
		err = -EBADMSG;
	} else {
		uuid_print(uuid, text);
		memcpy(at + strlen(key), text, UUID_TEXT_LENGTH);
	}
	if (file.size)
		munmap(file.bytes, file.size);
	return err;
}

/* Replaces the UUID in the packets' headers. 16 random bytes are nowhere else. */
static int pin_stream(const char *path, const uint8_t uuid[16], const uint8_t old[16])
{
	struct mapped_file file;
	int err = map_file(path, &file);
	char *at;

	if (err || !file.size)
		return err;
	for (at = file.bytes; (at = memmem(at, (size_t)(file.bytes + file.size - at), old, 16));)
		memcpy(at, uuid, 16);
	munmap(file.bytes, file.size);
	return 0;
}

int ctf_uuid_pin(const char *dir, const uint8_t uuid[16], char *error, size_t error_size)
{
	char path[4096 + 256];
	struct dirent *entry;
	uint8_t old[16];
	DIR *stream;
	int err;

	snprintf(path, sizeof(path), "%s/metadata", dir);
	err = pin_metadata(path, uuid, old);
	if (err) {
		snprintf(error, error_size, "%s: %s", path, strerror(-err));
		return err;
	}
	stream = opendir(dir);
	if (!stream) {
		err = -errno;
		snprintf(error, error_size, "%s: %s", dir, strerror(-err));
		return err;
	}
	while (!err && (entry = readdir(stream))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "metadata"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		err = pin_stream(path, uuid, old);
		if (err)
			snprintf(error, error_size, "%s: %s", path, strerror(-err));
	}
	closedir(stream);
	return err;
}
