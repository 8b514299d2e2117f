#!/usr/bin/env bash
# What a VFIO device answers to a fixed list of questions (tests/oracle/devices/vfio_probe.c),
# compared with what vfio-pci of Linux 7.3 answered for QEMU's edu and nvme behind VT-d.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
probe=$BUILD/tests/vfio_probe
[ -x "$probe" ] || skip_all "$probe is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

# Lines that differ, and why; each is a pattern of grep -E.
#   HW_INFO               the IOMMU there is VT-d, which tells its registers
#   HWPT_ALLOC flags 1, 9 that VT-d has no nested page tables, this IOMMU has
#   lseek of the device   a regular file can be sought in; a character device that cannot gives ESPIPE
host='^HW_INFO |^HWPT_ALLOC flags [19] |^read 4 write 4 lseek '
#   edu's BAR             its registers do something when touched, so it cannot be mapped; its flags say so
edu='^REGION 0 argsz [0-9]+ = 0 argsz [0-9]+ flags [37] |^BAR0 mmap prot [137] flags 1 at [01]+[+](1000|100000|64) = |^BAR0 word through mmap |^IOAS_MAP of a mapped BAR '

#   nvme's BAR            CAP says other command sets and page sizes than QEMU's model
nvme='^BAR0 read [124][+][48] = '

ask() { # KIND PATTERN [OPTIONS]: what differs
	local kind=$1 pattern=$2
	shift 2
	grep -vE "$pattern|^rc 0$" "$TOP/tests/oracle/devices/probe-$kind.txt" >expected
	timeout 60 $exec --iommu dirty=off --device "$kind,addr=0000:00:02.0$*" -- \
		"$probe" /dev/vfio/devices/vfio0 /dev/iommu </dev/null 2>&1 |
		grep -vE "$pattern" >got
	diff expected got
}

check_output "edu answers as the kernel's" "" ask edu "$host|$edu"
check_output "lines that were compared" "yes" eval '[ "$(wc -l <expected)" -gt 995 ] && echo yes'
truncate -s 64M disk
check_output "nvme answers as the kernel's" "" ask nvme "$host|$nvme" ",file=$PWD/disk"
done_testing
