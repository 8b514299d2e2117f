#!/usr/bin/env bash
# User-space drivers of others on `--device nvme`, as an ordinary user: make check-native
#
#   LIBVFN=BUILD   libvfn's build folder, with its examples and device tests
#   XNVME=BUILD    xNVMe's build folder, made with libvfn
#
# There are no Debian packages of them. Built from source:
#
#   libvfn: meson setup BUILD && ninja -C BUILD; its iommufd half needs the headers of Linux
#           6.8 or newer (-Dlinux-headers=DIR, or CFLAGS=-IDIR in 5.1.0)
#   xNVMe:  meson setup BUILD -Dwith-libvfn=enabled -Dwith-spdk=disabled, with libvfn 5.1.0
TOP=$(cd "$(dirname "$0")/../.." && pwd)
export TOP
BUILD=$(realpath "${BUILD:-$TOP/build}")
TEST_DIR=${TEST_DIR:-$(mktemp -d)}
export BUILD TEST_DIR
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "$TEST_DIR" || exit 1
bdf=0000:00:02.0

make_public
if [ "$(id -u)" != 0 ]; then
	user=(env)
elif can_be_user; then
	user=(as_user)
else
	skip_all "no user namespace for an ordinary user here"
fi

# run DEVICE PROGRAM...: under exec as an ordinary user.
run() {
	local device=$1
	shift
	"${user[@]}" "$public/ioasis" exec --leak-check no --device "$device" -- \
		timeout 300 "$@"
}

reachable() { # FILE
	"${user[@]}" test -x "$1"
}

# ---- libvfn ------------------------------------------------------------------------------

vfn() { # NAME EXPECTED PROGRAM ARGUMENT...: its output has a line that matches
	local name=$1 expected=$2
	shift 2
	run nvme,memory=64M,lba=4096 "$LIBVFN/$1" "${@:2}" >out 2>err
	local status=$?
	check "libvfn $name" test $status -eq 0 -a "$(grep -cE "$expected" out)" -gt 0
	[ $status -eq 0 ] || sed 's/^/# /' err | tail -n 5
}

vfn_io() {
	# It moves one block.
	head -c 4096 /dev/urandom >data && chmod 644 data
	run nvme,memory=64M,lba=4096 sh -c '"$1" -d "$2" -N 1 -w -z 4096 <"$3" &&
		"$1" -d "$2" -N 1 -r -z 4096' sh "$LIBVFN/examples/io" $bdf "$PWD/data" >out 2>err
	check "libvfn io: what was written is read" cmp out data
}

if [ -z "${LIBVFN:-}" ]; then
	skip "libvfn" "LIBVFN names no build folder"
elif ! reachable "$LIBVFN/examples/identify"; then
	skip "libvfn" "an ordinary user cannot run $LIBVFN/examples/identify"
else
	vfn identify '^vid 0x1b36$' examples/identify -d $bdf
	vfn regs '^VS +10400$' examples/regs -d $bdf
	vfn perf '^ *[0-9]+\.[0-9]+ ' examples/perf -d $bdf -N 1 -p randread -q 32 -t 1
	vfn_io
	for test in aer flush identify io open timeout; do
		vfn "device test $test" '^ok' "tests/device/$test" -d $bdf -N 1
		check "... with nothing that is not ok" eval '! grep -q "^not ok" out'
	done
fi

# ---- xNVMe -------------------------------------------------------------------------------

xnvme() { # PROGRAM ARGUMENT...
	run nvme,memory=64M "$XNVME/$1" "${@:2}" --be libvfn --dev-nsid 1 >out 2>&1
	local status=$?
	check "xnvme ${1##*/} $2" test $status -eq 0
	[ $status -eq 0 ] || grep -i err out | sed 's/^/# /' | tail -n 5
}

if [ -z "${XNVME:-}" ]; then
	skip "xNVMe" "XNVME names no build folder"
elif ! reachable "$XNVME/tools/xnvme"; then
	skip "xNVMe" "an ordinary user cannot run $XNVME/tools/xnvme"
elif ! "$XNVME/tools/xnvme" library-info | grep -q BE_LIBVFN_ENABLED; then
	skip "xNVMe" "it was built without libvfn"
else
	xnvme tools/xnvme info $bdf
	xnvme tools/xnvme idfy-ctrlr $bdf
	xnvme tools/xnvme log-health $bdf
	xnvme tests/xnvme_tests_lblk io $bdf --slba 0 --elba 1023
	xnvme tests/xnvme_tests_lblk write_zeroes $bdf --slba 0 --elba 1023
	xnvme tests/xnvme_tests_compare compare $bdf
	xnvme tests/xnvme_tests_buf buf_alloc_free $bdf --count 16
	xnvme tests/xnvme_tests_buf buf_virt_alloc_free $bdf --count 16
	xnvme tests/xnvme_tests_async_intf init_term $bdf --count 4 --qdepth 64
	xnvme tests/xnvme_tests_ioworker verify $bdf
	xnvme tests/xnvme_tests_ioworker verify-sync $bdf
	xnvme tests/xnvme_tests_scc idfy $bdf
	xnvme tests/xnvme_tests_ctrlr idfy $bdf
	xnvme tests/xnvme_tests_ctrlr nslist $bdf
	# Commands that NVM Express 1.4 leaves to the controller, and ours has not.
	skip "xnvme write_uncorrectable, scopy" "the controller has no Write Uncorrectable, no Copy"
fi
done_testing
