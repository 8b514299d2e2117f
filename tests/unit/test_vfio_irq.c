/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts of simulated VFIO devices: the pin, messages, ERR and REQ, IOEVENTFD. */
#include "sim/vfio/eventfd.h"
#include "tests/unit/vfio_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define EDU 0u
#define RAM 1u
#define CONFIG ((unsigned int)SIM_VFIO_CONFIG)
#define INTX SIM_VFIO_INTX
#define MSI SIM_VFIO_MSI
#define MSIX SIM_VFIO_MSIX
#define SET_FDS (SIM_VFIO_DATA_EVENTFD | SIM_VFIO_ACTION_TRIGGER)
#define FIRE (SIM_VFIO_DATA_NONE | SIM_VFIO_ACTION_TRIGGER)
#define FIRE_SOME (SIM_VFIO_DATA_BOOL | SIM_VFIO_ACTION_TRIGGER)
#define MASK (SIM_VFIO_DATA_NONE | SIM_VFIO_ACTION_MASK)
#define UNMASK (SIM_VFIO_DATA_NONE | SIM_VFIO_ACTION_UNMASK)

/* edu: writing here raises these bits, and acknowledges them. */
#define EDU_RAISE 0x60
#define EDU_ACK 0x64

static const char *const specs[] = { "edu", "ram", NULL };

static int setup(void **state)
{
	struct vfio_rig *rig = vfio_rig_create(specs);

	vfio_rig_attach(rig, EDU);
	vfio_rig_attach(rig, RAM);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	vfio_rig_destroy(*state);
	return 0;
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

/* ---- the pin --------------------------------------------------------------------- */

static void test_pin_is_masked_until_the_client_unmasks_it(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = new_eventfd();

	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	for (unsigned int i = 0; i < 20; i++) {
		vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
		assert_int_equal(vfio_rig_count(fd, false), 1);
		assert_true(vfio_rig_read(rig, EDU, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
		/* Up, but masked: no more of it. */
		vfio_rig_write(rig, EDU, 0, EDU_RAISE, 2, 4);
		assert_int_equal(vfio_rig_count(fd, false), 0);
		vfio_rig_write(rig, EDU, 0, EDU_ACK, 3, 4);
		assert_false(vfio_rig_read(rig, EDU, CONFIG, PCI_STATUS, 2) &
			     PCI_STATUS_INTERRUPT);
		assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, UNMASK, 0, 1, NULL), 0);
		assert_int_equal(vfio_rig_count(fd, false), 0);
	}
	close(fd);
}

static void test_pin_that_is_still_up_fires_at_unmask(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = new_eventfd();

	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_count(fd, false), 1); /* it was up before */
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, UNMASK, 0, 1, NULL), 0);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, MASK, 0, 1, NULL), 0);
	vfio_rig_write(rig, EDU, 0, EDU_ACK, 1, 4);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, UNMASK, 0, 1, NULL), 0);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	close(fd);
}

static void test_intx_disable_of_the_client_masks(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = new_eventfd();

	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	vfio_rig_write(rig, EDU, CONFIG, PCI_COMMAND, 0x406, 2);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	/* It is still told in the status, as a driver that polls expects. */
	assert_true(vfio_rig_read(rig, EDU, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, UNMASK, 0, 1, NULL), 0);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	vfio_rig_write(rig, EDU, CONFIG, PCI_COMMAND, 6, 2);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	close(fd);
}

static void test_eventfd_unmasks(void **state)
{
	struct vfio_rig *rig = *state;
	int fds[2] = { new_eventfd(), new_eventfd() }, none = -1, file = open("/dev/null", O_RDWR);

	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fds[0]), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_UNMASK, 0, 1, &file), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_UNMASK, 0, 1, &fds[1]), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_UNMASK, 0, 1, &fds[1]), -EBUSY);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_MASK, 0, 1, &fds[1]), -ENOTTY);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(vfio_rig_count(fds[0], true), 1);
		assert_int_equal(eventfd_write(fds[1], 1), 0); /* it is up: fires again */
	}
	assert_int_equal(vfio_rig_count(fds[0], true), 1);
	assert_int_equal(vfio_rig_count(fds[1], false), 0); /* it takes the count */
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_UNMASK, 0, 1, &none), 0);
	assert_int_equal(eventfd_write(fds[1], 1), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, FIRE, 0, 0, NULL), 0);
	assert_int_equal(vfio_rig_count(fds[1], false), 1);
	close(fds[0]);
	close(fds[1]);
	close(file);
}

/* QEMU closes one and sets the next; the kernel forgets it with its last close. */
static void test_closed_eventfd_unmasks_no_more(void **state)
{
	const uint32_t set_unmask = SIM_VFIO_DATA_EVENTFD | SIM_VFIO_ACTION_UNMASK;
	struct vfio_rig *rig = *state;
	int fd = new_eventfd(), first = new_eventfd(), second = new_eventfd();
	pid_t other;

	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, set_unmask, 0, 1, &first), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, set_unmask, 0, 1, &second), -EBUSY);
	close(first);
	/* The device's own copy is in this process, too: another one is the client now. */
	other = fork();
	if (!other) {
		for (int i = 3; i < 256; i++)
			close(i);
		pause();
		_exit(0);
	}
	rig->base.fake.client.pid = (uint32_t)other;
	while (vfio_eventfd_is_open_in((uint32_t)other, second))
		sched_yield();
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, set_unmask, 0, 1, &second), 0);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, true), 1);
	assert_int_equal(eventfd_write(second, 1), 0);
	assert_int_equal(vfio_rig_count(fd, true), 1);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close(fd);
	close(second);
}

static void test_full_eventfd_keeps_nobody_waiting(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = eventfd(0, 0); /* write() to it would wait */

	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, FIRE, 0, 1, NULL), 0);
	close(fd);
}

/* ---- messages -------------------------------------------------------------------- */

static void test_one_kind_of_interrupt_at_a_time(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = new_eventfd();

	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, SET_FDS, 0, 0, NULL), -ERANGE);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, FIRE, 0, 1, NULL), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, MASK, 0, 1, NULL), -ENOTTY);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, false), 2);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, FIRE, 0, 0, NULL), 0);
	/* The pin was not raised meanwhile, and is from now on. */
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	close(fd);
}

static void test_msix_vectors_come_and_go(void **state)
{
	const uint8_t only_second[] = { 0, 1 };
	struct vfio_rig *rig = *state;
	int fds[5], pair[2], bad[2], none[2] = { -1, -1 };

	for (unsigned int i = 0; i < 5; i++)
		fds[i] = new_eventfd();
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 0, 5, fds), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 0, 2, fds), 0);
	/* More later, without letting go of the first. */
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 2, 2, fds + 2), 0);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, FIRE, 0, 4, NULL), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(vfio_rig_count(fds[i], false), 1);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, FIRE_SOME, 2, 2, only_second), 0);
	assert_int_equal(vfio_rig_count(fds[2], false), 0);
	assert_int_equal(vfio_rig_count(fds[3], false), 1);
	/* One that is wrong takes those of its call with it. */
	bad[0] = fds[0];
	bad[1] = open("/dev/null", O_RDWR);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 0, 2, bad), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, FIRE, 0, 4, NULL), 0);
	assert_int_equal(vfio_rig_count(fds[0], false), 0);
	assert_int_equal(vfio_rig_count(fds[2], false), 1);
	close(bad[1]);
	pair[0] = pair[1] = fds[0];
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 0, 2, pair), 0);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, SET_FDS, 0, 2, none), 0);
	assert_int_equal(vfio_rig_irqs(rig, RAM, MSIX, FIRE, 0, 2, NULL), 0);
	assert_int_equal(vfio_rig_count(fds[0], false), 0);
	for (unsigned int i = 0; i < 5; i++)
		close(fds[i]);
}

static void test_client_sets_msi_only_while_it_has_it(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = new_eventfd();

	vfio_rig_write(rig, EDU, CONFIG, 0x40 + PCI_MSI_FLAGS, 0x81, 2);
	assert_int_equal(vfio_rig_read(rig, EDU, CONFIG, 0x40 + PCI_MSI_FLAGS, 2), 0x80);
	vfio_rig_write(rig, EDU, CONFIG, 0x40 + PCI_MSI_ADDRESS_LO, 0xfee01000, 4);
	assert_int_equal(vfio_rig_read(rig, EDU, CONFIG, 0x40 + PCI_MSI_ADDRESS_LO, 4),
			 0xfee01000);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, SET_FDS, 0, 1, &fd), 0);
	vfio_rig_write(rig, EDU, CONFIG, 0x40 + PCI_MSI_FLAGS, 0x81, 2);
	assert_int_equal(vfio_rig_read(rig, EDU, CONFIG, 0x40 + PCI_MSI_FLAGS, 2), 0x81);
	close(fd);
}

/* ---- ERR and REQ ----------------------------------------------------------------- */

static void test_request_tells_the_client(void **state)
{
	const uint8_t yes = 1;
	struct vfio_rig *rig = *state;
	int fd = new_eventfd(), none = -1, wrong = -2;

	vfio_device_request(rig->devices[EDU]); /* nobody listens */
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, FIRE, 0, 1, NULL), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, SET_FDS, 0, 1, &fd), 0);
	vfio_device_request(rig->devices[EDU]);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, FIRE, 0, 1, NULL), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, FIRE_SOME, 0, 1, &yes), 0);
	assert_int_equal(vfio_rig_count(fd, false), 3);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, SET_FDS, 0, 1, &wrong), -EINVAL);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, SET_FDS, 0, 1, &none), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_ERR, MASK, 0, 1, NULL), -ENOTTY);
	vfio_device_request(rig->devices[EDU]);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	close(fd);
}

static void test_pulled_card_reads_as_ones_and_says_so(void **state)
{
	struct vfio_rig *rig = *state;
	int fds[3] = { new_eventfd(), new_eventfd(), new_eventfd() };

	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_ERR, SET_FDS, 0, 1, &fds[0]), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, SET_FDS, 0, 1, &fds[1]), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fds[2]), 0);
	pci_removed(pci_bus_at(rig->bus, EDU)->function);
	assert_int_equal(vfio_rig_count(fds[0], false), 0); /* AER did not say so */
	assert_int_equal(vfio_rig_count(fds[1], false), 1);
	assert_true(vfio_rig_read(rig, EDU, 0, 0, 4) == UINT32_MAX);
	assert_int_equal(vfio_rig_read(rig, EDU, CONFIG, PCI_REVISION_ID, 1), 0xff);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fds[2], false), 0);
	for (unsigned int i = 0; i < 3; i++)
		close(fds[i]);
}

/* ---- IOEVENTFD ------------------------------------------------------------------- */

static void test_ioeventfd_writes_a_register(void **state)
{
	struct vfio_rig *rig = *state;
	struct sim_vfio_ioeventfd call = { .argsz = sizeof(call), .flags = 4, .offset = 4,
					   .data = 0x0f0f0f0f, .fd = new_eventfd() };
	int fd = call.fd;

	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &call), 0);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &call), -EEXIST);
	assert_int_equal(eventfd_write(fd, 3), 0);
	assert_true(vfio_rig_await(rig, EDU, 4, 0xf0f0f0f0u));
	call.fd = -1;
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &call), 0);
	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &call), -ENODEV);
	vfio_rig_write(rig, EDU, 0, 4, 0, 4);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_int_equal(vfio_rig_read(rig, EDU, 0, 4, 4), UINT32_MAX);
	close(fd);
}

static void test_ioeventfd_refuses(void **state)
{
	struct vfio_rig *rig = *state;
	const struct sim_vfio_ioeventfd good = { .argsz = sizeof(good), .flags = 4, .fd = 0 };
	struct sim_vfio_ioeventfd call;

	call = good;
	call.argsz = 27;
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.flags = 3; /* two sizes */
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.flags = 8; /* 64 bits */
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.offset = 0x2000; /* the MSI-X table */
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.offset = 0x3ffe; /* beyond the end */
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.offset = 7ull << SIM_VFIO_OFFSET_SHIFT;
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.fd = -2;
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	call = good;
	call.fd = open("/dev/null", O_RDWR);
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EINVAL);
	close(call.fd);
	assert_int_equal(vfio_rig_ioctl(rig, RAM, SIM_VFIO_IOEVENTFD, &call), -EBADF);
}

static void test_last_close_lets_go_of_all(void **state)
{
	struct vfio_rig *rig = *state;
	struct sim_vfio_ioeventfd call = { .argsz = sizeof(call), .flags = 4, .offset = 4,
					   .data = 1, .fd = new_eventfd() };
	int fd = new_eventfd();

	assert_int_equal(vfio_rig_ioctl(rig, EDU, SIM_VFIO_IOEVENTFD, &call), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, SIM_VFIO_REQ, SET_FDS, 0, 1, &fd), 0);
	vfio_rig_write(rig, EDU, CONFIG, PCI_COMMAND, 0x406, 2);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	vfio_rig_reopen(rig, EDU);
	vfio_device_request(rig->devices[EDU]);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	vfio_rig_attach(rig, EDU);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, MSI, FIRE, 0, 0, NULL), 0);
	assert_int_equal(vfio_rig_irqs(rig, EDU, INTX, SET_FDS, 0, 1, &fd), 0);
	assert_int_equal(vfio_rig_count(fd, false), 0);
	vfio_rig_write(rig, EDU, 0, EDU_RAISE, 1, 4);
	assert_int_equal(vfio_rig_count(fd, false), 1);
	close(fd);
	close(call.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pin_is_masked_until_the_client_unmasks_it),
		TEST(test_pin_that_is_still_up_fires_at_unmask),
		TEST(test_intx_disable_of_the_client_masks),
		TEST(test_eventfd_unmasks),
		TEST(test_closed_eventfd_unmasks_no_more),
		TEST(test_full_eventfd_keeps_nobody_waiting),
		TEST(test_one_kind_of_interrupt_at_a_time),
		TEST(test_msix_vectors_come_and_go),
		TEST(test_client_sets_msi_only_while_it_has_it),
		TEST(test_request_tells_the_client),
		TEST(test_pulled_card_reads_as_ones_and_says_so),
		TEST(test_ioeventfd_writes_a_register),
		TEST(test_ioeventfd_refuses),
		TEST(test_last_close_lets_go_of_all),
	};

	return cmocka_run_group_tests_name("vfio_irq", tests, NULL, NULL);
}
