/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No ioctl of the device is ended by a signal: the kernel's iommufd does not heed them. But
 * a call that its filter has stopped waits interruptibly until the supervisor has taken it
 * (seccomp_do_user_notification() in kernel/seccomp.c): a signal whose handler was installed
 * without SA_RESTART then ends it with EINTR, with nothing done. When the handler returns,
 * such a call is made to begin again, as after a signal that came just before it.
 *
 * On x86-64 alone: elsewhere the first argument is lost by then.
 */
#ifndef IOASIS_SIM_EXEC_SIGNAL_CALLS_H
#define IOASIS_SIM_EXEC_SIGNAL_CALLS_H

#include "sim/exec/caller.h"

/* Whether interrupted calls can be made to begin again here. */
bool signal_calls_restart(void);

/* Answers rt_sigreturn. */
void signal_call_return(const struct caller *caller);

#endif
