#!/usr/bin/env bash
# `--device KIND,iommu=none`: what a device without an IOMMU answers and how it is shown,
# compared with what Linux 7.3 answered for QEMU's edu and nvme (tests/oracle/devices/noiommu),
# and a driver that has it copy by physical addresses.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
answers=$TOP/tests/oracle/devices/noiommu
edu=edu,addr=0000:00:02.0,iommu=none
truncate -s 64M disk
nvme=nvme,file=$PWD/disk,addr=0000:00:03.0,iommu=none

# check_opened is check_output of what opens such a device: as in the kernel that needs
# CAP_SYS_RAWIO of the machine's own root.
check_opened() {
	if [ "$(id -u)" = 0 ]; then check_output "$@"
	else skip "$1" "an ordinary user has no CAP_SYS_RAWIO"; fi
}

# same NAME PATTERN COMMAND...: COMMAND's lines are those of NAME, but for the ones that are
# the host's, which match PATTERN of grep -E.
same() {
	local name=$1 pattern=$2
	shift 2
	xz -dc "$answers/$name.xz" | grep -vE "$pattern" >expected
	timeout 60 "$@" </dev/null 2>&1 | grep -vE "$pattern" >got
	diff expected got
}

check_opened "edu and GET_PA answer as the kernel's" "" same noiommu-edu '^$' \
	$exec --device "$edu" -- "$BUILD/tests/noiommu_probe" /dev/vfio/devices/noiommu-vfio0 /dev/iommu
check_opened "nvme and GET_PA answer as the kernel's" "" same noiommu-nvme '^$' \
	$exec --device "$nvme" -- "$BUILD/tests/noiommu_probe" /dev/vfio/devices/noiommu-vfio0 /dev/iommu
check_opened "every line was compared" "41 41" \
	eval 'echo $(xz -dc "$answers/noiommu-nvme.xz" | wc -l) $(wc -l <got)'

# What is the host's, as in vfio_probe.sh: the registers of edu cannot be mapped, a regular file
# can be sought in.
host='^read 4 write 4 lseek |^REGION 0 argsz [0-9]+ = 0 argsz [0-9]+ flags [37] |^BAR0 mmap prot [137] flags 1 at [01]+[+](1000|100000|64) = |^BAR0 word through mmap |^IOAS_MAP of a mapped BAR '
check_opened "edu's cdev answers as the kernel's" "" same probe-edu "$host" \
	$exec --device "$edu" -- "$BUILD/tests/vfio_probe" /dev/vfio/devices/noiommu-vfio0 /dev/iommu
check_opened "container and group answer as the kernel's" "" same group-edu '^GET_DEVICE_FD before SET_IOMMU = ' \
	$exec --device "$edu" -- "$BUILD/tests/group_probe" /dev/vfio/vfio /dev/vfio/noiommu-0 0000:00:02.0

# In /sys, up to where the oracle cut its lines. The host's are ACPI's names, NUMA and processors;
# nvme's numbers of bits and its interrupt are as the kernel's own driver left them, which had it
# before.
host='^==|^\./firmware_node -> |\./(numa_node|local_cpulist|local_cpus) = |\./vfio-dev/noiommu-vfio[0-9]/[a-z]'
shown() {
	$exec --device "$edu" --device "$nvme" -- sh "$TOP/tests/integration/list_device.sh" "$1" | cut -c1-180
}
for device in edu nvme; do
	case $device in
	edu) bdf=0000:00:02.0 differs=$host ;;
	nvme) bdf=0000:00:03.0 differs="$host|dma_mask_bits = |\./irq = " ;;
	esac
	xz -dc "$answers/sysfs-$device.xz" | cut -c1-180 | grep -vE "$differs" >expected
	shown $bdf 2>&1 | grep -vE "$differs" >got
	check "$device's folder in /sys is as the kernel's" diff expected got
done
check_output "group, classes, module" "vfio-noiommu
unknown
Y
devices name reserved_regions type
noiommu-vfio0 noiommu-vfio1
noiommu-0 noiommu-1 vfio
508:0
MAJOR=509
MINOR=1
DEVNAME=vfio/noiommu-1
character special file 508 1
character special file 509 0" $exec --device "$edu" --device "$nvme" -- sh -c '
	cat /sys/kernel/iommu_groups/0/name /sys/kernel/iommu_groups/0/type \
		/sys/kernel/iommu_groups/0/reserved_regions \
		/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
	echo $(ls /sys/kernel/iommu_groups/0)
	echo $(ls /sys/class/vfio-dev /dev/vfio/devices | grep noiommu | sort -u)
	echo $(ls /dev/vfio | grep -v devices)
	cat /sys/class/vfio-dev/noiommu-vfio0/dev /sys/class/vfio/noiommu-1/uevent
	for f in devices/noiommu-vfio1 noiommu-0; do stat -c "%F %Hr %Lr" /dev/vfio/$f; done'
check_output "beside devices behind an IOMMU" "devices/noiommu-vfio1
devices/vfio0
noiommu-1
0
0000:00:04.0" $exec --device edu,addr=00:04.0 --device "$edu" -- sh -c '
	cd /dev/vfio && for f in devices/* noiommu* [0-9]*; do echo $f; done
	ls /sys/class/iommu/ioasis0/devices'
cat >driver.sh <<'DRIVER'
bdf=0000:00:02.0 driver=/sys/bus/pci/drivers/vfio-pci device=/sys/bus/pci/devices/0000:00:02.0
state() { echo "$1:" $(ls /dev/vfio/devices /dev/vfio | grep noiommu) $(readlink $device/iommu_group); }
echo $bdf >$driver/unbind; state unbound
echo $bdf >$driver/bind; state bound
DRIVER
check_output "its driver makes its group" "unbound:
bound: noiommu-0 noiommu-vfio0 ../../../kernel/iommu_groups/0" $exec --device "$edu" -- sh driver.sh

# ---- who may -----------------------------------------------------------------------------

cat >may.sh <<'MAY'
for f in noiommu-0 devices/noiommu-vfio0 vfio; do
	(exec 3<>/dev/vfio/$f) 2>/dev/null && echo "$f ok" || echo "$f refused"
done
MAY
check_opened "with CAP_SYS_RAWIO it is opened" "noiommu-0 ok
devices/noiommu-vfio0 ok
vfio ok" $exec --device "$edu" -- sh may.sh
if command -v setpriv >/dev/null; then
	check_opened "without, it is not" "noiommu-0 refused
devices/noiommu-vfio0 refused
vfio ok" $exec --device "$edu" -- setpriv --inh-caps=-sys_rawio --bounding-set=-sys_rawio sh may.sh
else
	skip "without, it is not" "no setpriv"
fi

# ---- DMA ---------------------------------------------------------------------------------

copies() {
	timeout 60 $exec "$@" --device "$edu" --device edu,addr=00:05.0,iommu=none -- \
		"$BUILD/tests/noiommu_client" /dev/vfio/devices/noiommu-vfio0 /dev/vfio/noiommu-1 0000:00:05.0
}
expected() { # CONTIGUOUS PLACE
	echo "bind ok
space ok
attach ok
map ok
contiguous from the first byte $1
the second page comes $2
enable ok
memory 'by physical addresses'
container ok
type 1 EINVAL
no IOMMU ok
device of the group ok
enable ok
unmap ok
memory 'by the group's device'
memory 'by the group's device'"
}
check_opened "devices copy by physical addresses" "$(expected 4096 elsewhere)" copies
# The pages of this mapping begin where they do: a run of 1 GiB holds all eight.
check_opened "which are contiguous as --phys-run says" "$(expected 32768 next)" copies --phys-run 1G

# ---- kernels before 7.3, and what is refused ------------------------------------------------

check_output "before 7.3 there is the group alone" "noiommu-0
vfio
vfio0
device subsystem uevent" $exec --linux 7.2 --device "$edu" -- sh -c '
	ls /dev/vfio; ls /sys/class/vfio-dev | grep vfio0; echo $(ls /sys/class/vfio-dev/vfio0/)'
check_opened "which works" "EXTENSION 8 = 1
GET_DEVICE_FD = fd
SET_IOMMU 8 = 0" eval '$exec --linux 6.12 --device "$edu" -- "$BUILD/tests/group_probe" \
	/dev/vfio/vfio /dev/vfio/noiommu-0 0000:00:02.0 </dev/null |
	grep -E "^(SET_IOMMU 8|GET_DEVICE_FD) = |^EXTENSION 8" | sort -u'
refused() { "$BUILD/ioasis" "$@" 2>&1; }
check_output "serve has no file for it then" \
	"ioasis serve: edu0 has no file of its own at Linux 7.2: devices have one since 6.6, without an IOMMU since 7.3; 'ioasis exec' shows their groups" \
	refused serve --at "$PWD/iommu" --linux 7.2 --device edu,iommu=none
check_output "another word" "ioasis exec: --device 'edu,iommu=off': iommu takes on or none" \
	refused exec --device edu,iommu=off -- true
check_output "a group of two" \
	"ioasis exec: --device: group 3 has more devices than one, and with iommu=none a device is alone in its group" \
	refused exec --device edu,group=3 --device edu,group=3,iommu=none -- true
check_output "a run of an odd length" \
	"ioasis exec: --phys-run does not take '5000'; it takes a power of two from 4K to 1G" \
	refused exec --phys-run 5000 --device edu,iommu=none -- true
check_output "a run for nobody" \
	"ioasis exec: --phys-run is of devices without an IOMMU: it needs --device KIND,iommu=none" \
	refused exec --phys-run 8K --device edu -- true
done_testing
