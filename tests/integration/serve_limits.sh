#!/usr/bin/env bash
# What a user may have of a served device: one more is refused as the kernel refuses, what is
# given back can be taken again, and whoever takes all of theirs delays no other.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
client=$BUILD/tests/hostile_client
[ -x "$client" ] || skip_all "$client is not built"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
vfio=$(dirname "$serve_path")/vfio/devices/vfio0

check_status "a limit of something else" 3 "$BUILD/ioasis" serve --limit cows=3
check_output "is named with what there is" 1 sh -c \
	"'$BUILD/ioasis' serve --limit cows=3 2>&1 | grep -c 'files, objects, mappings and calls'"
check_status "a limit that is no number" 3 "$BUILD/ioasis" serve --limit files=few

serve_start --limit files=40,objects=100,mappings=1000,calls=8
for _ in 1 2; do # what the first had is free again
	check_output "open files" "40 Too many open files" "$client" fill "$serve_path" files
	check_output "objects" "100 Cannot allocate memory" "$client" fill "$serve_path" objects
	check_output "mappings" "1000 Cannot allocate memory" "$client" fill "$serve_path" mappings
done
"$client" crowd "$serve_path" 30 22 >crowd.out
case $? in
0) check_output "calls that never end" "22 0" cat crowd.out ;;
*) skip "calls that never end" "no userfaultfd for this user" ;;
esac
check_output "which leave nothing behind" "1000 Cannot allocate memory" \
	"$client" fill "$serve_path" mappings
serve_stop
serve_start --limit files=0,objects=0 --limit mappings=3000
check_output "two options, one limit lifted" "3000 Cannot allocate memory" \
	"$client" fill "$serve_path" mappings
serve_stop

# The defaults, beside a user who takes all and frees it, again and again.
serve_start --device edu --limit files=1200
alone=$("$client" time "$serve_path" "$vfio")
for what in mappings objects; do
	"$client" again "$serve_path" $what >again.out &
	hostile=$!
	serve_await again.out filling "$hostile"
	beside=$(timeout 60 "$client" time "$serve_path" "$vfio")
	kill -KILL "$hostile"
	wait "$hostile" 2>/dev/null
	# 100 ms, but where the machine is busy elsewhere, and alone takes a tenth of that.
	bound=$((alone > 10000 ? 10 * alone : 100000))
	echo "# the slowest call took $alone us, and $beside us beside one who takes all $what"
	check "one who takes all $what delays no other" test "${beside:-$((bound + 1))}" -le "$bound"
done
serve_stop
check_output "the daemon ends" 0 echo "$serve_status"
done_testing
