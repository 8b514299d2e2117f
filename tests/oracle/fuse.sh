#!/usr/bin/env bash
# The oracle program, unmodified, on `ioasis serve` against what Linux 7.2 answered.
# SEEDS="3 7" asks fewer than all.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
. "$TOP/tests/oracle/oracle_lib.sh"

oracle_needs
serve_needs

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
program=$PWD/iommufd-diff
cc -O2 -o "$program" "$oracle/iommufd-diff.c" 2>cc.err || {
	not_ok "the oracle program builds"
	done_testing
}

# Every capability, as the recorded process had, comes from the namespace.
serve_start --test-ops
oracle_compare fuse "$program" --dev "$serve_path"
serve_stop
done_testing
