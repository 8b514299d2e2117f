# A guest of stock QEMU with the simulated NVMe as its disk; see tests/qemu/check.sh.

.PHONY: check-qemu bench-qemu
check-qemu: deps-check
	$(Q)./install-packages kernel qemu || echo "check-qemu: goes on with what is installed"
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) tests/run -t 3600 -v tests/qemu/check.sh

bench-qemu: all
	$(Q)QEMU_JOBS=speed BUILD=$(B) tests/run -t 3600 -v tests/qemu/check.sh
