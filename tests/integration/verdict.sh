#!/usr/bin/env bash
# The verdict holds in real sessions: correct programs are never called wrong, whatever the
# recording looks like, and mistakes are found under their name.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
client=$build/tests/verdict_client
export IOASIS_PROBES=$build/libioasis-probes.so
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
"$ioasis" exec -- true >"$dir/probe.log" 2>&1 || skip_all "$(head -1 "$dir/probe.log")"
if ! "$ioasis" record -o "$dir/probe" -- true >"$dir/probe.log" 2>&1; then
	grep -q namespace "$dir/probe.log" && skip_all "$(head -1 "$dir/probe.log")"
fi

# verdict_of NAME WHAT CMD...: records CMD as NAME; its verdict is WHAT.
verdict_of() {
	local name=$1 wanted=$2
	shift 2
	"$ioasis" record -o "$dir/$name" -- "$@" >"$dir/$name.log" 2>&1 || sed 's/^/# /' "$dir/$name.log"
	"$ioasis" check "$dir/$name" >"$dir/$name.check" 2>&1
	check_output "$name: $wanted" "verdict: $wanted" tail -n 1 "$dir/$name.check"
	tail -n 1 "$dir/$name.check" | grep -qx "verdict: $wanted" || sed 's/^/# /' "$dir/$name.check"
}

verdict_of unmap-all ok "$ioasis" exec -- "$client" unmap-all

# Of type 1, version 1 cuts mappings, version 2 refuses to.
verdict_of type1-v1 ok "$ioasis" exec -- "$client" type1-v1
verdict_of type1-v2 violation "$ioasis" exec -- "$client" type1-v2
check_output "a partial unmap through type 1 is found, with its range, and nothing else" \
	"violation: partial-unmap: [0x280000, 0x2fffff] of ioas 1" sh -c \
	"grep -o '^violation: .* of ioas 1' '$dir/type1-v2.check'"
done_testing
