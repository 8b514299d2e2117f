#!/usr/bin/env bash
# The oracle program on `ioasis serve` against what real kernels answered, each version as
# itself. SEEDS="3 7" asks these, ORACLE=all all that are recorded.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
. "$TOP/tests/oracle/oracle_lib.sh"

serve_needs

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

for set in $(oracle_sets); do
	# Every capability, as the recorded process had, comes from the namespace.
	serve_start --test-ops --linux "${set%-*}"
	oracle_compare fuse "$set" "$BUILD/tests/ask" --dev "$serve_path"
	serve_stop
done
done_testing
