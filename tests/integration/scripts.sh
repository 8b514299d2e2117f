#!/usr/bin/env bash
# The Python scripts for students run on a real trace and agree with `ioasis export`.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=${BUILD:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
python=
for candidate in python3 /usr/bin/python3; do
	$candidate -c 'import bt2' 2>/dev/null && python=$candidate && break
done
[ "$python" ] || skip_all "python3-bt2 is not installed"

"$build/ioasis" record -o "$dir/trace" -- "$build/ioasis-vmm" --inproc --ops 40 \
	>"$dir/record" 2>&1 || {
	not_ok "a trace is recorded"
	sed 's/^/# /' "$dir/record"
	done_testing
}
"$build/ioasis" export "$dir/trace" --to sqlite -o "$dir/db"
ask() {
	$python -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$dir/db" "$1"
}

# What a script printed and how it ended.
run() {
	$python "analysis/scripts/$1" "$dir/trace" >"$dir/out" 2>"$dir/err"
	status=$?
	sed 's/^/# /' "$dir/err"
}

run who_mapped.py
maps=$(ask "SELECT count(*) FROM ops WHERE op = 'map_dma' AND error IS NULL")
bytes=$(ask "SELECT sum(size) FROM ops WHERE op = 'map_dma' AND error IS NULL")
check "who_mapped: maps and bytes as exported, nothing left" \
	grep -Eq "^ioasis-vmm [0-9]+ +$maps +$bytes +0 +0\$" "$dir/out"

run fragmentation.py
check "fragmentation: a head and a row each fiftieth of the trace" \
	test "$status" = 0 -a "$(head -1 "$dir/out")" = seconds,mappings,bytes,runs,bytes_per_run \
	-a "$(wc -l <"$dir/out")" -gt 5
check "fragmentation: never more runs than mappings" \
	awk -F, 'NR > 1 && $4 > $2 { exit 1 }' "$dir/out"

run my_invariant.py
check "my_invariant: it holds, exit status 0" test "$status" = 0
sed 's/^PAGE = 4096/PAGE = 1 << 40/' analysis/scripts/my_invariant.py \
	>"$dir/changed.py"
$python "$dir/changed.py" "$dir/trace" >"$dir/out"
check "my_invariant: changed, it is broken, exit status 1" test $? = 1
check "my_invariant: it names the call" grep -Eq '^broken by op [0-9]+:[0-9]+: ' "$dir/out"
done_testing
