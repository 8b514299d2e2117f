#!/usr/bin/env bash
# `ioasis record --where`: the call stacks are in the trace, and `check` shows those of a finding's
# calls, for programs built in all ways, with the library and without.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/session_lib.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
source=tests/integration/where_client.c
session_private "$@"
export IOASIS_TRACE=1 LTTNG_UST_REGISTER_TIMEOUT=60000
"$ioasis" exec -- true >"$dir/log" 2>&1 || skip_all "$(head -1 "$dir/log")"
[ "$(uname -m)" = x86_64 ] || skip_all "call stacks can be read on x86-64 only"

line() {
	grep -n "place $1 \*/" "$source" | cut -d: -f1
}

# record TRACE [EXEC-OPTION...] -- CMD: exits with CMD's status.
record() {
	local trace=$dir/$1
	shift
	rm -rf "$trace"
	"$ioasis" record --where --lossless -o "$trace" -- "$ioasis" exec --leak-check no "$@" \
		>"$dir/log" 2>&1
}

# stacks FILE WORD: of each witness whose text holds WORD: `COUNT FUNCTION (FILE:LINE)` of the frame
# that the test's client has, count of the text if it begins with one.
stacks() {
	awk -v word="$2" '/^  (  |->) [0-9]/ { want = index($0, word) > 0; count = ""
			if (want && match($0, /[0-9]+ mappings made here/))
				count = substr($0, RSTART, RLENGTH) + 0 " " }
		want && / (at|by) 0x.*(_place|put_inline|_free) \(where_client/ {
			sub(/^.*0x[0-9A-F]*: /, ""); print count $0; want = 0 }' "$1" | sort
}

for kind in O0 O2 static pointers; do
	check_status "a recording of 300 leaks ($kind)" 0 \
		record leaks -- "$build/tests/where_client_$kind" /dev/iommu
	"$ioasis" check --leaks close "$dir/leaks" >"$dir/checked" 2>&1
	wanted="100 first_place (where_client.c:$(line 1))
100 put_inline
100 second_place (where_client.c:$(line 2))"
	# What is put inline into the third place is named where the compiler kept its name.
	stacks "$dir/checked" "made here" | sed -E 's/(third_place|put_inline) .*/put_inline/' |
		sort >"$dir/stacks"
	check_output "check names three places ($kind)" "$wanted" cat "$dir/stacks"
	check_output "and where the address space was made ($kind)" 4 \
		grep -c ' main (where_client.c:' "$dir/checked"
done
check "the stacks are in the JSON" sh -c "
	'$ioasis' check --json --leaks close '$dir/leaks' | python3 -c '
import json, sys
witness = json.load(sys.stdin)[\"findings\"][0][\"witness\"]
frames = [w[\"stack\"] for w in witness if \"made here\" in w[\"text\"]]
assert len(frames) == 3, witness
assert all(s[0][\"function\"] == \"ioctl\" and s[-1][\"function\"] == \"_start\" for s in frames)
assert any(f[\"file\"].endswith(\"where_client.c\") and f[\"line\"] == $(line 1)
	for f in frames[0] if f[\"function\"] == \"first_place\"), frames'"

# ---- both calls of a mistake -----------------------------------------------------------
check_status "a recording of mistakes" 0 record wrong -- "$build/tests/where_client_O0" /dev/iommu mistakes
"$ioasis" check "$dir/wrong" >"$dir/checked" 2>&1
check_output "an overlap shows the first mapping's stack and the second's" \
	"first_place (where_client.c:$(line 1))
second_place (where_client.c:$(line 2))" sh -c "
	sed -n '/^violation: overlap/,/^$/p' '$dir/checked' | grep -o '[a-z]*_place (.*'"
check_output "a double free shows both frees" \
	"first_free (where_client.c:$(line 4))
second_free (where_client.c:$(line 5))" sh -c "
	sed -n '/^violation: double-free/,/^$/p' '$dir/checked' | grep -o '[a-z]*_free (.*'"

check_output "babeltrace2's reader finds the same" "$(grep -E ' (at|by) 0x' "$dir/checked")" sh -c "
	babeltrace2 --plugin-path '$build/babeltrace2' '$dir/wrong' -c sink.ioasis.check 2>/dev/null |
		grep -E ' (at|by) 0x'"

# ---- with the library: the ioctl's stack is that of the call around it -------------------
check_status "a recording of a program with the library" 0 sh -c "
	rm -rf '$dir/library'; '$ioasis' record --where -o '$dir/library' -- '$ioasis' exec --leak-check no -- \
	'$build/ioasis-vmm' --fault double-free >'$dir/log' 2>&1 || [ \$? = 1 ]"
"$ioasis" check "$dir/library" >"$dir/checked" 2>&1
check "its calls have stacks" sh -c "
	sed -n '/^violation: double-free/,/^$/p' '$dir/checked' | grep -c 'iommufd_backend_free_id' | grep -qx 2"

# ---- without it ------------------------------------------------------------------------
rm -rf "$dir/plain"
"$ioasis" record -o "$dir/plain" -- "$ioasis" exec --leak-check no -- \
	"$build/tests/where_client_O0" /dev/iommu mistakes >"$dir/log" 2>&1
check_output "without --where no event has a stack" 0 sh -c \
	"babeltrace2 '$dir/plain' 2>/dev/null | grep -c 'iommufd_dev:where'"
check_output "and the findings have none" 0 sh -c "'$ioasis' check '$dir/plain' | grep -c ' at 0x'"
done_testing
