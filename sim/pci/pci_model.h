/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device model: the table of functions behind a PCI function, and what the model may
 * ask of the world.
 *
 * A model is one file with one `const struct pci_model`, and one row in pci_models.c. It
 * knows its registers and what they do. It knows nothing of configuration space, VFIO,
 * FUSE or sysfs, and has no clock, no chance and no thread of its own: these are handed
 * in, so the same model runs in real time behind a file and in virtual time in a
 * scenario.
 *
 * Words. A *function* is the PCI function that holds the model. An *area* is a part of
 * a BAR: trapped (each access calls the model), memory (a driver maps it, nobody looks)
 * or watched (a driver maps it, and the model is asked to look at it). A *unit* is a
 * part of the model that works by itself, such as one queue.
 *
 * Threads. Of a model that is not parallel, one function runs at a time. Of a parallel
 * one, read(), write() and poll() come from any thread at any time, step() of different
 * units runs at the same time, but step() of one unit never twice at once; reset(),
 * save(), load() and destroy() run alone in every model. All that a model calls here
 * takes no lock that is held while client memory is read or written.
 */
#ifndef IOASIS_SIM_PCI_MODEL_H
#define IOASIS_SIM_PCI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PCI_WHY_BYTES 256
#define PCI_BARS 6u
#define PCI_AREAS_MAX 8u
#define PCI_UNITS_MAX 129u
#define PCI_NO_PASID 0u
#define PCI_NEVER UINT64_MAX

struct pci_function;

/* ---- what a model says of itself --------------------------------------- */

enum pci_area_kind {
	PCI_AREA_TRAPPED, /* also what no area says */
	PCI_AREA_MEMORY,
	PCI_AREA_WATCHED,
};

struct pci_area {
	uint64_t offset, bytes; /* whole pages of 4 KiB unless trapped */
	enum pci_area_kind kind;
};

struct pci_bar {
	uint64_t bytes; /* a power of two from 16; 0: there is no such BAR */
	bool is_64bit;	/* takes the next BAR's place too */
	bool prefetchable;
	struct pci_area areas[PCI_AREAS_MAX]; /* by rising offset; bytes 0 ends them */
};

/* What a function looks like to whoever reads its configuration space. */
struct pci_description {
	uint16_t vendor, device, subsystem_vendor, subsystem_device;
	uint32_t class_code; /* 24 bits: class, subclass, programming interface */
	uint8_t revision;
	struct pci_bar bars[PCI_BARS];

	bool intx;	       /* it has the pin INTA */
	unsigned int msi;      /* messages: 0 (no capability), 1, 2, 4, ... 32 */
	unsigned int msix;     /* vectors: 0 (no capability) to 2048 */
	unsigned int msix_bar; /* where the table and the pending bits lie; the function */
	uint32_t msix_table;   /* keeps them, the model never sees an access; whole */
	uint32_t msix_pending; /* pages that no area names */

	bool power_management; /* capability PM */
	bool express;	       /* capability PCI Express: 4 KiB of configuration space */
	bool flr;	       /* it can be reset alone; needs express, else AF says it */
	const uint8_t *vendor_data; /* a vendor capability with these bytes; NULL: none */
	uint8_t vendor_bytes;

	unsigned int units; /* how many step() knows; 0: it has no step() */
	/*
	 * How long it may take until poll() is called again, after something happened and
	 * after a long rest; 0: as pci_runner.h says.
	 */
	uint64_t watch_least_ns, watch_most_ns;
};

/* A key of --device KIND,KEY=VALUE that the model knows. */
struct pci_model_key {
	const char *name;
	const char *valid; /* what a value is: "a size such as 1M"; for messages and help */
	/* Puts the value into the model's config; false: it is wrong. */
	bool (*set)(void *config, const char *value);
};

/*
 * A piece of what the function's DMA reaches, with the file that holds the memory, of
 * which it is [fd_offset, +bytes); fd -1: it has none, or none that may be given away.
 */
struct pci_mapping {
	uint64_t iova, bytes;
	bool read, write;
	int fd;
	uint64_t fd_offset;
};

/* A growing or shrinking string of bytes, for save() and load(). */
struct pci_state;
void pci_state_put(struct pci_state *state, const void *bytes, size_t length);
/* False, and zeros: the state is shorter than that. */
bool pci_state_get(struct pci_state *state, void *bytes, size_t length);

/* ---- the table --------------------------------------------------------- */

struct pci_model {
	const char *kind;	 /* --device KIND */
	const char *summary;	 /* one line for --list-devices */
	bool parallel;		 /* see above */
	uint32_t state_version;	 /* of save(); another one is refused at load() */
	const struct pci_model_key *keys; /* name NULL ends them; NULL: none */
	const char *repeats;	 /* the key that may stand several times; NULL: none */
	size_t config_bytes;	 /* of what the keys fill; zeros when nothing is said */

	/*
	 * Makes one: *model is what the other functions get, owned by the function until
	 * destroy(). Fills the description, which is zeros before. No world yet: none of the
	 * calls below. 0, or a negative errno with one line in why.
	 */
	int (*create)(struct pci_function *function, const void *config,
		      struct pci_description *description, void **model,
		      char why[PCI_WHY_BYTES]);
	void (*destroy)(void *model);

	/* As after power-on: also before first use, at FLR, at hot reset, at unbind. */
	void (*reset)(void *model);

	/*
	 * A driver reads or writes size (1, 2, 4 or 8) bytes at offset of a BAR, in a
	 * trapped area, aligned to size. Returns the value in the low bytes.
	 */
	uint64_t (*read)(void *model, unsigned int bar, uint64_t offset, unsigned int size);
	void (*write)(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		      unsigned int size);

	/*
	 * Works on what there is for this unit. Called after pci_wake(), after poll() said
	 * yes, and when the time comes that it returned last: PCI_NEVER, or a time of
	 * pci_now() (one that is past: at once again). Not while the function may not work
	 * (stopped for migration, or reset). NULL: nothing happens by itself.
	 */
	uint64_t (*step)(void *model, unsigned int unit, uint64_t now_ns);

	/*
	 * Whether a watched area has something new for the unit. It is called very often:
	 * a few loads, no lock, no call. NULL: no area is watched.
	 */
	bool (*poll)(void *model, unsigned int unit);

	/*
	 * For a model whose DMA happens in another program: what the address space of its
	 * DMA without a PASID maps, piece by piece. unmapped() names a piece as mapped() did,
	 * or all of them with bytes UINT64_MAX; the memory is the client's again when it
	 * returns. In order, from any thread, and also while the function is reset. fd is
	 * the model's to close. NULL: DMA goes by the calls below alone.
	 */
	void (*mapped)(void *model, const struct pci_mapping *mapping);
	void (*unmapped)(void *model, uint64_t iova, uint64_t bytes);

	/*
	 * All that reset() sets, but memory and watched areas, which the function keeps.
	 * load() gets what save() of the same state_version put, from whoever sent it: false
	 * when it cannot be; the function resets the model then. NULL: no migration.
	 */
	void (*save)(void *model, struct pci_state *state);
	bool (*load)(void *model, struct pci_state *state);
};

/* ---- what a model asks of the world ------------------------------------ */

/*
 * The memory of a memory or watched area: it stays at this address as long as the
 * function lives, and is zeros before each reset(). A driver writes to it at any time:
 * read each word once, with __atomic_load_n(). Not in create(): it is made after that.
 */
void *pci_bar_memory(struct pci_function *function, unsigned int bar, uint64_t offset);

/* A piece of the address space that the function's DMA sees. */
struct pci_dma_piece {
	uint64_t iova;
	uint64_t bytes;
};

/*
 * DMA. Pieces and local vectors are each taken as one string of bytes of the same
 * length. With write the function writes to memory, else it reads from there. Several
 * small pieces cost about one system call together, and local may be a mapped file:
 * then each byte is copied once. 0, or -EFAULT: bus mastering is off, or some byte is
 * not mapped for that (what comes before may have moved); *fault_iova, when not NULL,
 * is the first such address. No lock is held while bytes move.
 */
int pci_dma_vector(struct pci_function *function, uint32_t pasid, bool write,
		   const struct pci_dma_piece *pieces, unsigned int pieces_count,
		   const struct iovec *local, unsigned int local_count, uint64_t *fault_iova);
/* The same for one piece, without a PASID. */
int pci_dma_read(struct pci_function *function, uint64_t iova, void *buf, size_t length);
int pci_dma_write(struct pci_function *function, uint64_t iova, const void *buf,
		  size_t length);

/*
 * The function interrupts: by the message of that vector when MSI-X or MSI is on (with
 * fewer messages than vectors, the vector modulo their number), else by its pin, which
 * stays up until pci_irq_lower().
 */
void pci_irq_raise(struct pci_function *function, unsigned int vector);
/* The pin goes down. Messages know nothing of it. */
void pci_irq_lower(struct pci_function *function);
/* Whether it interrupts by its pin now. */
bool pci_irq_by_pin(struct pci_function *function);

/*
 * The card is pulled: configuration space, BARs and their memory read as ones from now on,
 * writes are lost, and there is no DMA and no interrupt, until the function is destroyed.
 */
void pci_removed(struct pci_function *function);

/* A command that a model has taken from its driver. */
struct pci_command {
	bool admin;
	uint8_t opcode;
	uint32_t nsid;
	uint64_t block, blocks, bytes; /* of the disk; blocks 0: it names none */
};

enum pci_mishap_kind {
	PCI_MISHAP_NONE,
	PCI_MISHAP_STATUS, /* it fails with status arg */
	PCI_MISHAP_LOSE,   /* it is never completed */
	PCI_MISHAP_HANG,   /* the device stops answering; registers stay */
	PCI_MISHAP_FATAL,  /* it stops, and says so */
	PCI_MISHAP_REMOVE, /* the card is pulled */
	PCI_MISHAP_STRAY,  /* the device also reads memory at arg */
	PCI_MISHAP_AGAIN,  /* its data moves once more, arg ns after it was done */
};

struct pci_mishap {
	enum pci_mishap_kind kind;
	uint64_t arg;
	uint64_t delay_ns; /* it takes that much longer */
};

/* What is to go wrong with the command, as somebody wants it (--fail, --delay). */
struct pci_mishap pci_command_mishap(struct pci_function *function,
				     const struct pci_command *command);

/* Nanoseconds from some start; they never go back. */
uint64_t pci_now(struct pci_function *function);
/* 64 random bits, from the seed of this run. */
uint64_t pci_random(struct pci_function *function);
/* step() of the unit is to be called soon; never from within this call. */
void pci_wake(struct pci_function *function, unsigned int unit);

/* ---- the list of models ------------------------------------------------ */

/* For keys: a number (10, 0x10) up to max; bytes (4096, 64K, 2M, 1G), not 0; on or off. */
bool pci_value_number(const char *text, uint64_t max, uint64_t *value);
bool pci_value_bytes(const char *text, uint64_t *bytes);
bool pci_value_switch(const char *text, bool *on);

extern const struct pci_model *const pci_models[]; /* NULL ends it */
/* The first length characters of kind name it; NULL: there is no such one. */
const struct pci_model *pci_model_find(const char *kind, size_t length);

#endif
