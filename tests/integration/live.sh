#!/usr/bin/env bash
# A running session followed through a real relay daemon: `ioasis check` finds the
# planted mistake, `ioasis top` counts the calls, both end with the session.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=${BUILD:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for tool in lttng-relayd lttng-sessiond lttng babeltrace2 ip; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
# Daemons with their sockets, ports and shared memory: all of it in namespaces of its own.
[ "$(id -u)" = 0 ] || skip_all "needs root, for network and mount namespaces"
unshare -m -n -p -f --mount-proc true 2>/dev/null ||
	skip_all "this machine does not allow new namespaces"

cat >"$dir/session" <<'END'
mount --make-rprivate / &&
mount -t tmpfs tmpfs /run && mkdir -p /run/lttng && mount -t tmpfs tmpfs /dev/shm || exit 9
ip link set lo up || exit 9
export HOME=$dir/home LTTNG_HOME=$dir/home
mkdir -p "$HOME"
export LTTNG_UST_REGISTER_TIMEOUT=-1 # a busy machine may be slow to answer a new program
lttng-relayd -o "$dir/relay" >"$dir/relayd.log" 2>&1 &
relayd=$!
lttng-sessiond --no-kernel >"$dir/sessiond.log" 2>&1 &
sessiond=$!
wait_for() { # command that becomes true, at most 20 s
	for _ in $(seq 200); do
		eval "$1" && return
		sleep 0.1
	done
	echo "gave up waiting for: $1"
	exit 8
}
wait_for "lttng list >/dev/null 2>&1"
wait_for "babeltrace2 -i lttng-live net://127.0.0.1 >/dev/null 2>&1"
# A session has one viewer: one for each command.
for session in check top; do
	{
		lttng create $session --live=100000 --set-url=net://127.0.0.1 &&
		lttng enable-event -s $session -u 'iommufd_*' &&
		lttng add-context -s $session -u -t vpid -t vtid -t procname &&
		lttng start $session
	} >>"$dir/lttng.log" 2>&1 || exit 7
done
# A recording that goes to the relay daemon.
$build/ioasis record --to 127.0.0.1 -- $build/ioasis-vmm --naive --ops 20 >"$dir/to.log" 2>&1
echo $? >"$dir/to.status"
# The first program makes the streams, so that there is something to attach to.
IOASIS_TRACE=1 $build/ioasis-vmm --inproc --ops 5 >/dev/null || exit 6
url=net://127.0.0.1/host/$(hostname)
$build/ioasis check --json "$url/check" >"$dir/check.json" 2>"$dir/check.err" &
check=$!
$build/ioasis top --json --interval 200ms "$url/top" >"$dir/top.json" 2>"$dir/top.err" &
top=$!
wait_for "babeltrace2 -i lttng-live net://127.0.0.1 | grep -c '1 client(s)' | grep -q 2"
IOASIS_TRACE=1 $build/ioasis-vmm --inproc --ops 50 --fault double-map >"$dir/vmm.log"
lttng destroy --all >>"$dir/lttng.log" 2>&1
wait $check; echo $? >"$dir/check.status"
wait $top; echo $? >"$dir/top.status"
kill $sessiond $relayd
wait
END
dir=$dir build=$build timeout 60 unshare -m -n -p -f --mount-proc \
	bash "$dir/session" >"$dir/log" 2>&1
status=$?
case $status in
0) ;;
9) skip_all "no file system can be mounted in a namespace here" ;;
*)
	sed 's/^/# /' "$dir/log" "$dir"/*.err "$dir/lttng.log" 2>/dev/null
	check "the session runs" false
	done_testing
	;;
esac

check "record --to ends with the command's status" test "$(cat "$dir/to.status")" = 0
check "and says where the trace is" grep -q '^ioasis record: trace at 127.0.0.1, session ioasis-' \
	"$dir/to.log"
check "it is whole in the relay daemon's folder" bash -c "
	$build/ioasis check \"\$(echo '$dir'/relay/*/ioasis-*)\""
check "check ends with the session, status 1: a rule is broken" \
	test "$(cat "$dir/check.status")" = 1
check "the planted mistake is found under its name" \
	grep -q '"overlap"' "$dir/check.json"
check "top ends with the session" test "$(cat "$dir/top.status")" = 0
check "top counts the calls of the program" \
	grep -q '"process":"ioasis-vmm","calls":[1-9]' "$dir/top.json"
sed 's/^/# /' "$dir"/*.err
done_testing
