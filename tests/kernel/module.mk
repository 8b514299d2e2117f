# The conformance tests and the comparison with a real kernel.

conformance_srcs := tests/conformance/device.c tests/conformance/inproc_device.c

.PHONY: check-kernel check-fresh

# KERNEL=bzImage SEEDS=A-B; see tests/kernel/README.md.
check-kernel: deps-check
	$(Q)./install-packages kernel
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)BUILD=$(B) tests/kernel/check.sh

# A Debian 12 with nothing installed, in a folder; as root.
check-fresh:
	$(Q)tests/fresh.sh
