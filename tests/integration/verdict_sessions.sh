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
	# LTTng may be killed, or a client, before its metadata says what the packets hold.
	if [ -z "$got" ] && [ "$wanted" != ok ] && grep -qE "cannot be read|no event|no trace in there" "$dir/check.log"; then
		ok "$name: it cannot be read, and says so"
		return
	fi
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

# A program that runs on while its session is rotated: the archives are parts of one recording.
if lttng rotate --help >/dev/null 2>&1; then
	session_start rot vpid vtid procname
	"$ioasis" exec --delay map:100us --delay unmap:100us -- "$vmm" --ops 3000 \
		>>"$dir/log" 2>&1 &
	for _ in 1 2 3; do lttng rotate rot >/dev/null; done
	wait
	session_end rot
	for archive in "$dir"/rot/archives/*; do
		# Where nothing happened between two rotations, there is nothing to judge.
		"$ioasis" check "$archive" 2>&1 | grep -qE "no event|no trace in there" && continue
		verdict "an archive of a rotated session" "ok|unknown" "$archive"
	done
	verdict "all archives together" ok "$dir/rot"
	check "lost nothing" grep -qx "lost: nothing" "$dir/check.log"
	first=$(find "$dir/rot/archives" -mindepth 1 -maxdepth 1 | sort | head -1)
	rm -r "$first"
	verdict "without the first one" "ok|unknown" "$dir/rot"
else
	skip "rotation" "this lttng cannot rotate"
fi

# The session daemon dies; it and the programs learn of that one after the other.
for mebibytes in 2 3 4; do
	session_start killed vpid vtid pid_ns
	"$ioasis" exec -- "$vmm" --ops 3000 --threads 4 >>"$dir/log" 2>&1 &
	session_wait_for killed $mebibytes
	consumers=$(pgrep -P "$(cat "$(session_pid_file)")")
	session_daemon_kill KILL
	wait
	for pid in $consumers; do session_wait_gone "$pid"; done
	verdict "a session daemon that is killed" "ok|unknown" "$dir/killed"
	rm -rf "$dir/killed" "$(session_pid_file)"
	session_daemon_start
done

# Another channel that loses events (if the machine is slow enough) has none of ours.
lttng create two --output="$dir/two" >/dev/null
lttng enable-channel -u -s two --subbuf-size=1M --num-subbuf=8 ours >/dev/null
lttng enable-channel -u -s two --subbuf-size=4096 --num-subbuf=2 theirs >/dev/null
lttng enable-event -u -s two -c ours 'iommufd_*' >/dev/null
lttng enable-event -u -s two -c theirs 'lttng_ust_libc:*' >/dev/null
lttng add-context -u -s two -c ours -t vpid -t vtid >/dev/null
lttng start two >/dev/null
libc=$(find /usr/lib* -name 'liblttng-ust-libc-wrapper.so*' | head -1)
"$ioasis" exec -- env LD_PRELOAD="$libc" "$vmm" --ops 2000 >>"$dir/log" 2>&1
session_end two
verdict "loss in another channel" ok "$dir/two"
check "is nothing of ours" grep -q "^lost: nothing" "$dir/check.log"

# Buffers for each process.
SESSION_CHANNEL="--buffers-pid" session_start pids vpid vtid
"$ioasis" exec -- "$vmm" --ops 500 >>"$dir/log" 2>&1
session_end pids
verdict "buffers for each process" ok "$dir/pids"
SESSION_CHANNEL="--buffers-pid" session_start shot vpid vtid
"$ioasis" exec -- timeout -s KILL 0.2 "$vmm" --ops 100000 >>"$dir/log" 2>&1
session_end shot
verdict "a client that is killed, with buffers of its own" "ok|unknown" "$dir/shot"
done_testing
