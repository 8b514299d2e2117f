#!/usr/bin/env bash
# Every call of VFIO with all sizes and flags (tests/oracle/devices/vfio_sweep.c), asked of the
# fake at three versions and compared with what vfio-pci of Linux 6.12.117, 7.2.13 and 7.3.4
# answered for QEMU's edu behind VT-d.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
answers=$TOP/tests/oracle/devices
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

# Lines that are the host's, and why; each is a pattern of grep -E.
#   hwpt flags 1, 9       that VT-d has no nested page tables here, this IOMMU has
#   fdinfo                the running kernel writes it, of a FUSE file
#   feature 11 of 7.2     that kernel was built without CONFIG_VFIO_PCI_DMABUF
host='^hwpt flags [19] |^fdinfo '
host_72="$host|^feature 11 "

ask() { # VERSION PATTERN [irqs [LINES]]: what differs, of the first lines
	local version=$1 pattern=$2 part=${3:-sweep}
	xz -dc "$answers/$part-$version.xz" | grep -vE "$pattern" >expected
	timeout 120 $exec --iommu dirty=off --linux "$version" --device edu -- \
		"$BUILD/tests/vfio_sweep" /dev/vfio/devices/vfio0 /dev/iommu $3 </dev/null 2>&1 |
		grep -vE "$pattern" | head -n "${4:-100000}" >got
	diff expected got
}

for version in 6.12 7.2 7.3; do
	pattern=$host
	[ $version = 7.2 ] && pattern=$host_72
	check_output "$version: calls" "" ask $version "$pattern"
	check_output "$version: lines that were compared" "yes" \
		eval '[ "$(wc -l <expected)" -gt 1600 ] && echo yes'
	# An emulated kernel sometimes stops for good in the middle of it; 6.12 did.
	lines=11777
	[ $version = 6.12 ] && lines=3644
	check_output "$version: SET_IRQS and IOEVENTFD" "" ask $version '^$' irqs $lines
	check_output "$version: lines of it" $lines eval 'wc -l <got'
done

# A device's own file is of 6.6.
shown() { $exec --linux "$1" --device edu -- sh -c 'cd /dev/vfio && echo $(find . | sort)
	echo $(ls /sys/class/vfio-dev/vfio0)'; }
check_output "6.5 has groups alone" ". ./0 ./vfio
device subsystem uevent" shown 6.5
check_output "6.6 has files, too" ". ./0 ./devices ./devices/vfio0 ./vfio
dev device subsystem uevent" shown 6.6
check_output "a group's device works there" "GET_DEVICE_FD = fd" \
	eval '$exec --linux 6.5 --device edu,addr=0000:00:02.0 -- "$BUILD/tests/group_probe" \
		/dev/vfio/vfio /dev/vfio/0 0000:00:02.0 </dev/null | grep "^GET_DEVICE_FD = " | sort -u'
check_output "serve says where to look" \
	"ioasis serve: edu0 has no file of its own at Linux 6.5: devices have one since 6.6, without an IOMMU since 7.3; 'ioasis exec' shows their groups" \
	eval '"$ioasis" serve --at "$PWD/iommu" --linux 6.5 --device edu 2>&1'
check_output "no device without an IOMMU in 6.2" \
	"ioasis exec: --device KIND,iommu=none needs --linux 6.3 or newer: before, VFIO did not know such devices beside iommufd" \
	eval '"$ioasis" exec --linux 6.2 --device edu,iommu=none -- true 2>&1'
done_testing
