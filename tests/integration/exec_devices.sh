#!/usr/bin/env bash
# `ioasis exec --device`: what a program finds of its devices in /sys and /dev, compared
# with what Linux 7.3 shows of QEMU's edu behind an emulated IOMMU (tests/oracle/devices).
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

# Lines that are the host's, and why they differ; each is a pattern of grep -E.
#   firmware_node            ACPI's name for the slot; there is no such table here
#   iommu                    the IOMMU's own name: dmar0 there
#   numa_node                the machine there had no NUMA
#   local_cpu                processors of this machine
host='^\./(firmware_node|iommu) -> |\./(numa_node|local_cpulist|local_cpus) = '

list=$TOP/tests/integration/list_device.sh

# The text up to where the oracle cut its lines, below the folder of vfio-dev.
lines() { grep -vE "$host" | grep -vE '(^| )\./vfio-dev/vfio0/[a-z]' | cut -c1-180; }

device='--leak-check no --device edu,addr=0000:00:02.0,group=2'
grep -v '^==' "$TOP/tests/oracle/devices/sysfs-edu.txt" | lines >expected
$exec $device -- sh "$list" 0000:00:02.0 2>&1 | lines >got
check "the device's folder is as the kernel's" diff expected got

check_output "other places that lead to it" "../../../devices/pci0000:00/0000:00:02.0
../../devices/pci0000:00/0000:00:02.0/vfio-dev/vfio0
../../../../devices/pci0000:00/0000:00:02.0
../../../../devices/pci0000:00/0000:00:02.0
0x00000000fee00000 0x00000000feefffff msi
508:0
N" $exec $device -- sh -c '
	readlink /sys/bus/pci/devices/0000:00:02.0 /sys/class/vfio-dev/vfio0 \
		/sys/kernel/iommu_groups/2/devices/0000:00:02.0 \
		/sys/bus/pci/drivers/vfio-pci/0000:00:02.0
	cat /sys/kernel/iommu_groups/2/reserved_regions \
		/sys/bus/pci/devices/0000:00:02.0/vfio-dev/vfio0/dev \
		/sys/module/vfio/parameters/enable_unsafe_noiommu_mode'

# What the host has is still there: as many devices, drivers, modules, but for ours.
count='ls /sys/bus/pci/devices /sys/class /sys/module /sys/devices/virtual 2>/dev/null'
before=$(sh -c "$count")
after=$($exec $device -- sh -c "$count")
missing=$(comm -23 <(sort -u <<<"$before") <(sort -u <<<"$after"))
check_output "nothing of the host's is hidden" "" echo "$missing"
check "and nothing of it is seen outside" test ! -e /sys/class/vfio-dev/vfio0 -o -d /sys/module/vfio

check_output "the files look like character devices" "character special file 508 0
character special file 508 0
character special file 10 196
character special file 10 125" $exec $device -- sh -c '
	for f in devices/vfio0 ../char/508:0 vfio ../iommu; do
		stat -L -c "%F %Hr %Lr" "/dev/vfio/$f"
	done'
check_output "also by fstat and relative to a folder" "character special file
character special file" $exec $device -- sh -c '
	cd /dev/vfio && stat -c %F devices/vfio0 && stat -L -c %F - <devices/vfio0'
check_output "and others as they are" "regular file
directory" $exec $device -- sh -c 'stat -c %F /proc/self/maps 2>/dev/null | sed "s/ empty//"
	stat -c %F /dev/vfio'

if can_be_user; then
	make_public && cp "$list" "$public" && chmod 755 "$public/list_device.sh"
	as_user "$public/ioasis" exec $device -- sh "$public/list_device.sh" 0000:00:02.0 2>&1 | lines >got
	check "an ordinary user finds the same" diff expected got
else
	skip "an ordinary user finds the same" "no user that may use /dev/fuse"
fi

# The older way: container, group, a device that its group gives.
#   pgsizes                  of VT-d, which has pages of 2 MiB and 1 GiB
#   EXTENSION 8              devices without an IOMMU: a choice of the kernel's builder
group_lines() {
	grep -vE '^(EXTENSION 8 =|rc )' |
		sed -e 's/pgsizes [0-9a-f]* //' -e 's/\(before SET_IOMMU =\) [0-9]*/\1 a number/'
}
group_lines <"$TOP/tests/oracle/devices/group-edu.txt" >expected
timeout 60 $exec $device -- "$BUILD/tests/group_probe" /dev/vfio/vfio /dev/vfio/2 0000:00:02.0 \
	</dev/null 2>&1 | group_lines >got
check "container and group answer as the kernel's" diff expected got

# The driver goes and comes again. Each answer of the shell is a line.
cat >driver.sh <<'DRIVER'
bdf=0000:00:02.0 driver=/sys/bus/pci/drivers/vfio-pci device=/sys/bus/pci/devices/0000:00:02.0
state() { echo "$1:" $(ls /dev/vfio/devices /sys/class/vfio-dev) $(readlink "$device/driver"); }
try() { (echo "$1" >"$2") 2>/dev/null || echo "refused: $1"; }
exec 3</dev/vfio/2
try $bdf $driver/unbind; state unbound
exec 3<&-
ls /dev/vfio
try 0000:00:03.0 $driver/unbind
try $bdf $driver/unbind
try uio $device/driver_override
try $bdf $driver/bind; state "another driver"
cat $device/driver_override
try "" $device/driver_override
cat $device/driver_override
try "1234 11e8" $driver/new_id; state "by its ids"
try "1234 11e8" $driver/new_id
try "1234 11e8" $driver/remove_id
try "1234 11e8" $driver/remove_id
try $bdf $driver/unbind
try $bdf /sys/bus/pci/drivers_probe; state "no driver"
try vfio-pci $device/driver_override
try $bdf /sys/bus/pci/drivers_probe; state "its driver"
ls /dev/vfio
DRIVER
check_output "the driver can be unbound and bound" "unbound: /dev/vfio/devices: /sys/class/vfio-dev:
devices
vfio
refused: 0000:00:03.0
refused: 0000:00:02.0
refused: 0000:00:02.0
another driver: /dev/vfio/devices: /sys/class/vfio-dev:
uio
(null)
by its ids: /dev/vfio/devices: vfio0 /sys/class/vfio-dev: vfio0 ../../../bus/pci/drivers/vfio-pci
refused: 1234 11e8
refused: 1234 11e8
no driver: /dev/vfio/devices: /sys/class/vfio-dev:
its driver: /dev/vfio/devices: vfio0 /sys/class/vfio-dev: vfio0 ../../../bus/pci/drivers/vfio-pci
2
devices
vfio" timeout 60 $exec $device -- sh driver.sh
check_output "the configuration space is the device's" "34 12 e8 11
07 01
07" timeout 60 $exec $device -- sh -c '
	c=/sys/bus/pci/devices/0000:00:02.0/config
	od -An -tx1 -N4 $c | sed "s/^ //"
	printf "\7\1" | dd of=$c bs=1 seek=4 conv=notrunc 2>/dev/null
	od -An -tx1 -j4 -N2 $c | sed "s/^ //"
	od -An -tx1 -j4 -N1 $c | sed "s/^ //"'

# A VMM that checks all of it, the way people start it.
if qemu-system-x86_64 -device vfio-pci,help 2>/dev/null | grep -q 'iommufd='; then
	check_output "QEMU finds it by host=" "    Class 0255: PCI device 1234:11e8" sh -c "
		echo 'info pci
		quit' | timeout 60 $exec $device -- qemu-system-x86_64 -S -accel tcg -m 64M \
			-nodefaults -display none -monitor stdio -machine q35 \
			-object iommufd,id=i -device vfio-pci,host=0000:00:02.0,iommufd=i 2>&1 |
			tr -d '\r' | grep 'PCI device 1234:11e8'"
	check_output "QEMU finds it by its group" "    Class 0255: PCI device 1234:11e8" sh -c "
		echo 'info pci
		quit' | timeout 60 $exec $device -- qemu-system-x86_64 -S -accel tcg -m 64M \
			-nodefaults -display none -monitor stdio -machine q35 \
			-device vfio-pci,host=0000:00:02.0 2>&1 |
			tr -d '\r' | grep 'PCI device 1234:11e8'"
else
	skip "QEMU finds it by its group" "no qemu-system-x86_64 with iommufd"
	skip "QEMU finds it by host=" "no qemu-system-x86_64 with iommufd"
fi

# The memory behind a BAR, when a driver is quick or hostile (sim/exec/map_bar.c).
ram='--device ram,addr=0000:00:02.0,group=2'
check_output "a close() after an mmap() of a BAR is the last one" "300 times" \
	timeout 60 $exec $ram -- "$BUILD/tests/bar_memory_client" reopen /dev/vfio/2 0000:00:02.0
check_output "a client that cuts the file of a BAR short hurts nobody" "cut
the BAR has 7
the device is there" timeout 60 $exec $ram -- "$BUILD/tests/bar_memory_client" cut
for way in notify fuse; do
	check_output "registers are read by $way" "as expected
no signal ended a read" env IOASIS_CALL=$way timeout 60 $exec $ram \
		--device edu,addr=0000:00:03.0 -- "$BUILD/tests/bar_memory_client" registers
done
done_testing
