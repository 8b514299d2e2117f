/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host and an NVM Express controller exchange: registers, commands, completions,
 * status codes. Facts of the NVM Express Base Specification, revision 1.4; Linux states
 * the same in include/linux/nvme.h.
 *
 * All words are little-endian, as is every machine this is built for.
 */
#ifndef IOASIS_SIM_PCI_NVME_ABI_H
#define IOASIS_SIM_PCI_NVME_ABI_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "NVMe's words are little-endian");

/* Registers, by offset in BAR 0. */
enum nvme_register {
	NVME_REG_CAP = 0x00, /* 64 bits */
	NVME_REG_VS = 0x08,
	NVME_REG_INTMS = 0x0c,
	NVME_REG_INTMC = 0x10,
	NVME_REG_CC = 0x14,
	NVME_REG_CSTS = 0x1c,
	NVME_REG_NSSR = 0x20,
	NVME_REG_AQA = 0x24,
	NVME_REG_ASQ = 0x28, /* 64 bits */
	NVME_REG_ACQ = 0x30, /* 64 bits */
	NVME_REG_DOORBELLS = 0x1000,
};

#define NVME_VERSION	0x00010400u
#define NVME_NSSR_MAGIC 0x4e564d65u /* "NVMe" */

#define NVME_CC_EN	    0x1u
#define NVME_CC_CSS(cc)	    ((cc) >> 4 & 0x7u)
#define NVME_CC_MPS(cc)	    ((cc) >> 7 & 0xfu)
#define NVME_CC_AMS(cc)	    ((cc) >> 11 & 0x7u)
#define NVME_CC_SHN(cc)	    ((cc) >> 14 & 0x3u)
#define NVME_CC_IOSQES(cc)  ((cc) >> 16 & 0xfu)
#define NVME_CC_IOCQES(cc)  ((cc) >> 20 & 0xfu)
#define NVME_CSTS_RDY	    0x1u
#define NVME_CSTS_CFS	    0x2u
#define NVME_CSTS_SHST_DONE 0x8u
#define NVME_CSTS_NSSRO	    0x10u
#define NVME_AQA_ASQS(aqa)  ((aqa)&0xfffu)
#define NVME_AQA_ACQS(aqa)  ((aqa) >> 16 & 0xfffu)

/* Log2 of the size of an entry. */
#define NVME_SQ_ENTRY_SHIFT 6u
#define NVME_CQ_ENTRY_SHIFT 4u

struct nvme_command {
	uint8_t opcode;
	uint8_t flags; /* fused operation, and how data is described */
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2, cdw3;
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

#define NVME_FLAGS_FUSED 0x03u
#define NVME_FLAGS_SGL	 0xc0u

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t cid;
	uint16_t status; /* bit 0 is the phase */
};

_Static_assert(sizeof(struct nvme_command) == 64, "an entry of a submission queue");
_Static_assert(sizeof(struct nvme_completion) == 16, "an entry of a completion queue");

enum nvme_admin_opcode {
	NVME_ADMIN_DELETE_SQ = 0x00,
	NVME_ADMIN_CREATE_SQ = 0x01,
	NVME_ADMIN_GET_LOG = 0x02,
	NVME_ADMIN_DELETE_CQ = 0x04,
	NVME_ADMIN_CREATE_CQ = 0x05,
	NVME_ADMIN_IDENTIFY = 0x06,
	NVME_ADMIN_ABORT = 0x08,
	NVME_ADMIN_SET_FEATURES = 0x09,
	NVME_ADMIN_GET_FEATURES = 0x0a,
	NVME_ADMIN_ASYNC_EVENT = 0x0c,
	NVME_ADMIN_KEEP_ALIVE = 0x18,
	NVME_ADMIN_FORMAT = 0x80,
};

enum nvme_io_opcode {
	NVME_IO_FLUSH = 0x00,
	NVME_IO_WRITE = 0x01,
	NVME_IO_READ = 0x02,
	NVME_IO_COMPARE = 0x05,
	NVME_IO_WRITE_ZEROES = 0x08,
	NVME_IO_DATASET = 0x09,
	NVME_IO_VERIFY = 0x0c,
};

/* Status: the code in bits 7:0, its type in bits 10:8, "do not retry" in bit 14. */
#define NVME_DNR 0x4000u
enum nvme_status {
	NVME_OK = 0x000,
	NVME_INVALID_OPCODE = 0x001,
	NVME_INVALID_FIELD = 0x002,
	NVME_CID_CONFLICT = 0x003,
	NVME_DATA_TRANSFER_ERROR = 0x004,
	NVME_INTERNAL_ERROR = 0x006,
	NVME_ABORT_REQUESTED = 0x007,
	NVME_ABORTED_SQ_DELETED = 0x008,
	NVME_INVALID_NAMESPACE = 0x00b,
	NVME_SEQUENCE_ERROR = 0x00c,
	NVME_INVALID_PRP_OFFSET = 0x013,
	NVME_WRITE_PROTECTED = 0x020,
	NVME_LBA_OUT_OF_RANGE = 0x080,
	NVME_INVALID_CQ = 0x100,
	NVME_INVALID_QID = 0x101,
	NVME_INVALID_QUEUE_SIZE = 0x102,
	NVME_ABORT_LIMIT = 0x103,
	NVME_ASYNC_EVENT_LIMIT = 0x105,
	NVME_INVALID_VECTOR = 0x108,
	NVME_INVALID_LOG = 0x109,
	NVME_INVALID_FORMAT = 0x10a,
	NVME_INVALID_QUEUE_DELETION = 0x10c,
	NVME_FEATURE_NOT_SAVEABLE = 0x10d,
	NVME_FEATURE_NOT_CHANGEABLE = 0x10e,
	NVME_FEATURE_NOT_OF_NAMESPACE = 0x10f,
	NVME_CONFLICTING_ATTRIBUTES = 0x180,
	NVME_WRITE_FAULT = 0x280,
	NVME_READ_ERROR = 0x281,
	NVME_COMPARE_FAILURE = 0x285,
};

enum nvme_feature_id {
	NVME_FEAT_ARBITRATION = 0x01,
	NVME_FEAT_POWER = 0x02,
	NVME_FEAT_TEMPERATURE = 0x04,
	NVME_FEAT_ERROR_RECOVERY = 0x05,
	NVME_FEAT_WRITE_CACHE = 0x06,
	NVME_FEAT_QUEUES = 0x07,
	NVME_FEAT_COALESCING = 0x08,
	NVME_FEAT_VECTOR = 0x09,
	NVME_FEAT_ATOMICITY = 0x0a,
	NVME_FEAT_ASYNC_EVENTS = 0x0b,
	NVME_FEAT_TIMESTAMP = 0x0e,
	NVME_FEAT_KEEP_ALIVE = 0x0f,
	NVME_FEATURES = 0x10, /* one more than the largest */
};

enum nvme_log_id {
	NVME_LOG_ERROR = 0x01,
	NVME_LOG_SMART = 0x02,
	NVME_LOG_FIRMWARE = 0x03,
	NVME_LOG_CHANGED_NAMESPACES = 0x04,
	NVME_LOG_EFFECTS = 0x05,
};

/* An asynchronous event, as the completion's first word has it, without the log. */
#define NVME_EVENT(type, info) ((uint32_t)(type) | (uint32_t)(info) << 8)
enum nvme_event_type {
	NVME_EVENT_ERROR = 0,
	NVME_EVENT_SMART = 1,
	NVME_EVENT_NOTICE = 2,
	NVME_EVENT_TYPES = 3,
};
#define NVME_EVENT_BAD_DOORBELL	      NVME_EVENT(NVME_EVENT_ERROR, 0x00)
#define NVME_EVENT_BAD_DOORBELL_VALUE NVME_EVENT(NVME_EVENT_ERROR, 0x01)
#define NVME_EVENT_TEMPERATURE	      NVME_EVENT(NVME_EVENT_SMART, 0x01)
#define NVME_EVENT_NAMESPACE	      NVME_EVENT(NVME_EVENT_NOTICE, 0x00)

#endif
