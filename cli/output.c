/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/guard.h"

#define COPY_BYTES 65536

/* ---- the temporary file ------------------------------------------------------------ */

/* Makes an empty file with a name of its own in folder (length bytes of text); its fd or -errno. */
static int make_temporary(struct output *output, const char *folder, int length)
{
	const char *name = strrchr(output->target, '/');

	name = name ? name + 1 : output->target;
	for (unsigned int i = 0; i < 1000; i++) {
		int fd;

		if (snprintf(output->temporary, sizeof(output->temporary), "%.*s/.%.100s.%d-%u",
			     length, folder, name, (int)getpid(), i) >=
		    (int)sizeof(output->temporary))
			return -ENAMETOOLONG;
		fd = open(output->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			guard_remove(output->temporary);
			return fd;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Beside the target; *size: of what stands before its name. */
static int make_beside(struct output *output)
{
	const char *slash = strrchr(output->target, '/');

	if (!slash)
		return make_temporary(output, ".", 1);
	return make_temporary(output, output->target, (int)(slash - output->target));
}

static int make_elsewhere(struct output *output)
{
	const char *folder = getenv("TMPDIR");

	if (!folder || !*folder)
		folder = "/tmp";
	return make_temporary(output, folder, (int)strlen(folder));
}

/* Follows links; *exists: there is a file, with *st. 0 or -errno. */
static int resolve(struct output *output, bool *exists, struct stat *st)
{
	char real[PATH_MAX];

	if (snprintf(output->target, sizeof(output->target), "%s", output->path) >=
	    (int)sizeof(output->target))
		return -ENAMETOOLONG;
	if (!*output->path)
		return -ENOENT;
	*exists = !stat(output->path, st);
	if (*exists && S_ISDIR(st->st_mode))
		return -EISDIR;
	if (*exists && realpath(output->path, real))
		strcpy(output->target, real);
	return 0;
}

/* Makes the temporary file of a target that is a regular file, or none yet. Its fd or -errno. */
static int begin_regular(struct output *output, bool exists, const struct stat *st)
{
	struct stat link;
	int fd, err;

	output->way = OUTPUT_REPLACES;
	/* A link to nothing makes a file elsewhere; a file that forbids writing stays as it is. */
	if (!exists && !lstat(output->target, &link))
		output->way = OUTPUT_COPIES;
	if (exists && access(output->target, W_OK))
		return -errno;
	fd = output->way == OUTPUT_COPIES ? make_elsewhere(output) : make_beside(output);
	if (fd < 0 && exists && (fd == -EACCES || fd == -EPERM || fd == -EROFS)) {
		/* The folder takes no new file, the old one can be written. */
		err = fd;
		output->way = OUTPUT_COPIES;
		fd = make_elsewhere(output);
		if (fd < 0)
			return err;
	}
	if (fd >= 0 && exists && output->way == OUTPUT_REPLACES) {
		/* As it was, so far as we may. */
		if (fchown(fd, st->st_uid, st->st_gid) && errno != EPERM) {
			/* its owner is then who writes it */
		}
		if (fchmod(fd, st->st_mode & 07777) && errno != EPERM) {
			/* as the umask says */
		}
	}
	return fd;
}

static int begin(struct output *output, const char *path, bool named)
{
	bool exists = false, is_stdout = !strcmp(path, "-");
	int fd, err = 0;
	struct stat st;

	*output = (struct output){ .path = path, .way = OUTPUT_REPLACES };
	if (!is_stdout)
		err = resolve(output, &exists, &st);
	if (err)
		return err;
	if (is_stdout || (exists && !S_ISREG(st.st_mode)))
		output->way = OUTPUT_DIRECT;
	if (output->way == OUTPUT_DIRECT && !named) {
		output->file = is_stdout ? stdout : fopen(path, "we");
		return output->file ? 0 : -errno;
	}
	if (output->way == OUTPUT_DIRECT) {
		output->way = OUTPUT_COPIES;
		fd = make_elsewhere(output);
	} else {
		fd = begin_regular(output, exists, &st);
	}
	if (fd < 0) {
		output->temporary[0] = 0;
		return fd;
	}
	if (named) {
		close(fd);
		return 0;
	}
	output->file = fdopen(fd, "w");
	if (output->file)
		return 0;
	close(fd);
	output_abort(output);
	return -ENOMEM;
}

int output_begin(struct output *output, const char *path)
{
	return begin(output, path, false);
}

int output_begin_named(struct output *output, const char *path)
{
	return begin(output, path, true);
}

/* ---- the end ---------------------------------------------------------------------- */

static int copy(int from, int to)
{
	char bytes[COPY_BYTES];
	ssize_t got, put;

	while ((got = read(from, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < got; at += put) {
			put = write(to, bytes + at, (size_t)(got - at));
			if (put < 0)
				return -errno;
		}
	}
	return got < 0 ? -errno : 0;
}

/* The temporary file's bytes go to the target, or to standard output. */
static int copy_there(struct output *output)
{
	bool is_stdout = !strcmp(output->path, "-");
	int from = open(output->temporary, O_RDONLY | O_CLOEXEC), to, err;

	if (from < 0)
		return -errno;
	if (is_stdout && fflush(stdout)) {
		err = -errno;
		close(from);
		return err;
	}
	to = is_stdout ? STDOUT_FILENO
		       : open(output->target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	err = to < 0 ? -errno : copy(from, to);
	if (to >= 0 && !is_stdout && close(to) && !err)
		err = -errno;
	close(from);
	return err;
}

/* All of it is on the disk before it takes the name. */
static int replace(struct output *output)
{
	int fd = open(output->temporary, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	/* Some file systems have no fsync; a full disk shows here, though. */
	if (fsync(fd) && errno != EINVAL && errno != ENOSYS)
		err = -errno;
	close(fd);
	if (!err && rename(output->temporary, output->target))
		err = -errno;
	return err;
}

/* The caller says what is wrong with it: output_end() shall not say so again. */
static void forget_stdout(void)
{
	__fpurge(stdout);
	clearerr(stdout);
}

int output_commit(struct output *output)
{
	FILE *file = output->file;
	int err = 0;

	if (file) {
		if (ferror(file))
			err = -EIO;
		if (fflush(file))
			err = -errno;
		output->file = NULL;
		if (file != stdout && fclose(file) && !err)
			err = -errno;
		if (file == stdout && err)
			forget_stdout();
	}
	if (!err && output->temporary[0])
		err = output->way == OUTPUT_REPLACES ? replace(output) : copy_there(output);
	if (err || output->way == OUTPUT_COPIES)
		output_abort(output);
	else if (output->temporary[0])
		guard_forget(output->temporary);
	return err;
}

void output_abort(struct output *output)
{
	if (output->file == stdout)
		forget_stdout();
	else if (output->file)
		fclose(output->file);
	output->file = NULL;
	if (!output->temporary[0])
		return;
	unlink(output->temporary);
	guard_forget(output->temporary);
	output->temporary[0] = 0;
}

const char *output_name(const struct output *output)
{
	return strcmp(output->path, "-") ? output->path : "standard output";
}

/* ---- standard output ------------------------------------------------------------------ */

void output_hold_standard(void)
{
	for (int fd = 0; fd < 3; fd++) {
		/* For the wrong direction: using it fails as if it were closed. */
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) < 0)
			return;
	}
}

int output_end(const char *command, int status)
{
	bool failed = ferror(stdout);
	int err = 0;

	if (fflush(stdout))
		err = errno;
	if (!failed && !err)
		return status;
	fprintf(stderr, "ioasis%s%s: cannot write to standard output%s%s\n", *command ? " " : "",
		command, err ? ": " : "", err ? strerror(err) : "");
	return 3;
}
