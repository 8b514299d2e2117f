#!/usr/bin/env bash
# `ioasis exec` leaves no process and no mount behind, however it ends.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

mark=ioasis-exec-end-$$

# run COMMAND...: ioasis with the command as a background job in a process group of
# its own; its id is in $job.
run() {
	set -m
	"$ioasis" exec "${options[@]}" -- "$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" &
	job=$!
	set +m
}
options=()

gone() {
	[ -z "$(left_behind "$mark")" ]
}

# ended NAME STATUS: the job ends with it, and nothing is left.
ended() {
	local status
	wait "$job"
	status=$?
	wait_for gone
	if [ "$status" = "$2" ] && [ -z "$(left_behind "$mark")" ]; then
		ok "$1"
	else
		not_ok "$1"
		echo "# status $status, left: $(left_behind "$mark" | tr '\n' ' ')"
		sed 's/^/# /' "$TEST_DIR/err"
	fi
}

# Two processes: the shell and what it waits for.
two="sleep 1000 & echo up; wait # $mark"
up() {
	wait_for grep -q up "$TEST_DIR/out"
}

run sh -c "sleep 1000 & : $mark"
ended "normal end, with something left in the background" 0

run sh -c "$two"
up
kill -INT -- "-$job"
ended "Ctrl-C: SIGINT to the whole group" 130

run sh -c "$two"
up
kill -TERM "$job"
ended "SIGTERM to ioasis goes to the command" 143

run sh -c "$two"
up
pkill -KILL -f -P "$job" "$mark"
ended "kill -9 of the command" 137

run sh -c "$two"
up
kill -KILL "$job"
ended "kill -9 of ioasis" 137

run sh -c "$two"
up
kill -KILL -- "-$job"
ended "kill -9 of the whole group" 137

options=(--delay 'fault_queue_alloc:1000s')
run sh -c "$client stay; : $mark"
wait_for grep -q calling "$TEST_DIR/out"
pkill -KILL -f -P "$job" "$mark"
ended "kill -9 of the command while a program is in a call that ioasis answers" 137

run sh -c "exec $client stay"
wait_for grep -q calling "$TEST_DIR/out"
kill -KILL "$job"
ended "kill -9 of ioasis with a call under way" 137

options=(--delay 'ioas_alloc:1000s')
run sh -c "$client ioas; : $mark"
wait_for pgrep -f "^$client ioas"
pkill -KILL -f -P "$job" "$mark"
ended "kill -9 of the command while a program is in a call of the device" 137
options=()

# At any moment of many calls at once; the moments differ, what is left does not.
for moment in 1 2 3 4 5 6 7 8; do
	run sh -c "$client threads; : $mark"
	sleep 0.0$moment
	kill -KILL "$job"
	wait "$job"
done 2>/dev/null
check "kill -9 of ioasis at eight moments of many calls leaves nothing" wait_for gone

# The shell's job control: stopped and continued as one job.
run sh -c "echo up; kill -TSTP \$\$; echo again # $mark"
up
check "the job stops when the terminal stops the command" wait_for \
	sh -c "grep -q '^State:.T' /proc/$job/status"
kill -CONT -- "-$job"
ended "and goes on" 0
check_output "where it was" again tail -n 1 "$TEST_DIR/out"

# A command that is stopped alone is woken through ioasis.
run sh -c "echo \$\$; kill -STOP \$\$; exit 4 # $mark"
command_stopped() {
	grep -q '^State:.T' "/proc/$(head -n 1 "$TEST_DIR/out")/status" 2>/dev/null
}
check "the command stops alone" wait_for command_stopped
kill -CONT "$job"
ended "SIGCONT to ioasis wakes it" 4

run sh -c "trap 'exit 33' USR1; echo up; while :; do sleep 0.05; done # $mark"
up
kill -USR1 "$job"
ended "another signal to ioasis goes to the command" 33
done_testing
