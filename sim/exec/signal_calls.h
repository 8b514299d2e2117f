/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No ioctl of the device, nor a read of a register, is ended by a signal: the kernel's
 * iommufd and VFIO do not heed them. But a call that its filter has stopped waits
 * interruptibly until the supervisor has taken it (seccomp_do_user_notification() in
 * kernel/seccomp.c): a signal whose handler was installed without SA_RESTART then ends it
 * with EINTR, with nothing done. When the handler returns, such a call is made to begin
 * again, as after a signal that came just before it.
 *
 * On x86-64 alone: elsewhere the first argument is lost by then.
 */
#ifndef IOASIS_SIM_EXEC_SIGNAL_CALLS_H
#define IOASIS_SIM_EXEC_SIGNAL_CALLS_H

#include "sim/exec/caller.h"
#include "sim/fuse/device.h"

/* Whether interrupted calls can be made to begin again here. */
bool signal_calls_restart(void);

/* Answers rt_sigreturn. */
void signal_call_return(struct fuse_device *device, const struct caller *caller);

#endif
