#!/usr/bin/env bash
# `ioasis exec`: an ioctl by each way to the device (IOASIS_CALL) reaches the same open file
# and gives the same answer. WAYS="fuse ring" asks these.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

cd "$TEST_DIR" || exit 1
client=$BUILD/tests/ways_client
ways=${WAYS:-fuse notify ring}
seed=${SEED:-$RANDOM}
echo "# SEED=$seed"

check_status "a way that there is not" 125 env IOASIS_CALL=pigeon $exec -- true
check_output "is named with those that there are" \
	"ioasis exec: IOASIS_CALL is 'pigeon'; fuse, notify or ring is meant" \
	sh -c "IOASIS_CALL=pigeon $exec -- true 2>&1 | head -n 1"
IOASIS_CALL=fuse $exec -- "$client" answers >"$TEST_DIR/answers" 2>&1
check "fuse: bad arguments have answers" grep -q "^compat -25\|^minus one" "$TEST_DIR/answers"
# Even on a busy machine rings are looked into.
export IOASIS_CALL_LOOK_US=10000
for way in $ways; do
	export IOASIS_CALL=$way
	for program in "$client" "${client}_static"; do
		name="$way: ${program##*/}"
		check_output "$name: random descriptors, one thread" ok \
			$exec -- "$program" walk "$seed" 4000 1
		check_output "$name: random descriptors, six threads" ok \
			$exec -- "$program" walk "$seed" 1000 6
		check_output "$name: descriptors that are passed on" ok $exec -- "$program" pass
		check_output "$name: bad arguments" "$(cat "$TEST_DIR/answers")" \
			$exec -- "$program" answers
		check_output "$name: signals end no call" "restarted: interrupted 0
not restarted: interrupted 0" sh -c "$exec -- '$program' alarms 150 2>/dev/null"
	done
	# A program that is killed in its call leaves nothing, and its device answers on.
	check_output "$way: killed in the call" "1" $exec -- bash -c '
		for i in 1 2 3 4 5 6; do
			: >"$1"
			"$0" wait >"$1" &
			until grep -q ready "$1"; do :; done
			kill -KILL $!
			wait $! 2>/dev/null
		done
		exec "$0" once' "$client" "$TEST_DIR/out"
done

# ---- the ring --------------------------------------------------------------------------

export IOASIS_CALL=ring
check_status "a time to look that is none" 125 env IOASIS_CALL_LOOK_US=99999 $exec -- true
mine=$(ldconfig -p | sed -n 's/.*=> //; /libm\.so/{p;q}')
check_output "what the user preloads comes first" "$mine" sh -c "
	LD_PRELOAD=$mine $exec -- sh -c 'echo \"\${LD_PRELOAD%%:*}\"'"
check_output "a static program, and what it starts, say nothing" "" $exec -- \
	"${client}_static" quiet
if echo 'int main(void) { return 0; }' | ${CC:-cc} -xc -fsanitize=address -o sanitized - 2>/dev/null; then
	check_output "a program with AddressSanitizer runs" "" $exec -- ./sanitized
else
	skip "a program with AddressSanitizer runs" "the compiler has no AddressSanitizer"
fi
if [ "$(nproc)" -gt 1 ] && [ "$(uname -m)" = x86_64 ]; then
	# A machine that is busy elsewhere leaves no processor to look from.
	for try in $(seq 100); do
		IOASIS_CALL_SAY=1 $exec -- "$client" alarms 50 2>said >/dev/null
		grep -q "device: [1-9][0-9]* by ring" said && break
	done
	check "calls come by the ring" grep "device: [1-9][0-9]* by ring" said
	check_output "nonsense in a ring harms nobody" "no file: Bad file descriptor
no memory file: Invalid argument
not to be sealed: Operation not permitted
too small: Invalid argument
too large: Invalid argument
as another thread: Operation not permitted
a good one: taken
a second: No space left on device
a good call: done
with the argument in memory: done
without an argument: Bad address
too much of an argument: done
a size that is more than there is: Argument list too long
an address that wraps: done
another file: refused
no file: refused
another's thread: refused
a command that gives a file: refused
no command: refused
a descriptor that is closed: refused
after nonsense: done
a shorter file: Operation not permitted
a hole in it: Operation not permitted
one more: taken" $exec -- "$BUILD/tests/ring_client"
else
	skip "calls come by the ring" "one processor, or another machine than x86-64"
	skip "nonsense in a ring harms nobody" "the same"
fi
done_testing
