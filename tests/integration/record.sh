#!/usr/bin/env bash
# `ioasis record`: exit statuses, where the trace goes, what is left behind, the
# flight recorder, and what is said when LTTng is missing, dead or hung.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
vmm=$build/ioasis-vmm
dir=$(mktemp -d)
daemons=
trap '[ -z "$daemons" ] || kill $daemons; rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
if ! "$ioasis" record -o "$dir/probe" -- true >"$dir/probe.log" 2>&1; then
	# As root it takes a mount namespace, which some containers refuse.
	grep -q namespace "$dir/probe.log" && skip_all "$(head -1 "$dir/probe.log")"
fi

# Starting a daemon for each run takes long: most runs share one, in mounts of its own.
shared=$ioasis
if [ "$(id -u)" = 0 ]; then
	mkfifo "$dir/up"
	unshare -m --propagation private sh -c "
		mkdir -p /run/lttng && mount -t tmpfs none /run/lttng &&
			mount -t tmpfs none /dev/shm && lttng-sessiond --no-kernel --daemonize
		echo up >'$dir/up'
		exec tail -f /dev/null" >/dev/null 2>&1 &
	keeper=$!
	read -r _ <"$dir/up"
	in_shared="nsenter --mount=/proc/$keeper/ns/mnt"
	daemons="$keeper $($in_shared cat /run/lttng/lttng-sessiond.pid)"
	shared="$in_shared $ioasis"
fi

check_status "the command's exit status" 7 $shared record -o "$dir/t7" -- sh -c 'exit 7'
check_status "a signal n is 128+n" 137 $shared record -o "$dir/t137" -- sh -c 'kill -9 $$'
check_status "not found" 127 $shared record -o "$dir/t127" -- "$dir/nothing"
check "and no trace of it is left" test ! -e "$dir/t127"
check_status "no command" 3 $shared record
check_status "an unknown option" 3 $shared record --no-such -- true
mkdir "$dir/full" && touch "$dir/full/file"
check_output "a folder that is not empty" \
	"ioasis record: $dir/full is there and not an empty folder; give another -o" \
	$shared record -o "$dir/full" -- true

check "a run is recorded" "$ioasis" record -o "$dir/run" -- "$vmm" --inproc --ops 100
check_status "and breaks no rule" 0 "$ioasis" check "$dir/run"
check "the check of both layers compared calls" \
	sh -c "'$ioasis' check --json '$dir/run' | python3 -c '
import json, sys
rules = {row[\"rule\"]: row for row in json.load(sys.stdin)[\"rules\"]}
assert rules[\"layers-agree\"][\"checked\"] > 400, rules
assert rules[\"dma-outside\"][\"checked\"] > 50, rules'"
check "addresses are left out" sh -c "! babeltrace2 '$dir/run' | grep -q vaddr"
check "and recorded on request" sh -c "
	$shared record --addresses -o '$dir/addresses' -- '$vmm' --naive --ops 20 &&
	babeltrace2 '$dir/addresses' | grep -q map_dma_vaddr"
check_output "the default folder is the first that is free" "ioasis-trace-1 ioasis-trace-2" \
	$in_shared sh -c "cd '$dir' && '$ioasis' record -- true >/dev/null 2>&1
	'$ioasis' record -- true >/dev/null 2>&1; echo ioasis-trace-*"
check "lossless" sh -c "$shared record --lossless -o '$dir/lossless' -- '$vmm' --naive --ops 2000 &&
	'$ioasis' check '$dir/lossless'"

# A program with the library in it, away from the probes.
cp "$vmm" "$dir/my-vmm"
check "a program elsewhere is traced, too" bash -c "
	$shared record -o '$dir/elsewhere' -- '$dir/my-vmm' --naive --ops 20 >/dev/null 2>&1
	'$ioasis' stats '$dir/elsewhere' | grep -q '^map_dma '"
check_output "probes that cannot be loaded are no secret" \
	"ioasis: my-vmm is not traced: /nonexistent: cannot open shared object file: No such file or directory" \
	bash -c "IOASIS_PROBES=/nonexistent $shared record -o '$dir/untraced' -- '$dir/my-vmm' --naive \
		--ops 2 2>&1 >/dev/null | grep 'is not traced'"

# What was not written.
lost() { # COMMAND...: record ends with 3 and says why
	local err status
	err=$("$@" 2>&1 >/dev/null)
	status=$?
	[ $status = 3 ] && [[ $err == *"the trace may not be whole: "* ]] && return
	echo "status $status: $err"
	return 1
}
check "a folder that is removed meanwhile: status 3" lost \
	$shared record -o "$dir/gone" -- sh -c "'$vmm' --naive --ops 20; rm -rf '$dir/gone'"
check "what was in it: status 3" lost \
	$shared record -o "$dir/empty" -- sh -c "'$vmm' --naive --ops 20; rm -rf '$dir/empty'/*"
for victim in "*_0" "*_0 index/*_0.idx" "metadata"; do
	if [ "$(nproc --all)" = 1 ] && [[ $victim == "*_0 "* ]]; then
		skip "a stream and its index, of one processor" "nothing else was written"
		continue
	fi
	check "$victim alone: status 3" lost $shared record -o "$dir/stream" -- sh -c "
		'$vmm' --naive --ops 20; cd '$dir'/stream/ust/*/*/* && rm $victim"
	rm -rf "$dir/stream"
done
check_status "a snapshot is whole without indexes" 0 \
	$shared record --snapshot -o "$dir/stream" -- "$vmm" --naive --ops 20 --fault double-map
if [ "$(id -u)" = 0 ]; then
	mkdir "$dir/small"
	check "a full disk: status 3" lost unshare -m --propagation private sh -c "
		mount -t tmpfs -o size=1M none '$dir/small' &&
			'$ioasis' record -o '$dir/small/t' -- '$vmm' --naive --ops 40000"
else
	skip "a full disk" "needs root, to mount a small one"
fi

# Ctrl-C and TERM go to the command; nothing of the session stays.
end_with() {
	local fifo=$dir/fifo.$1 pid children
	mkfifo "$fifo"
	$2 record -o "$dir/end$1" -- sh -c "echo up >'$fifo'; exec sleep 60" 2>"$dir/end$1.log" &
	pid=$!
	read -r _ <"$fifo"
	children=$(pgrep -P $pid lttng)
	kill -"$1" $pid
	wait $pid
	echo "status $?"
	for child in $children; do
		[ ! -e "/proc/$child" ] || echo "daemon $child is left"
	done
}
check_output "SIGTERM ends the command and the session" "status 143" end_with TERM "$ioasis"
check_output "SIGINT, too" "status 130" end_with INT "$shared"
# Before CMD runs: it is not lost on the way to it.
check_output "SIGINT while the session starts" "status 130" sh -c "
	setsid '$ioasis' record -o '$dir/early' -- sleep 60 2>'$dir/early.log' & pid=\$!
	until pgrep -P \$pid lttng >/dev/null; do kill -0 \$pid || exit; done
	kill -INT \$pid
	wait \$pid
	echo status \$?"
check "killed outright, it leaves no daemon" bash -c "
	TMPDIR='$dir' '$ioasis' record -o '$dir/killed' -- sleep 60 & pid=\$!
	until children=\$(pgrep -P \$pid lttng) && pgrep -P \$pid sleep >/dev/null; do :; done
	sleep=\$(pgrep -P \$pid sleep)
	kill -9 \$pid
	kill \$sleep
	for child in \$children; do tail --pid=\$child -f /dev/null; done"

# The flight recorder.
check_output "a snapshot when a rule breaks" "1 overlap" sh -c "
	$shared record --snapshot -o '$dir/flight' -- '$vmm' --naive --ops 50 --fault double-map \
		>/dev/null 2>'$dir/flight.log'
	ls -d '$dir'/flight/snapshot-* | wc -l | tr '\n' ' '
	'$ioasis' check --still-running '$dir/flight/snapshot-1' |
		sed -n 's/^violation: \([a-z-]*\):.*/\1/p' | head -1"
check_output "none when all is well" 0 sh -c "
	$shared record --snapshot -o '$dir/calm' -- '$vmm' --naive --ops 50 >/dev/null 2>&1
	ls '$dir/calm' | wc -l"
check_output "one when the command fails" 1 sh -c "
	$shared record --snapshot -o '$dir/failed' -- sh -c \"'$vmm' --naive --ops 50 2>&1; exit 1\" \
		>/dev/null 2>&1
	ls -d '$dir'/failed/snapshot-* | wc -l"
mkfifo "$dir/usr1" "$dir/go"
$shared record --snapshot -o "$dir/asked" -- sh -c "
	'$vmm' --naive --ops 50 >/dev/null 2>&1; echo up >'$dir/usr1'; read -r _ <'$dir/go'" \
	2>"$dir/asked.log" &
pid=$!
read -r _ <"$dir/usr1"
kill -USR1 $pid
until [ -d "$dir/asked/snapshot-1/" ] && grep -q SIGUSR1 "$dir/asked.log"; do
	kill -0 $pid 2>/dev/null || break
done
echo go >"$dir/go"
wait $pid
check "one when SIGUSR1 comes" test -d "$dir/asked/snapshot-1"

# LTTng that is not there, and a daemon that does not live.
mkdir "$dir/bin"
check_output "no LTTng: one line" \
	"ioasis record: LTTng is not installed: no program 'lttng-sessiond' (Debian: lttng-tools)" \
	env PATH="$dir/bin" "$ioasis" record -o "$dir/none" -- true
check "and no folder is left" test ! -e "$dir/none"
printf '#!/bin/sh\necho "Error: no room"\nexit 1\n' >"$dir/bin/lttng-sessiond"
chmod +x "$dir/bin/lttng-sessiond"
check_output "a daemon that ends: one line" \
	"ioasis record: lttng-sessiond ended: Error: no room" \
	env PATH="$dir/bin:$PATH" "$ioasis" record -o "$dir/dead" -- true

# Probes of another release, which number events otherwise, and what is no such library at all.
cat >"$dir/other.c" <<'END'
const struct {
	const char *events_text;
	const void *wanted;
	void (*emit)(void);
} ioasis_trace_probes = { "iommufd_dev:open u64 ctx;", 0, 0 };
END
echo "int nothing;" >"$dir/none.c"
for probes in other none; do
	"${CC:-cc}" -shared -fPIC -o "$dir/$probes.so" "$dir/$probes.c"
	check_output "$probes: probes that do not fit are refused" \
		"ioasis simulate: --lttng: libioasis-probes.so is of another release of ioasis" \
		env IOASIS_PROBES="$dir/$probes.so" "$ioasis" simulate boot --lttng
	check "$probes: a program runs with them, untraced" \
		env IOASIS_TRACE=1 IOASIS_PROBES="$dir/$probes.so" "$vmm" --naive --ops 5
done
done_testing
