/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: an in-memory model of the kernel's iommufd.
 *
 * An `engine` is one kernel: its version, its options, the pages that are
 * pinned and who is charged for them. An `engine_ctx` is one open file of
 * /dev/iommu. A call is one ioctl of one thread on one open file.
 *
 * The engine is pure: no clock, no file descriptor, no process, no printing,
 * no state outside an `engine`. All it knows about the caller comes through
 * `engine_client`, which the caller of the engine fills for each call: the FUSE
 * daemon from another process, the in-process library from its own.
 *
 * Threads: every function may be called from any thread. One lock an open file
 * keeps its calls in one order; commit numbers are taken under it.
 *
 * Errors are 0 or a negative errno throughout.
 */
#ifndef IOASIS_ENGINE_H
#define IOASIS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct engine;
struct engine_ctx;
struct engine_client;
struct trace;
struct trace_identity;
struct engine_mm;
struct engine_file;
struct engine_anon_file;

#define ENGINE_PAGE_SIZE 4096u
#define ENGINE_LINUX(major, minor) (((uint32_t)(major) << 16) | (uint32_t)(minor))
#define ENGINE_LINUX_OLDEST ENGINE_LINUX(6, 2)
#define ENGINE_LINUX_NEWEST ENGINE_LINUX(7, 3)

/* ---- the kernel ------------------------------------------------------- */

/* Says when there is no memory left, to see what the engine does then. */
struct engine_heap {
	/* Before each allocation: true: it fails. From any thread, under any lock. */
	bool (*fails)(void *opaque);
	void *opaque;
};

struct engine_config {
	uint32_t linux_version; /* ENGINE_LINUX(); 0: the newest */
	bool test_ops;		/* answer the test command, as CONFIG_IOMMUFD_TEST */
	struct trace *trace;	/* where events go (tracepoints/trace.h); NULL: nowhere. Borrowed */
	/*
	 * CONFIG_VFIO_NOIOMMU: the type 1 calls say that they know VFIO_NOIOMMU_IOMMU.
	 * From 7.3 on always, since IOAS_NOIOMMU_GET_PA comes with it.
	 */
	bool noiommu;
	const struct engine_heap *heap; /* borrowed; NULL: there is memory as long as there is */
	/* How much memory is physically contiguous: a power of two, in bytes; 0: a page. */
	uint64_t phys_run_bytes;

	/*
	 * Called before each command is looked at, with no lock held; a negative
	 * errno ends the call with it (fault injection), 0 lets it go on. May be
	 * slow (delay injection). nr is _IOC_NR(cmd). May be NULL.
	 */
	int (*intercept)(void *opaque, const struct engine_client *client, unsigned int nr,
			 uint64_t arg);
	void *intercept_opaque;
};

/* The kernel's version, ENGINE_LINUX(), that config chooses. */
static inline uint32_t engine_config_linux(const struct engine_config *config)
{
	return config->linux_version ? config->linux_version : ENGINE_LINUX_NEWEST;
}

/* Makes a kernel. NULL only when out of memory or config cannot be. */
struct engine *engine_create(const struct engine_config *config);

/* Ends it. No open file may be left. */
void engine_destroy(struct engine *engine);

/* ---- the calling process ---------------------------------------------- */

enum engine_cap {
	ENGINE_CAP_IPC_LOCK,
	ENGINE_CAP_SYS_RESOURCE,
	ENGINE_CAP_SYS_RAWIO,
};

struct engine_client_ops {
	/* Read and write the calling process's memory. 0 or -EFAULT (nothing half done counts). */
	int (*copy_in)(const struct engine_client *client, void *dst, uint64_t src, size_t len);
	int (*copy_out)(const struct engine_client *client, uint64_t dst, const void *src,
			size_t len);
	/*
	 * Reads min(len, up to the end of the readable memory) bytes; returns how
	 * many, -EFAULT for none. NULL: the engine uses copy_in. For speed only:
	 * one read takes the size word and the structure together.
	 */
	ssize_t (*copy_in_some)(const struct engine_client *client, void *dst, uint64_t src,
				size_t len);

	/* Whether the calling thread has the capability. */
	bool (*capable)(const struct engine_client *client, enum engine_cap cap);
	/* RLIMIT_MEMLOCK of the calling process in bytes; UINT64_MAX: no limit. */
	uint64_t (*memlock_limit)(const struct engine_client *client);

	/*
	 * Who calls, as the process sees itself: fills *identity, which holds the numbers of
	 * struct engine_client. For the trace only. NULL: these numbers are right.
	 */
	void (*identify)(const struct engine_client *client, struct trace_identity *identity);

	/* The process's address space; a new reference (see engine_mm). NULL: out of memory. */
	struct engine_mm *(*mm_get)(const struct engine_client *client);

	/* The open file behind an fd of the process; a new reference, or NULL and *err = -EBADF. */
	struct engine_file *(*file_get)(const struct engine_client *client, int fd, int *err);

	/*
	 * Puts an anonymous file into the process and returns its number, or
	 * -errno. On success the process owns the file's reference: its release
	 * comes with the last close, as engine_anon_file_release().
	 * oflags: O_CLOEXEC, O_RDWR. NULL: every command that needs it gives -EMFILE.
	 */
	int (*fd_install)(const struct engine_client *client, struct engine_anon_file *file,
			  int oflags);
	/*
	 * Takes back what fd_install gave, when the command fails after it: the
	 * reference is the engine's again, engine_anon_file_release() must not come.
	 * Cannot fail.
	 */
	void (*fd_remove)(const struct engine_client *client, int fd);
};

/* One call's caller. Lives on the stack of whoever calls the engine. */
struct engine_client {
	const struct engine_client_ops *ops;
	uint32_t pid;	  /* thread group */
	uint32_t tid;	  /* thread */
	uint32_t uid;	  /* whom RLIMIT_MEMLOCK charges per user */
	uint64_t time_ns; /* for the leak report only; 0: unknown */
	uint32_t stack;	  /* likewise: a number for where in its program; 0: unknown */
	const char *where; /* the same for the trace: iommufd_dev:where's text; NULL: unknown */
	const char *name; /* of the process, for the trace of an open; NULL: unknown */
	/*
	 * Fault injection as /proc/thread-self/fail-nth: when not NULL and above
	 * zero, each point of the engine that can fail counts it down and fails
	 * when it reaches zero. Only the calling thread touches it.
	 */
	uint32_t *fail_nth;
};

/*
 * The address space of a process, counted. The engine compares the pointer:
 * one process, one engine_mm. It outlives the process.
 */
struct engine_mm {
	const struct engine_mm_ops *ops;
	uint32_t refs; /* changed with __atomic builtins */
};

/*
 * The identity of a page of memory: two addresses that reach the same page give
 * the same identity. (object, index): an inode and a page number for shared
 * memory, the address space and a page number for private memory.
 */
struct engine_page {
	uint64_t object;
	uint64_t index;
};

struct engine_mm_ops {
	/*
	 * Makes npages from va (page-aligned) present, writable when write is set,
	 * and tells their identities (pages may be NULL: not wanted). Returns how
	 * many there are from the start without a gap, or -EFAULT for none.
	 */
	ssize_t (*pin)(struct engine_mm *mm, uint64_t va, size_t npages, bool write,
		       struct engine_page *pages);
	void (*unpin)(struct engine_mm *mm, uint64_t va, size_t npages);
	/* Read or write len bytes at va, as a device or the kernel would. 0 or -EFAULT. */
	int (*read)(struct engine_mm *mm, uint64_t va, void *dst, size_t len);
	int (*write)(struct engine_mm *mm, uint64_t va, const void *src, size_t len);
	/*
	 * Bytes of the huge page that va lies in, at an address that is a multiple of
	 * that; ENGINE_PAGE_SIZE for others. Slow. NULL: there are no huge pages.
	 */
	uint64_t (*huge_page_bytes)(struct engine_mm *mm, uint64_t va);
	/* Frees mm; its last reference is gone. */
	void (*free)(struct engine_mm *mm);
};

/* Gives a reference back. From any thread. */
static inline void engine_mm_put(struct engine_mm *mm)
{
	if (!__atomic_sub_fetch(&mm->refs, 1, __ATOMIC_ACQ_REL))
		mm->ops->free(mm);
}

enum engine_file_kind {
	ENGINE_FILE_OTHER,
	ENGINE_FILE_MEMFD,   /* memfd or another shmem file */
	ENGINE_FILE_HUGETLB, /* memfd or file of huge pages */
	ENGINE_FILE_ANON,    /* one of the engine's own (fd_install) */
};

/* An open file of a process, counted; the engine compares `object`. */
struct engine_file {
	const struct engine_file_ops *ops;
	uint32_t refs;
	enum engine_file_kind kind;
	uint64_t object;		/* identity of the inode */
	uint64_t huge_page_bytes;	/* of a HUGETLB file */
	struct engine_anon_file *anon;	/* of an ANON file; borrowed */
};

struct engine_file_ops {
	/* As engine_mm_ops.pin, for pages first_page .. of the file. */
	ssize_t (*pin)(struct engine_file *file, uint64_t first_page, size_t npages, bool write,
		       struct engine_page *pages);
	void (*unpin)(struct engine_file *file, uint64_t first_page, size_t npages);
	int (*read)(struct engine_file *file, uint64_t offset, void *dst, size_t len);
	int (*write)(struct engine_file *file, uint64_t offset, const void *src, size_t len);
	/*
	 * An area keeps the file though it can never be pinned (OTHER, ANON): what it holds
	 * open is to be closed, since that may be what has to be closed for the area to go.
	 * NULL: it holds nothing.
	 */
	void (*let_go)(struct engine_file *file);
	void (*free)(struct engine_file *file);
};

/* Gives a reference back. From any thread. */
static inline void engine_file_put(struct engine_file *file)
{
	if (!__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		file->ops->free(file);
}

/* ---- open files and calls --------------------------------------------- */

/*
 * Opens /dev/iommu: a context with no objects. client: who opens (for the trace
 * and the leak report). NULL only when out of memory.
 */
struct engine_ctx *engine_ctx_open(struct engine *engine, const struct engine_client *client);

/*
 * It was opened as VFIO's container, /dev/vfio/vfio: pages count by process, as VFIO
 * counts them. Before any call. Source: iommufd_fops_open().
 */
void engine_ctx_open_as_container(struct engine_ctx *ctx);

/*
 * The address space that VFIO's calls act on (IOMMU_VFIO_IOAS). ensure: makes one unless
 * there is one, as a group does that gets its container; 0, -ENOMEM or -EINVAL. id: 0, or -ENODEV
 * when there is none. -EINVAL from ensure: it is the container of a group without an IOMMU.
 * Source: iommufd_vfio_compat_ioas_create(), .._get_id().
 */
int engine_vfio_ioas_ensure(struct engine_ctx *ctx, const struct engine_client *client);
int engine_vfio_ioas_id(struct engine_ctx *ctx, const struct engine_client *client, uint32_t *id);
/*
 * A group without an IOMMU gets this container: VFIO's calls on it know VFIO_NOIOMMU_IOMMU
 * alone from now on. 0, or -EINVAL: it has an address space for them. Source:
 * iommufd_vfio_compat_set_no_iommu().
 */
int engine_vfio_set_noiommu(struct engine_ctx *ctx, const struct engine_client *client);

/* The last close: all objects go. Objects that devices hold go with the device. */
void engine_ctx_release(struct engine_ctx *ctx);

/* What several open files may have together. Counted by the engine; 0 max: no limit. */
struct engine_quota {
	uint64_t objects, objects_max;	 /* objects: __atomic */
	uint64_t mappings, mappings_max; /* mappings: __atomic */
};

/* Before the first call: one object or mapping more is -ENOMEM. Borrowed; outlives ctx. */
void engine_ctx_set_quota(struct engine_ctx *ctx, struct engine_quota *quota);

/* Its number in the trace: `ctx` in the events of iommufd_dev. */
uint64_t engine_ctx_number(const struct engine_ctx *ctx);

/* Before engine_ctx_release(): the process that opened the file is gone. For the trace only. */
void engine_ctx_set_orphan(struct engine_ctx *ctx);

/*
 * One ioctl. cmd and arg as the system call's second and third argument (arg is
 * an address in the client's memory, or a plain number where the command says
 * so). Returns 0 or positive, or a negative errno: what the system call gives.
 */
long engine_ctx_ioctl(struct engine_ctx *ctx, const struct engine_client *client,
		      unsigned int cmd, uint64_t arg);

/*
 * mmap of the device file: [offset, offset + length) as a command said it. *page
 * becomes its memory, length bytes, which stays until engine_ctx_munmap(); the
 * engine wrote to it when it was made and does not look at it again. The object
 * that it belongs to cannot be destroyed in between. -ENODEV: before Linux 6.17.
 * -EINVAL: not whole pages, not shared. -ENXIO: not exactly a range that there is.
 * Whoever maps it answers -EPERM to PROT_EXEC, after -EINVAL. Source:
 * iommufd_fops_mmap().
 */
int engine_ctx_mmap(struct engine_ctx *ctx, uint64_t offset, uint64_t length, bool shared,
		    void **page);

/*
 * One mapping of the range that begins at offset is gone: undoes one
 * engine_ctx_mmap(). Not needed before engine_ctx_release(), which ends them all.
 */
void engine_ctx_munmap(struct engine_ctx *ctx, uint64_t offset);

/* ---- files that commands give to the process ---------------------------- */

enum engine_anon_kind {
	ENGINE_ANON_FAULT_QUEUE,
	ENGINE_ANON_EVENT_QUEUE,
	ENGINE_ANON_ACCESS, /* the test command's mock access */
	ENGINE_ANON_DMABUF, /* the test command's dma-buf, or a device's */
	ENGINE_ANON_STREAM, /* of engine_stream_create() */
};

/* read and write, with buffers already in our memory; bytes or -errno. */
ssize_t engine_anon_file_read(struct engine_anon_file *file, void *buf, size_t len,
			      bool nonblock);
ssize_t engine_anon_file_write(struct engine_anon_file *file, const void *buf, size_t len);
/* ioctl on the file; the kernel's answer (-ENOTTY where it has none). */
long engine_anon_file_ioctl(struct engine_anon_file *file, const struct engine_client *client,
			    unsigned int cmd, uint64_t arg);
/* poll: POLLIN, POLLOUT, ... that hold now. */
short engine_anon_file_poll(struct engine_anon_file *file);
/*
 * notify(opaque) is called, with no lock of a context held, whenever the answer of
 * poll may have changed. It must not call engine_anon_file_set_notify(). NULL: no one
 * is told any more once this returns.
 */
void engine_anon_file_set_notify(struct engine_anon_file *file, void (*notify)(void *opaque),
				 void *opaque);
/* The last close. No other call on file may run or follow. */
void engine_anon_file_release(struct engine_anon_file *file);

/* Bytes of a file that has a size, a dma-buf: what lseek() to its end gives; else 0. */
uint64_t engine_anon_file_size(struct engine_anon_file *file);

/* A file that is read and written, for a client to get by fd_install(). */
struct engine_stream_ops {
	ssize_t (*read)(void *opaque, void *buf, size_t len);
	ssize_t (*write)(void *opaque, const void *buf, size_t len);
	long (*ioctl)(void *opaque, const struct engine_client *client, unsigned int cmd,
		      uint64_t arg);
	/* The last close: opaque is not used any more. */
	void (*release)(void *opaque);
};
/* NULL: out of memory. */
struct engine_anon_file *engine_stream_create(const struct engine_stream_ops *ops, void *opaque);

/* A dma-buf of a device's BAR (VFIO_DEVICE_FEATURE_DMA_BUF). */
struct engine_dmabuf;

struct engine_dmabuf_config {
	uint64_t size;	 /* bytes */
	uint32_t ranges; /* one can be mapped, more give EOPNOTSUPP */
	/* DMA of another device to it, inside size: 0 or -EFAULT. From any thread. */
	int (*access)(void *opaque, uint64_t offset, void *buf, size_t length, bool write);
	/* Nobody has it any more; from any thread, under any lock. */
	void (*gone)(void *opaque);
	void *opaque;
};

/* With one reference, which engine_dmabuf_put() or the client's file has. NULL: no memory. */
struct engine_dmabuf *engine_dmabuf_create(struct engine_ctx *ctx,
					   const struct engine_dmabuf_config *config);
void engine_dmabuf_put(struct engine_dmabuf *dmabuf);
/* What fd_install() of a client takes, with the reference. */
struct engine_anon_file *engine_dmabuf_file(struct engine_dmabuf *dmabuf);
/* True: what is mapped of it maps to nothing, and nothing new can be mapped (ENODEV). */
void engine_dmabuf_revoke(struct engine_dmabuf *dmabuf, bool revoked);

/* ---- what is there: leak reports, state dumps, model tests ---------------- */

/*
 * What the kernel adds to the address space's VmPin and VmLck in /proc/PID/status:
 * pages pinned in its name, and of these the ones that count against its own limit
 * (RLIMIT_MODE 1). Pages of a caller with CAP_IPC_LOCK are in neither.
 */
void engine_mm_charges(struct engine *engine, const struct engine_mm *mm, uint64_t *pinned_pages,
		       uint64_t *locked_pages);

enum engine_object_type {
	ENGINE_OBJ_NONE,
	ENGINE_OBJ_IOAS,
	ENGINE_OBJ_HWPT_PAGING,
	ENGINE_OBJ_HWPT_NESTED,
	ENGINE_OBJ_DEVICE,
	ENGINE_OBJ_ACCESS,
	ENGINE_OBJ_FAULT,
	ENGINE_OBJ_VIOMMU,
	ENGINE_OBJ_VDEVICE,
	ENGINE_OBJ_VEVENTQ,
	ENGINE_OBJ_HW_QUEUE,
	ENGINE_OBJ_SELFTEST,
};

/* Who made something. */
struct engine_origin {
	uint32_t pid;
	uint32_t tid;
	uint64_t time_ns;
	uint32_t stack; /* engine_client.stack */
};

struct engine_visitor {
	/* Each live object, by rising id. */
	void (*object)(void *opaque, uint32_t id, enum engine_object_type type,
		       const struct engine_origin *origin);
	/* After an address space: each of its areas, by rising address. */
	void (*area)(void *opaque, uint32_t ioas_id, uint64_t iova, uint64_t last,
		     unsigned int prot, const struct engine_origin *origin);
};

/* prot of an area */
#define ENGINE_PROT_READ 1u
#define ENGINE_PROT_WRITE 2u

/* Visits all that lives in ctx, under its lock: the visitor must not call the engine. */
void engine_ctx_visit(struct engine_ctx *ctx, const struct engine_visitor *visitor,
		      void *opaque);

/* Checks every invariant of the whole state; aborts with the broken one. For tests. */
void engine_ctx_verify(struct engine_ctx *ctx);

/* ---- devices of a simulation --------------------------------------------- */

struct engine_device;

/*
 * A simulated device bound to ctx without the test command: for scenarios and
 * simulated VFIO devices. Returns the object and its id, as VFIO's BIND does.
 */
int engine_device_bind(struct engine_ctx *ctx, const struct engine_client *client,
		       struct engine_device **out_device, uint32_t *out_id);
/* It shares its group of the IOMMU with others; before anything is attached. */
void engine_device_set_group(struct engine_device *device, uint32_t group);
/*
 * The same for a device that no IOMMU manages: what it attaches to only translates, for
 * IOAS_NOIOMMU_GET_PA. Its DMA goes to physical addresses as that said them, attached or
 * not, and is in no trace. -EINVAL before Linux 7.3. Source: iommufd_bind_noiommu().
 */
int engine_device_bind_noiommu(struct engine_ctx *ctx, const struct engine_client *client,
			       struct engine_device **out_device, uint32_t *out_id);
/*
 * The same for such a device that its group gives: VFIO binds it to nothing, so it has no
 * object, no id and nothing to attach to, and goes with engine_device_unbind(). -ENOMEM.
 * Source: vfio_df_iommufd_bind().
 */
int engine_device_of_noiommu_group(struct engine_ctx *ctx, struct engine_device **out_device);

#define ENGINE_RESERVED_MAX 16u

/* What the IOMMU of a simulated device can do. */
struct engine_iommu {
	unsigned int address_bits; /* of an IOVA, such as 39, 48 or 57 */
	unsigned int pasid_bits;   /* 0: no PASIDs */
	bool no_dirty_tracking;
	/* What cannot be mapped where the device is attached: iommu_get_resv_regions(). */
	struct engine_iova_range {
		uint64_t start, last;
	} reserved[ENGINE_RESERVED_MAX];
	unsigned int reserved_count;
};

/* A usual one of an x86 machine: 48 bits, and no mapping where writes are interrupts. */
void engine_iommu_init(struct engine_iommu *iommu);

/* Before the first attach, else it has 48 bits, no PASIDs, and nothing reserved. Copied. */
void engine_device_set_iommu(struct engine_device *device, const struct engine_iommu *iommu);
/* Where it is on the PCI bus, for its dma events; before the first DMA. */
void engine_device_set_bdf(struct engine_device *device, uint32_t bdf);
void engine_device_unbind(struct engine_device *device);

/* Memory that a page table maps: an address of a process, or an offset of a file. */
struct engine_memory {
	/* NULL, too, when the call that is told of is not that process's own. */
	struct engine_mm *mm;
	struct engine_file *file;
	uint64_t at; /* both NULL: memory of another kind */
};

/*
 * Told what the device's DMA without a PASID reaches, piece by piece: what is unmapped is
 * always a piece that was mapped, or with length UINT64_MAX all of them. Called with no
 * lock, in the order in which things happened, and before the call that did it returns.
 * What is behind memory is the engine's.
 */
struct engine_listener {
	void (*mapped)(void *opaque, uint64_t iova, uint64_t length, uint8_t prot,
		       const struct engine_memory *memory);
	void (*unmapped)(void *opaque, uint64_t iova, uint64_t length);
};

/* Before the first attach; until the device is unbound, when all is unmapped. */
void engine_device_listen(struct engine_device *device, const struct engine_listener *listener,
			  void *opaque);
/*
 * Keeps the handle for a DMA of another thread, across an unbind; its DMA is -EFAULT
 * after that.
 */
void engine_device_get(struct engine_device *device);
void engine_device_put(struct engine_device *device);
/*
 * Attaches to an address space or page table; *pt_id becomes the page table's id. An
 * attached one is moved. pasid 0: DMA without a PASID. Errors as device_attach().
 */
int engine_device_attach(struct engine_device *device, const struct engine_client *client,
			 uint32_t pasid, uint32_t *pt_id);
/* Harmless when it is not attached. */
void engine_device_detach(struct engine_device *device, uint32_t pasid);

/*
 * DMA of length bytes at iova: every byte must be mapped, and writable when
 * write is set. buf: data to or from the client's memory, or NULL (touch only).
 * Pages written become dirty. 0, or -EFAULT, with *fault_iova the first bad address.
 */
int engine_device_dma(struct engine_device *device, uint64_t iova, uint64_t length, bool write,
		      void *buf, uint64_t *fault_iova);

struct engine_dma_piece {
	uint64_t iova, length;
};

/* A DMA of several pieces: they, and the local vectors, are strings of bytes of one length. */
struct engine_dma {
	bool write; /* to the client's memory */
	const struct engine_dma_piece *pieces;
	size_t pieces_count;
	const struct iovec *local; /* NULL: touch only */
	size_t local_count;
};

/*
 * The same for pieces and with a PASID (0: without). No lock is held while bytes move:
 * only an unmap of what is being moved, or the device's detach, waits for it. -EFAULT:
 * pieces before the bad one may have moved.
 */
int engine_device_dma_vector(struct engine_device *device, uint32_t pasid,
			     const struct engine_dma *dma, uint64_t *fault_iova);

#endif
