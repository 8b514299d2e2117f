#!/usr/bin/env bash
# A scenario's trace holds what the engine did, not what it was asked to do: each of these
# engines has one fault (engine_faults/*.sed), and the check of its trace names a broken rule.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

check "the engine as it is" "$BUILD/tests/simulate_O0" "$TOP/sim/scenarios/boot.yaml" --trace right
check_status "keeps the rules" 0 "$BUILD/ioasis" check right
while read -r fault rule; do
	"$BUILD/tests/simulate_$fault" "$TOP/sim/scenarios/boot.yaml" --trace "$fault" >"$fault.out" 2>&1
	check_status "$fault: the check finds a violation" 1 "$BUILD/ioasis" check "$fault"
	"$BUILD/ioasis" check "$fault" >"$fault.txt" 2>&1
	check "$fault: it is of $rule" grep -q "^violation: $rule:" "$fault.txt"
done <<'END'
map_shifts unmap-unmapped
map_writes layers-agree
unmap_denies unmap-unmapped
unmap_goes_on layers-agree
unmap_says_so layers-agree
END
check "each engine is tried" sh -c \
	"test \$(ls '$TOP'/tests/integration/engine_faults/*.sed | wc -l) = \$(ls -d *_*.out | wc -l)"

done_testing
