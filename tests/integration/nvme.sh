#!/usr/bin/env bash
# --device nvme, driven by a program that maps its BAR and rings doorbells in memory.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
client=$BUILD/tests/nvme_client
[ -x "$client" ] || skip_all "$client is not built"
cd "$TEST_DIR" || exit 1
truncate -s 16M disk

expected='BAR 0 is mapped
the controller is ready
what was written is read'
drive() {
	"$BUILD/ioasis" exec --leak-check no --device "$1" -- "$client" /dev/iommu \
		/dev/vfio/devices/vfio0
}
check_output "a driver that maps BAR 0 uses the disk" "$expected" drive nvme,file=disk
check "the file has what it wrote" test "$(od -An -tu1 -N 3 disk | tr -d ' ')" = 0714
check_output "a disk of memory" "$expected" drive nvme,memory=1M,queues=1
check_output "commands that take their time" "$expected" drive nvme,memory=1M,delay=1ms-3ms
out=$(drive nvme,memory=1M,fault=status:0x281@read:1)
check "a read that fails on purpose" test "$out" = "${expected%what*}wrong: Read"

if can_be_user; then
	make_public
	cp "$client" "$public" && chmod 755 "$public/nvme_client" && chmod 666 disk
	check_output "an ordinary user does the same" "$expected" as_user \
		"$public/ioasis" exec --leak-check no --device "nvme,file=$PWD/disk" -- \
		"$public/nvme_client" /dev/iommu /dev/vfio/devices/vfio0
else
	skip "an ordinary user does the same" "no user namespace for one here"
fi

for spec in nvme nvme,file=/nonexistent nvme,file=disk,lba=1 nvme,file=disk,fault=lose \
	vfio-user vfio-user,socket=/nonexistent; do
	out=$("$BUILD/ioasis" exec --device "$spec" -- true 2>&1)
	status=$?
	check "--device $spec is one line, no crash" test "$status" -ge 2 -a "$status" -le 125 \
		-a "$(echo "$out" | wc -l)" = 1 -a -n "$out"
done
done_testing
