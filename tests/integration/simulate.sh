#!/usr/bin/env bash
# Scenarios: every shipped one runs and its trace passes the check (but the buggy one's);
# the same seed gives the same JSON and the same trace, whatever the optimisation and
# whether the calls are also made on a device through FUSE; another seed gives others.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
scenarios=$TOP/sim/scenarios

simulate() {
	"$BUILD/ioasis" simulate "$@"
}

# Smaller than shipped, where a trace of all of it would take long.
small() {
	case $1 in
	thousand-guests) echo --set guest.count=20 --set duration=25ms ;;
	fragmentation) echo --set duration=1d ;;
	nic | viommu | nvme) echo --set duration=5ms ;;
	esac
}

for file in "$scenarios"/*.yaml; do
	name=$(basename "$file" .yaml)
	# shellcheck disable=SC2046
	check "$name runs" simulate "$file" $(small "$name") --trace "$name.trace"
	expected=0
	[ "$name" = buggy-driver ] && expected=1
	check_status "$name: the check of its trace gives $expected" $expected \
		"$BUILD/ioasis" check "$name.trace"
done

# The buggy driver's mistakes, each under the name of its rule.
while read -r kind rule; do
	simulate "$scenarios/buggy-driver.yaml" --set "faults.kind=$kind" --trace "bug.$kind" >/dev/null
	"$BUILD/ioasis" check "bug.$kind" >"bug.$kind.txt"
	check "a driver with $kind breaks $rule" grep -q "^violation: $rule:" "bug.$kind.txt"
done <<'END'
leak leak
double_map overlap
use_after_unmap dma-outside
readonly dma-outside
off_by_one dma-outside
END
simulate "$scenarios/buggy-driver.yaml" --set nic.mode=deferred --set nic.rate=100Mbit \
	--set faults.delay=2ms --set duration=20ms --trace stale >stale.out
check "a stale translation lets a late write through" grep -q "let through after the unmap *3$" stale.out
"$BUILD/ioasis" check stale >stale.txt
check "and the checker finds it" grep -q "^violation: dma-outside:" stale.txt

# What random settings found: an access that waits for a walker ends after its mapping is
# taken down; dirty tracking begins before the page table is there.
simulate "$scenarios/nvme.yaml" --set guest.count=7 --set duration=1ms --trace late >/dev/null
check "accesses that wait end before their mappings do" "$BUILD/ioasis" check late
simulate "$scenarios/migration.yaml" --set migration.start=0ns --set duration=1ms \
	--trace early >/dev/null
check "a migration of a guest without devices yet" "$BUILD/ioasis" check early

# The same again.
text() { babeltrace2 "$1" >"$1.txt"; }
for name in nic viommu nvme migration device-hotplug memory-hotplug; do
	file=$scenarios/$name.yaml
	set -- $(small "$name")
	simulate "$file" "$@" --json --trace "$name.a" >"$name.a.json"
	simulate "$file" "$@" --json --trace "$name.b" >"$name.b.json"
	check "$name: the same seed gives the same JSON" cmp "$name.a.json" "$name.b.json"
	check "$name: and the same files of the trace" diff -r "$name.a" "$name.b"
	"$BUILD/tests/simulate_O0" "$file" "$@" --json --trace "$name.c" >"$name.c.json"
	check "$name: built with -O0, the same JSON" cmp "$name.a.json" "$name.c.json"
	text "$name.a"
	text "$name.c"
	check "$name: and babeltrace2 prints the same" cmp "$name.a.txt" "$name.c.txt"
done
for name in nvme migration memory-hotplug; do
	set -- $(small "$name")
	simulate "$scenarios/$name.yaml" "$@" --json --seed 2 >"$name.d.json"
	check "$name: another seed gives another result" eval \
		"! cmp -s $name.a.json <(sed 's/\"seed\": 2/\"seed\": 1/' $name.d.json)"
done
check "the JSON is JSON" python3 -c 'import json,sys; json.load(open("nic.a.json"))'

# A device through FUSE: the calls are made there too, and all answers are the same.
if [ -r /dev/fuse ] && [ -n "${IOASIS_TEST_NAMESPACE:-}" ]; then
	serve_start
	for name in nic memory-hotplug device-hotplug; do
		set -- $(small "$name")
		[ "$name" = nic ] && set -- --set duration=1ms
		simulate "$scenarios/$name.yaml" "$@" --json --trace "$name.e" >"$name.e.json"
		simulate "$scenarios/$name.yaml" "$@" --json --trace "$name.f" \
			--device "$serve_path" >"$name.f.json"
		check "$name: through FUSE the same JSON" cmp "$name.e.json" "$name.f.json"
		check "$name: and the same trace" diff -r "$name.e" "$name.f"
		check "$name: no answer differs" grep -q '"answers_differ": 0' "$name.f.json"
	done
	serve_stop
	serve_start --fail map:EIO@2
	check_status "a device that answers otherwise gives status 1" 1 \
		simulate boot --device "$serve_path" --output other
	serve_stop
	serve_start --fail map:EIO@2
	check "and a line that names the first call" grep -qE \
		"^ioasis simulate: .*iommu answers [0-9]+ calls .* map_dma at [0-9]+ ns: .* success, .* EIO$" \
		<(simulate boot --device "$serve_path" 2>&1)
	serve_stop
else
	skip "through FUSE" "no /dev/fuse, or no user namespaces"
fi

# In virtual time a call begins when the one before it ends: that is no overlap.
check "a rule of one's own holds where calls follow each other at once" \
	"$BUILD/ioasis" check --rules "$TOP/analysis/rules/connect_before_alloc.dot" migration.trace

# Traces of several simulations do not mix: each has its own processes and clock.
check "several traces at once are checked" eval \
	'"$BUILD/ioasis" check boot.trace nic.trace nic.a | grep -q "3 machines"'
check_status "and the rules hold in each" 0 "$BUILD/ioasis" check boot.trace nic.trace nic.a
check_status "and replayed" 0 "$BUILD/ioasis" replay boot.trace nic.trace nic.a

# A shipped scenario by its name, from any folder; a file of that name goes first.
check "a shipped scenario is found by its name" eval \
	'cmp <(simulate boot) <(simulate "$scenarios/boot.yaml")'
check_output "--list names them all" "$(cd "$scenarios" && ls ./*.yaml | sed "s,^./,,;s,.yaml$,,")" \
	eval "simulate --list | sed 's/ .*//'"
check "and says as JSON where they are" eval "simulate --list --json | python3 -c '
import json, os, sys
assert all(os.path.samefile(s[\"file\"], \"$scenarios/\" + s[\"name\"] + \".yaml\")
           for s in json.load(sys.stdin))'"
sed 's/^name: .*/name: mine/' "$scenarios/boot.yaml" >nvme
check "but a file of that name goes first" eval "simulate nvme | grep -q ^mine:"
check "an unknown name gets the list" grep -q "^ioasis simulate: 'boott' is no .* one of boot buggy" \
	<(simulate boott 2>&1)

# Mistakes on the command line.
check_status "no scenario is an error" 3 simulate
check_status "an unknown file is an error" 3 simulate nowhere.yaml
check_status "a trace is not mixed with another" 3 simulate "$scenarios/boot.yaml" --trace nic.a
check_status "a device that is not there is an error" 3 \
	simulate "$scenarios/boot.yaml" --device "$PWD/nowhere"
check "a device of another kind is refused" grep -q "/dev/null is no iommufd device" \
	<(simulate "$scenarios/boot.yaml" --device /dev/null 2>&1)
check "no CPU is busy for longer than it was there" eval \
	'simulate "$scenarios/buggy-driver.yaml" | grep -qE "its CPU is busy +(100|[0-9.]{1,5})%"'
check "--keys lists the presets" eval "simulate --keys | grep -q sandy-bridge"
# ---- nothing silent ---------------------------------------------------------------------
# warns NAME TEXT ARGUMENTS...: exactly one warning, which holds the text; in JSON too.
warns() {
	local name=$1 text=$2
	shift 2
	check "$name" eval "simulate $* 2>warning >/dev/null && grep -qF -- '$text' warning &&
		[ \$(wc -l <warning) = 1 ] &&
		simulate $* --json 2>/dev/null | python3 -c 'import json, sys
warnings = json.load(sys.stdin)[\"warnings\"]
assert len(warnings) == 1 and \"ioasis simulate: warning: \" + warnings[0] == open(\"warning\").read().strip(), warnings'"
}
printf 'name: idle\nduration: 1s\n' >idle.yaml
warns "no actor" "no section makes an actor" idle.yaml
warns "a run shorter than the boot" "no actor began; set duration" boot --set duration=5ms
warns "an actor that starts after the end" "migration did nothing: it starts 50ms after the boot" \
	migration --set duration=40ms
warns "guests that do not boot in time" "of 1000 guests had not booted" thousand-guests \
	--set duration=2ms
warns "an actor that does nothing" "fragmentation did nothing" \
	fragmentation --set duration=1ms
warns "a mistake that is not made" "faults did nothing: it starts 1ms" \
	buggy-driver --set duration=500us
check "the shipped scenarios have nothing to warn of, but the one that shows it" eval "for name in \$(simulate --list |
	sed 's/ .*//' | grep -v -e thousand -e narrow); do simulate \$name 2>&1 >/dev/null; done | [ \$(wc -c) = 0 ]"

# ---- what cannot end ----------------------------------------------------------------------
check_status "a run of years is refused" 3 simulate thousand-guests --set duration=300d
simulate thousand-guests --set duration=300d 2>refused
check "with the time that it would take, and what to do" \
	grep -qE 'would run for about [0-9]+ years; shorten duration' refused
simulate nvme --set nvme.depth=65536 --set dma.aperture=16TiB --set guest.count=100000 2>refused
check "one that does not fit is, too" grep -qE 'would take some [0-9.]+TiB of memory, and there are' refused
check "a list says how long each takes" eval "simulate --list | grep -q '^nic  *under a second'"

# ---- what the scenarios show ----------------------------------------------------------------
# value GROUP.NAME ARGUMENTS...: a number of the result.
value() {
	local group=${1%.*} name=${1#*.}
	shift
	simulate "$@" --json 2>/dev/null |
		python3 -c "import json, sys; print(json.load(sys.stdin)['$group']['$name'])"
}
check_output "39 bits: the DIMM does not fit" 0 value memory_hotplug.plugs narrow-iommu
check_output "and one call says so" 1 value calls.failed narrow-iommu
check_output "48 bits: it does" 1 value memory_hotplug.plugs narrow-iommu --set iommu.address_width=48
check "39 bits: a guest beyond the end gets no card" eval "simulate narrow-iommu --set guest.memory=600GiB \
	2>&1 | grep -q 'warning: nic did nothing: calls failed'"
check "a neighbour costs the disk a quarter of its commands" eval '[ $(($(value nvme.commands noisy-neighbour) * 4)) -lt \
	$(($(value nvme.commands noisy-neighbour --set host.iommus=2) * 3)) ]'
check_status "a card of a guest that is not there is an error" 3 \
	simulate noisy-neighbour --set nic.first_guest=2
check "of three guests one has a card, and two have disks" eval '
	[ $(value nic.packets noisy-neighbour --set guest.count=3 --set host.iommus=3) = \
	  $(value nic.packets noisy-neighbour --set host.iommus=2) ] &&
	[ $(value nvme.commands noisy-neighbour --set guest.count=3 --set host.iommus=3) -gt \
	  $(($(value nvme.commands noisy-neighbour --set host.iommus=2) * 19 / 10)) ]'
check "small pages miss the IOTLB more often than huge ones" eval '[ $(value iommu.miss_ppm huge-pages) -lt 800000 ] &&
	[ $(value iommu.miss_ppm huge-pages --set guest.page=4KiB) -gt 990000 ]'
check "eight guests wait for one queue, and for queues of their own not" eval '
	[ $(value iommu.invalidation_wait_ns viommu-load) -gt 1000000 ] &&
	[ $(value iommu.invalidation_wait_ns viommu-load --set host.iommus=8) = 0 ]'

done_testing
