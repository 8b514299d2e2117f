/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake device file: an engine behind a FUSE connection.
 *
 * One `fuse_device` is one FUSE file system with a regular file that answers like
 * /dev/iommu, mounted at the path that the user wants. Every open of it is an
 * engine_ctx. Files that commands give to a process (queues, accesses) are further
 * files of the same file system, which only this process can open.
 *
 * Calls run on threads of this process, more of them whenever all are busy, so a
 * client that never lets its call end stops nobody else.
 *
 * Errors that a person reads come as one line in `why`.
 */
#ifndef IOASIS_SIM_FUSE_DEVICE_H
#define IOASIS_SIM_FUSE_DEVICE_H

#include "sim/engine/engine.h"
#include "sim/fuse/users.h"
#include "sim/process/process.h"

#include <stdio.h>

struct inject;
struct leak_report;
struct process_client;
struct where;
struct pci_bus;
struct fuse_device;
struct fuse_open;

#define FUSE_DEVICE_WHY_BYTES 256

struct fuse_device_config {
	struct engine_config engine; /* its intercept is the device's */
	struct fuse_limits limits;   /* of each user */
	struct inject *inject;	     /* calls that fail or take longer; borrowed; NULL: none */
	struct pci_bus *bus; /* simulated devices, settled; borrowed; NULL: none */
	struct engine_iommu iommu; /* theirs; address_bits 0: as engine_iommu_init() */
	struct leak_report *leaks;   /* where what is left is noted; borrowed; NULL: nowhere */
	bool leaks_at_close; /* and printed on standard error, when the file is closed */
	struct where *where; /* finds where in its program a call was made; borrowed; NULL: nobody */
	/*
	 * Asked for the fail_nth of a client's thread (engine_client.fail_nth); NULL:
	 * no thread has one. opaque is `opaque` below.
	 */
	uint32_t *(*fail_nth)(void *opaque, uint32_t tid);
	/*
	 * Asked when a client makes ioctl offer_cmd, which has bytes of data; returns its
	 * result. NULL: nobody.
	 */
	int (*offer)(void *opaque, struct process_client *pc, const void *data, size_t bytes);
	unsigned int offer_cmd;
	/*
	 * Told when a process cannot be served: its memory is closed to this one, or
	 * (tid 0) it is in a pid namespace that this one does not see. NULL: nobody.
	 */
	void (*refused)(void *opaque, uint32_t tid);
	void *opaque;
	/*
	 * Whether ioctls come by a supervisor, too (fuse_device_open_ioctl()): then the kernel
	 * tells of each close of a descriptor.
	 */
	bool supervised;
	/*
	 * Whether each mmap() of the file is brought to fuse_device_mmap() first. Without,
	 * the kernel refuses shared mappings (ENODEV).
	 */
	bool sees_mmap;
};

/*
 * Has the call of pc tell where in its program it was made (engine_client.stack and .where), if that is
 * wanted and cmd makes something. The caller waits in a system call meanwhile.
 */
void fuse_device_where(struct fuse_device *device, struct process_client *pc, unsigned int cmd);

/* Makes a device that nobody sees yet. 0, -ENOMEM, or -EINVAL for an unknown version. */
int fuse_device_create(const struct fuse_device_config *config, struct fuse_device **device);

/*
 * Mounts it at path, an existing regular file, and answers calls from now on.
 * Unmounts with fuse_device_stop(), and with the end of the mount namespace.
 *
 * With CAP_SYS_ADMIN over the mount namespace it uses mount system calls alone;
 * otherwise fusermount3. Starts threads: unshare() and forking with a plan for
 * more than exec() come before. 0, or -errno with one line in why.
 */
int fuse_device_mount(struct fuse_device *device, const char *path,
		      char why[FUSE_DEVICE_WHY_BYTES]);

/*
 * Mounts the simulated VFIO devices as vfio0, vfio1, ... (vfio_device_name()) in folder,
 * where files are made for them; fuse_device_stop() removes both. After
 * fuse_device_mount(). 0, or -errno with one line in why; -ENODEV: one has no file at this
 * kernel's version.
 */
int fuse_device_mount_vfio(struct fuse_device *device, const char *folder,
			   char why[FUSE_DEVICE_WHY_BYTES]);

/*
 * Shows what VFIO has in folder, /dev/vfio: the container vfio, a file N for each group
 * (vfio_group_name()), and devices/vfioN; files are made for them. Needs CAP_SYS_ADMIN over the mount namespace, which
 * ends the mounts. After fuse_device_mount(). 0, or -errno with one line in why.
 */
int fuse_device_show_vfio(struct fuse_device *device, const char *folder,
			  char why[FUSE_DEVICE_WHY_BYTES]);

/*
 * The driver of device number is there again, or goes: so does its file, and with the last
 * device of a group the group's. After fuse_device_show_vfio(). 0 or -errno; vanish: -EBUSY
 * while it is in use.
 */
int fuse_device_vfio_appear(struct fuse_device *device, unsigned int number);
int fuse_device_vfio_vanish(struct fuse_device *device, unsigned int number);

/* Whether VFIO of the kernel has files of their own, devices/vfioN, for any of the devices. */
bool fuse_device_has_vfio_files(const struct fuse_device_config *config);

/* Readable (poll) once someone else has unmounted the device. Borrowed. */
int fuse_device_ended_fd(struct fuse_device *device);

/*
 * Unmounts; calls that are under way end, or their callers get ECONNABORTED.
 * Every file still open is closed as far as the engine is concerned (and noted in
 * leaks); one that fuse_device_ctx_get() gave out, by fuse_device_ctx_put(). After it
 * no thread of the device runs, except one that a client's memory keeps stuck in the
 * kernel: returns how many there are of these; with any, end the process with _exit()
 * rather than fuse_device_destroy().
 */
unsigned int fuse_device_stop(struct fuse_device *device);

/* Frees it; stop comes first. */
void fuse_device_destroy(struct fuse_device *device);

struct engine *fuse_device_engine(struct fuse_device *device);
struct process_table *fuse_device_processes(struct fuse_device *device);

/* Numbers of the character devices: above those that the kernel gives out by itself. */
#define FUSE_DEVICE_GROUP_MAJOR 509u /* /dev/vfio/N; the minor is N */
#define FUSE_DEVICE_VFIO_MAJOR 508u  /* /dev/vfio/devices/vfioN; the minor is N */
#define FUSE_DEVICE_IOMMU_MINOR 125u /* of MISC_MAJOR */
#define FUSE_DEVICE_CONTAINER_MINOR 196u /* of MISC_MAJOR: VFIO_MINOR */

/* ---- for a supervisor in the same process (exec) --------------------------------- */

/*
 * Whether fd (of this process) is a file on this device's file system. Asks no file
 * system, so an fd from a hostile client keeps nobody waiting.
 */
bool fuse_device_owns_fd(struct fuse_device *device, int fd);

/*
 * The open file of any kind (/dev/iommu, container, group, VFIO device) that fd (of this
 * process) stands for, kept from its release until fuse_device_open_put(). NULL: none.
 */
struct fuse_open *fuse_device_open_get(struct fuse_device *device, int fd);
void fuse_device_open_put(struct fuse_open *open);

/*
 * The same for descriptor fd of the caller of pc, without asking the kernel: NULL unless that
 * is certain. Let the call go on through FUSE then, after fuse_device_open_expect() of it: what
 * FUSE tells of it is what the next one finds. generation, if not NULL: see known.h.
 * For a device that is supervised.
 */
struct fuse_open *fuse_device_open_known(struct fuse_device *device,
					 const struct process_client *pc, int fd,
					 uint64_t *generation);
void fuse_device_open_expect(struct fuse_device *device, uint32_t tid, int fd, unsigned int cmd,
			     uint64_t arg);
/* The same for a pread64() at offset that goes on. */
void fuse_device_open_expect_read(struct fuse_device *device, uint32_t tid, int fd,
				  uint64_t offset);

/* Whether it is a VFIO device's, which has registers to read. */
bool fuse_device_open_reads(const struct fuse_open *open);
/* pread64() of such a file: bytes or -errno; -ENOTTY: FUSE is to answer. */
ssize_t fuse_device_open_read(struct fuse_open *open, void *buf, size_t size, uint64_t offset);


/* What ioctl() of it gives: as through FUSE, but client may have fd_install. */
long fuse_device_open_ioctl(struct fuse_open *open, const struct engine_client *client,
			    unsigned int cmd, uint64_t arg);

/*
 * mmap() of a file whose memory is in a memfd: *fd is that, to be closed, and *fd_offset
 * where in it. -ENOTTY: not such a file; else what the call is to give.
 */
int fuse_device_open_mmap(struct fuse_open *open, uint64_t offset, uint64_t length, bool shared,
			  int *fd, uint64_t *fd_offset);

/*
 * VFIO_GROUP_GET_DEVICE_FD of a group's open file: an open file of this process, to be
 * handed to the client and closed; -ENOTTY: open is no group's; or -errno.
 */
int fuse_device_group_device_open(struct fuse_open *open, const struct engine_client *client,
				  uint64_t arg);

/*
 * The open file that fd (of this process, as from pidfd_getfd) stands for, kept
 * from its release until fuse_device_ctx_put(). NULL: fd is no open /dev/iommu of
 * this device.
 */
struct engine_ctx *fuse_device_ctx_get(struct fuse_device *device, int fd);
void fuse_device_ctx_put(struct fuse_device *device, struct engine_ctx *ctx);

/*
 * A client is about to map [offset, offset + length) of the open file behind ctx. 0:
 * let the kernel do it, pages and their end are seen to; else what mmap gives: -ENODEV,
 * -EINVAL, -EPERM, -ENXIO as the kernel, or -ENOMEM. length: whole pages, bytes. shared,
 * exec: of the mapping. 0 needs Linux 6.6 (FUSE_DIRECT_IO_ALLOW_MMAP), sees_mmap, and the test
 * command, which alone makes something that can be mapped.
 */
int fuse_device_mmap(struct fuse_device *device, struct engine_ctx *ctx, uint64_t offset,
		     uint64_t length, bool shared, bool exec);

/* What stat() is to say of a file that stands for a character device. */
struct fuse_device_look {
	uint32_t mode; /* S_IFCHR and permissions */
	uint64_t rdev;
	uint64_t ino;
	uint64_t made_ns; /* all its times, since 1970 */
};

/* For fd of this process (O_PATH is enough). False: it stands for none. Asks no file system. */
bool fuse_device_looks(struct fuse_device *device, int fd, struct fuse_device_look *look);

/* Has the kernel ask for the attributes of fd, a file on this device's file system, anew. */
void fuse_device_refresh(struct fuse_device *device, int fd);

/* The anonymous file that fd (of this process) stands for; borrowed from fd. NULL: none. */
struct engine_anon_file *fuse_device_anon_borrow(struct fuse_device *device, int fd);

/*
 * Opens file as a file of this process, to be handed on (SECCOMP_IOCTL_NOTIF_ADDFD)
 * and closed: engine_anon_file_release() comes with the last close anywhere.
 * oflags: O_RDWR, O_CLOEXEC. The fd (close-on-exec here in any case), or -errno with
 * file still the caller's.
 */
int fuse_device_anon_open(struct fuse_device *device, struct engine_anon_file *file, int oflags);

/*
 * Takes back what fuse_device_anon_open() gave: its last close will not release
 * the file, which is the caller's again.
 */
void fuse_device_anon_disown(struct fuse_device *device, struct engine_anon_file *file);

/*
 * A file that is none of the engine's, for a client to read and write at any offset:
 * bytes or -errno. opaque outlives the device. Called from any thread.
 */
struct fuse_device_file_ops {
	ssize_t (*read)(void *opaque, char *buf, size_t len, uint64_t offset);
	ssize_t (*write)(void *opaque, const char *buf, size_t len, uint64_t offset);
	uint32_t mode; /* permissions, of what fuse_device_show() shows */
	uint64_t size; /* that stat() shows, bytes */
};

/*
 * Shows such a file at path, an existing file, by a mount; after fuse_device_show_vfio(). A
 * NULL read or write: EIO. 0 or -errno.
 */
int fuse_device_show(struct fuse_device *device, const char *path,
		     const struct fuse_device_file_ops *ops, void *opaque);

/* As fuse_device_anon_open(). */
int fuse_device_file_open(struct fuse_device *device, const struct fuse_device_file_ops *ops,
			  void *opaque, int oflags);

#endif
