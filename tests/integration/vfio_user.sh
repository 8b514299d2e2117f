#!/usr/bin/env bash
# Devices of other programs behind the fake: a server of ours, and libvfio-user's samples, whose
# build folder's `samples` is at LIBVFIO_USER_SAMPLES; there is no Debian package of them.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "$TEST_DIR" || exit 1
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null' EXIT

# ---- a server of ours -------------------------------------------------------------------

server=$BUILD/tests/vfio_user_server
memory() { # KEY...
	"$ioasis" exec --leak-check no --device "vfio-user,socket=$PWD/ours.sock$1" -- \
		python3 "$TOP/tests/integration/vfio_user_memory.py" 2>&1
}
if [ -x "$server" ]; then
	mkfifo end
	"$server" "$PWD/ours.sock" <end >ready &
	pid=$!
	exec 4>end
	wait_for grep -q ready ready
	check_output "a server maps the memory that has a file" 'mapped before the attach: True
mapped after it: True
no file, no bus master: EFAULT
no file: True
unmapped: EFAULT True
the other: True' memory ""
	# The server is told of it all as memory without a file: the IOMMU sees each access.
	check_output "dma=message: it maps nothing" 'mapped before the attach: EFAULT
mapped after it: EFAULT
no file, no bus master: EFAULT
no file: True
unmapped: EFAULT True
the other: True' memory ,dma=message
	exec 4>&-
	wait $pid
	check "the server ends well" test $? = 0
	pid=
else
	skip "a server maps the memory that has a file" "$server is not built"
fi

# ---- libvfio-user's samples ---------------------------------------------------------------

samples=${LIBVFIO_USER_SAMPLES:-}
if [ -z "$samples" ]; then
	skip "libvfio-user's samples" "LIBVFIO_USER_SAMPLES names no folder with them"
	done_testing
fi
if ! python3 -c 'import os; os.eventfd' 2>/dev/null; then
	skip "libvfio-user's samples" "no python3 with os.eventfd"
	done_testing
fi

run() { # SAMPLE PART
	[ -x "$samples/$1" ] || { skip "$1" "$samples/$1 is not built"; return; }
	"$samples/$1" "$PWD/$2.sock" >"$2.log" 2>&1 &
	pid=$!
	for _ in $(seq 200); do
		# One that listens, not only a file.
		grep -q "00010000 .* $PWD/$2.sock" /proc/net/unix && break
		kill -0 $pid 2>/dev/null || break
		read -rt 0.05 <> <(:)
	done
	if ! kill -0 $pid 2>/dev/null; then
		skip "$1 is a device" "it ended by itself: $(tail -n 1 "$2.log")"
		return
	fi
	out=$("$ioasis" exec --leak-check no --device "vfio-user,socket=$PWD/$2.sock" -- \
		python3 "$TOP/tests/integration/vfio_user_samples.py" "$2" 2>&1)
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
	pid=
	[ "$out" = "$3" ] || sed 's/^/# /' "$2.log"
	check_output "$1 is a device" "$3" echo "$out"
}
run gpio-pci-idio-16 gpio 'ids 4f49c80d
inputs ff
inputs fa'
run server server 'clock ok
interrupt ok
mapped ABCD
by message ABCD
afterwards here'
done_testing
