/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands whose parts are not there yet; each goes when its part comes. */
#include "sim/engine/command.h"
#include "sim/engine/pages.h"

#define STUB(name)                                                                     \
	int name(struct engine_ucmd *ucmd)                                             \
	{                                                                              \
		(void)ucmd;                                                            \
		return -EOPNOTSUPP;                                                    \
	}

STUB(cmd_hwpt_alloc)
STUB(cmd_get_hw_info)
STUB(cmd_hwpt_set_dirty_tracking)
STUB(cmd_hwpt_get_dirty_bitmap)
STUB(cmd_hwpt_invalidate)
STUB(cmd_fault_queue_alloc)
STUB(cmd_viommu_alloc)
STUB(cmd_vdevice_alloc)
STUB(cmd_veventq_alloc)
STUB(cmd_hw_queue_alloc)
STUB(cmd_test)

struct iopt_dmabuf *engine_anon_file_dmabuf(struct engine_anon_file *file)
{
	(void)file;
	return NULL;
}

/* No file of this kind exists yet; weak, so that the real ones replace them. */
__attribute__((weak)) ssize_t engine_anon_file_read(struct engine_anon_file *file, void *buf,
						    size_t len, bool nonblock)
{
	(void)file, (void)buf, (void)len, (void)nonblock;
	return -EBADF;
}

__attribute__((weak)) ssize_t engine_anon_file_write(struct engine_anon_file *file,
						     const void *buf, size_t len)
{
	(void)file, (void)buf, (void)len;
	return -EBADF;
}

__attribute__((weak)) long engine_anon_file_ioctl(struct engine_anon_file *file,
						  const struct engine_client *client,
						  unsigned int cmd, uint64_t arg)
{
	(void)file, (void)client, (void)cmd, (void)arg;
	return -ENOTTY;
}

__attribute__((weak)) short engine_anon_file_poll(struct engine_anon_file *file)
{
	(void)file;
	return 0;
}

__attribute__((weak)) void engine_anon_file_set_notify(struct engine_anon_file *file,
						       void (*notify)(void *opaque), void *opaque)
{
	(void)file, (void)notify, (void)opaque;
}

__attribute__((weak)) void engine_anon_file_release(struct engine_anon_file *file)
{
	(void)file;
}
