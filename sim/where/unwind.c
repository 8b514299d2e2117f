/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three things tell the way out of a frame, in this order: its CFI; the chain of frame pointers;
 * a look for the next word of the stack that can be a return address.
 *
 * The frame pointer is not known at first, since /proc shows the stack pointer and the program
 * counter alone. Most frames do not need it. Of one that does, the word that it points at lies
 * below a return address of a call to the function that we are in. Earlier calls leave such
 * addresses in the stack, too: each is tried in turn, and the first from which the way leads to the
 * outermost frame counts, since a left one leads into what was overwritten.
 */
#include "sim/where/unwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define STACK_BYTES (32u << 10) /* read at once; what lies further out, word by word */
#define SCAN_WORDS 2048u	 /* how far a return address is looked for */
#define RULES_MIN 256u
#define SITES 4096u
#define STEPS_MAX 2000u	 /* frames looked at for one stack, wrong ways too */
#define TRIES_MAX 16u	 /* frame pointers tried for one frame */
#define REPORTS_MAX 64u /* how often the list of libraries is read again */

/* DWARF numbers of registers (System V ABI of x86-64, figure 3.36). */
#define REG_RBP 6
#define REG_RSP 7

enum cfa_base {
	CFA_UNKNOWN, /* no CFI, or more than an offset */
	CFA_RSP,
	CFA_RBP,
	CFA_END, /* the outermost frame */
};

/* How the frame at pc is left: the CFA is base + offset. */
struct rule {
	uint64_t pc; /* 0: free */
	enum cfa_base base;
	bool saves_rbp;
	bool is_signal; /* of the frame outside of it, the address is no return address */
	int64_t cfa_offset;
	int64_t ra_offset, rbp_offset; /* from the CFA */
	uint64_t function; /* where its function begins; 0: not known */
};

enum call_kind { CALL_NONE, CALL_DIRECT, CALL_INDIRECT };

/* What lies before an address of the program: the instruction that a return address follows. */
struct site {
	uint64_t address; /* 0: free */
	uint64_t target;  /* of a direct call */
	enum call_kind kind;
};

struct unwinder {
	uint32_t pid;
	Dwfl *dwfl;
	unsigned int reports;
	struct rule *rules; /* by pc */
	size_t rules_count, rules_room;
	struct site sites[SITES]; /* by address; a newer one takes the place of an older */
};

/* Where a walk is. */
struct place {
	uint64_t sp, pc, rbp;
	bool has_rbp;
	bool after_call; /* pc is a return address, which may lie behind its function's end */
};

/* A stack that is walked along. */
struct walk {
	struct unwinder *unwinder;
	struct place at;
	unsigned int steps_left; /* of all tries together */
	uint64_t base;		 /* address of bytes */
	size_t bytes_count;
	uint8_t bytes[STACK_BYTES];
};

/* ---- the process's program ------------------------------------------------------- */

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

static bool report(struct unwinder *unwinder)
{
	int failed;

	unwinder->reports++;
	dwfl_report_begin(unwinder->dwfl);
	failed = dwfl_linux_proc_report(unwinder->dwfl, (pid_t)unwinder->pid);
	return !dwfl_report_end(unwinder->dwfl, NULL, NULL) && !failed;
}

struct unwinder *unwinder_create(uint32_t pid)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return NULL;
	unwinder->pid = pid;
	unwinder->dwfl = dwfl_begin(&callbacks);
	if (!unwinder->dwfl || !report(unwinder)) {
		unwinder_destroy(unwinder);
		return NULL;
	}
	return unwinder;
}

void unwinder_destroy(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	if (unwinder->dwfl)
		dwfl_end(unwinder->dwfl);
	free(unwinder->rules);
	free(unwinder);
}

Dwfl *unwinder_dwfl(struct unwinder *unwinder)
{
	return unwinder->dwfl;
}

/* The program or library at pc; reads the list again for one that was loaded since. */
static Dwfl_Module *module_at(struct unwinder *unwinder, uint64_t pc)
{
	Dwfl_Module *module = dwfl_addrmodule(unwinder->dwfl, pc);

	if (!module && unwinder->reports < REPORTS_MAX && report(unwinder))
		module = dwfl_addrmodule(unwinder->dwfl, pc);
	return module;
}

/* ---- rules ---------------------------------------------------------------------- */

/* The register rule "saved at CFA + offset". */
static bool saved_at(Dwarf_Frame *frame, int reg, int64_t *offset, bool *is_undefined)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	*is_undefined = false;
	if (dwarf_frame_register(frame, reg, memory, &ops, &count))
		return false;
	if (!count) {
		*is_undefined = ops == memory; /* otherwise it is what it was */
		return false;
	}
	*offset = count > 1 ? (int64_t)ops[1].number : 0;
	return ops[0].atom == DW_OP_call_frame_cfa &&
	       (count == 1 || (count == 2 && ops[1].atom == DW_OP_plus_uconst));
}

static void rule_read_cfa(struct rule *rule, Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t count;
	int reg = -1;

	if (dwarf_frame_cfa(frame, &ops, &count) || count != 1)
		return;
	if (ops[0].atom == DW_OP_bregx) {
		reg = (int)ops[0].number;
		rule->cfa_offset = (int64_t)ops[0].number2;
	} else if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
		reg = ops[0].atom - DW_OP_breg0;
		rule->cfa_offset = (int64_t)ops[0].number;
	}
	if (reg == REG_RSP)
		rule->base = CFA_RSP;
	else if (reg == REG_RBP)
		rule->base = CFA_RBP;
}

static void rule_read(struct unwinder *unwinder, struct rule *rule)
{
	Dwfl_Module *module = module_at(unwinder, rule->pc);
	bool is_undefined, signal = false;
	Dwarf_Frame *frame = NULL;
	Dwarf_Addr bias = 0;
	GElf_Off offset;
	GElf_Sym symbol;
	Dwarf_CFI *cfi;
	int ra;

	if (!module)
		return;
	if (dwfl_module_addrinfo(module, rule->pc, &offset, &symbol, NULL, NULL, NULL))
		rule->function = rule->pc - offset;
	cfi = dwfl_module_eh_cfi(module, &bias);
	if (!cfi || dwarf_cfi_addrframe(cfi, rule->pc - bias, &frame)) {
		cfi = dwfl_module_dwarf_cfi(module, &bias);
		if (!cfi || dwarf_cfi_addrframe(cfi, rule->pc - bias, &frame))
			return;
	}
	ra = dwarf_frame_info(frame, NULL, NULL, &signal);
	rule->is_signal = signal;
	rule_read_cfa(rule, frame);
	if (!saved_at(frame, ra, &rule->ra_offset, &is_undefined))
		rule->base = is_undefined ? CFA_END : CFA_UNKNOWN;
	rule->saves_rbp = saved_at(frame, REG_RBP, &rule->rbp_offset, &is_undefined);
	free(frame);
}

static size_t slot_of(const struct unwinder *unwinder, uint64_t pc)
{
	size_t mask = unwinder->rules_room - 1;
	size_t at = (size_t)(pc * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (unwinder->rules[at].pc && unwinder->rules[at].pc != pc)
		at = (at + 1) & mask;
	return at;
}

static bool make_room(struct unwinder *unwinder)
{
	size_t room = unwinder->rules_room ? 2 * unwinder->rules_room : RULES_MIN;
	struct rule *old = unwinder->rules;
	size_t old_room = unwinder->rules_room;

	unwinder->rules = calloc(room, sizeof(*unwinder->rules));
	if (!unwinder->rules) {
		unwinder->rules = old;
		return false;
	}
	unwinder->rules_room = room;
	for (size_t i = 0; i < old_room; i++) {
		if (old[i].pc)
			unwinder->rules[slot_of(unwinder, old[i].pc)] = old[i];
	}
	free(old);
	return true;
}

/* The rule of the frame at pc; NULL: out of memory. Borrowed till the next one. */
static const struct rule *rule_at(struct unwinder *unwinder, uint64_t pc)
{
	struct rule *rule;

	if (2 * unwinder->rules_count >= unwinder->rules_room && !make_room(unwinder))
		return NULL;
	rule = &unwinder->rules[slot_of(unwinder, pc)];
	if (!rule->pc) {
		rule->pc = pc;
		unwinder->rules_count++;
		rule_read(unwinder, rule);
	}
	return rule;
}

/* ---- memory --------------------------------------------------------------------- */

static bool read_memory(uint32_t pid, uint64_t address, void *bytes, size_t count, size_t *got)
{
	struct iovec local = { bytes, count }, remote = { (void *)(uintptr_t)address, count };
	ssize_t n = process_vm_readv((pid_t)pid, &local, 1, &remote, 1, 0);

	*got = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool load(struct walk *walk, uint64_t address, uint64_t *word)
{
	size_t got;

	if (address >= walk->base && address - walk->base + sizeof(*word) <= walk->bytes_count) {
		memcpy(word, walk->bytes + (address - walk->base), sizeof(*word));
		return true;
	}
	return address >= walk->base &&
	       read_memory(walk->unwinder->pid, address, word, sizeof(*word), &got) &&
	       got == sizeof(*word);
}

/* ---- return addresses ------------------------------------------------------------ */

static void site_read(struct unwinder *unwinder, struct site *site)
{
	uint8_t code[7];
	int32_t distance;
	size_t got;

	site->kind = CALL_NONE;
	if (site->address < sizeof(code) || !dwfl_addrmodule(unwinder->dwfl, site->address) ||
	    !read_memory(unwinder->pid, site->address - sizeof(code), code, sizeof(code), &got) ||
	    got != sizeof(code))
		return;
	if (code[2] == 0xe8) { /* call rel32 */
		memcpy(&distance, code + 3, sizeof(distance));
		site->target = site->address + (uint64_t)(int64_t)distance;
		site->kind = CALL_DIRECT;
		return;
	}
	/* call r/m64: ff /2, of two to seven bytes. */
	for (size_t at = 0; at <= 5; at++) {
		if (code[at] == 0xff && (code[at + 1] & 0x38) == 0x10)
			site->kind = CALL_INDIRECT;
	}
}

/* The call before address, if there is one; *target of a direct one. */
static enum call_kind call_before(struct walk *walk, uint64_t address, uint64_t *target)
{
	struct site *site = &walk->unwinder->sites[address * 0x9e3779b97f4a7c15u >> 52];

	if (site->address != address) {
		site->address = address;
		site_read(walk->unwinder, site);
	}
	*target = site->target;
	return site->kind;
}

/*
 * The address of the next word from `from` on that is a return address of a call to the
 * function that begins at function (0: not known); else of an indirect call. False: none.
 */
static bool find_return(struct walk *walk, uint64_t from, uint64_t function, uint64_t *at)
{
	bool has_other = false;
	uint64_t word, target;

	for (uint64_t i = 0; i < SCAN_WORDS; i++) {
		uint64_t address = from + 8 * i;

		if (!load(walk, address, &word))
			break;
		if (word < 4096 || word >> 47) /* no address of a program */
			continue;
		switch (call_before(walk, word, &target)) {
		case CALL_DIRECT:
			if (!function || target == function) {
				*at = address;
				return true;
			}
			break;
		case CALL_INDIRECT:
			if (!has_other)
				*at = address;
			has_other = true;
			break;
		case CALL_NONE:
			break;
		}
	}
	return has_other;
}

/* Leaves the frame that has no rule that can be used. */
static bool step_without_rule(struct walk *walk, const struct rule *rule)
{
	struct place *here = &walk->at;
	uint64_t at, saved, sp = here->sp;

	if (here->has_rbp && here->rbp >= here->sp && load(walk, here->rbp + 8, &here->pc)) {
		at = here->rbp + 8;
	} else if (!find_return(walk, here->sp, rule->function, &at) ||
		   !load(walk, at, &here->pc)) {
		return false;
	}
	here->has_rbp = load(walk, at - 8, &saved) && saved > at && saved - at < 1u << 20;
	here->rbp = saved;
	here->sp = at + 8;
	here->after_call = true;
	return here->sp > sp;
}

/* Leaves a frame by its rule; the frame pointer is known if it needs it. */
static bool step_by_rule(struct walk *walk, const struct rule *rule)
{
	struct place *here = &walk->at;
	uint64_t cfa = (rule->base == CFA_RBP ? here->rbp : here->sp) + (uint64_t)rule->cfa_offset;
	uint64_t saved;

	if (cfa <= here->sp || !load(walk, cfa + (uint64_t)rule->ra_offset, &here->pc))
		return false;
	if (rule->saves_rbp) {
		here->has_rbp = load(walk, cfa + (uint64_t)rule->rbp_offset, &saved);
		here->rbp = saved;
	}
	here->sp = cfa;
	here->after_call = !rule->is_signal;
	return true;
}

/* How a way out of the stack ended. */
enum way {
	WAY_LOST,     /* somewhere on the way */
	WAY_COMPLETE, /* in the outermost frame */
};

static enum way walk_out(struct walk *walk, uint64_t *pcs, size_t max, size_t *count);

/*
 * Leaves a frame whose frame pointer is not known, and goes all the way out. Of several ways
 * the first that is complete counts, else the longest.
 */
static enum way walk_out_by_trying(struct walk *walk, const struct rule *rule, uint64_t *pcs,
				   size_t max, size_t *count)
{
	const struct place start = walk->at;
	uint64_t way[UNWIND_MAX], from = start.sp + 8, at;
	size_t best = *count, length;

	for (unsigned int i = 0; i < TRIES_MAX && find_return(walk, from, rule->function, &at);
	     i++) {
		enum way result = WAY_LOST;

		walk->at = start;
		walk->at.rbp = at - 8;
		walk->at.has_rbp = true;
		length = *count;
		if (step_by_rule(walk, rule))
			result = walk_out(walk, way, max, &length);
		if (result == WAY_COMPLETE || length > best) {
			memcpy(pcs + *count, way + *count, (length - *count) * sizeof(*pcs));
			best = length;
		}
		if (result == WAY_COMPLETE) {
			*count = best;
			return WAY_COMPLETE;
		}
		from = at + 8;
	}
	*count = best;
	return WAY_LOST;
}

/* Goes outwards from walk->at, adds the addresses on the way to the *count in pcs. */
static enum way walk_out(struct walk *walk, uint64_t *pcs, size_t max, size_t *count)
{
	while (*count < max && walk->at.pc && walk->steps_left) {
		uint64_t pc = walk->at.pc - walk->at.after_call;
		const struct rule *found = rule_at(walk->unwinder, pc);
		struct rule rule;

		walk->steps_left--;
		pcs[(*count)++] = pc;
		if (!found)
			return WAY_LOST;
		rule = *found; /* the next one may move it */
		if (rule.base == CFA_END)
			return WAY_COMPLETE;
		if (rule.base == CFA_RBP && !walk->at.has_rbp)
			return walk_out_by_trying(walk, &rule, pcs, max, count);
		if (!(rule.base == CFA_UNKNOWN ? step_without_rule(walk, &rule)
						: step_by_rule(walk, &rule)))
			return WAY_LOST;
	}
	return *count == max ? WAY_COMPLETE : WAY_LOST;
}

/* ---- the thread ------------------------------------------------------------------ */

/*
 * Stack pointer and program counter: /proc/PID/task/TID/syscall ends with them while the thread
 * waits (proc_pid_syscall() in fs/proc/base.c). It may still be on its way into the wait.
 */
static bool read_registers(uint32_t pid, uint32_t tid, uint64_t *sp, uint64_t *pc)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", pid, tid);
	for (int tries = 0; tries < 200; tries++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		const char *last, *before;

		if (fd >= 0)
			close(fd);
		if (got <= 0)
			return false;
		text[got] = 0;
		if (!strncmp(text, "running", 7)) {
			sched_yield();
			continue;
		}
		last = strrchr(text, ' ');
		if (!last || last == text)
			return false;
		for (before = last - 1; before > text && *before != ' '; before--)
			;
		*sp = strtoull(before, NULL, 16);
		*pc = strtoull(last, NULL, 16);
		return *sp && *pc;
	}
	return false;
}

size_t unwinder_walk(struct unwinder *unwinder, uint32_t tid, uint64_t *pcs, size_t max)
{
	struct walk walk;
	size_t count = 0;

	walk.unwinder = unwinder;
	walk.steps_left = STEPS_MAX;
	walk.at = (struct place){ 0 };
	if (!read_registers(unwinder->pid, tid, &walk.at.sp, &walk.at.pc))
		return 0;
	walk.base = walk.at.sp;
	if (!read_memory(unwinder->pid, walk.base, walk.bytes, sizeof(walk.bytes),
			 &walk.bytes_count))
		return 0;
	walk_out(&walk, pcs, max < UNWIND_MAX ? max : UNWIND_MAX, &count);
	return count;
}
