#!/usr/bin/env bash
# Programs without the backend library: what the device tells of them is recorded,
# checked, counted and exported, and their names do no harm.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
"$ioasis" exec -- true >"$dir/probe.log" 2>&1 || skip_all "$(head -1 "$dir/probe.log")"
if ! "$ioasis" record -o "$dir/probe" -- true >"$dir/probe.log" 2>&1; then
	grep -q namespace "$dir/probe.log" && skip_all "$(head -1 "$dir/probe.log")"
fi

check_output "mistakes of a program without the backend library are found" \
	"double-free partial-unmap use-after-free" sh -c "
	'$ioasis' record -o '$dir/raw' -- '$ioasis' exec --leak-check no -- \
		'$build/tests/device_client' /dev/iommu refused >/dev/null 2>&1
	'$ioasis' check '$dir/raw' >'$dir/raw.log'
	sed -n 's/^violation: \([a-z-]*\):.*/\1/p' '$dir/raw.log' | sort | xargs"
check_output "under its name" 3 grep -c '^  in process [0-9]* device_client$' "$dir/raw.log"
check_output "and counted" 1 sh -c "
	'$ioasis' stats --by process '$dir/raw' | grep -c '^[0-9]* *device_client  *6  *[^ ]*  *3 '"

check "exported with what each call named" sh -c "
	'$ioasis' export '$dir/raw' --to json -o '$dir/raw.json' && python3 -c '
import json, sys
ops = [row for row in map(json.loads, open(sys.argv[1])) if row[\"type\"] == \"op\"]
named = [(o[\"op\"], o.get(\"id\"), o.get(\"new_id\"), o.get(\"last\")) for o in ops]
assert named == [(\"IOAS_ALLOC\", None, 1, None), (\"IOAS_MAP\", 1, None, \"0x11fff\"),
                 (\"IOAS_UNMAP\", 1, None, \"0x10fff\"), (\"DESTROY\", 1, None, None),
                 (\"DESTROY\", 1, None, None), (\"IOAS_MAP\", 1, None, \"0x10fff\")], named
' '$dir/raw.json'"

# A program's name is its own choice.
odd=$dir/$(printf 'odd\033[31m')
cp "$build/tests/device_client" "$odd"
"$ioasis" record -o "$dir/odd" -- "$ioasis" exec -- "$odd" /dev/iommu refused >"$dir/odd.log" 2>&1
"$ioasis" check "$dir/odd" >>"$dir/odd.log"
"$ioasis" stats --by process "$dir/odd" >>"$dir/odd.log"
check "a program's name cannot steer the terminal" sh -c "! grep -q \"\$(printf '\\033')\" '$dir/odd.log'"
check_output "and is told without that" 1 sh -c "grep -c '^[0-9]* *odd?\[31m ' '$dir/odd.log'"

# Hundreds at random: each is found under its rule, and nothing else is. SEED=N tries others.
seed=${SEED:-1}
check "mistakes of a random program are found, each of them (SEED=$seed)" sh -c "
	'$ioasis' record -o '$dir/random' -- '$ioasis' exec --leak-check no -- \
		python3 '$TOP/tests/integration/raw_mistakes.py' /dev/iommu $seed \
		>'$dir/random.made' 2>'$dir/random.log' || cat '$dir/random.log'
	'$ioasis' check --json '$dir/random' | python3 -c '
import json, sys
for row in sorted(json.load(sys.stdin)[\"rules\"], key=lambda row: row[\"rule\"]):
    if row[\"verdict\"] != \"ok\":
        print(row[\"rule\"], row[\"violations\"])' | diff '$dir/random.made' - &&
	test -s '$dir/random.made'"
done_testing
