#!/usr/bin/env bash
# Compares with a real kernel in an emulator: make check-kernel [KERNEL=bzImage] [SEEDS=A-B]
#
# Boots KERNEL and runs there, on its /dev/iommu: the conformance tests, the
# backend's tests, and random calls that the kernel and the engine both answer.
# The first difference is shrunk to the fewest calls that still differ.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
seeds=${SEEDS:-5000-5019}
kernel=${KERNEL:-../shared/kernel/bzImage}

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
tests=
for t in test_conformance test_device_file test_backend_device compare; do
	[ -x "$build/tests/$t" ] && cp "$build/tests/$t" "$share/" && tests="$tests $t"
done

cp "$build/tests/device_calls" "$build/tests/vfio_client" "$share/"
device_calls=1000 # each seed

status=0
BOOT_SECONDS=${BOOT_SECONDS:-1200} tests/kernel/boot.sh "$kernel" "$share" "
export CMOCKA_MESSAGE_OUTPUT=TAP
export CONFORMANCE_DEVICE=/dev/iommu IOASIS_DEVICE=/dev/iommu
[ -e /sys/kernel/debug/fail_iommufd ] && export CONFORMANCE_TEST_OPS=1
for t in $tests; do
	case \$t in
	compare)
		./compare /dev/iommu $seeds >compare-plain.tap 2>&1
		if [ -n \"\$CONFORMANCE_TEST_OPS\" ]; then
			./compare /dev/iommu $seeds --mock >compare-mock.tap 2>&1
		fi ;;
	*) ./\$t >\$t.tap 2>&1 ;;
	esac
done
if [ -n \"\$CONFORMANCE_TEST_OPS\" ]; then
	for seed in $(seq -s ' ' "${seeds%-*}" "${seeds#*-}"); do
		./device_calls /dev/iommu \$seed $device_calls >device-\$seed.kernel 2>&1
	done
fi
# The device behind the machine's own IOMMU, given to vfio-pci.
for device in /sys/bus/pci/devices/*; do
	[ \"\$(cat \$device/vendor) \$(cat \$device/device)\" = '0x1234 0x11e8' ] || continue
	echo vfio-pci >\$device/driver_override
	echo \${device##*/} >/sys/bus/pci/drivers/vfio-pci/bind
done
if [ -e /dev/vfio/devices/vfio0 ]; then
	./vfio_client /dev/iommu /dev/vfio/devices/vfio0 >vfio.out 2>&1
fi
uname -r >release
" || status=$?
if [ $status = 125 ]; then
	echo "check-kernel: the kernel did not boot"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
# What the kernel answered to device_calls, against what the fake's file answers.
number=0
for kernel_answers in "$share"/device-*.kernel; do
	[ -e "$kernel_answers" ] || continue
	seed=${kernel_answers##*/device-} seed=${seed%.kernel}
	number=$((number + 1))
	"$build/ioasis" exec --test-ops -- "$build/tests/device_calls" /dev/iommu "$seed" \
		$device_calls >"$share/device-$seed.fake" 2>/dev/null
	if diff "$kernel_answers" "$share/device-$seed.fake" >"$share/difference"; then
		echo "ok $number - device_calls, seed $seed"
	else
		echo "not ok $number - device_calls, seed $seed"
		sed -n '1,4s/^/# /p' "$share/difference"
	fi
done >"$share/device_calls.tap"
if [ $number -gt 0 ]; then
	echo "1..$number" >>"$share/device_calls.tap"
else
	rm -f "$share/device_calls.tap"
fi
# What a driver hears from vfio-pci and from `--device edu`: all but that QEMU's device can be
# mapped and cannot be reset.
if [ -e "$share/vfio.out" ]; then
	echo 1..1
	if sed -e 's/^flags 3 regions/flags 2 regions/' -e 's/^\(size .* flags\) 3$/\1 7/' \
		-e 's/^reset ok/reset EINVAL/' tests/integration/vfio_device.out |
		diff "$share/vfio.out" - >"$share/difference"; then
		echo "ok 1 - a driver of edu"
	else
		echo "not ok 1 - a driver of edu"
		sed 's/^/# /' "$share/difference"
	fi
fi >"$share/vfio_device.tap"
[ -s "$share/vfio_device.tap" ] || rm -f "$share/vfio_device.tap"
echo "Linux $(cat "$share/release" 2>/dev/null), in an emulator:"
passed=0 failed=0
for tap in "$share"/*.tap; do
	name=${tap##*/}
	p=$(grep -c '^ok' "$tap") f=$(grep -c '^not ok' "$tap")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$tap" | head -1)
	[ $((p + f)) -eq "${plan:-0}" ] && [ "${plan:-0}" -gt 0 ] || f=$((f + 1))
	passed=$((passed + p)) failed=$((failed + f))
	if [ "$f" -gt 0 ]; then
		echo "FAIL  ${name%.tap}: $f failed"
		grep -vE '^ok|^1\.\.' "$tap" | head -60 | sed 's/^/      /'
	else
		echo "ok    ${name%.tap}: $p"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
