#!/usr/bin/env bash
# The comparisons with published results in docs/COSTS.md are what the model gives.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
page=$TOP/docs/COSTS.md

# number GROUP.NAME DIVISOR DIGITS SCENARIO OPTIONS...
number() {
	local name=$1 divisor=$2 digits=$3
	shift 3
	ioasis simulate "$@" --json | python3 -c "
import json, sys
group, name = '$name'.split('.')
print(f'{json.load(sys.stdin)[group][name] / $divisor:.${digits}f}')"
}
share() { number nic.line_share_ppm 1e4 1 "$@"; }

for every in 2 3 4; do
	strict=$(share receive-2011 --set nic.ack_every=$every)
	deferred=$(share receive-2011 --set nic.ack_every=$every --set nic.mode=deferred \
		--set preset=linux-2.6-deferred)
	check "an acknowledgement for $every: $strict % and $deferred %" \
		grep -qF " $strict % | 43 % | $deferred % | 91 % |" "$page"
done
for mode in passthrough deferred strict; do
	rate=$(number nvme.commands_per_s 1e6 2 nvme-2025 --set nvme.mode=$mode)
	check "2025, $mode: $rate M/s" grep -qF "| $mode | $rate M/s |" "$page"
done
visits=$(number dma.iova_visits_per_1000 1e3 0 receive-2011 --set nic.ring=1024 --set nic.buffers=2)
check "a search in a ring of two buffers passes $visits" grep -qF "passes $visits ranges" "$page"
check_output "without acknowledgements it passes one" 1 \
	number dma.iova_visits_per_1000 1e3 0 receive-2011 --set nic.ack_every=0
for run in "40.7 nic" "73.9 nic --set nic.mode=deferred --set preset=sandy-bridge-deferred"; do
	# shellcheck disable=SC2086
	check_output "a fixed cost: ${run%% *} %" "${run%% *}" share ${run#* }
	check "is what the page says" grep -qF "${run%% *} %" "$page"
done
done_testing
