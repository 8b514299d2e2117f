/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of sim/fuse: files.c has what open files of all kinds have in common,
 * calls.c what they do with a client's call; device.c has /dev/iommu, anon.c the files
 * that commands give to processes, vfio_files.c those of VFIO.
 */
#ifndef IOASIS_SIM_FUSE_INTERNAL_H
#define IOASIS_SIM_FUSE_INTERNAL_H

#include "sim/fuse/channel.h"
#include "sim/fuse/device.h"
#include "sim/fuse/files.h"
#include "sim/fuse/known.h"

#include <limits.h>
#include <pthread.h>

struct anon_files;
struct shown_group;
struct vfio_device;
struct vfio_device_env;
struct vfio_shown;
struct fuse_asker;
struct vfio_files;

/* The node of the device file, and of the hidden connection's directory. */
#define FUSE_NODE_ROOT 1u

/* An open /dev/iommu. */
struct iommu_file {
	struct fuse_device *device;
	struct fuse_files *files; /* that it is of */
	struct engine_ctx *ctx;
	uint32_t pid; /* who opened it */
	int by_exit;  /* whether that was gone at the last FLUSH; -1: there was none; __atomic */
	struct fuse_open *open; /* borrowed; once fuse_device_ctx_get() has found it; __atomic */
	struct iommu_file *next, **link; /* with the device's lock */
};

/* ---- device.c -------------------------------------------------------------------- */

/* fuse_files_settle() of all that is not on /dev/iommu. */
void fuse_device_settle(struct fuse_device *device, const struct fuse_files *here);

/* Takes another reference of what fuse_device_ctx_get() gave. */
void fuse_device_ctx_again(struct fuse_device *device, struct engine_ctx *ctx);

/* An open file of /dev/iommu; and of /dev/vfio/vfio, which is the same but in how it counts. */
extern const struct file_kind fuse_iommu_kind, fuse_container_kind;

struct fuse_device {
	struct fuse_device_config config;
	struct engine *engine;
	struct process_table *processes;
	struct fuse_files files; /* one: /dev/iommu */
	struct anon_files *anon;
	struct vfio_files *vfio;
	struct fuse_asker *asker; /* from fuse_device_mount() on */
	struct fuse_users users;
	struct known_opens known; /* of clients, if it is supervised */

	char *path;	/* where it is mounted; NULL: nowhere */
	bool by_helper; /* fusermount3 mounted it */
	uint64_t made_ns;

	pthread_mutex_t lock;
	struct iommu_file *iommu_files;
	struct client_mapping *mappings; /* by the newest first; also read without the lock */
};

/* ---- calls.c --------------------------------------------------------------------- */

/* One call of a client through FUSE. */
struct fuse_call {
	struct process_client pc;
	const struct fuse_request *request;
};

/* As process_client_init(). The client's operations fail once the request is abandoned. */
int fuse_call_init(struct fuse_call *call, struct fuse_device *device,
		   const struct fuse_request *request);
void fuse_call_fini(struct fuse_call *call);

/* engine_config.intercept of a device (opaque): injected errors and delays. */
int fuse_call_intercept(void *opaque, const struct engine_client *client, unsigned int nr,
			uint64_t arg);

/* The open file that a call is for. */
struct fuse_call_file {
	/* What this process's own question about it is answered with; 0: it has none. */
	uint64_t token; /* see fuse_call_ask() */
	long (*ioctl)(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg);
	/* Gives back a reference that the caller took: the call may outlast the open file. */
	void (*put)(void *opaque);
	void *opaque;
};

/*
 * Answers an IOCTL with what file->ioctl() returns. The reference is given back before
 * the answer: a close() that follows is to find no other.
 */
void fuse_call_ioctl(struct fuse_device *device, const struct fuse_request *request,
		     const struct fuse_call_file *file);

/*
 * Asks an open file (fd of this process, on a file system of ours) for the token that
 * fuse_call_ioctl() was given. Only this process gets an answer. 0: none.
 */
uint64_t fuse_call_ask(struct fuse_device *device, int fd);

/* Waits until the new file system at path answers (INIT comes first). 0 or -errno. */
int fuse_call_first_look(struct fuse_device *device, const char *path);

/* Attributes of a node: a regular file, or a directory. */
void fuse_call_fill_attr(struct fuse_device *device, uint64_t node, uint32_t mode,
			 struct fuse_attr *attr);

/* ---- mapping.c ------------------------------------------------------------------- */

/* More than any offset that mmap is given: the size of the device file where mmap works. */
#define FUSE_MAPPING_BYTES (1u << 30)

/* Finds out which mappings of ctx's ranges are gone. For calls that a mapping forbids. */
void fuse_mappings_sweep(struct fuse_device *device, struct engine_ctx *ctx);

/* ctx ends, and with it (engine_ctx_release()) what was mapped of it. */
void fuse_mappings_forget(struct fuse_device *device, struct engine_ctx *ctx);

/* Answer READ and WRITE of the device file, which pages of mappings make. Bytes or -errno. */
ssize_t fuse_mappings_read(struct fuse_device *device, struct engine_ctx *ctx,
			   const struct file_access *access);
ssize_t fuse_mappings_write(struct fuse_device *device, const struct file_access *access);

/* ---- vfio_files.c ---------------------------------------------------------------- */

/* A simulated device, and where it is mounted by itself. */
struct vfio_mount {
	struct fuse_files files;
	struct vfio_device *vfio;
	char path[PATH_MAX];
	bool mounted;
	bool by_helper;
	bool made; /* the file below, by us */
	struct fuse_node *node; /* in the folder, where it may be shown */
	bool appears;		/* it is; with appear_lock */
};

struct vfio_files {
	struct fuse_device *device;
	struct vfio_mount *mounts;
	unsigned int count;
	struct fuse_files folder; /* of vfio_folder.c: all that is shown from one connection */
	struct vfio_shown *shown; /* its attributes */
	char *path;		  /* /dev/vfio; NULL: nothing is shown */
	struct shown_group *groups;
	pthread_mutex_t appear_lock; /* held while a device comes or goes */
};

/* The file of a device: node->opaque is the vfio_device. */
extern const struct file_kind fuse_vfio_kind;

/* NULL: out of memory. */
struct vfio_files *vfio_files_create(struct fuse_device *device);
/* Ends the mounts; returns how many threads are stuck. Files still open are released. */
unsigned int vfio_files_stop(struct vfio_files *vfio);
void vfio_files_destroy(struct vfio_files *vfio);
/* fuse_files_settle() of all. */
void vfio_files_settle(struct vfio_files *vfio, const struct fuse_files *here);

/* ---- vfio_folder.c ----------------------------------------------------------------- */

/* After the folder's connection has ended. */
void vfio_folder_fini(struct vfio_files *vfio);

/* Of vfio_device_env, where there are groups. opaque: the fuse_device. */
int vfio_folder_group_of_fd(void *opaque, const struct engine_client *client, int fd,
			    uint32_t *number);
int vfio_folder_block_group(void *opaque, struct vfio_device *vfio);
void vfio_folder_unblock_group(void *opaque, struct vfio_device *vfio);

/* What a vfio_device needs of its callers. */
struct vfio_device_env vfio_files_env(struct fuse_device *device);

/* ---- anon.c ---------------------------------------------------------------------- */

/* NULL: out of memory. Opens its connection at the first use. */
struct anon_files *anon_files_create(struct fuse_device *device);

/* Ends the connection; returns how many threads are stuck. Files still open are released. */
unsigned int anon_files_stop(struct anon_files *anon);
void anon_files_destroy(struct anon_files *anon);

/* Opens a file of the engine, or with file NULL one that ops serve. The fd or -errno. */
int anon_files_open(struct anon_files *anon, struct engine_anon_file *file,
		    const struct fuse_device_file_ops *ops, void *opaque, int oflags);
/* fuse_files_settle() of them. */
void anon_files_settle(struct anon_files *anon);

void anon_files_disown(struct anon_files *anon, struct engine_anon_file *file);
struct engine_anon_file *anon_files_find(struct anon_files *anon, int fd);

#endif
