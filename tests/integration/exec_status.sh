#!/usr/bin/env bash
# `ioasis exec`: exit statuses, options, what the command finds around itself.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

check_status "the command's exit status" 7 "$ioasis" exec -- sh -c 'exit 7'
check_status "a signal n is 128+n" 137 "$ioasis" exec -- sh -c 'kill -9 $$'
check_status "SIGTERM" 143 "$ioasis" exec -- sh -c 'kill $$'
check_status "not found" 127 "$ioasis" exec -- "$TEST_DIR/nothing-here"
check_output "not found, in words" "ioasis exec: no-such-command: command not found" \
	"$ioasis" exec -- no-such-command
check_output "an empty name" "ioasis exec: '': command not found" "$ioasis" exec -- ""
touch "$TEST_DIR/plain"
check_status "cannot be run" 126 "$ioasis" exec -- "$TEST_DIR/plain"
check_output "cannot be run, in words" \
	"ioasis exec: cannot run $TEST_DIR/plain: Permission denied" \
	"$ioasis" exec -- "$TEST_DIR/plain"
check_status "no command" 125 "$ioasis" exec
check_status "an unknown option" 125 "$ioasis" exec --no-such-option -- true
check_status "a wrong value" 125 "$ioasis" exec --leak-check perhaps -- true
check_status "a wrong version" 125 "$ioasis" exec --linux 2.4 -- true
check_output "one line for a wrong option" 1 sh -c "'$ioasis' exec --no-such -- true 2>&1 | wc -l"
check_status "options end at the command" 3 "$ioasis" exec sh -c 'exit 3' --leak-check no
check_output "nothing is said of leaks where the device was not opened" "" "$ioasis" exec -- true
check_output "and where it was, that there are none" \
	"==ioasis== leaked: 0 mappings, 0 address spaces, 0 page tables" \
	"$ioasis" exec -- sh -c 'exec 3<>/dev/iommu'

# What must be as without ioasis, but for what loads a library (way ring).
way=${IOASIS_CALL-}
export IOASIS_CALL=notify
around='pwd; id; umask; ulimit -n; env | grep -v ^_= | sort; readlink /proc/self/fd/0; ls -x /dev'
check_output "environment, ids, folder, limits" "$(sh -c "${around%; ls*}" </dev/null)" \
	$exec -- sh -c "${around%; ls*}"
export IOASIS_CALL=$way
[ -n "$way" ] || unset IOASIS_CALL
check_output "/dev has all that it had, and iommu" "$( (ls -a /dev; echo iommu) | sort -u)" \
	sh -c "$exec -- ls -a /dev | grep -vxE '[.](host|ioasis)' | sort"
check_output "standard input" "input" sh -c "echo input | $exec -- cat"
check_output "open files" "passed" sh -c "echo passed | $exec -- cat /dev/fd/3 3<&0"
check_output "no other open files" "$(ls /proc/self/fd | wc -l)" \
	$exec -- sh -c 'ls /proc/self/fd | wc -l'
closed="sh -c 'ls /proc/self/fd >$TEST_DIR/fds' <&- >&- 2>&-"
check_output "closed files stay closed" "$(sh -c "$closed"; cat "$TEST_DIR/fds")" \
	sh -c "$exec -- $closed; cat $TEST_DIR/fds"
check_output "ignored signals stay ignored" "$(sh -c 'trap "" INT PIPE; grep SigIgn /proc/self/status')" \
	sh -c "trap '' INT PIPE; $exec -- grep SigIgn /proc/self/status"
check_output "no signal is blocked" "$(grep SigBlk /proc/self/status)" \
	$exec -- grep SigBlk /proc/self/status
check_output "set-user-id programs may gain rights" "$(grep NoNewPrivs /proc/self/status)" \
	$exec -- grep NoNewPrivs /proc/self/status
check_output "shared memory is the system's" "$TEST_DIR" sh -c "
	echo '$TEST_DIR' >/dev/shm/ioasis-\$\$; $exec -- cat /dev/shm/ioasis-\$\$
	rm /dev/shm/ioasis-\$\$"

# The device.
check_output "a device of its own" "ok" $exec -- "$client" ioas
check_output "for a static program, too" "ok" $exec -- "$client_static" ioas
check_output "exec in exec" "ok" $exec -- $exec -- "$client" ioas
check_status "a leak changes no status" 0 "$ioasis" exec -- "$client" leak
check_status "but with --error-exitcode" 9 "$ioasis" exec --error-exitcode 9 -- "$client" leak
check_status "which a clean program does not see" 0 \
	"$ioasis" exec --error-exitcode 9 -- "$client" ioas
check_status "and a failed one neither" 5 \
	"$ioasis" exec --error-exitcode 9 -- sh -c "'$client' leak; exit 5"
check "the leak is listed" sh -c "
	'$ioasis' exec -- '$client' leak 2>&1 >/dev/null | grep -i exec_client"
check_output "unless it shall not be" "" "$ioasis" exec --leak-check no -- "$client" leak
done_testing
