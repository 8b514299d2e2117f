#!/usr/bin/env bash
# The oracle program under `ioasis exec`, by each way of a call, against what real kernels
# answered. WAYS="fuse notify" asks these; SEEDS and ORACLE as in oracle_lib.sh.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
. "$TOP/tests/oracle/oracle_lib.sh"

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

# NOIOMMU_GET_PA is for CAP_SYS_RAWIO of the machine's own root, which the recorded process had.
[ "$(id -u)" = 0 ] || oracle_leave_out=' cmd=3b95 '

for way in ${WAYS:-notify ring}; do
	export IOASIS_CALL=$way
	for set in $(oracle_sets); do
		# shellcheck disable=SC2086
		oracle_compare "$way" "$set" $exec --test-ops --linux "${set%-*}" -- \
			"$BUILD/tests/ask" --dev /dev/iommu
	done
done
done_testing
