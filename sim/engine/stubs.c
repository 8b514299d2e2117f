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
