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
drive() { # DEVICE [OPTION...]
	"$BUILD/ioasis" exec --leak-check no --device "$@" -- "$client" /dev/iommu \
		/dev/vfio/devices/vfio0
}
check_output "a driver that maps BAR 0 uses the disk" "$expected" drive nvme,file=disk
check "the file has what it wrote" test "$(od -An -tu1 -N 3 disk | tr -d ' ')" = 0714
check_output "a disk of memory" "$expected" drive nvme,memory=1M,queues=1
check_output "commands that take their time" "$expected" drive nvme,memory=1M,delay=1ms-3ms
out=$(drive nvme,memory=1M,fault=status:0x281@read:1)
check "a read that fails on purpose" test "$out" = "${expected%what*}wrong: Read"

out=$(drive nvme,memory=1M --fail 'nvme-read[lba=0..7]:read-error@1')
check "--fail fails a read" test "$out" = "${expected%what*}wrong: Read"
out=$(drive nvme,memory=1M --fail nvme-create-sq:invalid-field)
check "--fail fails a command of the controller" test "$out" = \
	"${expected%what*}wrong: Create I/O Submission Queue"
check_output "--delay keeps commands" "$expected" drive nvme,memory=1M,poll=20us-1ms \
	--seed 1 --delay nvme:1ms..3ms
out=$(drive edu --fail nvme:lose 2>&1)
check "--fail of a disk that is not there is named" test "$?" -eq 125 -a -z "${out##*need --device nvme}"

# A device that breaks the rules of DMA is found out by its address.
found() { # ADDRESS SINCE FAIL
	rm -rf trace
	"$BUILD/ioasis" record -o trace -- "$BUILD/ioasis" exec --leak-check no \
		--device nvme,memory=1M --fail "$3" -- "$client" /dev/iommu /dev/vfio/devices/vfio0 \
		unmap >out 2>&1
	"$BUILD/ioasis" check trace >check.out 2>&1
	check "$3: a violation" test $? -eq 1
	check "$3: the address is named" grep -qE \
		"^violation: dma-outside: device 1 (read|wrote) $1, which is not mapped" check.out
	check "$3: since when" grep -q "$2" check.out
}
if command -v lttng-sessiond >/dev/null; then
	found 0x7000000 "fault: device 1 page table 3 reads 0x7000000" nvme-flush:stray=0x7000000@1
	found 0x10101000 "unmapped ioas 2 .0x10100000, 0x103fffff." nvme-read:again=500ms@1
else
	skip "DMA of a faulty disk is found" "lttng-tools is not installed"
fi

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
