# For tests of `ioasis serve`, after tap.sh. The script that sources this runs in a user
# and mount namespace of its own, as its root, so nothing is left mounted whatever happens.
#
#   serve_needs              skips the script without /dev/fuse or user namespaces
#   serve_start [OPTION...]  starts one at $serve_path; $serve_pid; its output in serve.out,
#                            serve.err. Fails the script if it does not get ready.
#                            $serve_prefix: words before the command, if any
#   serve_stop [SIGNAL]      ends it (TERM) and puts its exit status into $serve_status

serve_pid=
serve_status=
serve_prefix=
serve_path=$(cd "${TEST_DIR:-/tmp}" && pwd)/iommu

if [ -z "${IOASIS_TEST_NAMESPACE:-}" ] && unshare -Urm true 2>/dev/null; then
	IOASIS_TEST_NAMESPACE=yes exec unshare -Urm --propagation private "$0" "$@"
fi

serve_needs() {
	[ -x "$BUILD/ioasis" ] || skip_all "$BUILD/ioasis is not built"
	[ -r /dev/fuse ] && [ -w /dev/fuse ] || skip_all "no /dev/fuse that this user may open"
	[ -n "${IOASIS_TEST_NAMESPACE:-}" ] || skip_all "this user may make no user namespace"
}

# Waits until FILE holds a line with PATTERN or process PID is gone.
serve_await() { # FILE PATTERN PID
	until grep -q "$2" "$1" 2>/dev/null; do
		kill -0 "$3" 2>/dev/null || return 1
		read -rt 0.005 <> <(:)
	done
	return 0
}

# Waits until client PID, which writes `calling` to FILE before, sleeps in its call.
serve_await_call() { # FILE PID
	serve_await "$1" calling "$2" && serve_await "/proc/$2/status" "^State:.S" "$2"
}

serve_start() {
	rm -f serve.out serve.err # of the one before
	$serve_prefix "$BUILD/ioasis" serve --at "$serve_path" "$@" >serve.out 2>serve.err &
	serve_pid=$!
	serve_await serve.out "^ready " "$serve_pid" && return
	not_ok "serve gets ready"
	sed 's/^/# /' serve.err
	done_testing
}

# Nothing outlives the script.
serve_cleanup() {
	[ -z "$serve_pid" ] || kill -KILL "$serve_pid" 2>/dev/null
}
trap serve_cleanup EXIT

serve_stop() {
	kill "-${1:-TERM}" "$serve_pid" 2>/dev/null
	wait "$serve_pid"
	serve_status=$?
	serve_pid=
}
