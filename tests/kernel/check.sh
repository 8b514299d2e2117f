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
for t in test_conformance test_backend_device compare; do
	[ -x "$build/tests/$t" ] && cp "$build/tests/$t" "$share/" && tests="$tests $t"
done

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
uname -r >release
" || status=$?
if [ $status = 125 ]; then
	echo "check-kernel: the kernel did not boot"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
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
