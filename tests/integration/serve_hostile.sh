#!/usr/bin/env bash
# Two clients of one device, of which one is hostile: the other notices nothing, and what
# the hostile one tried to keep is gone with it.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
client=$BUILD/tests/hostile_client
[ -x "$client" ] || skip_all "$client is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
vfio=$(dirname "$serve_path")/vfio/devices/vfio0
ulimit -n 256 # the daemon's, who raises it as far as that

daemon_files() {
	ls "/proc/$serve_pid/fd" | wc -l
}

serve_start --device edu
before=$(daemon_files)
check_output "a thousand open files that are mapped into themselves" done \
	"$client" keep "$serve_path" 1000
check_output "a VFIO device that is mapped into its own iommufd" done \
	"$client" keep-device "$serve_path" "$vfio"
check_output "is unbound with its last close" bound "$client" bind "$serve_path" "$vfio"
after=$(daemon_files)
if [ $((after - before)) -lt 12 ]; then # a few for each process of the last
	ok "and no file of them is left open"
else
	not_ok "the daemon had $before files open and has $after"
fi
check_output "an argument in a mapping of the device's own file is refused" "GET_INFO: Bad address
IOAS_ALLOC: Bad address" "$client" own-page "$serve_path" "$vfio"
check_output "and nobody waits" bound timeout 10 "$client" bind "$serve_path" "$vfio"
alone=$("$client" time "$serve_path" "$vfio")
"$client" stuck "$serve_path" "$vfio" >stuck.out &
stuck=$!
if serve_await stuck.out stuck "$stuck"; then
	# 100 ms, but where the machine alone takes half of that.
	bound=$((alone > 50000 ? 2 * alone : 100000))
	beside=$(timeout 60 "$client" time "$serve_path" "$vfio")
	echo "# the slowest call took $alone us, and $beside us beside stuck ones"
	check "calls of another whose memory never answers delay nobody" \
		test "${beside:-$((bound + 1))}" -le "$bound"
	kill -KILL "$stuck"
	wait "$stuck"
	check_output "and can be killed" 137 echo $?
else
	skip "memory that never answers" "no userfaultfd for this user"
fi
serve_stop
check_output "the daemon ends" 0 echo "$serve_status"
done_testing
