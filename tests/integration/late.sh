#!/usr/bin/env bash
# Tracing turned on while a VMM runs (IOASIS_TRACE=late): the trace begins with
# what lives, and is checked from there.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=${BUILD:-build}

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
command -v babeltrace2 >/dev/null || skip_all "babeltrace2 is not installed"
# A session daemon of our own: its folders must not be those of the machine.
if [ -z "${LATE_PRIVATE:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip_all "only root has its session daemon in /run"
	mkdir -p /run/lttng
	LATE_PRIVATE=1 exec unshare -m --propagation private "$0" ||
		skip_all "no mount namespaces"
fi
dir=$(mktemp -d)
export LTTNG_HOME=$dir # where lttng keeps the name of its session
for folder in /run/lttng /dev/shm; do
	mount -t tmpfs tmpfs $folder || skip_all "no private $folder for a session daemon"
done
trap 'kill "$(cat /run/lttng/lttng-sessiond.pid)"; rm -rf "$dir"' EXIT
lttng-sessiond --daemonize --quiet || skip_all "the session daemon does not start"

# record NAME OPTIONS...: a VMM that boots untraced; tracing comes when it is ready.
record() {
	local trace=$dir/$1 line
	shift
	coproc vmm { IOASIS_TRACE=late "$build/ioasis-vmm" --pause --ops 100 "$@" 2>&1; }
	local pid=$vmm_PID from=${vmm[0]} to=${vmm[1]}
	while read -r line <&"$from" && [ "$line" != ready ]; do :; done
	lttng create late --output="$trace" >/dev/null &&
		lttng enable-event -s late -u 'iommufd_*' >/dev/null &&
		lttng add-context -s late -u -t vpid -t vtid -t procname >/dev/null &&
		lttng start late >/dev/null || return 1
	echo >&"$to"
	cat <&"$from" >/dev/null
	wait "$pid" 2>/dev/null
	lttng destroy late >/dev/null
}
count() { babeltrace2 "$dir/$1" | grep -c "$2:"; }

check "a VMM is traced from its middle" record good --naive
check_output "one dump begins" 1 count good iommufd_backend:state_begin
check_output "with the six sections of guest memory" 6 count good iommufd_backend:state_mapping
check_output "and both address spaces" 2 count good iommufd_backend:state_object
check_output "and ends" 1 count good iommufd_backend:state_end
check_status "the rules hold" 0 "$build/ioasis" check "$dir/good"

check "a VMM with the device inside is traced from its middle" record inside --inproc
check_output "the device tells its mappings too" 6 count inside iommufd_dev:state_mapping
check_status "the rules hold" 0 "$build/ioasis" check "$dir/inside"

# What was mapped before the trace began is known: unmapping a part of it is wrong.
check "a mistake is traced" record bad --naive --fault partial-unmap
check_status "and found" 1 "$build/ioasis" check "$dir/bad"
done_testing
