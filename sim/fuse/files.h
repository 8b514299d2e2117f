/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files of all kinds, behind one table of functions.
 *
 * A `fuse_files` is one FUSE connection. It has one node, which is its root (a device
 * mounted on a regular file), or it is a directory that is mounted nowhere, whose nodes
 * are files by name: shown elsewhere by bind mounts (the files of VFIO and sysfs under
 * exec), or opened once and handed to a client (a fault queue). What an open file does
 * is said by its kind: a `file_kind` of functions, as the kernel's file_operations.
 *
 * What all kinds have in common is done here: references, the order of RELEASE and OPEN,
 * what open file a descriptor of a client is, answers that need no kind.
 */
#ifndef IOASIS_SIM_FUSE_FILES_H
#define IOASIS_SIM_FUSE_FILES_H

#include "sim/engine/engine.h"
#include "sim/fuse/channel.h"

#include <pthread.h>

struct fuse_device;
struct fuse_files;

/* A file of a file system, and who has it open. */
struct fuse_node {
	struct fuse_files *files;
	const struct file_kind *kind;
	void *opaque; /* the kind's */
	uint64_t ino; /* its name, too, in a directory */
	uint32_t mode; /* S_IFREG and permissions */
	uint64_t rdev; /* of the character device that it stands for; 0: none. Set after add */
	uint32_t refs; /* of one that is opened once: the opener's and the open file's; __atomic */
	bool once;
	bool opened;	  /* once; with the lock */
	bool poll_wanted; /* someone waits in poll; with the lock */
	uint64_t poll_handle;
	struct fuse_node *next, **link;
};

/* One open of a node. FUSE's file handle is its address. */
struct fuse_open {
	struct fuse_node *node;
	void *file;	/* what the kind's functions get */
	uint32_t refs;	/* the kernel's, each call's, fuse_files_find()'s; __atomic */
	struct fuse_user *user; /* whose file it is; NULL: opened once, by this process */
	uint32_t tid;	/* the thread that opened it */
	bool taken;	/* the kernel's is someone's to give back; with the lock */
	uint32_t oflags; /* as it was opened: O_RDWR... */
	struct fuse_open *next, **link;
};

/* A read or write. */
struct file_access {
	void *buf; /* size bytes; what a short read leaves is zeros */
	size_t size;
	uint64_t offset;
	bool nonblock;
	/*
	 * The kernel does it for a page of a mapping, with whoever touched it waiting: to be
	 * answered without a wait for a client. Refused unless the kind has_pages.
	 */
	bool by_page;
};

struct file_kind {
	uint32_t mode;	     /* S_IFREG and permissions */
	uint32_t open_flags; /* FOPEN_*, besides those of all */
	bool has_pages;	     /* read and write take accesses by_page */
	/*
	 * A client opens node: *file is what the others get. 0 or -errno. NULL: node->opaque
	 * is the file. request: for fuse_call_init().
	 */
	int (*open)(struct fuse_node *node, const struct fuse_request *request, void **file);
	/*
	 * A descriptor of it is closed, maybe the last one, by a call or by the kernel as a process
	 * ends. Not told of connections that nobody supervises (known.h). NULL: nothing.
	 */
	void (*flush)(void *file);
	/* The last close, with no call under way. NULL: nothing to be done. */
	void (*release)(void *file);
	/* What the system calls of these names give: 0, bytes, or -errno. NULL: -EINVAL. */
	ssize_t (*read)(void *file, const struct file_access *access);
	ssize_t (*write)(void *file, const struct file_access *access);
	/* NULL: -ENOTTY */
	long (*ioctl)(void *file, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg);
	/* POLLIN, POLLOUT, ... NULL: all that a file without poll is (vfs_poll()). */
	short (*poll)(void *file);
	/* How many bytes stat() shows. NULL: 0. */
	uint64_t (*size)(const struct fuse_node *node);
	/*
	 * mmap() that is served by a memfd, borrowed, at *fd_offset. 0 or -errno. NULL: by
	 * FUSE, if at all.
	 */
	int (*mmap)(void *file, uint64_t offset, uint64_t length, bool shared, int *fd,
		    uint64_t *fd_offset);
};

struct fuse_files {
	struct fuse_device *device;
	struct fuse_channel *channel; /* NULL: no connection */
	bool ready;	 /* all of it is there; __atomic */
	int root_fd;	 /* of a directory; -1: none; __atomic */
	uint64_t st_dev; /* once there is a connection */
	pthread_mutex_t start_lock; /* held while the connection of a directory is made */
	pthread_mutex_t lock;
	pthread_cond_t released;
	unsigned int releasing;	 /* files whose last close is being worked on */
	unsigned int unreleased; /* open files until that is done; __atomic */
	uint64_t next_ino;
	struct fuse_node *nodes;
	struct fuse_open *opens;
	struct fuse_open *ending; /* whose last close is being worked on */
};

void fuse_files_init(struct fuse_files *files, struct fuse_device *device);
/* After fuse_files_stop(), with no thread stuck. */
void fuse_files_fini(struct fuse_files *files);

/*
 * Serves fd (fuse_mount_file()), mounted at path, whose root is a node of this kind. 0,
 * or -errno when it does not answer. Owns fd from now on. init_flags, order: see
 * fuse_channel_start(); fuse_files_settle() is for FUSE_CHANNEL_DRAINABLE.
 */
int fuse_files_start_file(struct fuse_files *files, int fd, const char *path,
			  const struct file_kind *kind, void *opaque, uint64_t init_flags,
			  enum fuse_channel_order order);

/* Makes the connection of a directory unless it is there. 0 or -errno. */
int fuse_files_start_folder(struct fuse_files *files);

/* Ends the connection; files still open are released. Returns how many threads are stuck. */
unsigned int fuse_files_stop(struct fuse_files *files);

/* A file of a directory, for as long as that lives. NULL: out of memory. */
struct fuse_node *fuse_files_add(struct fuse_files *files, const struct file_kind *kind,
				 void *opaque);

/* Shows it at path, an existing file, by a mount. Needs CAP_SYS_ADMIN here. 0 or -errno. */
int fuse_files_show(struct fuse_node *node, const char *path);

/*
 * Opens a file of a directory that no one can open again. An fd of this process
 * (close-on-exec), to be handed on and closed; or -errno. *opened: opaque is released with
 * the file's last close; it may also be after an error. before(opaque, node), if not NULL,
 * is called ahead of the open: until the release fuse_node_poll_changed() may be told node.
 */
int fuse_files_open_once(struct fuse_files *files, const struct file_kind *kind, void *opaque,
			 void (*before)(void *opaque, struct fuse_node *node), int oflags,
			 bool *opened);

/* What poll says of the file of node may have changed. From any thread. */
void fuse_node_poll_changed(struct fuse_node *node);

/* Whether fd (of this process) is a file of these. Asks no file system. */
bool fuse_files_own(struct fuse_files *files, int fd);

/*
 * The node that fd (of this process; O_PATH is enough) is of, if it lives as long as
 * files do; NULL: none of these. Asks no file system.
 */
struct fuse_node *fuse_files_node(struct fuse_files *files, int fd);

/* The open file behind fd, a reference for fuse_open_put(); NULL: none of these. */
struct fuse_open *fuse_files_find(struct fuse_files *files, int fd);
void fuse_open_get(struct fuse_open *open);
/* As fuse_open_get(), of one that may have no references any more: false then. */
bool fuse_open_get_live(struct fuse_open *open);
void fuse_open_put(struct fuse_open *open);

/*
 * The opaque of the node that was opened once and fd (of this process) stands for,
 * without asking anyone; NULL: none. found(opaque) is called with the lock held and
 * says what is returned.
 */
void *fuse_files_find_once(struct fuse_files *files, int fd, void *(*found)(void *opaque));

/*
 * Waits until the last close() of a file that a client has done before the call in hand
 * has taken effect: FUSE tells of it, but waits for nobody. Gives up after a while
 * (fuse_channel_drain()). here: whose request the calling thread handles; NULL: none's.
 */
void fuse_files_settle(struct fuse_files *files, const struct fuse_files *here);

/* The same of connections whose open files are more than the held ones that the caller uses. */
void fuse_files_settle_but(struct fuse_files *files, unsigned int held);

#endif
