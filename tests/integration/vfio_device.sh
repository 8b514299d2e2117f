#!/usr/bin/env bash
# --device: a simulated VFIO device, under `ioasis serve` and `ioasis exec`, driven by a
# program that binds it, attaches it and has it do DMA.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
client=$BUILD/tests/vfio_client
[ -x "$client" ] || skip_all "$client is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
folder=$(dirname "$serve_path")/vfio/devices

serve_start --device edu --device edu,vendor=0xabcd,device=1
check "two device files" test -f "$folder/vfio0" -a -f "$folder/vfio1"
check_output "a driver gets the kernel's answers" "$(cat "$TOP/tests/integration/vfio_device.out")" \
	"$client" "$serve_path" "$folder/vfio0"
check "and can come again" "$client" "$serve_path" "$folder/vfio0"
check "the ids are those asked for" eval '"$client" "$serve_path" "$folder/vfio1" | grep -q "^ids 1abcd$"'
serve_stop
check_output "it ends" 0 echo "$serve_status"
check "and leaves no file and no folder" test ! -e "$(dirname "$folder")"

under_exec() {
	"$BUILD/ioasis" exec --leak-check no --device edu -- "$client" /dev/iommu /dev/vfio/devices/vfio0
}
check_output "the same under exec" "$(cat "$TOP/tests/integration/vfio_device.out")" under_exec

for spec in nic edu,speed=1 edu,vendor=0x10000 edu,vendor=0xffff edu,group=1,group=2 edu,vendor= edu,addr=00:20.0 edu,group=x edu,id=/ \
	edu,migration=yes ram,size=3 ram,vectors=0 dice,migration=on; do
	out=$("$BUILD/ioasis" serve --at "$serve_path" --device "$spec" 2>&1)
	case $?:$out in
	"3:ioasis serve: --device '$spec': "*) ok "--device $spec is refused" ;;
	*) not_ok "--device $spec is refused: $out" ;;
	esac
done
for spec in aw=40 aw pasid=21 dirty=maybe reserved=1-2 reserved=0x2000-0xfff \
	reserved=0-0xffffffffffff aw=39,reserved=0x8000000000-0x8000000fff \
	reserved=0x1000-0xffffffffffff,reserved=0-0xfff speed=1 ''; do
	out=$("$BUILD/ioasis" serve --at "$serve_path" --device edu --iommu "$spec" 2>&1)
	case $?:$out in
	"3:ioasis serve: "*"--iommu"*) ok "--iommu $spec is refused" ;;
	*) not_ok "--iommu $spec is refused: $out" ;;
	esac
done
check_output "--iommu alone has nothing to say" \
	"ioasis exec: --iommu is of simulated devices: it needs --device" \
	eval '"$BUILD/ioasis" exec --iommu aw=39 -- true 2>&1'
check_output "two devices at one address" \
	"ioasis exec: --device 'edu,addr=00:05.0': another device is at this address" \
	eval '"$BUILD/ioasis" exec --device edu,addr=00:05.0 --device edu,addr=00:05.0 -- true 2>&1'

# The IOMMU that --iommu describes.
ranges() {
	"$BUILD/ioasis" exec --leak-check no --device edu --iommu "$1" -- \
		"$BUILD/tests/vfio_probe" /dev/vfio/devices/vfio0 /dev/iommu </dev/null |
		sed -nE 's/^IOVA_RANGES = 0 n [0-9]+ align 1000 //p; s/^HW_INFO = .* (caps [0-9]+ pasid [0-9]+) .*/\1/p'
}
check_output "39 bits, PASIDs, no dirty tracking, a hole" "caps 8 pasid 20
0-7ffffff 8100000-fedfffff fef00000-7fffffffff" \
	ranges aw=39,pasid=20,dirty=off,reserved=0x8000000-0x80fffff
check_output "57 bits" "caps 9 pasid 0
0-fedfffff fef00000-1ffffffffffffff" ranges aw=57
done_testing
