#!/usr/bin/env bash
# Traces a real kernel's /dev/iommu in an emulator: make check-kernel-trace [KERNEL=bzImage]
# KEEP=DIR keeps the traces there.
#
# Boots KERNEL with LTTng inside and runs ioasis-vmm there, right and wrong. There
# are no commits of a fake device in the trace: the checker must get along with when
# calls began and ended. Two minutes without KVM.
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
kernel=${KERNEL:-../shared/kernel/bzImage}

skip() {
	echo "check-kernel-trace: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
[ -e "$kernel" ] || skip "no kernel at $kernel; KERNEL=bzImage names one (tests/kernel/README.md)"
for program in qemu-system-x86_64 busybox cpio lttng-sessiond; do
	command -v $program >/dev/null || skip "no $program; ./install-packages kernel run installs it"
done
consumer=$(find /usr/lib* -name lttng-consumerd -type f 2>/dev/null | head -1)
[ -n "$consumer" ] || skip "no lttng-consumerd below /usr/lib"

share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT
cp "$(command -v lttng)" "$(command -v lttng-sessiond)" "$consumer" "$share"
cp "$build/ioasis-vmm" "$build/libioasis-probes.so" "$share"
cp /usr/share/xml/lttng/session.xsd "$share"
chmod +x "$share"/*
# What is run: the fault, and the rule that it breaks.
cat >"$share/faults" <<'END'
use-after-free use-after-free
double-map overlap
partial-unmap partial-unmap
leak leak
close-passed-fd fd-ownership
END
cat >"$share/run" <<'END'
mkdir -p /etc /root /run/lttng /usr/bin /usr/share/xml/lttng /var
rm -rf /var/run && ln -s /run /var/run
echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd
echo 'root:x:0:' >/etc/group
cp session.xsd /usr/share/xml/lttng/
cp lttng-sessiond /usr/bin/
ifconfig lo 127.0.0.1 up
export HOME=/root IOASIS_TRACE=1 LTTNG_UST_REGISTER_TIMEOUT=-1
./lttng-sessiond --no-kernel --consumerd64-path=/host/lttng-consumerd >/host/sessiond.log 2>&1 &
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	./lttng list >/dev/null 2>&1 && break
	sleep 1
done
# record NAME OPTIONS...
record() {
	name=$1
	shift
	./lttng create $name --output=/tmp/trace/$name &&
		./lttng enable-channel -u c --subbuf-size=1M --num-subbuf=8 &&
		./lttng enable-event -u -c c 'iommufd_*' &&
		./lttng add-context -u -c c -t vpid -t vtid -t procname &&
		./lttng start || exit 1
	./ioasis-vmm "$@"
	./lttng destroy
}
record good --ops 1000
record good-shared --ops 1000 --pass-fd --seed 2
while read fault rule; do
	record $fault --ops 200 --fault $fault </dev/null
done <faults
tar -C /tmp -cf trace.tar trace
END
BOOT_SECONDS=${BOOT_SECONDS:-600} tests/kernel/boot.sh "$kernel" "$share" "sh ./run"
if ! tar -C "$share" -xf "$share/trace.tar" 2>/dev/null; then
	echo "check-kernel-trace: nothing was traced"
	tail -20 "$share/output" "$share/sessiond.log" 2>/dev/null
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi

passed=0 failed=0
# judge NAME STATUS TEXT: what `ioasis check` must say of a trace
judge() {
	local got status
	got=$("$build/ioasis" check "$share/trace/$1" 2>&1)
	status=$?
	if [ $status -eq "$2" ] && grep -qF "$3" <<<"$got"; then
		passed=$((passed + 1))
		echo "ok    $1: $3"
	else
		failed=$((failed + 1))
		echo "FAIL  $1: no '$3' with status $2, but status $status:"
		printf '%s\n' "$got" | sed 's/^/      /'
	fi
}
judge good 0 "verdict: ok"
judge good-shared 0 "verdict: ok"
while read -r fault rule; do
	judge "$fault" 1 "violation: $rule:"
done <"$share/faults"
if [ "${KEEP:-}" ] && mkdir -p "$KEEP" && cp -r "$share/trace/." "$KEEP"; then
	echo "the traces are in $KEEP"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
