#!/usr/bin/env bash
# ioasis-vmm itself: what it does is decided by its seed, and wrong options are told.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

vmm=${BUILD:-build}/ioasis-vmm

counts() { $vmm --inproc --ops 200 --threads 2 --seed "$1"; }
check_output "the same seed does the same" "$(counts 5)" counts 5
differs() { [ "$(counts 5)" != "$(counts 6)" ]; }
check "another seed does something else" differs
check "less than 3 GiB of guest memory" $vmm --inproc --ram 512MiB --ops 10
check "no threads, no modules" $vmm --naive --threads 0 --hotplug 0

check_output "a device that is not there" \
	"ioasis-vmm: opening /no/such/device failed: No such file or directory
ioasis-vmm: 0 maps, 0 unmaps (0 of nothing), 0 refused" $vmm --device /no/such/device
check_status "is a failure" 1 $vmm --device /no/such/device
check_output "an unknown fault" \
	"ioasis-vmm: --fault does not take 'x'; it takes a name that --list-faults prints" \
	$vmm --fault x
check_status "is a usage error" 3 $vmm --fault x
check_status "as is too many threads" 3 $vmm --threads 65
check_status "as is an argument" 3 $vmm x
check_status "as is a fault that the device cannot show" 3 $vmm --naive --fault write-readonly

documented() {
	$vmm --list-faults | while read -r name rule _; do
		grep -q "^| .$name. | .* | .$rule. |" docs/VMM.md || echo "$name is not in docs/VMM.md"
	done
}
check_output "every fault is documented" "" documented

# A host without LTTng, or with broken probes, must not matter.
no_probes() { IOASIS_TRACE=1 IOASIS_PROBES=/no/such/probes.so counts 5; }
check_output "tracing that cannot be had is no matter" "$(counts 5)" no_probes
# Each of LTTng's libraries becomes something that is none.
no_lttng() {
	unshare -rm bash -c 'for lib in $(ldconfig -p | sed -n "s/.*liblttng.* => //p"); do
		mount --bind /dev/null "$lib" || exit 1
	done
	IOASIS_TRACE=1 "$0" --inproc --ops 200 --threads 2 --seed 5' "$vmm"
}
if unshare -rm true 2>/dev/null; then
	check_output "nor is a machine without LTTng" "$(counts 5)" no_lttng
else
	skip "nor is a machine without LTTng" "no user namespaces to hide it in"
fi
done_testing
