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

for spec in nic edu,speed=1 edu,vendor=0x10000 edu,vendor=; do
	out=$("$BUILD/ioasis" serve --at "$serve_path" --device "$spec" 2>&1)
	case $?:$out in
	"3:ioasis serve: --device '$spec': "*) ok "--device $spec is refused" ;;
	*) not_ok "--device $spec is refused: $out" ;;
	esac
done
done_testing
