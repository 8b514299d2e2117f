#!/usr/bin/env bash
# kill -9 of ioasis while it works on calls about its own open files, at many moments:
# whichever it is, the daemon and its clients are gone, and the mount says so.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
client=$BUILD/tests/vfio_client
[ -x "$client" ] || skip_all "$client is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
vfio=$(dirname "$serve_path")/vfio/devices/vfio0
rounds=${ROUNDS:-20}

# read_lines COUNT: from file 3, a line for each call that was answered.
read_lines() {
	local asked
	for ((asked = 0; asked < $1; asked++)); do
		read -ru 3 || return 1
	done
}

# Clients ask, and the daemon is killed once $1 calls have been answered.
kill_serve_after() {
	local asking
	serve_start --test-ops --device edu
	exec 3< <(exec "$client" "$serve_path" "$vfio" ask 2>>ask.err)
	asking=$!
	read_lines "$1" || return 1
	serve_stop KILL
	[ "$serve_status" = 137 ] || return 1
	cat <&3 >rest.out # until the client has ended
	wait "$asking" || return 1
	cat "$serve_path" 2>&1 | grep -q "not connected"
}

# The same client under exec: the guard ends it.
kill_exec_after() {
	local launcher
	exec 3< <(exec "$BUILD/ioasis" exec --device edu -- "$client" /dev/iommu \
		/dev/vfio/devices/vfio0 ask 2>>exec.err)
	launcher=$!
	read_lines "$1" || return 1
	kill -KILL "$launcher"
	wait "$launcher"
	[ $? = 137 ] || return 1
	cat <&3 >rest.out
}

# kills NAME HOW: every round is as it should be.
kills() {
	local round good=0
	for ((round = 1; round <= rounds; round++)); do
		"$2" $((round * 3)) && good=$((good + 1))
	done
	check_output "$1" "$rounds" echo "$good"
}

: >ask.err >exec.err
kills "serve killed $rounds times between its calls: all have ended, the mount is dead" \
	kill_serve_after
check_output "no call ended otherwise" "" cat ask.err
serve_start --device edu
serve_stop
check_output "the next serve clears both mounts away" 0 echo "$serve_status"
kills "exec killed $rounds times: its client has ended" kill_exec_after

# In the first moments, too, when the daemon looks whether its new mount answers.
kill_early() {
	local early spin
	"$BUILD/ioasis" serve --at "$serve_path" >serve.out 2>&1 &
	early=$!
	for ((spin = 0; spin < $1; spin++)); do
		kill -0 "$early" && : <"$TOP/tests/integration/tap.sh" # a little later each time
	done
	kill -KILL "$early"
	wait "$early" 2>wait.err
	[ $? = 137 ]
}
kills "serve killed $rounds times while it starts" kill_early
done_testing
