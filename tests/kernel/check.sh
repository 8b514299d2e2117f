#!/usr/bin/env bash
# Compares with a real kernel in an emulator:
#
#   make check-kernel [KERNEL=bzImage] [SEEDS=A-B] [OPS=2000]
#
# Boots KERNEL, asks its /dev/iommu new random calls, the sweep and what a driver of a device
# hears, and asks the engine and the fake's file the same at that kernel's version. SEEDS asks
# these again. A seed that differs is shrunk to the fewest calls that still do.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
kernel=${KERNEL:-../shared/kernel/bzImage-7.3}
first=$(($(date +%s) % 1000000000))
seeds=${SEEDS:-$first-$((first + 19))}
first=${seeds%-*} last=${seeds#*-}
ops=${OPS:-2000}
device_calls=1000 # each seed
vfio_calls=2000

if [ ! -e "$kernel" ]; then
	echo "check-kernel: no kernel at $kernel; KERNEL=bzImage names one (tests/kernel/README.md)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
for program in qemu-system-x86_64 busybox cpio; do
	if ! command -v $program >/dev/null; then
		echo "check-kernel: no $program; ./install-packages kernel installs it"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
done

share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
for program in test_conformance test_device_file test_backend_device ask sweep compare device_calls \
	vfio_calls vfio_client vfio_sweep; do
	cp "$build/tests/$program" "$share/" || exit 1
done

# boot IOMMU COMMAND: runs it there; ends the whole when the kernel does not come up.
boot() {
	BOOT_IOMMU=$1 BOOT_SECONDS=${BOOT_SECONDS:-1800} \
		tests/kernel/boot.sh "$kernel" "$share" "$2" && return
	[ $? != 125 ] && return
	echo "check-kernel: the kernel did not boot"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

echo "check-kernel: $kernel, SEEDS=$seeds OPS=$ops"
# What is asked of a kernel that has the test command, and of one that has not.
boot none "
uname -r >release
version=\$(uname -r)
export CMOCKA_MESSAGE_OUTPUT=TAP
export CONFORMANCE_DEVICE=/dev/iommu IOASIS_DEVICE=/dev/iommu
modes=plain
[ -e /sys/kernel/debug/fail_iommufd ] && export CONFORMANCE_TEST_OPS=1 && modes='plain mock'
# These are the newest kernel's.
case \$version in
[0-6].* | 7.[01].*) ;;
*) for t in test_conformance test_device_file test_backend_device; do ./\$t >\$t.tap 2>&1; done ;;
esac
for mode in \$modes; do
	flags=
	[ \$mode = mock ] && flags=--mock
	case \$mode-\$version in mock-[0-5].* | mock-6.? | mock-6.?.* | mock-6.1[0-8]*) flags='--mock --old-mock' ;; esac
	echo \"\$flags\" >flags-\$mode
	seed=$first
	while [ \$seed -le $last ]; do
		./ask --seed \$seed --ops $ops \$flags >ask-\$mode-\$seed.kernel 2>&1
		seed=\$((seed + 1))
	done
done
[ \"\$modes\" = plain ] && exit
./sweep /dev/iommu >sweep.kernel 2>&1
seed=$first
while [ \$seed -le $last ]; do
	./device_calls /dev/iommu \$seed $device_calls >device-\$seed.kernel 2>&1
	seed=\$((seed + 1))
done
"
release=$(cat "$share/release")
linux=$(sed 's/^\([0-9]*\.[0-9]*\).*/\1/' "$share/release")
if ! "$build/ioasis" exec --linux "$linux" -- true 2>/dev/null; then
	echo "check-kernel: $release is not known here; it is compared with the newest that is"
	linux=$("$build/ioasis" exec --help | sed -n 's/.*answer as that kernel (default \([0-9.]*\)).*/\1/p')
fi

# tap FILE CHECKS: what a function that says `ok` and `not ok` with names found.
tap() {
	local number
	number=$(grep -c '^\(not \)\?ok' "$1") && echo "1..$number" >>"$1" || rm -f "$1"
}

# ---- random calls, of the engine in a process here --------------------------------

# Lines that differ, without dirty bits of physical neighbours (docs/FIDELITY.md).
differs() { # WANT GOT
	diff "$1" "$2" | grep '^[<>]' | sed 's/^\([<>] [0-9]* GET_DIRTY .*\) out=.*/\1/' |
		sed 's/^[<>] //' | sort | uniq -c | awk '$1 % 2 { print; exit }'
}

# The process that asked there had every capability.
as_root=
unshare --user --map-root-user true 2>/dev/null && as_root="unshare --user --map-root-user"
ulimit -l unlimited 2>/dev/null
for answers in "$share"/ask-*.kernel; do
	mode=${answers##*/ask-} seed=${mode#*-} mode=${mode%%-*} seed=${seed%.kernel}
	# shellcheck disable=SC2046
	IOASIS_LINUX=$linux $as_root "$build/tests/oracle_inproc" --dev /dev/iommu --seed "$seed" --ops "$ops" \
		$(cat "$share/flags-$mode") >"$share/got" 2>/dev/null
	if [ -z "$(differs "$answers" "$share/got")" ]; then
		echo "ok - $mode, seed $seed"
	else
		echo "not ok - $mode, seed $seed"
		diff "$answers" "$share/got" | sed -n '1,4s/^/# /p'
	fi
	rm "$answers"
done >"$share/ask.tap"
different=$(sed -n 's/^not ok - \(.*\), seed \(.*\)/\1-\2/p' "$share/ask.tap")
tap "$share/ask.tap"

# ---- the fake's file ---------------------------------------------------------------

fake() { "$build/ioasis" exec --leak-check no --linux "$linux" --test-ops -- "$@" 2>/dev/null; }

for answers in "$share"/device-*.kernel; do
	[ -e "$answers" ] || continue
	seed=${answers##*/device-} seed=${seed%.kernel}
	fake "$build/tests/device_calls" /dev/iommu "$seed" $device_calls >"$share/got"
	if diff "$answers" "$share/got" >"$share/difference"; then
		echo "ok - device_calls, seed $seed"
	else
		echo "not ok - device_calls, seed $seed"
		sed -n '1,4s/^/# /p' "$share/difference"
	fi
done >"$share/device_calls.tap"
tap "$share/device_calls.tap"
if [ -e "$share/sweep.kernel" ]; then
	fake "$build/tests/sweep" /dev/iommu >"$share/got"
	if diff "$share/sweep.kernel" "$share/got" >"$share/difference"; then
		echo "ok - $(wc -l <"$share/sweep.kernel") lines"
	else
		echo "not ok - $(grep -c '^<' "$share/difference") lines differ"
		sed -n '1,20s/^/# /p' "$share/difference"
	fi
fi >"$share/sweep.tap"
tap "$share/sweep.tap"

# ---- a device behind an IOMMU, and what is to be shrunk -------------------------------

boot intel "
for device in /sys/bus/pci/devices/*; do
	[ \"\$(cat \$device/vendor) \$(cat \$device/device)\" = '0x1234 0x11e8' ] || continue
	echo vfio-pci >\$device/driver_override
	echo \${device##*/} >/sys/bus/pci/drivers/vfio-pci/bind
done
[ -e /dev/vfio/devices/vfio0 ] || exit 0
./vfio_client /dev/iommu /dev/vfio/devices/vfio0 >vfio.out 2>&1
./vfio_sweep /dev/vfio/devices/vfio0 /dev/iommu >vfio_sweep.kernel 2>&1
seed=$first
while [ \$seed -le $last ]; do
	./vfio_calls /dev/vfio/devices/vfio0 /dev/iommu \$seed $vfio_calls >vfio-\$seed.kernel 2>&1
	seed=\$((seed + 1))
done
true"
# What a driver hears from vfio-pci and from `--device edu`: all but that QEMU's device can be
# mapped.
no_mmap() { sed 's/^\(size .* flags\) 7$/\1 3/'; }
if [ -e "$share/vfio.out" ]; then
	if "$build/ioasis" exec --leak-check no --linux "$linux" --device edu -- \
		"$build/tests/vfio_client" /dev/iommu /dev/vfio/devices/vfio0 2>/dev/null |
		diff <(no_mmap <"$share/vfio.out") <(no_mmap) >"$share/difference"; then
		echo "ok - a driver of edu"
	else
		echo "not ok - a driver of edu"
		sed 's/^/# /' "$share/difference"
	fi
fi >"$share/vfio_device.tap"
# All calls, sizes and flags: but for what is the host's (tests/oracle/devices.sh), and what the
# kernel was built without.
host='^hwpt flags [19] |^fdinfo '
grep -q '^feature 11 op 4 argsz 8 = -1 ENOTTY' "$share/vfio_sweep.kernel" 2>/dev/null &&
	host="$host|^feature 11 "
if [ -e "$share/vfio_sweep.kernel" ]; then
	"$build/ioasis" exec --leak-check no --linux "$linux" --iommu dirty=off --device edu -- \
		"$build/tests/vfio_sweep" /dev/vfio/devices/vfio0 /dev/iommu 2>/dev/null |
		grep -vE "$host" >"$share/got"
	if grep -vE "$host" "$share/vfio_sweep.kernel" | diff - "$share/got" >"$share/difference"; then
		echo "ok - all calls of a device, $(wc -l <"$share/got") lines"
	else
		echo "not ok - $(grep -c '^<' "$share/difference") lines of all calls of a device differ"
		sed -n '1,20s/^/# /p' "$share/difference"
	fi
fi >>"$share/vfio_device.tap"
tap "$share/vfio_device.tap"
for answers in "$share"/vfio-*.kernel; do
	[ -e "$answers" ] || continue
	seed=${answers##*/vfio-} seed=${seed%.kernel}
	"$build/ioasis" exec --leak-check no --linux "$linux" --iommu dirty=off --device edu -- \
		"$build/tests/vfio_calls" /dev/vfio/devices/vfio0 /dev/iommu "$seed" $vfio_calls \
		>"$share/got" 2>/dev/null
	if diff "$answers" "$share/got" >"$share/difference"; then
		echo "ok - vfio_calls, seed $seed"
	else
		echo "not ok - vfio_calls, seed $seed"
		sed -n '1,4s/^/# /p' "$share/difference"
	fi
done >"$share/vfio_calls.tap"
tap "$share/vfio_calls.tap"

if [ -n "$different" ]; then
	command=
	for one in $different; do
		flag=
		[ "${one%%-*}" = mock ] && flag=--mock
		command="$command
./compare /dev/iommu ${one#*-}-${one#*-} --ops $ops --linux $linux $flag >>shrunk 2>&1"
	done
	boot none "$command
true"
	sed -n '/^# /p' "$share/shrunk"
fi

# ---- the sum ---------------------------------------------------------------------------

echo "Linux $release in an emulator, and the fake at --linux $linux:"
passed=0 failed=0
for result in "$share"/*.tap; do
	name=${result##*/}
	p=$(grep -c '^ok' "$result") f=$(grep -c '^not ok' "$result")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$result" | head -1)
	[ $((p + f)) -eq "${plan:-0}" ] && [ "${plan:-0}" -gt 0 ] || f=$((f + 1))
	passed=$((passed + p)) failed=$((failed + f))
	if [ "$f" -gt 0 ]; then
		echo "FAIL  ${name%.tap}: $f failed"
		grep -vE '^ok|^1\.\.' "$result" | head -60 | sed 's/^/      /'
	else
		echo "ok    ${name%.tap}: $p"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
