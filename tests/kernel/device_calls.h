/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of device_calls: chance, what lives, calls that print themselves. */
#ifndef IOASIS_TESTS_KERNEL_DEVICE_CALLS_H
#define IOASIS_TESTS_KERNEL_DEVICE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/test_abi.h"

#define MEMORY_BASE 0x200000000000ull
#define MEMORY_PAGES 64u
#define NOWHERE 0x200020000000ull
#define DATA_BASE 0x200030000000ull /* where structures and bitmaps of calls lie */
#define DATA_BYTES (1ull << 20)
#define PAGE 4096u
#define IDS_MAX 24

extern unsigned int call_index;
extern int device; /* the open file */

/* ---- chance ---------------------------------------------------------------- */

uint64_t random_next(void);
uint64_t below(uint64_t n);
bool chance(unsigned int percent);
#define ONE_OF(array) (array)[below(sizeof(array) / sizeof((array)[0]))]

uint64_t an_iova(void);
uint64_t an_aligned_iova(void);
uint64_t a_length(void);
uint64_t a_page(void); /* of the memory that is there */
uint32_t a_pasid(void);

/* ---- what lives -------------------------------------------------------------- */

enum kind {
	IDS_IOAS,
	IDS_STDEV,
	IDS_IDEV,
	IDS_HWPT,
	IDS_NESTED,
	IDS_PARENT,
	IDS_TRACKED,
	IDS_FAULT,
	IDS_VIOMMU,
	IDS_QUEUE,
	IDS_ANY,
	IDS_KINDS,
};

/* Ids of one kind that were given; some may be gone. */
struct ids {
	uint32_t id[IDS_MAX];
	unsigned int count;
};

extern struct ids ids[IDS_KINDS];

void ids_add(enum kind kind, uint32_t id);
void ids_forget(uint32_t id);
/* Mostly one of the kind; now and then another, or one that no one has. */
uint32_t an_id(enum kind kind);
uint32_t a_page_table(void);

enum file_kind { FILE_FAULT, FILE_EVENT, FILE_ACCESS, FILE_DMABUF };

struct file {
	int fd;
	enum file_kind kind;
};

extern struct file files[IDS_MAX];
extern unsigned int files_count;

void file_add(int fd, enum file_kind kind);
/* One of the kind, or 99, which is none. */
int a_file(enum file_kind kind);
/* A queue of either kind, -1 when there is none: reading a dma-buf is no one's test. */
int a_queue(void);

/* ---- calls --------------------------------------------------------------------- */

uint64_t hash(uint64_t addr, size_t len);
const char *error_name(long rc, int error);

int call_bytes(const char *name, unsigned int cmd, void *arg, size_t bytes);
#define CALL(command, arg) \
	((arg)->size = sizeof(*(arg)), call_bytes(#command, command, arg, sizeof(*(arg))))

int call_test(const char *name, uint32_t op, uint32_t id, struct iommu_test_cmd *cmd);
#define TEST(op, id, cmd) call_test(#op, IOMMU_TEST_OP_##op, id, cmd)

/* ---- questions: tables ---------------------------------------------------------- */

void ask_ioas(void);
void ask_destroy(void);
void ask_map(void);
void ask_unmap(void);
void ask_mock_domain(void);
void ask_replace(void);
void ask_hwpt(void);
void ask_hw_info(void);
void ask_pasid(void);
void ask_dirty(void);
void ask_check(void);
/* Takes all PASIDs that are used here from a device. */
void detach_all(uint32_t stdev);

/* ---- questions: queues ----------------------------------------------------------- */

void ask_fault_queue(void);
void ask_trigger(void);
void ask_read(void);
void ask_write(void);
void ask_poll(void);
void ask_close(void);
void ask_viommu(void);
void ask_vdevice(void);
void ask_veventq(void);
void ask_hw_queue(void);
void ask_invalidate(void);
void ask_mmap(void);
/* Unmaps all: the open file ends. */
void mappings_end(void);

/* ---- questions: accesses ---------------------------------------------------------- */

void ask_access(void);
void ask_dmabuf(void);

#endif
