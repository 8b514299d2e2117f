#!/usr/bin/env bash
# `ioasis top -- CMD`: a command followed from its start to its end, on daemons of its own.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

command -v lttng-relayd >/dev/null && command -v lttng-sessiond >/dev/null ||
	skip_all "lttng-tools is not installed"
mkdir tmp home
export TMPDIR=$PWD/tmp HOME=$PWD/home
unset LTTNG_HOME
top="timeout 100 $BUILD/ioasis top --json --interval 100ms"

# shellcheck disable=SC2086
$top -- "$BUILD/ioasis-vmm" --inproc --ops 500 >shown 2>said
check_output "the exit status is the command's" 0 echo $?
check "its calls are counted" grep -q '"process":"ioasis-vmm","calls":[1-9]' shown
check "every line is an object" sh -c "! grep -v '^{\"interval_ns\":.*}$' shown"
check "what the command says is on standard error" grep -q '^ioasis-vmm: [0-9]* maps' said
last_line_has() { tail -n 1 shown | grep -q "\"lost_events\":0,"; }
check "no event was lost" last_line_has
check_output "nothing is left in the folder for such things" "" find tmp home -mindepth 1
check_output "... and no relay daemon" "" pgrep -f "$PWD/tmp"

$top -- sh -c 'exit 7' >shown 2>said
check_output "a command that fails" 7 echo $?
$top -- sh -c 'kill -9 $$' >shown 2>said
check_output "a command that is killed" 137 echo $?
$top -- /no/such/command >shown 2>said
check_output "no such command" "127
ioasis top: cannot run /no/such/command: No such file or directory
ioasis top: /no/such/command: nothing of it was traced" sh -c "echo $?; cat said"

# It ends before its command: the command is ended.
$top --count 2 -- sh -c 'echo $$ >pid; exec sleep 1000' >shown 2>said
check_output "the command ends with --count" 143 echo $?
check_output "two intervals were shown" 2 sh -c "wc -l <shown"
check "it is gone" sh -c '! kill -0 "$(cat pid)" 2>/dev/null'
mkdir bin
printf '#!/bin/sh\necho "Error: no room"\nexit 1\n' >bin/lttng-relayd
chmod +x bin/lttng-relayd
check_output "a relay daemon that ends says why" "ioasis top: lttng-relayd ended: Error: no room" \
	env PATH="$PWD/bin:$PATH" $top -- true
check_output "nothing is left of it either" "" find tmp home -mindepth 1
check_output "nothing to follow" "ioasis top: no trace given; say net://HOST/host/NAME/SESSION, or a command: -- CMD [ARG...]" \
	"$BUILD/ioasis" top
done_testing
