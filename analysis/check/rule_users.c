/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of a backend: users, fd-ownership.
 *
 * connect and disconnect are traced under the backend's lock, so the order of
 * their ends is the order in which they took effect.
 */
#include <errno.h>
#include <inttypes.h>

#include "analysis/check/check_internal.h"

/* ---- users ---------------------------------------------------------------------- */

static void users_differ(struct check *check, const struct state_op *op, const char *what)
{
	const struct state_context *context = op->context;
	/* QEMU that runs itself anew (live update) counts from one again, in the same process. */
	bool anew = context->qemu && op->op == OP_CONNECT && op->users == 1;
	struct check_finding *finding =
		finding_add(check, RULE_USERS, verdict_if(check_users_sure(check, context) && !anew),
			    op->end_ns,
			    "%s: %" PRIu64 " users before, %" PRIu64 " after", what,
			    context->users, op->users);

	finding_about(check, finding, NULL, context, 0);
	finding_witness_op(finding, op);
}

static void check_users(struct check *check, const struct state_op *op)
{
	const struct state_context *context = op->context;

	rule_asked(check, RULE_USERS);
	if (op->op == OP_DISCONNECT && (op->ret == -ENOTCONN || (context->users_known &&
								  !context->users && !op->users &&
								  check_users_sure(check, context)))) {
		struct check_finding *finding =
			finding_add(check, RULE_USERS,
				    op->ret == -ENOTCONN ? VERDICT_VIOLATION : VERDICT_INFERRED,
				    op->end_ns, "a disconnect without a connect: there was no user");

		finding_about(check, finding, NULL, context, 0);
		finding_witness_op(finding, op);
		return;
	}
	if (op->ret || !context->users_known)
		return;
	if (op->op == OP_CONNECT && op->users != context->users + 1)
		users_differ(check, op, "connect did not add one user");
	else if (op->op == OP_DISCONNECT && op->users + 1 != context->users)
		users_differ(check, op, "disconnect did not take one user");
}

/* ---- the fd --------------------------------------------------------------------- */

static void fd_wrong(struct check *check, const struct state_op *op, enum check_verdict verdict,
		     const char *cause)
{
	struct check_finding *finding =
		finding_add(check, RULE_FD_OWNERSHIP, verdict, op->end_ns, "%s", cause);

	finding_about(check, finding, op->process, op->context, 0);
	finding_witness_op(finding, op);
}

static void check_fd(struct check *check, const struct state_op *op)
{
	const struct state_context *context = op->context;
	bool sure = check_users_sure(check, context);

	rule_asked(check, RULE_FD_OWNERSHIP);
	if (op->op == OP_CONNECT && !op->ret) {
		if (op->fd < 0)
			fd_wrong(check, op, VERDICT_VIOLATION,
				 "connect succeeded, but the backend has no fd");
		else if (context->users_known && context->users && context->fd != op->fd)
			fd_wrong(check, op, verdict_if(sure),
				 "the fd changed while the backend had users");
		else if (sure && context->passed_in && op->owned)
			fd_wrong(check, op, verdict_if(sure),
				 "the backend owns an fd that was passed in");
		return;
	}
	if (op->op == OP_DISCONNECT && !op->ret) {
		bool owned = context->owned;

		if (op->users && op->fd < 0)
			fd_wrong(check, op, VERDICT_VIOLATION,
				 "the fd was closed while the backend has users");
		else if (!op->users && op->fd < 0 && !owned && context->passed_in && sure)
			fd_wrong(check, op, VERDICT_INFERRED,
				 "an fd that was passed in was closed at the last disconnect");
		else if (!op->users && op->fd >= 0 && owned && sure && !op->qemu)
			fd_wrong(check, op, VERDICT_INFERRED,
				 "an owned fd was not closed at the last disconnect");
	}
}

static void called_without_users(struct check *check, const struct state_op *op)
{
	struct check_finding *finding =
		finding_add(check, RULE_USERS, VERDICT_INFERRED, op->end_ns,
			    "a call after the last disconnect: the backend has no users and no fd");

	finding_about(check, finding, op->process, op->context, 0);
	finding_witness_op(finding, op);
}

/* The device tells when a file is closed; a call after that shows that it was too early. */
static void check_fd_closed(struct check *check, const struct state_op *op)
{
	struct state_context *context = op->context;
	bool calls = op->op != OP_CONNECT && op->op != OP_DISCONNECT && op->op != OP_SET_FD;

	if (!context->users_known || !check_users_sure(check, context))
		return;
	if (!context->users) {
		if (calls && op->ret == -EBADF)
			called_without_users(check, op);
		return;
	}
	if (calls && op->ret == -EBADF)
		fd_wrong(check, op, VERDICT_INFERRED,
			 "the fd was closed by someone else while the backend has users");
	else if (context->peer_lost_ns != INT64_MIN && context->peer_lost_ns < op->begin_ns &&
		 op->op == OP_DISCONNECT)
		fd_wrong(check, op, VERDICT_INFERRED,
			 "the open file was closed by someone else while the backend had users");
}

static void users_op(struct check *check, const struct state_op *op)
{
	if (op->layer != STATE_BACKEND || !op->returned || !op->context)
		return;
	check_fd_closed(check, op);
	if (op->op != OP_CONNECT && op->op != OP_DISCONNECT)
		return;
	check_users(check, op);
	check_fd(check, op);
}

const struct rule_hooks rule_users = {
	.op = users_op,
};
