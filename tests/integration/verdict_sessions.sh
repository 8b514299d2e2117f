#!/usr/bin/env bash
# The verdict of correct programs in sessions that someone else set up: without our contexts,
# rotated, with buffers for each process, in containers.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/session_lib.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
vmm=$build/ioasis-vmm
session_private "$@"
export IOASIS_TRACE=1 LTTNG_UST_REGISTER_TIMEOUT=60000
"$ioasis" exec -- true >"$dir/probe.log" 2>&1 || skip_all "$(head -1 "$dir/probe.log")"

# verdict NAME WANTED TRACE...: one of the words in WANTED ("ok|unknown").
verdict() {
	local name=$1 wanted=$2 got
	shift 2
	"$ioasis" check "$@" >"$dir/check.log" 2>&1
	got=$(sed -n 's/^verdict: //p' "$dir/check.log")
	if [[ "|$wanted|" == *"|$got|"* ]]; then
		ok "$name: $wanted"
	else
		not_ok "$name: $wanted"
		sed 's/^/# /' "$dir/check.log"
	fi
}

# Two VMMs with the same process id, each in a pid namespace of its own, a device each.
twins() {
	for _ in 1 2; do
		unshare -pf --mount-proc "$ioasis" exec -- "$vmm" --ops 300 >>"$dir/log" 2>&1 &
	done
	wait
}

if unshare -pf --mount-proc true 2>/dev/null; then
	session_start spaces vpid vtid pid_ns && twins && session_end spaces
	verdict "two containers" ok "$dir/spaces"
	check_output "are two processes" 2 sh -c "
		'$ioasis' stats --by process '$dir/spaces' | grep -c ioasis-vmm"
	# Nothing but what the events themselves carry tells the two apart.
	session_start plain vpid vtid && twins && session_end plain
	verdict "two containers without the context pid_ns" "ok|unknown" "$dir/plain"
	# One device for all; it sees its callers under other numbers than they do.
	session_start shared vpid vtid pid_ns
	"$ioasis" exec -- bash -c "
		for i in 1 2; do unshare -pf --mount-proc '$vmm' --ops 300 & done; wait" \
		>>"$dir/log" 2>&1
	session_end shared
	verdict "two containers on one device" ok "$dir/shared"
	check "whose calls are found in the device" sh -c "
		'$ioasis' check '$dir/shared' | grep -q '^layers-agree  *ok  *[1-9]'"
else
	skip "containers" "no pid namespaces"
fi

# The same process runs one program after another: each starts to count anew.
session_start again vpid vtid
"$ioasis" exec -- bash -c "exec '$vmm' --ops 100" >>"$dir/log" 2>&1
"$ioasis" exec -- "$build/tests/verdict_client" exec-twice >>"$dir/log" 2>&1
session_end again
verdict "a program that becomes another" ok "$dir/again"
done_testing
