# The conformance tests, and the comparison with a real kernel.

unit_programs += $(B)/tests/test_conformance
tests += $(B)/tests/test_conformance

# A device in the same process as the test.
inproc_test_srcs := tests/conformance/inproc_device.c $(inproc_srcs) $(process_srcs) \
	$(engine_srcs) $(tracepoints_srcs)

$(B)/tests/test_conformance: $(call objs,tests/conformance/test_conformance.c \
		tests/conformance/device.c $(inproc_test_srcs))
	$(link) -lcmocka -ldl

# System calls on the device's file, from a program linked each way, without sanitizers.
device_file_tests := $(B)/tests/test_device_file $(B)/tests/test_device_file_static
tests += $(device_file_tests)

$(device_file_tests): tests/conformance/test_device_file.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE $(if $(findstring static,$@),-static) -o $@ $<

# The oracle's program with its main renamed, and its system calls sent to two devices.
tests += $(B)/tests/compare

$(O)/ask_main.o: tests/oracle/ask.c tests/oracle/ask.h
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(all_cflags) -Dmain=oracle_main -Wno-missing-prototypes -c -o $@ $<

$(B)/tests/compare: $(call objs,tests/kernel/compare.c $(filter-out tests/oracle/ask.c,$(ask_srcs)) \
		$(inproc_test_srcs)) $(O)/ask_main.o
	$(link) -Wl,--wrap=open,--wrap=close,--wrap=ioctl -ldl

# Runs in the emulator and under ioasis exec: static, without sanitizers.
tests += $(B)/tests/device_calls

device_calls_srcs := tests/kernel/device_calls.c tests/kernel/device_calls_access.c \
	tests/kernel/device_calls_queues.c tests/kernel/device_calls_tables.c

$(B)/tests/device_calls: $(device_calls_srcs) tests/kernel/device_calls.h sim/engine/test_abi.h \
		backend/include/ioasis/iommufd_abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -Ibackend/include -static -o $@ \
		$(device_calls_srcs)

# Likewise.
tests += $(B)/tests/vfio_calls

$(B)/tests/vfio_calls: tests/kernel/vfio_calls.c sim/vfio/abi.h backend/include/ioasis/iommufd_abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -Ibackend/include -static -o $@ $<

.PHONY: check-kernel check-fresh

# KERNEL=bzImage SEEDS=A-B; see tests/kernel/README.md.
check-kernel: deps-check
	$(Q)./install-packages kernel
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)BUILD=$(B) tests/kernel/check.sh

# A trace of that kernel's device, checked.
.PHONY: check-kernel-trace
check-kernel-trace: deps-check
	$(Q)./install-packages kernel
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) tests/kernel/trace.sh

# A Debian with nothing installed, in a folder; as root. SUITE=bookworm, trixie or sid.
.PHONY: check-packages check-autopkgtest
check-fresh:
	$(Q)tests/fresh.sh check
check-packages:
	$(Q)tests/fresh.sh packages
check-autopkgtest:
	$(Q)tests/fresh.sh autopkgtest

# Builds for arm64 with a cross compiler, and runs the unit tests in an emulator, in such a machine.
.PHONY: check-arm64
check-arm64:
	$(Q)CROSS=arm64 tests/fresh.sh cross
