/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule errno. Which one a call can give is in tracepoints/commands.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "analysis/check/check_internal.h"
#include "tracepoints/commands.h"

#define ERRNOS_MAX 16

/* By _IOC_NR from 0x80; they end with 0. */
#define ERRNOS(...) { __VA_ARGS__ }
#define ERRNOS_OF(nr, NAME, text, handler, type, last, major, minor, plain, names, errnos, ...) \
	[(nr) - 0x80] = errnos,

static const int every_ioctl[] = { IOMMUFD_ERRNOS, 0 };
static const int errno_rows[][ERRNOS_MAX] = { IOMMUFD_COMMANDS(ERRNOS_OF) };

static bool listed(const int *errnos, int64_t number)
{
	for (; *errnos; errnos++) {
		if (*errnos == number)
			return true;
	}
	return false;
}

static bool errno_possible(uint32_t nr, int64_t number)
{
	return listed(every_ioctl, number) || listed(errno_rows[nr - 0x80], number);
}

static void errno_op(struct check *check, const struct state_op *op)
{
	/* An ioctl inside a call of the backend is judged with the call. */
	uint32_t nr = op->layer == STATE_DEVICE && op->outer ? 0 : event_op_nr(op->op);
	struct check_finding *finding;

	if (!nr || op->qemu || !op->returned)
		return;
	rule_asked(check, RULE_ERRNO);
	if (op->ret >= 0 || errno_possible(nr, -op->ret))
		return;
	/* The caller was killed in the call: a program that lives does not see it. */
	if (op->layer == STATE_DEVICE && op->ret == -EINTR)
		return;
	finding = finding_add(check, RULE_ERRNO, VERDICT_VIOLATION, op->end_ns,
			      "%s cannot fail with %s (%" PRId64 ")", event_op_name(op->op),
			      strerrorname_np((int)-op->ret) ? strerrorname_np((int)-op->ret) :
							       "this errno", -op->ret);
	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness_op(finding, op);
}

const struct rule_hooks rule_errno = {
	.op = errno_op,
};
