# For tests of `ioasis exec`: source after tap.sh.
#
#   ioasis            the program under test; $exec: its exec without the leak report
#   client, client_static   tests/integration/exec_client.c
#   as_user CMD...    runs CMD as nobody, who may use /dev/fuse, in private mounts
#   left_behind       what of a run is still there: processes and mounts; empty: nothing

ioasis=$BUILD/ioasis
exec="$ioasis exec --leak-check no" # for output that is compared; not to be quoted
client=$BUILD/tests/exec_client
client_static=$BUILD/tests/exec_client_static

"$ioasis" exec -- true >/dev/null 2>"$TEST_DIR/why" ||
	skip_all "no private device here: $(head -n 1 "$TEST_DIR/why")"

# Copies that another user can reach, whatever the rights of the build folder.
public=$TEST_DIR/public
make_public() {
	mkdir -p "$public" && cp "$ioasis" "$client" "$client_static" "$public" &&
		chmod 755 "$TEST_DIR" "$public" "$public"/* && chmod o+x "$(dirname "$TEST_DIR")"
}

as_user() {
	unshare -m sh -c '
		mkdir -p "$0" && mount -t tmpfs ioasis-test "$0" &&
			mknod -m 666 "$0/fuse" c 10 229 && mount --bind "$0/fuse" /dev/fuse || exit 99
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' "$TEST_DIR/dev" "$@"
}

can_be_user() {
	[ "$(id -u)" = 0 ] && as_user sh -c 'exec 3<>/dev/fuse' 2>/dev/null &&
		as_user unshare -U true 2>/dev/null
}

# Each run of a test carries its own word in the arguments of what it starts.
left_behind() {
	pgrep -f -a -- "$1"
	grep -F ioasis /proc/mounts
}

# wait_for COMMAND...: until it succeeds, 10 s at most.
wait_for() {
	local i
	for i in $(seq 200); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}
