#!/usr/bin/env bash
# The page's engine gives what the program gives: the same bytes of JSON for every shipped scenario
# and seed, the same verdict of the checker, the same line about a mistake. Skipped where
# `make learn-site` has not built the engine.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
engine=$BUILD/learn/engine.js
[ -e "$engine" ] || skip_all "no $engine: 'make learn-site' builds it"
[ -z "$(find "$TOP"/{sim,backend,analysis,text,tracepoints} -name '*.[ch]' -newer "$engine" -print -quit)" ] ||
	skip_all "$engine is older than the sources: 'make learn-site' builds it"
command -v node >/dev/null || skip_all "node is not installed"

page() {
	node "$TOP/tests/learn/run_scenario.mjs" "$engine" "$@"
}

# simulate SCENARIO SEED [SETTING...]: by the program.
simulate() {
	local file=$1 seed=$2
	shift 2
	"$BUILD/ioasis" simulate "$file" --seed "$seed" --json "${@/#/--set=}"
}

# The calls are made on a device through FUSE as well: 20 us each, so a few thousand of them.
few() {
	case $1 in
	thousand-guests) echo guest.count=4 duration=2ms guest.boot_after=0ns ;;
	nic | viommu) echo duration=2ms ;;
	esac
}

# Fifty million calls take a minute each way: all of them with LEARN_FULL=1.
small() {
	[ "$1" = thousand-guests ] && [ -z "${LEARN_FULL:-}" ] && echo guest.count=20 duration=25ms
}

same() { # NAME SEED [SETTING...]
	local name=$1 seed=$2 file=$TOP/sim/scenarios/$1.yaml
	shift 2
	simulate "$file" "$seed" "$@" >program.json
	page --seed "$seed" "$file" "$@" >page.json
	check "$name, seed $seed${*:+, $*}: the same JSON" cmp program.json page.json
}

for file in "$TOP"/sim/scenarios/*.yaml; do
	name=$(basename "$file" .yaml)
	# shellcheck disable=SC2046
	same "$name" 1 $(small "$name")
done
if [ -r /dev/fuse ] && [ -n "${IOASIS_TEST_NAMESPACE:-}" ]; then
	serve_start
	for file in "$TOP"/sim/scenarios/*.yaml; do
		name=$(basename "$file" .yaml)
		# What does not fit is refused because of the device that is attached, and a device
		# is bound in the engine alone (docs/SIMULATOR.md).
		if [ "$name" = narrow-iommu ]; then
			skip "$name: through FUSE" "its device of 39 bits is the engine's alone"
			continue
		fi
		# shellcheck disable=SC2046
		set -- $(few "$name")
		"$BUILD/ioasis" simulate "$file" --json "${@/#/--set=}" --device "$serve_path" >fuse.json
		page "$file" "$@" >page.json
		check "$name${*:+, $*}: through FUSE the same JSON" cmp fuse.json page.json
	done
	serve_stop
else
	skip "through FUSE" "no /dev/fuse, or no user namespaces"
fi
same nvme 18446744073709551615
same migration 2
same nic 3 nic.mode=deferred preset=sandy-bridge-deferred dma.flush_batch=32
same boot 1 guest.memory=64GiB guest.count=3

# The checker: all but the line that says how long reading took.
verdict() { # SCENARIO [SETTING...]
	local file=$1
	shift
	rm -rf trace
	"$BUILD/ioasis" simulate "$file" "${@/#/--set=}" --trace trace >/dev/null
	"$BUILD/ioasis" check trace | grep -v ^data: >program.txt
	page --check "$file" "$@" | grep -v ^data: >page.txt
	cmp program.txt page.txt
}
for kind in none leak double_map unmap_twice use_after_unmap readonly off_by_one; do
	check "the checker says the same of a driver with $kind" \
		verdict "$TOP/sim/scenarios/buggy-driver.yaml" faults.kind=$kind
done
for name in boot device-hotplug memory-hotplug migration viommu; do
	check "and of $name" verdict "$TOP/sim/scenarios/$name.yaml"
done

# Mistakes: the same line, from the same parser.
mistake() { # TEXT [SETTING...]
	printf '%b' "$1" >wrong.yaml
	shift
	! simulate wrong.yaml 1 "$@" >/dev/null 2>program.err &&
		! page wrong.yaml "$@" >/dev/null 2>page.err && [ -s page.err ] && cmp program.err page.err
}
good='name: x\nduration: 1ms\n'
check "an unknown key" mistake "${good}nic:\n  rat: 1G\n"
check "a wrong unit" mistake "${good}nic:\n  rate: 10\n"
check "broken YAML" mistake "${good}nic: {rate: 1Gbit\n"
check "an empty file" mistake ""
check "a wrong setting" mistake "$good" nic.rat=5
check "values that do not fit each other" mistake "${good}iommu:\n  iotlb_entries: 10\n"
check "100,000 brackets" mistake "$good$(printf '[%.0s' {1..100000})"
head -c 2000000 /dev/zero | tr '\0' '#' >large
check "a file that is too large" mistake "$(cat large)"
check "a file to include that is not there" mistake "include: other.yaml\n$good"
done_testing
