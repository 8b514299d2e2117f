#!/usr/bin/env bash
# `ioasis exec`: files that commands put into the caller, and system calls on the device's.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

queue='lowest 1
cloexec 1
rdwr 1
read 0
poll 0x4
busy 1
destroy 0'
for program in "$client" "$client_static"; do
	name=${program##*/}
	check_output "$name: a fault queue is a file as the kernel's" "$queue" \
		$exec -- "$program" queue
	check_output "$name: no free number" "-1 Too many open files
id 1" $exec -- "$program" full
	check_output "$name: an answer that cannot be written" "-1 Bad address
files 0
id 1" $exec -- "$program" read-only
	check_output "$name: other files are left alone" "-1 Inappropriate ioctl for device
-1 Bad file descriptor" $exec -- "$program" other
	check_output "$name: eight threads" "bad 0
id 1" $exec -- "$program" threads
done
export CONFORMANCE_DEVICE=/dev/iommu CONFORMANCE_EXEC=1
for program in "$BUILD/tests/test_device_file" "$BUILD/tests/test_device_file_static"; do
	name=${program##*/}
	check "$name: mmap and others as on the kernel's file" $exec -- "$program"
	check "$name: and with the test command" env CONFORMANCE_TEST_OPS=1 \
		$exec --test-ops -- "$program"
done
check "before Linux 6.17 the device has no mmap" grep -q "^# -19 " <(
	$exec --linux 6.16 -- "$program" | grep -A1 "mmap private$")
# What Linux 7.2 answered there: the pages of two vIOMMUs lie side by side in memory and file.
check_output "a mapping that is one piece with its neighbour keeps its object" \
	"463 IOMMU_DESTROY 7 = -1 EBUSY" sh -c "
	$exec --linux 7.2 --test-ops -- '$BUILD/tests/device_calls' /dev/iommu 12017 470 2>/dev/null |
		grep '^463 IOMMU_DESTROY 7'"
check_output "a signal in the call repeats nothing" "0
alarms 1 files 1" $exec --delay 'fault_queue_alloc:200ms' -- "$client" interrupted
check_output "an injected error" "FAULT_QUEUE_ALLOC: Input/output error" \
	$exec --fail fault_queue_alloc:EIO -- "$client" queue
check_output "an older kernel has no such command" "FAULT_QUEUE_ALLOC: Inappropriate ioctl for device" \
	$exec --linux 6.6 -- "$client" queue
done_testing
