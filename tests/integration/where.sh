#!/usr/bin/env bash
# `ioasis exec --where`: the leak report by call stack, for programs built in all ways, and
# suppressions in valgrind's form.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
source=tests/integration/where_client.c
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$ioasis" exec -- true >"$dir/log" 2>&1 || skip_all "$(head -1 "$dir/log")"
[ "$(uname -m)" = x86_64 ] || skip_all "call stacks can be read on x86-64 only"

# line N: where the client's place N is.
line() {
	grep -n "place $1 \*/" "$source" | cut -d: -f1
}
# groups FILE: `COUNT PLACE:LINE` of each group of mappings, sorted.
groups() {
	awk '/ mappings, .* made by/ { count = $2; next }
		/==ioasis== +by .* (first_place|second_place|put_inline|third_place) / && count {
			split($0, a, "[(:)]"); name = $4
			if (name == "third_place") name = "put_inline"
			print count, name; count = 0 }' "$1" | sort
}

wanted="100 first_place
100 put_inline
100 second_place"
for kind in O0 O2 static pointers; do
	client=$build/tests/where_client_$kind
	"$ioasis" exec --where -- "$client" /dev/iommu 2>"$dir/$kind"
	check_output "300 leaks from three places are three groups ($kind)" "$wanted" groups "$dir/$kind"
	check "with the call's file and line ($kind)" sh -c "
		grep -q 'first_place (where_client.c:$(line 1))' '$dir/$kind' &&
		grep -q 'second_place (where_client.c:$(line 2))' '$dir/$kind'"
	check "down to main ($kind)" sh -c "[ \$(grep -c ': main (where_client.c:' '$dir/$kind') = 4 ]"
done
"$ioasis" exec --where -- "$build/tests/where_client_O2" /dev/iommu threads 2>"$dir/threads"
check_output "threads at one place are one group" 1 grep -c "100 mappings.*several threads" \
	"$dir/threads"
"$ioasis" exec -- "$build/tests/where_client_O2" /dev/iommu 2>"$dir/plain"
check_output "without --where no stack is read" 0 grep -c "==    [ab][ty] 0x" "$dir/plain"

cat >"$dir/known.supp" <<'END'
# What valgrind's users have in one file.
{
   of another tool
   Memcheck:Leak
   fun:malloc
}
{
   the second place
   Ioasis:Leak
   ...
   fun:second_*
   ...
   fun:main
}
{
   the address space
   Ioasis:Leak
   fun:*ioctl
   src:where_client.c
   obj:*libc.so*
}
END
"$ioasis" exec --suppressions "$dir/known.supp" -- "$build/tests/where_client_O2" /dev/iommu \
	2>"$dir/suppressed"
check_output "suppressed stacks are left out" "100 first_place
100 put_inline" groups "$dir/suppressed"
check_output "and counted" \
	"==ioasis== leaked: 200 mappings (800 KiB), 0 address spaces, 0 page tables; suppressed: 101" \
	tail -1 "$dir/suppressed"
printf '{\n n\n Ioasis:Leak\n fun:*\n}\n' >"$dir/all.supp"
check_status "what is suppressed is no error" 0 "$ioasis" exec --error-exitcode 9 \
	--suppressions "$dir/all.supp" -- "$build/tests/where_client_O2" /dev/iommu
check_status "what is not is one" 9 "$ioasis" exec --error-exitcode 9 \
	--suppressions "$dir/known.supp" -- "$build/tests/where_client_O2" /dev/iommu
check_output "a file that is not there" "ioasis exec: $dir/none: No such file or directory" \
	"$ioasis" exec --suppressions "$dir/none" -- true
check_output "a folder is no file of suppressions" "ioasis exec: $dir: Is a directory" \
	"$ioasis" exec --suppressions "$dir" -- true
printf '{\n name\n Ioasis:Leak\n frame\n}\n' >"$dir/wrong.supp"
check_output "a wrong line is named" \
	"ioasis exec: $dir/wrong.supp:4: a frame is fun:NAME, obj:FILE, src:FILE[:LINE] or '...'" \
	"$ioasis" exec --suppressions "$dir/wrong.supp" -- true
check "the stacks are in the JSON, too" sh -c "
	'$ioasis' exec --where --json -- '$build/tests/where_client_O0' /dev/iommu 2>&1 | python3 -c '
import json, sys
groups = [g for g in json.load(sys.stdin)[\"groups\"] if g[\"kind\"] == \"mappings\"]
names = [[f[\"function\"] for f in g[\"stack\"]][1:3] for g in groups]
assert sorted(n[1] for n in names) == [\"first_place\", \"put_inline\", \"second_place\"], names
assert all(g[\"count\"] == 100 for g in groups), groups'"
# A program's name is any bytes; the list is UTF-8 all the same.
odd=$dir/$(printf 'w\303\266rt"\377\001')
cp "$build/tests/where_client_O0" "$odd"
check_output "a name that is not UTF-8 in the JSON" 'w\xf6rt"\ufffd?' sh -c "
	'$ioasis' exec --json -- \"\$1\" /dev/iommu 2>&1 >/dev/null | python3 -c '
import json, sys
found = json.loads(sys.stdin.buffer.read().decode(\"utf-8\"))
print(ascii(found[\"groups\"][0][\"command\"])[1:-1])'" sh "$odd"
done_testing
