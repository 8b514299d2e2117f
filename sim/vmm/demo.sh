#!/usr/bin/env bash
# make demo: a small VMM on the fake device, traced and checked; then the same
# VMM with one mistake planted. What a machine lacks is said and skipped.
#
# BUILD: where the programs are. OUT: where the traces stay (default $BUILD/demo).
set -u
cd "$(dirname "$0")/../.." || exit 1

build=${BUILD:-build}
out=${OUT:-$build/demo}
fault=use-after-free
done_steps=0 skipped=0 failed=0
programs=$(cd "$build" && pwd) || exit 1
export PATH=$programs:$PATH

say() { printf '%s\n' "$*"; }
indent() { sed 's/^/   /'; }
step_done() { done_steps=$((done_steps + 1)); }
skip() {
	skipped=$((skipped + 1))
	say "   skipped: $1"
}
wrong() {
	failed=1
	say "   wrong: $1"
}

rm -rf "$out"
mkdir -p "$out"

vmm="ioasis exec -- ioasis-vmm"
where="the fake /dev/iommu"
if ! ioasis exec -- true >"$out/log" 2>&1; then
	vmm="ioasis-vmm --inproc"
	where="the fake device inside its own process"
	say "no device file here ($(grep -v '^==' "$out/log" | tail -1))"
fi
record=
if command -v lttng-sessiond >/dev/null && ioasis record -o "$out/probe" -- true >"$out/log" 2>&1; then
	record="ioasis record -o"
else
	why=$(command -v lttng-sessiond >/dev/null && tail -1 "$out/log" || echo "lttng-tools is not installed")
fi

# run TRACE ARGUMENTS...: runs the VMM, traced where that works.
run() {
	local trace=$1
	shift
	local command="$vmm${*:+ $*}" status
	[ -z "$record" ] || command="$record $out/$trace -- $command"
	say "   \$ $command"
	$command >"$out/$trace.log" 2>&1
	status=$?
	grep -vE '^ioasis record: trace in|^ioasis-vmm: planted' "$out/$trace.log" | indent
	return $status
}

say "1. A VMM on $where: 4 GiB of guest memory, memory modules plugged and"
say "   unplugged, and a vIOMMU that maps and unmaps in four threads"
if run good; then step_done; else wrong "the VMM failed"; fi

say "2. What its trace says"
if [ -z "$record" ]; then
	skip "tracing ($why)"
else
	say "   \$ ioasis stats $out/good"
	ioasis stats "$out/good" 2>&1 | grep . | indent
	say "   \$ ioasis check $out/good"
	ioasis check "$out/good" >"$out/good.check" 2>&1
	status=$?
	grep -E '^(verdict|violation|possible)' "$out/good.check" | indent
	if [ $status -eq 0 ]; then step_done; else wrong "the rules should hold"; fi
fi

say "3. The same VMM, but it $(ioasis-vmm --list-faults | sed -n "s/^$fault  *[^ ]* *[^ ]* *[^ ]* *//p")"
run bad --fault $fault || wrong "the VMM failed"
if [ -z "$record" ]; then
	skip "checking the trace ($why)"
else
	say "   \$ ioasis check $out/bad"
	ioasis check "$out/bad" >"$out/bad.check" 2>&1
	status=$?
	sed -n '/^violation/,$p' "$out/bad.check" | grep . | indent
	if [ $status -eq 1 ]; then step_done; else wrong "the mistake should be found"; fi
fi

say "Try next:"
say "   export PATH=$programs:\$PATH"
say "   ioasis-vmm --list-faults                       the other mistakes to plant"
say "   ioasis exec --fail map:ENOMEM%1 -- ioasis-vmm  a device that fails one map in a hundred"
say "   ioasis exec -- YOUR-PROGRAM                    your own program on the fake device"
[ -z "$record" ] ||
	printf '   %-46s the mistake as a picture\n' "ioasis report $out/bad -o bad.html"
say "demo: $done_steps steps done, $skipped skipped$([ $failed -eq 0 ] || echo ', something went wrong')"
exit $failed
