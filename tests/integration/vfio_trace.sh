#!/usr/bin/env bash
# What a trace tells of a VFIO device: who bound it, its calls, its DMA with its place.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
client=$BUILD/tests/vfio_client
[ -x "$client" ] || skip_all "$client is not built"
command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
command -v babeltrace2 >/dev/null || skip_all "babeltrace2 is not installed"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

"$BUILD/ioasis" record -o trace -- $exec \
	--device edu,addr=0000:00:05.1,group=3,id=mine -- \
	"$client" /dev/iommu /dev/vfio/devices/vfio0 >out 2>err
[ -d trace ] || skip_all "no trace: $(head -1 err)"
babeltrace2 --no-delta trace >events 2>err || skip_all "$(head -1 err)"

# The events of this name, without their context and with what changes from run to run left out.
events() { grep "iommufd_dev:$1:" events | sed -E 's/.*\}, \{ //; s/ctx = [0-9]+/ctx/; s/ \}$//'; }

check_output "the bind says which device, where, and for whom" \
	'ctx, dev = 1, bdf = 0x29, group = 3, id = "mine", by_group = 0' \
	eval 'events vfio_bind | sed "s/, pid = .*//" | head -1'
pid=$(grep "iommufd_dev:open:" events | sed -nE 's/.*, pid = ([0-9]+), .* name = "vfio_client".*/\1/p' | head -1)
check "and who has bound it" eval 'events vfio_bind | head -1 | grep -q ", pid = $pid,"'
check_output "as often it is unbound" "$(events vfio_bind | wc -l)" eval 'events vfio_unbind | wc -l'
check_output "attach: the page table" "what = 0x3, ret = 0" eval \
	'events vfio_call | grep "cmd = 0x3B77" | grep "ret = 0" | sed -E "s/.*(what)/\1/; s/, dur.*//" | head -1'
check_output "a refused one, too" "ret = -2" eval \
	'events vfio_call | grep "cmd = 0x3B77" | sed -nE "s/.*(ret = -2), .*/\1/p" | head -1'
check_output "interrupts: index and flags" "what = 0x100000024, ret = 0" eval \
	'events vfio_call | grep "cmd = 0x3B6E" | sed -E "s/.*(what)/\1/; s/, dur.*//" | head -1'
check_output "DMA says from where on the bus" "bdf = 0x29" eval \
	'events dma | sed -E "s/.*(bdf)/\1/" | sort -u'
check_output "so do interrupts, with their kind" "bdf = 0x29, index = 1, vector = 0" eval \
	'events vfio_irq | sed -E "s/.*(bdf)/\1/" | sort -u'
check_output "stats has a row for the device" "0000:00:05.1 3 vfio_client" eval \
	'"$ioasis" stats --by device trace | awk "/^0000/ { print \$1, \$2, \$4 }"'

# A driver that detaches, or not, and closes, or not, before it ends.
cat >driver.py <<'DRIVER'
import fcntl, os, struct, sys
iommu, vfio = (os.open(path, os.O_RDWR) for path in ("/dev/iommu", "/dev/vfio/devices/vfio0"))
def call(fd, number, layout, *values):
    data = bytearray(struct.pack(layout, *values))
    fcntl.ioctl(fd, ord(";") << 8 | number, data)
    return struct.unpack(layout, data)
call(vfio, 118, "IIiI", 16, 0, iommu, 0)
ioas = call(iommu, 0x81, "III", 12, 0, 0)[2]
call(vfio, 119, "III", 12, 0, ioas)
if "detach" in sys.argv:
    call(vfio, 120, "II", 8, 0)
    call(iommu, 0x80, "II", 8, ioas)
if "close" in sys.argv:
    os.close(vfio)
DRIVER
verdict() { # LEAKS WORD...: of the rule device
	local leaks=$1
	shift
	rm -rf session
	"$ioasis" record -o session -- $exec --device edu -- python3 driver.py "$@" >out 2>err
	"$ioasis" check --leaks "$leaks" session | awk '$1 == "device" { print $2 }'
}
check_output "what the kernel undoes at the end is no mistake" ok verdict exit
check_output "but one when it is asked for" violation verdict close
check_output "so is a close without a detach" violation verdict close close
check_output "and being bound at the end" violation verdict close detach
check_output "a driver that cleans up is right" ok verdict strict detach close
# RELEASE reaches the device after close() has returned, and the program may be gone by then.
often() { # COUNT WORD...: of so many runs, how often the kernel closed the device's file
	local count=$1
	shift
	rm -rf session
	"$ioasis" record -o session -- $exec --device edu -- sh -c \
		'for _ in $(seq '"$count"'); do python3 driver.py "$@" || exit; done' sh "$@" >out 2>err
	babeltrace2 session | grep 'vfio_unbind:' | grep -c 'by_exit = 1'
}
check_output "a close right before the end is a close" 0 often 20 detach close
check_output "and the end without one is none" 20 often 20 detach
done_testing
