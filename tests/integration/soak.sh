#!/usr/bin/env bash
# Clean concurrent clients, again and again, in recordings of every shape: no rule is broken,
# and where nothing is missing the verdict is `ok`. Then the same with a mistake: it is found
# under its name.
#
# RUNS=N says how often (default 6; `make soak` runs 1,000), shared among SHAPES (default: all
# with many runs, `plain` with few), SEED=N with which seed the first begins. With 100 runs or
# more each of the 15 mistakes is made in each shape that shows it. The device is the fake's file.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/session_lib.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
vmm=$build/ioasis-vmm
runs=${RUNS:-6}
seed=${SEED:-1}
all="plain namespaces rotation pids snapshot channels killed-daemon killed-client threads"
shapes=${SHAPES:-$([ "$runs" -lt 100 ] && echo plain || echo "$all")}
session_private "$@"
export IOASIS_TRACE=1 LTTNG_UST_REGISTER_TIMEOUT=60000
if ! "$ioasis" exec -- true >"$dir/probe" 2>&1; then
	skip_all "$(head -1 "$dir/probe")"
fi
spaces=
unshare -pf --mount-proc true 2>/dev/null && spaces=1

# client SEED ARG...: one VMM on a device of its own.
client() {
	local one=$1
	shift
	"$ioasis" exec --leak-check no -- "$vmm" --threads 4 --ops 200 --seed "$one" "$@" \
		>>"$dir/log" 2>&1
}

# Each shape makes the recording $dir/now of clients FIRST to LAST with the arguments in ARGS.
each() {
	local i
	for i in $(seq "$1" "$2"); do client "$i" $args; done
}

shape_plain() {
	session_start now vpid vtid pid_ns && each "$1" "$2"
	session_end now
}

shape_namespaces() {
	local i
	session_start now vpid vtid pid_ns
	for i in $(seq "$1" "$2"); do
		unshare -pf --mount-proc "$ioasis" exec --leak-check no -- "$vmm" --ops 200 \
			--seed "$i" $args >>"$dir/log" 2>&1 &
		[ $((i % 3)) -ne 0 ] || wait
	done
	wait
	session_end now
}

shape_rotation() {
	session_start now vpid vtid
	each "$1" "$2" &
	while [ -n "$(jobs -r)" ]; do lttng rotate now >/dev/null; done
	wait
	session_end now
}

shape_pids() {
	SESSION_CHANNEL=--buffers-pid session_start now vpid vtid && each "$1" "$2"
	session_end now
}

# The ring's last events, while a client runs and after the last one.
shape_snapshot() {
	SESSION_CREATE=--snapshot SESSION_CHANNEL=--overwrite session_start now vpid vtid procname
	client "$1" $args &
	lttng snapshot record -s now "$dir/now/running" >/dev/null
	wait
	each "$(($1 + 1))" "$2"
	lttng snapshot record -s now "$dir/now/end" >/dev/null
	session_end now
}

# Each layer in a channel of its own, and a third that loses what is none of ours.
shape_channels() {
	lttng create now --output="$dir/now" >/dev/null
	lttng enable-channel -u -s now --subbuf-size=1M --num-subbuf=8 backend >/dev/null
	lttng enable-channel -u -s now --subbuf-size=1M --num-subbuf=8 device >/dev/null
	lttng enable-event -u -s now -c backend 'iommufd_backend:*' >/dev/null
	lttng enable-event -u -s now -c device 'iommufd_dev:*' >/dev/null
	lttng add-context -u -s now -c backend -t vpid -t vtid >/dev/null
	lttng add-context -u -s now -c device -t vpid -t vtid >/dev/null
	lttng start now >/dev/null && each "$1" "$2"
	session_end now
}

# Dies in the middle of the last client.
shape_killed-daemon() {
	local consumers pid
	session_start now vpid vtid pid_ns
	[ "$1" -eq "$2" ] || each "$1" "$(($2 - 1))"
	args="$args --ops 4000" client "$2" --ops 4000 &
	session_wait_for now $((2 + $2 % 3))
	consumers=$(pgrep -P "$(cat "$(session_pid_file)")")
	session_daemon_kill KILL
	wait
	for pid in $consumers; do session_wait_gone "$pid"; done
	rm -f "$(session_pid_file)"
	session_daemon_start
}

shape_killed-client() {
	local i
	session_start now vpid vtid pid_ns
	for i in $(seq "$1" "$2"); do
		"$ioasis" exec --leak-check no -- timeout -s KILL 0.0$((i % 9 + 1)) "$vmm" \
			--ops 100000 --seed "$i" >>"$dir/log" 2>&1
	done
	session_end now
}

shape_threads() {
	args="$args --threads 64 --ops 20" shape_plain "$1" "$2"
}

# judge SHAPE WHAT TRACE: no rule is broken; nothing is missing where WHAT is `ok`.
judge() {
	local got
	"$ioasis" check "$3" >"$dir/check" 2>&1
	got=$(sed -n 's/^verdict: //p' "$dir/check")
	# A recording that was cut off before anything was written says so.
	[ -n "$got" ] || ! grep -qE "no event|metadata|cannot be read" "$dir/check" || return 0
	case "|$2|" in
	*"|$got|"*) return 0 ;;
	esac
	bad="$bad$1: $got"$'\n'$(cat "$dir/check")$'\n'
}

# run SHAPE FIRST LAST: one recording, judged.
run() {
	local archive
	rm -rf "$dir/now"
	"shape_$1" "$2" "$3" >>"$dir/session" 2>&1
	case $1 in
	rotation)
		for archive in "$dir"/now/archives/*; do judge "$1" "ok|unknown" "$archive"; done
		judge "$1" ok "$dir/now"
		;;
	snapshot)
		judge "$1" "ok|unknown" "$dir/now/running"
		judge "$1" "ok|unknown" "$dir/now/end"
		;;
	killed-*) judge "$1" "ok|unknown" "$dir/now" ;;
	*) judge "$1" ok "$dir/now" ;;
	esac
}

count=$(wc -w <<<"$shapes")
for shape in $shapes; do
	[ "$shape" != namespaces ] || [ -n "$spaces" ] || {
		skip "clients in pid namespaces" "no pid namespaces"
		continue
	}
	share=$(((runs + count - 1) / count)) done=0 bad='' args=
	# A session that is killed, or a snapshot, is of few clients.
	most=20
	case $shape in snapshot | killed-daemon | threads) most=3 ;; esac
	while [ "$done" -lt "$share" ]; do
		batch=$((share - done < most ? share - done : most))
		run "$shape" $((seed + done)) $((seed + done + batch - 1))
		done=$((done + batch))
	done
	if [ -z "$bad" ]; then
		ok "$share clean clients from seed $seed on, $shape"
	else
		not_ok "$share clean clients from seed $seed on, $shape"
		sed 's/^/# /' <<<"$bad" | head -n 60
	fi
done
[ "$runs" -ge 100 ] || done_testing

# A mistake of each kind that is one on every device, in shapes that hold all events.
for shape in $shapes; do
	case $shape in snapshot | killed-*) continue ;; esac
	[ "$shape" != namespaces ] || [ -n "$spaces" ] || continue
	missed=
	while read -r fault rule _ device _; do
		[ "$device" = any ] || continue
		args="--fault $fault"
		rm -rf "$dir/now"
		"shape_$shape" "$seed" "$seed" >>"$dir/session" 2>&1
		found=$("$ioasis" check --json --rules analysis/rules/connect_before_alloc.dot \
			--rules analysis/rules/free_after_unmap.dot "$dir/now" | python3 -c '
import json, sys
found = json.load(sys.stdin)
rules = found["rules"] + found["user_rules"]
print(*sorted(r["rule"] for r in rules if r["verdict"] == "violation"))')
		case " $found " in
		*" $rule "*) ;;
		*) missed="$missed $fault($found)" ;;
		esac
	done < <("$vmm" --list-faults)
	if [ -z "$missed" ]; then
		ok "every mistake is found under its name, $shape"
	else
		not_ok "every mistake is found under its name, $shape: not$missed"
	fi
done
done_testing
