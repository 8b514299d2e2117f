#!/usr/bin/env bash
# Sweeps: the commands that are printed, running them, joining and drawing the results.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
cat >s.yaml <<'END'
name: s
duration: 2ms
guest: {memory: 64MiB, page: 2MiB}
nvme: {depth: 8, block: 4KiB}
END

ioasis sweep s.yaml --vary nvme.depth=2,16 --vary nvme.mode=strict,deferred --seeds 1..3 >commands
check_output "a line for each setting and seed" 12 eval "wc -l <commands | tr -d ' '"
check_output "the first line is a command" \
	"ioasis simulate s.yaml --set nvme.depth=2 --set nvme.mode=strict --seed 1 --json --output ioasis-sweep/run-000000.json" \
	head -n1 commands
check "the lines run as they are" eval "head -n2 commands | sh -e"
check "a result is there then" test -s ioasis-sweep/run-000001.json
check_output "-j runs what is not there yet" \
	"12 results in ioasis-sweep (2 were there already); 'ioasis merge ioasis-sweep' joins them" \
	ioasis sweep s.yaml --vary nvme.depth=2,16 --vary nvme.mode=strict,deferred --seeds 1..3 -j2
ioasis merge ioasis-sweep --metric nvme.commands --json --draw m.svg >m.json
cat >mean.py <<'END'
import glob, json, statistics
merged = json.load(open("m.json"))["results"]
assert len(merged) == 4 and all(r["runs"] == 3 for r in merged)
for r in merged:
    runs = [json.load(open(f)) for f in glob.glob("ioasis-sweep/*.json")]
    values = [x["nvme"]["commands"] for x in runs if " ".join(x["settings"]) == r["settings"]]
    assert abs(statistics.mean(values) - r["mean"]) < 1e-5, r
    half = 4.303 * statistics.stdev(values) / 3 ** 0.5
    assert abs(half - r["ci95"]) < 1e-5, r
END
check "means and intervals are those of the runs" python3 mean.py
check "the drawing is XML with both lines" python3 -c '
import xml.dom.minidom as x
t = x.parse("m.svg").toxml()
assert "nvme.mode=strict" in t and "nvme.depth" in t'
check_status "a directory without results is an error" 3 eval "mkdir empty; ioasis merge empty"
check_status "an unknown number is an error" 3 ioasis merge ioasis-sweep --metric nvme.nothing
check_status "a key that was not varied is an error" 3 \
	ioasis merge ioasis-sweep --metric nvme.commands --draw n.svg --x nic.rate
cp ioasis-sweep/run-000000.json ioasis-sweep/twice.json
check_status "the same run twice is an error" 3 ioasis merge ioasis-sweep
check_status "a wrong --vary is an error" 3 ioasis sweep s.yaml --vary nvme.depth
check_status "seeds the wrong way round are an error" 3 ioasis sweep s.yaml --seeds 3..1
check_status "a run that fails ends the sweep" 3 ioasis sweep s.yaml --vary nvme.depth=0 -j1 -o bad
check_status "a key that is unknown is told before any command is printed" 3 \
	ioasis sweep s.yaml --vary nvme.dpth=1,2 -o unmade
check "and nothing is made" [ ! -e unmade ]

done_testing
