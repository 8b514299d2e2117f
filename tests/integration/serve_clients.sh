#!/usr/bin/env bash
# Clients of `ioasis serve`, well-behaved and not, and the end of either side in a call.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
client=$BUILD/tests/device_client
[ -x "$client" ] || skip_all "$client is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
ulimit -n "$(ulimit -Hn)"

# NAME WHAT [ARG]: ok when the client's status is 0, a skip when it cannot be done here.
check_client() {
	local name=$1 log status
	shift
	log=$("$client" "$serve_path" "$@" 2>&1)
	status=$?
	case $status in
	0) ok "$name" ;;
	77) skip "$name" "this system cannot do it" ;;
	*)
		not_ok "$name"
		printf 'status %s\n%s\n' "$status" "$log" | sed 's/^/# /'
		;;
	esac
}

serve_start
check_output "the file" "mode 100666
read EINVAL
write EINVAL
unknown number ENOTTY
null argument EFAULT
with direction bits ENOTTY
flags of a file ENOTTY" "$client" "$serve_path" file
check_output "dup, fork and fd passing share the state" "ids 1 2
child 3
again ENOENT
other ok" "$client" "$serve_path" share
check_client "a forked child maps memory of its own" fork-memory
check_client "closed means gone" reopen
check_client "many clients with many threads" crowd 6
check_client "a thousand open files" opens 1000
case $("$client" "$serve_path" compat 2>&1; echo $?) in
ENOTTY*0) ok "a 32-bit caller gets ENOTTY" ;;
77) skip "a 32-bit caller gets ENOTTY" "no 32-bit system calls here" ;;
*) not_ok "a 32-bit caller gets ENOTTY" ;;
esac

# Calls that never end stop nobody else, and can be killed.
"$client" "$serve_path" stuck 100 >stuck.out &
stuck=$!
if serve_await stuck.out stuck "$stuck"; then
	check_client "a hundred stuck calls stop nobody else" crowd 2
	kill -KILL "$stuck"
	wait "$stuck"
	check_output "a client with stuck calls can be killed" 137 echo $?
	check_client "and the daemon lives" reopen
else
	skip "stuck calls" "no userfaultfd for this user"
fi
serve_stop
check_output "it ends as usual" 0 echo "$serve_status"

# The daemon ends while calls are stuck.
serve_start
"$client" "$serve_path" stuck 3 >stuck.out &
stuck=$!
if serve_await stuck.out stuck "$stuck"; then
	serve_stop
	check_output "it ends although calls are stuck" 0 echo "$serve_status"
	kill -KILL "$stuck"
	wait "$stuck"
else
	serve_stop
	skip "ending with stuck calls" "no userfaultfd for this user"
fi
rm -f "$serve_path"

# Without the right to look into other processes, as with Yama for those that are no children.
serve_prefix="setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace"
serve_start
check_output "a client that may not be looked into cannot open" "open $serve_path: Permission denied" \
	"$client" "$serve_path" share
serve_stop
check "and serve says why and what helps" \
	grep -q "^ioasis serve: cannot serve process .* run the program with 'ioasis exec'" serve.err
check_output "once" 1 grep -c "cannot serve" serve.err
serve_prefix=

# A call that lasts: the daemon is killed in it, or the client is.
serve_start --delay ioas_iova_ranges:1000s
"$client" "$serve_path" ranges >ranges.out &
waiting=$!
serve_await_call ranges.out "$waiting"
serve_stop KILL
wait "$waiting"
check_output "the daemon killed in a call: the client gets an error" "calling
ECONNABORTED" cat ranges.out

serve_start --delay ioas_iova_ranges:1000s --leak-check yes
"$client" "$serve_path" hold >hold.out &
holding=$!
serve_await hold.out holding "$holding"
"$client" "$serve_path" ranges >ranges.out &
waiting=$!
serve_await_call ranges.out "$waiting"
kill -KILL "$waiting"
wait "$waiting"
check_output "a client killed in a call ends" 137 echo $?
kill -TERM "$holding"
wait "$holding"
check_client "and the daemon lives on" reopen
serve_stop
check "what the other one left is in the report, with its name" \
	grep -q "1 mapping, 4 KiB, made by device_client (pid $holding," serve.err

serve_start --delay alloc:60ms
check_output "signals do not end a call" "ok" "$client" "$serve_path" signals
serve_stop

# Injected errors.
serve_start --fail map:ENOMEM@2 --fail IOMMU_IOAS_MAP:EIO@4
check_output "--fail hits the Nth call" "ok ENOMEM ok EIO ok" "$client" "$serve_path" maps 5
serve_stop
serve_start --fail 'map:EINTR*3'
check_output "--fail hits the first N calls" "EINTR EINTR EINTR ok" "$client" "$serve_path" maps 4
serve_stop
serve_start --fail map:EAGAIN%30 --seed 7
first=$("$client" "$serve_path" maps 40)
serve_stop
serve_start --fail map:EAGAIN%30 --seed 7
check_output "the same seed fails the same calls" "$first" "$client" "$serve_path" maps 40
serve_stop
check "some and not all failed" eval 'case $first in *EAGAIN*ok*) ;; *) false ;; esac'
serve_start --fail map:EAGAIN%30
serve_stop
check "a seed that was not given is printed" grep -q "^ioasis serve: --seed [0-9]" serve.err

# What a client left is said when it closes the file, not at the end of serve.
serve_start
"$client" "$serve_path" maps 3 >/dev/null
serve_await serve.err "leaked: 3 mappings" "$serve_pid"
check "a client's leaks are printed when it closes" \
	grep -q "==ioasis== 3 mappings, 12 KiB, made by device_client" serve.err
serve_stop
check_output "once" 1 grep -c "leaked:" serve.err
serve_start --leak-check no
"$client" "$serve_path" maps 3 >/dev/null
serve_stop
check_output "not with --leak-check no" 0 grep -c "leaked:" serve.err

# The leak report's exit status and JSON.
serve_start --leak-check yes --json --error-exitcode 9
"$client" "$serve_path" maps 3 >/dev/null
serve_stop
check_output "--error-exitcode" 9 echo "$serve_status"
check "the report as JSON" grep -q '"leaked":{"mappings":3,"address_spaces":1,' serve.err
serve_start --error-exitcode 9
"$client" "$serve_path" share >/dev/null
serve_stop
check_output "one address space left" 9 echo "$serve_status"
serve_start --error-exitcode 9
serve_stop
check_output "nothing left" 0 echo "$serve_status"
done_testing
