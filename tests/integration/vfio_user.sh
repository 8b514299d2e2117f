#!/usr/bin/env bash
# libvfio-user's samples as devices behind the fake. Its build folder's `samples` is at
# LIBVFIO_USER_SAMPLES; there is no Debian package of them.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
samples=${LIBVFIO_USER_SAMPLES:-}
[ -n "$samples" ] || skip_all "LIBVFIO_USER_SAMPLES names no folder with libvfio-user's samples"
python3 -c 'import os; os.eventfd' 2>/dev/null || skip_all "no python3 with os.eventfd"
cd "$TEST_DIR" || exit 1
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null' EXIT

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
