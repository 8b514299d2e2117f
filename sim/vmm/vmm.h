/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small VMM: what a virtual machine monitor asks of iommufd, and nothing else.
 *
 * It has guest memory (memory.c), a virtual IOMMU whose guest drivers map and
 * unmap under load in some threads (viommu.c), and, where the device lives in this
 * process, a NIC that does DMA (nic.c). faults.c plants mistakes. There is no
 * guest: what a guest would do comes from random streams, one a thread.
 */
#ifndef IOASIS_SIM_VMM_H
#define IOASIS_SIM_VMM_H

#include <stdbool.h>
#include <stdint.h>

#include <ioasis/iommufd_backend.h>

#define VMM_PAGE 4096u
#define VMM_THREADS_MAX 64u
#define VMM_SECTIONS_MAX 64u

struct inproc;
struct vmm_fault;
struct vmm_nic;

enum vmm_device {
	VMM_DEVICE_PATH,   /* a device file: the real one or the fake */
	VMM_DEVICE_INPROC, /* the engine in this process */
	VMM_DEVICE_NAIVE,  /* one that says yes to everything: naive_device.c */
};

struct vmm_config {
	enum vmm_device device;
	const char *path; /* of a device file; NULL: the backend's default */
	uint64_t ram_bytes;
	uint32_t threads; /* of the vIOMMU */
	uint32_t ops;	  /* maps and unmaps, per thread */
	uint32_t hotplugs; /* memory modules plugged and unplugged meanwhile */
	uint64_t seed;
	bool memfd;   /* guest memory is a memfd, mapped as a file */
	bool pass_fd; /* two backends share one fd that the VMM opened */
	bool pause; /* after boot, until a line comes on standard input */
	const struct vmm_fault *fault; /* NULL: none */
};

/* A piece of guest memory that is mapped as one. */
struct vmm_section {
	const char *name;
	uint64_t iova;
	uint64_t size;	/* bytes */
	uint64_t offset; /* where it is in host memory */
	bool readonly;
	bool mapped;
};

struct vmm {
	const struct vmm_config *config;
	IOMMUFDBackend *be; /* owned */
	IOMMUFDBackend *be_viommu; /* owned when another than be; the vIOMMU's */
	IOMMUFDDeviceOps ops;
	void *ops_opaque;
	struct inproc *inproc; /* owned; NULL unless VMM_DEVICE_INPROC */
	struct vmm_nic *nic;   /* owned; NULL without */
	int passed_fd;	       /* that was handed to the backends; -1: none */

	uint32_t ioas_memory; /* all of guest memory: devices without vIOMMU */
	uint32_t ioas_viommu; /* what the vIOMMU's guest maps */

	int memfd;	     /* that host is a mapping of; -1: none */
	unsigned char *host; /* guest RAM, then ROM, modules, buffers; owned */
	uint64_t host_bytes;
	uint64_t rom_offset, module_offset, buffers_offset;
	struct vmm_section sections[VMM_SECTIONS_MAX];
	uint32_t section_count;

	/* What a fault wants left undone at the end. */
	bool keep_users;
	bool extra_disconnect;

	/* What happened; __atomic. */
	uint64_t maps, unmaps, redundant, failures, dmas;
};

/* ---- one concept a file -------------------------------------------------- */

/* cli/vmm_main.c: prints "ioasis-vmm: ..." on standard error. */
void vmm_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* vmm.c. Each returns 0 or a negative errno, having said why. */
int vmm_run(const struct vmm_config *config, struct vmm *vmm);
/* Map and unmap for all other files: they count, and say what fails. */
int vmm_map(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size, uint64_t offset,
	    bool readonly);
int vmm_unmap(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size);
/* Frees both address spaces; harmless when they are. */
void vmm_free_ioas(struct vmm *vmm);

/* memory.c */
#define VMM_MODULE_BYTES (64ull << 20)
#define VMM_BUFFERS_BYTES (8ull << 20)
int vmm_memory_init(struct vmm *vmm);
int vmm_memory_map(struct vmm *vmm);
void vmm_memory_unmap(struct vmm *vmm);
void vmm_memory_hotplug(struct vmm *vmm); /* plugs and unplugs config->hotplugs modules */
void vmm_memory_fini(struct vmm *vmm);

/* viommu.c: runs all threads to their end; meanwhile() runs on the calling one. */
int vmm_viommu_load(struct vmm *vmm, int (*meanwhile)(struct vmm *vmm));

/* nic.c: a device that does DMA through vmm->ioas_viommu; in-process only. */
int vmm_nic_create(struct vmm *vmm);
void vmm_nic_destroy(struct vmm *vmm);
/* 0, or -EFAULT: not mapped, or not writable. Harmless without a NIC. */
int vmm_nic_dma(struct vmm *vmm, uint64_t iova, uint64_t length, bool write);

/* faults.c */
struct vmm_fault {
	const char *name;
	const char *breaks; /* the invariant that it breaks, or the rule in analysis/rules */
	const char *guilty; /* the call that is to blame */
	const char *text;
	enum vmm_device needs; /* the device that shows it; VMM_DEVICE_PATH: any does */
	bool passes_fd;	       /* it wants pass_fd */
	/* Before anything is connected; while the vIOMMU is under load; after that. */
	int (*before)(struct vmm *vmm);
	int (*during)(struct vmm *vmm);
	int (*after)(struct vmm *vmm);
};

/* All of them; the last has a NULL name. */
extern const struct vmm_fault vmm_faults[];

/* naive_device.c: opaque is NULL. */
extern const IOMMUFDDeviceOps naive_device_ops;

/* The next number of a random stream (splitmix64); the stream is its state. */
static inline uint64_t vmm_random(uint64_t *stream)
{
	uint64_t x = *stream += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

#endif
