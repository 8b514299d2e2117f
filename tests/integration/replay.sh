#!/usr/bin/env bash
# Replays: recorded calls that are made again give the recorded answers.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
cat >s.yaml <<'END'
name: s
duration: 2ms
guest: {memory: 64MiB, page: 2MiB}
nvme: {depth: 8, block: 4KiB}
END

ioasis simulate s.yaml --trace sim >/dev/null
check "a simulated trace replays with the same answers" ioasis replay sim
ioasis simulate "$TOP/sim/scenarios/migration.yaml" --set duration=300ms --trace moved >/dev/null
check "one with devices and dirty bits, too" ioasis replay moved
check "at a hundred times the recorded speed" ioasis replay sim --speed 100
check_status "a speed of nothing is an error" 3 ioasis replay sim --speed 0
check_status "no trace is an error" 3 ioasis replay
check_status "a device that is not there is an error" 3 ioasis replay sim --device "$PWD/nowhere"
check_status "a device of another kind is an error" 3 ioasis replay sim --device /dev/null
if command -v lttng >/dev/null && [ -w /dev/fuse ] &&
	ioasis record -o vmm.trace -- ioasis exec -- ioasis-vmm >record.log 2>&1; then
	check "calls that need a device, and what frees their objects, are not made without one" \
		ioasis exec -- ioasis replay moved --device /dev/iommu
	ioasis record -o failed -- ioasis exec --fail map:ENOMEM@3 -- ioasis-vmm >record.log 2>&1
	check_status "other answers than recorded are status 1" 1 ioasis replay failed
	check "the first is named, with its likely reason" grep -qE \
		"is call [0-9]+ of [0-9]+, map_dma: recorded ENOMEM, now success; recorded with --fail" \
		<(ioasis replay failed 2>&1 >failed.txt)
	check "in JSON, too" eval "ioasis replay failed --json 2>/dev/null | python3 -c '
import json, sys
assert json.load(sys.stdin)[\"first_difference\"][\"recorded\"] == \"ENOMEM\"'"
	check "the VMM's recorded calls give the same answers, call by call" ioasis replay vmm.trace
	check "and through FUSE" ioasis exec -- ioasis replay vmm.trace --device /dev/iommu
	# A program without the backend: its mistakes get the same answers, too.
	ioasis record -o raw.trace -- ioasis exec --leak-check no -- \
		"$BUILD/tests/device_client" /dev/iommu refused >record.log 2>&1
	check "a program without the backend library is replayed" ioasis replay raw.trace
	check_output "all of its calls, and its file" "8 calls, 0 answers differ" eval \
		"ioasis replay raw.trace | tail -n 1 | sed 's/;.*//'"
	ioasis record -o type1.trace -- ioasis exec --leak-check no -- \
		"$BUILD/tests/verdict_client" type1-v2 >record.log 2>&1
	check "one that uses VFIO's type 1 interface" ioasis replay type1.trace
else
	skip "replay of the VMM's trace" "no lttng, or no /dev/fuse that this user may open"
fi
done_testing
