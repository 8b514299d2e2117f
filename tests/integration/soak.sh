#!/usr/bin/env bash
# Clean concurrent clients, again and again: the verdict is `ok` each time.
#
# RUNS=N says how often (default 5; `make soak` runs 1,000), SEED=N with which seed
# the first begins. The device is the fake's file where there is FUSE.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

runs=${RUNS:-5}
seed=${SEED:-1}
command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
device=--inproc
launch=
if [ -c /dev/fuse ]; then
	device=
	launch="$ioasis exec --leak-check no --"
fi

# The clients run together in one session, a trace holds up to 50 of them.
done=0
while [ "$done" -lt "$runs" ]; do
	batch=$((runs - done < 50 ? runs - done : 50))
	rm -rf "$dir/trace"
	cat >"$dir/clients" <<END
for i in \$(seq 0 $((batch - 1))); do
	$launch $build/ioasis-vmm $device --threads 4 --ops 200 --seed \$(($seed + $done + i)) \
		>>$dir/log 2>&1 || exit 1
done
END
	if ! "$ioasis" record -o "$dir/trace" -- bash "$dir/clients" >"$dir/record" 2>&1; then
		not_ok "clients $((seed + done)) to $((seed + done + batch - 1)) run"
		tail -n 5 "$dir/record" "$dir/log" | sed 's/^/# /'
		done_testing
	fi
	check_status "$batch clean clients from seed $((seed + done)) on are ok" 0 \
		"$ioasis" check "$dir/trace"
	done=$((done + batch))
done
done_testing
