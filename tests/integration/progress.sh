#!/usr/bin/env bash
# Long commands say on a terminal how far they are, and nothing where there is none.
. "$TOP/tests/integration/tap.sh"
ioasis=$BUILD/ioasis
command -v script > /dev/null || skip_all "no program 'script', which makes a terminal"
cd "$TEST_DIR" || exit 1
simulate="$ioasis simulate thousand-guests --set duration=20ms"

on_terminal() {
	TERM=xterm script -qec "$1" /dev/null < /dev/null | tr '\r' '\n'
}
says() { # PATTERN COMMAND: on a terminal it says that, and takes it away again
	on_terminal "$2" > said
	grep -Eq "^ *[0-9]+ %, [0-9.]+ [a-z]* ?$1, [0-9.]+ [a-z]* ?a second, .* left" said &&
		grep -q "^$(printf '\033')\[K" said
}
quiet() { # COMMAND: its standard error, which is no terminal, has no line that is written over
	eval "$1" > /dev/null 2> stderr
	! grep -q $'\r' stderr
}

check "simulate" says "ms of virtual time" "$simulate --trace trace"
check "simulate without a terminal" quiet "$simulate"
check "check" says "events" "$ioasis check trace"
check "check without a terminal" quiet "'$ioasis' check trace"
check "stats" says "events" "$ioasis stats trace"
check "replay" says "calls" "$ioasis replay trace"
check "sweep" says "runs" "$ioasis sweep nic --vary duration=1s --seeds 1..6 -j 2 -o results"
check "sweep without a terminal" quiet \
	"'$ioasis' sweep nic --vary duration=5ms --seeds 1..2 -j 2 -o more"
done_testing
