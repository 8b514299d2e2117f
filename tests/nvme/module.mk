# Drivers of others on the simulated NVMe disk (tests/nvme/native.sh says what they need).

.PHONY: check-native bench-native
check-native: all $(B)/tests/exec_client $(B)/tests/exec_client_static
	$(Q)BUILD=$(B) tests/run -t 3600 -v tests/nvme/native.sh

bench-native: all
	$(Q)BUILD=$(B) tests/nvme/bench.sh
