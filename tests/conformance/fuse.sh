#!/usr/bin/env bash
# The engine through the fake's file is the engine in-process: the conformance tests
# pass on both, and random calls get the same answers. SEED=N chooses the calls.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"

serve_needs
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
ulimit -l unlimited 2>/dev/null

serve_start --test-ops
export CONFORMANCE_DEVICE=$serve_path
check "conformance tests on the fake's file" "$BUILD/tests/test_conformance"
check "an open finds what was pinned before the last close gone" \
	"$BUILD/tests/device_client" "$serve_path" reopen-pinned
check "system calls on the fake's file" "$BUILD/tests/test_device_file"

if [ -x "$BUILD/tests/compare" ]; then
	first=${SEED:-$((RANDOM + 10000))}
	echo "# SEED=$first"
	check "plain seeds from $first: both answer alike" \
		"$BUILD/tests/compare" "$serve_path" "$first-$((first + 2))"
	check "mock seeds from $first: both answer alike" \
		"$BUILD/tests/compare" "$serve_path" "$first-$((first + 2))" --mock
else
	skip "both answer alike" "no oracle program: ../shared/oracle is not there"
fi
serve_stop
done_testing
