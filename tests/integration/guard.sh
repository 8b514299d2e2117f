#!/usr/bin/env bash
# Commands that read traces when the library that reads ends the program, when a signal comes, and
# when standard output takes nothing: one line, a status, no part of a file.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export IOASIS_READER=babeltrace2 TMPDIR=$dir/tmp
mkdir "$dir/tmp"

$ioasis simulate boot --trace "$dir/t" >/dev/null || { not_ok "a trace is made"; done_testing; }

# What a command leaves in the folder of its output.
mkdir "$dir/out"
echo mine >"$dir/out/f"
nothing_left() {
	[ "$(ls -A "$dir/out")" = f ] && [ "$(cat "$dir/out/f")" = mine ] && [ -z "$(ls -A "$dir/tmp")" ]
}
f=$dir/out/f
commands=(
	"check $dir/t" "stats $dir/t" "diff $dir/t $dir/t" "top $dir/t" "replay $dir/t"
	"report $dir/t -o $f" "export $dir/t --to json -o $f" "export $dir/t --to perfetto -o $f"
	"export $dir/t --to sqlite -o $f" "export $dir/t --to sqlite -o -"
	"simulate boot --cost-from $dir/t"
)

# A reader that ends the program.
ends() { # ENDS
	local bad= err status
	for command in "${commands[@]}"; do
		err=$(BABELTRACE_PLUGIN_PATH=$build/tests/reader_that_ends ENDS=$1 \
			$ioasis $command 2>&1 >"$dir/stdout")
		status=$?
		[ $status = 3 ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == *"$dir/t"*"gave up"* ]] &&
			[ ! -s "$dir/stdout" ] && nothing_left || bad+="# $command: status $status: $err
"
	done
	printf '%s' "$bad"
	[ -z "$bad" ]
}
for how in abort segv exit; do
	check "a reader ends by $how at the opening: status 3, one line that names the trace" \
		ends $how
done
export ENDS_LATER=1
for how in abort segv; do
	check "a reader ends by $how in the middle" ends $how
done
unset ENDS_LATER
check "its reason is in the line" bash -c "
	BABELTRACE_PLUGIN_PATH=$build/tests/reader_that_ends ENDS=abort $ioasis check $dir/t 2>&1 |
		grep -q 'reader.c:12: read_it(): Assertion'"

# Signals, while a library hangs.
interrupt() { # SIGNAL STATUS HOW COMMAND...
	local signal=$1 expected=$2 how=$3 pid child status
	shift 3
	BABELTRACE_PLUGIN_PATH=$build/tests/reader_that_ends ENDS=hang setsid $ioasis "$@" \
		>"$dir/stdout" 2>"$dir/stderr" &
	pid=$!
	# The reader hangs when its process sleeps in pause().
	until child=$(pgrep -P $pid) && grep -q pause "/proc/$child/wchan" 2>/dev/null ||
		grep -qE '^(34|29) ' "/proc/$child/syscall" 2>/dev/null; do
		kill -0 $pid || return 1
	done
	kill -"$signal" -- $([ "$how" = group ] && echo -$pid || echo $pid)
	wait $pid
	status=$?
	[ ! -e "/proc/$child" ] || { echo "$child is left"; return 1; }
	[ $status = "$expected" ] && [ "$(wc -l <"$dir/stderr")" = 1 ] &&
		grep -q "interrupted" "$dir/stderr" && [ ! -s "$dir/stdout" ] && nothing_left && return
	echo "status $status"
	cat "$dir/stderr"
	ls -lA "$dir/out" "$dir/tmp"
	return 1
}
for command in check stats "export --to json -o $f" "export --to sqlite -o $f" "report -o $f"; do
	check "SIGINT ends ${command%% *}: 130" interrupt INT 130 one $command "$dir/t"
done
check "SIGINT ends replay, which takes signals itself later" interrupt INT 130 one replay "$dir/t"
check "SIGINT ends diff: 130" interrupt INT 130 one diff "$dir/t" "$dir/t"
check "Ctrl-C reaches parent and child: 130" interrupt INT 130 group check "$dir/t"
check "SIGTERM ends check: 143" interrupt TERM 143 one check "$dir/t"

# A signal while messages are read.
export ENDS_LATER=1
for command in check stats "export --to perfetto -o $f"; do
	check "SIGINT in the middle of ${command%% *}" interrupt INT 130 one $command "$dir/t"
done
unset ENDS_LATER

# Standard output that takes nothing.
for command in "--help" "--version" "check --help" "check $dir/t" "stats $dir/t" "stats --json $dir/t" \
	"diff $dir/t $dir/t" "simulate boot" "simulate --list" "simulate --keys" \
	"report $dir/t -o -" "export $dir/t --to json -o -" "export $dir/t --to sqlite -o -"; do
	full_device() { err=$($ioasis $command 2>&1 >/dev/full); rc=$?; said; }
	closed() { err=$($ioasis $command 2>&1 >&-); rc=$?; said; }
	said() {
		[ $rc = 3 ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == *"standard output"* ]] ||
			{ echo "status $rc: $err"; return 1; }
	}
	check "full standard output: ${command//"$dir/"/}" full_device
	check "closed standard output: ${command//"$dir/"/}" closed
done
check_status "nothing to say: a closed standard output does not matter" 0 \
	bash -c "$ioasis export $dir/t --to json -o $dir/plain.json >&-"
check_status "exec has its own status for it" 125 bash -c "$ioasis exec --help >/dev/full"
check "a reader of the output that has enough is no error" \
	bash -c "set -o pipefail; $ioasis stats $dir/t 2>$dir/stderr | head -1 >/dev/null; [ ! -s $dir/stderr ]"
done_testing
