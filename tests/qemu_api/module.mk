# The library under QEMU's names, beside QEMU's own sources: QEMU_SOURCE="DIR ..." names them.

.PHONY: check-qemu-api
check-qemu-api: all
	$(Q)QEMU_SOURCE='$(QEMU_SOURCE)' BUILD=$(B) tests/run -v tests/qemu_api/check.sh
