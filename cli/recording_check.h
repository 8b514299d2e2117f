/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether all that LTTng wanted to write is on the disk. LTTng's programs end well when it is
 * not: when the disk was full, or when somebody removed the folder.
 */
#ifndef IOASIS_CLI_RECORDING_CHECK_H
#define IOASIS_CLI_RECORDING_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The folder as it was made, to know it again. */
struct recording_folder {
	char path[4096];
	dev_t device;
	ino_t inode;
};

/* Notes the folder that is at path. 0 or -errno. */
int recording_folder_note(struct recording_folder *folder, const char *path);

/*
 * After the session: 0, or a negative errno with one line in why: the folder is gone or another
 * one, a stream is gone, a stream ends in the middle of a packet or has no metadata
 * beside it, or the file system takes no more. holds_trace: LTTng made a folder in it for its files,
 * whatever there was to write. daemon_log: what an own session daemon wrote to standard error (-1:
 * none).
 */
int recording_folder_check(const struct recording_folder *folder, bool holds_trace, int daemon_log,
			   char *why, size_t why_size);

#endif
