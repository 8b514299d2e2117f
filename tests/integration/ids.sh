#!/usr/bin/env bash
# Every way to name a freed id is found, by the name of the call: a program without the backend
# library names one in each id that the catalogue of commands has.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
"$ioasis" exec -- true >"$dir/log" 2>&1 || skip_all "$(head -1 "$dir/log")"
# In two processes: of each, and each rule, a few findings are kept.
client=$build/tests/ids_client
if ! "$ioasis" record -o "$dir/ids" -- "$ioasis" exec --leak-check no -- sh -c \
	"'$client' /dev/iommu 0x80 0x88; '$client' /dev/iommu 0x89 0x9f" >"$dir/ways" 2>"$dir/log"; then
	grep -q 'record:' "$dir/log" && skip_all "$(head -1 "$dir/log")"
fi
"$ioasis" check --json "$dir/ids" | tr '{' '\n' | grep -o '"cause": *"[^"]*"' >"$dir/found"
"$ioasis" check "$dir/ids" >"$dir/rules"

check "the client tried them all" [ "$(wc -l <"$dir/ways")" -ge 22 ]
while read -r name member id; do
	check "$name.$member" grep -qE "\"$name names id $id, which was (already )?freed\"" "$dir/found"
done <"$dir/ways"
check_output "and no other rule is broken" "double-free unknown-id use-after-free" sh -c \
	"sed -n 's/^\([a-z-]*\) *violation .*/\1/p' '$dir/rules' | sort -u | xargs"

# VFIO's type 1 calls name the space of the file and a range; one that is refused, too.
"$ioasis" record -o "$dir/type1" -- "$ioasis" exec --leak-check no -- \
	"$build/tests/device_client" /dev/iommu type1-partial >"$dir/log" 2>&1
check_output "a partial unmap through VFIO's type 1 is found" \
	"violation: partial-unmap: [0x400000, 0x5fffff] of ioas 1 was to be unmapped, which would cut a mapping" \
	sh -c "'$ioasis' check '$dir/type1' | grep '^violation: partial'"
done_testing
