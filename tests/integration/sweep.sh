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
first="$(realpath "$BUILD/ioasis") simulate $PWD/s.yaml --set nvme.depth=2 --set nvme.mode=strict"
first="$first --seed 1 --json --output $PWD/ioasis-sweep/run-000000.json"
check_output "the first line is a command that needs no PATH and no folder" "$first" \
	head -n1 commands
check "the lines run as they are" eval "head -n2 commands | (cd / && env -i sh -e)"
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
mkdir loose && cp ioasis-sweep/run-000000.json loose && cp loose/run-000000.json loose/twice.json
check_status "the same run twice is an error" 3 ioasis merge loose

# ---- what is missing or damaged ------------------------------------------------------
cp -r ioasis-sweep lossy
rm lossy/run-000002.json
truncate -s 40 lossy/run-000005.json
cp lossy/run-000000.json lossy/run-000007.json
check_status "a result that is missing ends merge" 3 ioasis merge lossy
ioasis merge lossy 2>why
check "it is named, with its settings and seed" grep -qx \
	"ioasis merge: lossy/run-000002.json: is missing (nvme.depth=16 nvme.mode=strict, seed 1)" why
check "so is one that is cut" grep -q "^ioasis merge: lossy/run-000005.json: cannot be read" why
check "and one of another run" grep -q "^ioasis merge: lossy/run-000007.json: is the result of another" why
check "the last line counts them" eval "tail -n1 why | grep -q ': 3 of 12 results are missing or damaged'"
check_status "--partial goes on with the rest" 0 ioasis merge lossy --partial
ioasis merge lossy --partial --json --metric nvme.commands >m.json 2>/dev/null
check "and says in JSON what is missing" python3 -c '
import json
m = json.load(open("m.json"))
assert m["runs"] == 9 and len(m["missing"]) == 3, m
assert [r["runs"] for r in m["results"]] and sum(r["runs"] for r in m["results"]) == 9'
rm lossy/run-000005.json lossy/run-000007.json
check_output "the same sweep makes those alone" \
	"12 results in lossy (9 were there already); 'ioasis merge lossy' joins them" \
	ioasis sweep s.yaml --vary nvme.depth=2,16 --vary nvme.mode=strict,deferred --seeds 1..3 -j2 -o lossy
check_status "more seeds go behind those that are there" 0 \
	ioasis sweep s.yaml --vary nvme.depth=2,16 --vary nvme.mode=strict,deferred --seeds 1..4 -j2 -o lossy
check_output "of the runs before none is made again" "16 runs" \
	eval "ioasis merge lossy | sed -n 's/.*: \(16 runs\),.*/\1/p'"
check_status "another sweep does not mix with it" 3 \
	ioasis sweep s.yaml --vary nvme.depth=2,32 --seeds 1..3 -j2 -o lossy
echo '{' >lossy/sweep.plan
check_status "a damaged plan is an error" 3 ioasis merge lossy

# ---- one run has no interval ----------------------------------------------------------
ioasis sweep s.yaml --vary nvme.depth=2,16 -j2 -o single >/dev/null
check "a single run has a mean, a unit and no interval" eval "ioasis merge single \
	--metric nvme.latency_mean_ns | grep -qE ' 1 +[0-9.]+ +- +ns +nvme.depth=2\$'"
check "nor in JSON" eval "ioasis merge single --metric nvme.commands --json | grep -q '\"ci95\":null'"
check "a drawing of it names the unit, and no number that is none" eval "ioasis merge single \
	--metric nvme.latency_mean_ns --draw one.svg >/dev/null && grep -q '(ns)' one.svg && \
	! grep -qi nan one.svg"

# ---- scripts for many machines ----------------------------------------------------------
ioasis sweep s.yaml --vary nvme.depth=2,16 --seeds 1..4 --slurm --tasks 3 -o 'a folder' >job.sh
check "the array is of the tasks" grep -qx '#SBATCH --array=0-2' job.sh
check "a task runs its share from anywhere" eval "(cd / && for i in 0 1 2; do
	env -i SLURM_ARRAY_TASK_ID=\$i sh '$PWD/job.sh' || exit; done)"
check "together they are all" eval "ioasis merge 'a folder' | grep -q ': 8 runs, 2 settings$'"
ioasis sweep s.yaml --vary nvme.depth=2,16 --seeds 1..4 --parallel -o "it's" >job.sh
check "the script for GNU parallel is a shell's" sh -n job.sh
check_status "one thing at a time" 3 ioasis sweep s.yaml --slurm --parallel
check_status "a share beyond the number is an error" 3 ioasis sweep s.yaml --share 3/3
check_status "a wrong --vary is an error" 3 ioasis sweep s.yaml --vary nvme.depth
check_status "seeds the wrong way round are an error" 3 ioasis sweep s.yaml --seeds 3..1
check_status "a run that fails ends the sweep" 3 ioasis sweep s.yaml --vary nvme.depth=0 -j1 -o bad
check_status "a key that is unknown is told before any command is printed" 3 \
	ioasis sweep s.yaml --vary nvme.dpth=1,2 -o unmade
check "and nothing is made" [ ! -e unmade ]

done_testing
