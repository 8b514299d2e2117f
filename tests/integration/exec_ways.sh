#!/usr/bin/env bash
# `ioasis exec`: an ioctl by each way to the device (IOASIS_CALL) reaches the same open file
# and gives the same answer. WAYS="fuse notify" asks these.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

client=$BUILD/tests/ways_client
ways=${WAYS:-fuse notify}
seed=${SEED:-$RANDOM}
echo "# SEED=$seed"

check_status "a way that there is not" 125 env IOASIS_CALL=pigeon $exec -- true
check_output "is named with those that there are" \
	"ioasis exec: IOASIS_CALL is 'pigeon'; fuse or notify is meant" \
	sh -c "IOASIS_CALL=pigeon $exec -- true 2>&1 | head -n 1"
IOASIS_CALL=fuse $exec -- "$client" answers >"$TEST_DIR/answers" 2>&1
check "fuse: bad arguments have answers" grep -q "^compat -25\|^minus one" "$TEST_DIR/answers"
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
			"$0" wait >"$1" &
			until grep -q ready "$1"; do :; done
			kill -KILL $!
			wait $! 2>/dev/null
			: >"$1"
		done
		exec "$0" once' "$client" "$TEST_DIR/out"
done
done_testing
