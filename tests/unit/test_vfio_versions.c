/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VFIO of older kernels: each row of sim/vfio/changes.c, with it and before it. */
#include "sim/vfio/changes.h"
#include "tests/unit/vfio_rig.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EDU 0u
#define RAM 1u
#define SET_FDS (SIM_VFIO_DATA_EVENTFD | SIM_VFIO_ACTION_TRIGGER)
#define FIRE (SIM_VFIO_DATA_NONE | SIM_VFIO_ACTION_TRIGGER)

static const char *const specs[] = { "edu", "ram,vectors=4,migration=on", NULL };

/* Runs check with the release that has the change and with the one given, which has not. */
static void each_kernel(enum vfio_change change, uint32_t before,
			void (*check)(struct vfio_rig *rig, bool changed))
{
	const uint32_t versions[] = { before, vfio_change_row(change)->since };

	for (int i = 0; i < 2; i++) {
		struct vfio_rig *rig = vfio_rig_create_at(specs, versions[i]);

		assert_int_equal(vfio_change_in(change, versions[i]), i);
		check(rig, i);
		vfio_rig_destroy(rig);
	}
}

static void test_every_change_says_since_when_and_by_what(void **state)
{
	(void)state;
	for (int change = 0; change < VFIO_CHANGE_COUNT; change++) {
		const struct engine_change_row *row = vfio_change_row(change);

		assert_true(row->since > ENGINE_LINUX_OLDEST && row->since <= ENGINE_LINUX_NEWEST);
		assert_non_null(row->commit);
		assert_true(vfio_change_in(change, ENGINE_LINUX_NEWEST));
		assert_false(vfio_change_in(change, ENGINE_LINUX_OLDEST));
	}
}

/* ---- names ------------------------------------------------------------------------ */

static void test_names_and_files_are_those_of_the_version(void **state)
{
	static const struct {
		uint32_t version;
		bool no_iommu, has_file;
		const char *device, *group;
	} rows[] = {
		{ ENGINE_LINUX(6, 5), false, false, "vfio3", "12" },
		{ ENGINE_LINUX(6, 6), false, true, "vfio3", "12" },
		{ ENGINE_LINUX(7, 3), false, true, "vfio3", "12" },
		{ ENGINE_LINUX(6, 6), true, false, "vfio3", "noiommu-12" },
		{ ENGINE_LINUX(7, 2), true, false, "vfio3", "noiommu-12" },
		{ ENGINE_LINUX(7, 3), true, true, "noiommu-vfio3", "noiommu-12" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pci_slot slot = { .number = 3, .group = 12,
					       .no_iommu = rows[i].no_iommu };
		char name[VFIO_NAME_BYTES];

		vfio_device_name(&slot, rows[i].version, name);
		assert_string_equal(name, rows[i].device);
		vfio_group_name(&slot, name);
		assert_string_equal(name, rows[i].group);
		assert_int_equal(vfio_device_has_file(&slot, rows[i].version), rows[i].has_file);
	}
	assert_false(vfio_change_in(VFIO_CHANGE_NOIOMMU_GROUP, ENGINE_LINUX(6, 2)));
	assert_true(vfio_change_in(VFIO_CHANGE_NOIOMMU_GROUP, ENGINE_LINUX(6, 3)));
}

/* ---- BIND, ATTACH, DETACH ----------------------------------------------------------- */

static long bind_sized(struct vfio_rig *rig, uint32_t argsz, uint32_t flags, uint32_t tail)
{
	struct {
		struct sim_vfio_bind bind;
		uint32_t tail[4];
	} call = { .bind = { .argsz = argsz, .flags = flags, .iommufd = VFIO_RIG_IOMMUFD },
		   .tail = { tail } };
	long rc = vfio_rig_ioctl(rig, EDU, SIM_VFIO_BIND, &call);

	if (!rc)
		vfio_rig_reopen(rig, EDU);
	return rc;
}

static void check_bind(struct vfio_rig *rig, bool changed)
{
	assert_int_equal(bind_sized(rig, 12, 0, 0), -EINVAL);
	assert_int_equal(bind_sized(rig, SIM_VFIO_BIND_MIN, 0, 0), 0);
	assert_int_equal(bind_sized(rig, 40, 0, 0), 0);
	assert_int_equal(bind_sized(rig, 40, 0, 1), changed ? -E2BIG : 0);
	/* A token is read before it is found that nobody asked for one. */
	assert_int_equal(bind_sized(rig, sizeof(struct sim_vfio_bind), SIM_VFIO_BIND_TOKEN, 0),
			 changed ? -EFAULT : -EINVAL);
	assert_int_equal(bind_sized(rig, sizeof(struct sim_vfio_bind), 2, 0), -EINVAL);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_BIND, NULL), -EFAULT);
}

static void test_bind_ignored_what_follows_once(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_BIND_TOKEN, ENGINE_LINUX(6, 16), check_bind);
}

static void check_pasid(struct vfio_rig *rig, bool changed)
{
	struct sim_vfio_attach attach = { .argsz = sizeof(attach), .flags = SIM_VFIO_FLAG_PASID,
					  .pasid = 5, .pt_id = 999 };
	struct sim_vfio_detach detach = { .argsz = sizeof(detach), .flags = SIM_VFIO_FLAG_PASID,
					  .pasid = 5 };

	vfio_rig_attach(rig, EDU);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_ATTACH, &attach),
			 changed ? -ENOENT : -EINVAL);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_DETACH, &detach),
			 changed ? 0 : -EINVAL);
	attach.flags = detach.flags = 0;
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_ATTACH, &attach), -ENOENT);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_DETACH, &detach), 0);
}

static void test_pasids_are_newer_than_attach(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_PASID, ENGINE_LINUX(6, 14), check_pasid);
}

/* ---- DEVICE_FEATURE ----------------------------------------------------------------- */

static long probe(struct vfio_rig *rig, uint32_t feature, uint32_t op)
{
	return vfio_rig_feature(rig, RAM, feature | op | SIM_VFIO_FEATURE_PROBE, NULL, 0);
}

static void check_dma_buf(struct vfio_rig *rig, bool changed)
{
	vfio_rig_attach(rig, RAM);
	assert_int_equal(probe(rig, SIM_VFIO_FEATURE_DMA_BUF, SIM_VFIO_FEATURE_GET),
			 changed ? 0 : -ENOTTY);
	/* These are older than iommufd. */
	for (uint32_t feature = SIM_VFIO_FEATURE_LOW_POWER_ENTRY;
	     feature <= SIM_VFIO_FEATURE_LOW_POWER_EXIT; feature++)
		assert_int_equal(probe(rig, feature, SIM_VFIO_FEATURE_SET), 0);
	assert_int_equal(probe(rig, SIM_VFIO_FEATURE_MIG_DATA_SIZE, SIM_VFIO_FEATURE_GET), 0);
}

static void test_dma_buf_is_of_6_19(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_DMA_BUF, ENGINE_LINUX(6, 18), check_dma_buf);
}

/* What GET_PRECOPY_INFO makes of flags that the client left in its structure. */
static uint32_t precopy_flags(struct vfio_rig *rig)
{
	struct sim_vfio_precopy_info info = { .argsz = sizeof(info), .flags = 0x5a };
	struct sim_vfio_mig_state state = { .device_state = SIM_VFIO_STATE_PRE_COPY };

	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_MIG_STATE |
					  SIM_VFIO_FEATURE_SET, &state, sizeof(state)), 0);
	assert_int_equal(engine_anon_file_ioctl(fake_anon_file(&rig->base.fake,
							       (uint32_t)state.data_fd),
						&rig->base.fake.client, SIM_VFIO_GET_PRECOPY_INFO,
						(uint64_t)(uintptr_t)&info), 0);
	state.device_state = SIM_VFIO_STATE_RUNNING;
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_MIG_STATE |
					  SIM_VFIO_FEATURE_SET, &state, sizeof(state)), 0);
	return info.flags;
}

static void check_precopy(struct vfio_rig *rig, bool changed)
{
	const uint32_t feature = SIM_VFIO_FEATURE_PRECOPY_INFO_V2;

	vfio_rig_attach(rig, RAM);
	assert_int_equal(precopy_flags(rig), 0x5a);
	assert_int_equal(probe(rig, feature, SIM_VFIO_FEATURE_SET), changed ? 0 : -ENOTTY);
	assert_int_equal(precopy_flags(rig), 0x5a);
	assert_int_equal(vfio_rig_feature(rig, RAM, feature | SIM_VFIO_FEATURE_SET, NULL, 0),
			 changed ? 0 : -ENOTTY);
	assert_int_equal(precopy_flags(rig), changed ? 0 : 0x5a);
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_RESET, NULL), 0);
	assert_int_equal(precopy_flags(rig), changed ? 0 : 0x5a);
	/* The next client has not asked for it. */
	vfio_rig_reopen(rig, RAM);
	vfio_rig_attach(rig, RAM);
	assert_int_equal(precopy_flags(rig), 0x5a);
}

static void test_precopy_info_says_its_flags_to_who_asked_for_it(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_PRECOPY_INFO_V2, ENGINE_LINUX(7, 0), check_precopy);
}

/* ---- interrupts ------------------------------------------------------------------------ */

static void check_vectors(struct vfio_rig *rig, bool changed)
{
	struct sim_vfio_irq_info info = { .argsz = sizeof(info), .index = SIM_VFIO_MSIX };
	int fd = eventfd(0, EFD_NONBLOCK);

	vfio_rig_attach(rig, RAM);
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_GET_IRQ_INFO, &info), 0);
	assert_int_equal(info.count, 4);
	assert_int_equal(info.flags, changed ? SIM_VFIO_IRQ_EVENTFD :
					       SIM_VFIO_IRQ_EVENTFD | SIM_VFIO_IRQ_NORESIZE);
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, SET_FDS, 0, 2, (int[]){ fd, fd }),
			 0);
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, FIRE, 1, 1, NULL), 0);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	/* One more than there were. */
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, SET_FDS, 2, 1, &fd),
			 changed ? 0 : -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, FIRE, 0, 3, NULL),
			 changed ? 0 : -EINVAL);
	assert_int_equal(vfio_rig_count(fd, false), changed ? 3 : 0);
	/* All that there were are still there. */
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, FIRE, 0, 2, NULL), 0);
	assert_int_equal(vfio_rig_count(fd, false), 2);
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, FIRE, 0, 0, NULL), 0);
	close(fd);
}

static void test_vectors_could_not_be_added_once(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_DYNAMIC_MSIX, ENGINE_LINUX(6, 4), check_vectors);
}

static void check_error(struct vfio_rig *rig, bool changed)
{
	struct sim_vfio_irq_info info = { .argsz = sizeof(info), .index = SIM_VFIO_ERR };
	int fd = eventfd(0, EFD_NONBLOCK);

	vfio_rig_attach(rig, EDU);
	vfio_rig_attach(rig, RAM);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_GET_IRQ_INFO, &info),
			 changed ? 0 : -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_ERR, SET_FDS, 0, 1, &fd),
			 changed ? 0 : -EINVAL);
	/* One of PCI Express always had it. */
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_GET_IRQ_INFO, &info), 0);
	assert_int_equal(info.count, 1);
	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_ERR, SET_FDS, 0, 1, &fd), 0);
	close(fd);
}

static void test_error_interrupt_was_of_express_alone(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_ERR_OF_ALL, ENGINE_LINUX(7, 2), check_error);
}

/* ---- registers --------------------------------------------------------------------------- */

/* edu has no registers of 8 bytes at its start: one access of 8 finds nothing there. */
static void check_wide(struct vfio_rig *rig, bool changed)
{
	uint64_t halves;

	vfio_rig_attach(rig, EDU);
	vfio_rig_write(rig, EDU, 0, 4, 0x12345678, 4);
	halves = 0x010000edull | (uint64_t)~0x12345678u << 32;
	assert_true(vfio_rig_read(rig, EDU, 0, 0, 8) == (changed ? UINT64_MAX : halves));
	assert_int_equal(vfio_rig_read(rig, EDU, 0, 0, 4), 0x010000ed);
}

static void test_eight_bytes_went_as_two_halves_once(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_WIDE_ACCESS, ENGINE_LINUX(6, 13), check_wide);
}

static void check_ioeventfd(struct vfio_rig *rig, bool changed)
{
	struct sim_vfio_ioeventfd one = { .argsz = sizeof(one), .flags = 8, .offset = 0x80,
					  .data = 0x40000 };
	uint64_t signal = 1;

	one.fd = eventfd(0, EFD_NONBLOCK);
	vfio_rig_attach(rig, EDU);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &one),
			 changed ? 0 : -EINVAL);
	if (changed) {
		assert_int_equal(write(one.fd, &signal, 8), 8);
		assert_true(vfio_rig_await(rig, EDU, 0x80, 0x40000));
	}
	one.flags = 4;
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &one), 0);
	close(one.fd);
}

static void test_ioeventfd_of_eight_bytes_is_of_7_3(void **state)
{
	(void)state;
	each_kernel(VFIO_CHANGE_WIDE_IOEVENTFD, ENGINE_LINUX(7, 2), check_ioeventfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_change_says_since_when_and_by_what),
		cmocka_unit_test(test_names_and_files_are_those_of_the_version),
		cmocka_unit_test(test_bind_ignored_what_follows_once),
		cmocka_unit_test(test_pasids_are_newer_than_attach),
		cmocka_unit_test(test_dma_buf_is_of_6_19),
		cmocka_unit_test(test_precopy_info_says_its_flags_to_who_asked_for_it),
		cmocka_unit_test(test_vectors_could_not_be_added_once),
		cmocka_unit_test(test_error_interrupt_was_of_express_alone),
		cmocka_unit_test(test_eight_bytes_went_as_two_halves_once),
		cmocka_unit_test(test_ioeventfd_of_eight_bytes_is_of_7_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
