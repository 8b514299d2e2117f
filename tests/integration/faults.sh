#!/usr/bin/env bash
# Every planted mistake of ioasis-vmm is found under its name, and no other rule
# is broken by it; the same VMM without a mistake breaks none.
#
# All runs go into one trace; what was found is told apart by process.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=${BUILD:-build}
vmm=$build/ioasis-vmm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"

# Without FUSE the devices inside the process remain.
launch=
if [ -c /dev/fuse ]; then
	launch="$build/ioasis exec --leak-check no --"
else
	skip "the same on the fake's file" "this machine has no /dev/fuse"
fi

# Leaves lines of `PID DEVICE FAULT RULE GUILTY`, in the order of the runs.
cat >"$dir/vmm" <<END
echo "\$\$ \$1" >>$dir/runs
shift
exec $vmm --ops 60 "\$@" >>$dir/log 2>&1
END
cat >"$dir/run" <<END
run() { bash $dir/vmm "\$@"; }
run_fuse() { [ -z "$launch" ] || $launch bash $dir/vmm "\$@"; }
$vmm --list-faults | while read -r name rule guilty device _; do
	[ \$device = naive ] || run "inproc \$name \$rule \$guilty" --inproc --fault \$name
	[ \$device = inproc ] || run "naive \$name \$rule \$guilty" --naive --fault \$name
	[ \$device != any ] || run_fuse "fuse \$name \$rule \$guilty" --fault \$name
done
for seed in 1 2 3; do
	run "inproc none - -" --inproc --seed \$seed
	run "naive none - -" --naive --seed \$seed
	run "inproc-shared none - -" --inproc --pass-fd --seed \$seed
done
run "naive-shared none - -" --naive --pass-fd
run "inproc-memfd none - -" --inproc --memfd
run_fuse "fuse-memfd none - -" --memfd
run_fuse "fuse-shared none - -" --pass-fd
run_fuse "fuse none - -"
true
END
if ! "$build/ioasis" record -o "$dir/trace" -- bash "$dir/run" >"$dir/record" 2>&1; then
	not_ok "the runs are recorded"
	sed 's/^/# /' "$dir/record"
	done_testing
fi
"$build/ioasis" check --json --rules analysis/rules/connect_before_alloc.dot \
	--rules analysis/rules/dirty_on_before_read.dot \
	--rules analysis/rules/free_after_unmap.dot "$dir/trace" >"$dir/found.json" 2>"$dir/error"
check_status "the check finds a violation" 1 "$build/ioasis" check "$dir/trace"
python3 - "$dir/runs" "$dir/found.json" >"$dir/results" <<'END'
import json
import sys

with open(sys.argv[2]) as file:
    found = json.load(file)
findings = found["findings"]
for user_rule in found["user_rules"]:
    for finding in user_rule["findings"]:
        findings.append(dict(finding, rule=user_rule["rule"]))
for line in open(sys.argv[1]):
    pid, device, fault, rule, guilty = line.split()
    mine = [f for f in findings if f.get("pid") == int(pid)]
    # A user's rule may be broken along with an invariant: freed-in-use does.
    if "_" not in rule and fault != "none":
        mine = [f for f in mine if "_" not in f["rule"]]
    broken = sorted({f["rule"] for f in mine if f["verdict"] == "violation"})
    good = broken == ([] if fault == "none" else [rule])
    # A race leaves calls whose order nobody can know.
    good = good and (len(broken) > 0 or not mine)
    if fault != "none":
        words = " ".join(w["text"] for f in mine for w in f["witness"])
        good = good and guilty in words
    print("ok" if good else "not ok", "-", device, fault, rule)
    if not good:
        for f in mine:
            print("#", f["rule"], f["verdict"], f["cause"])
            for w in f["witness"]:
                print("#    ", w["op_id"], w["text"])
END
while read -r status dash rest; do
	case $status$dash in
	ok-) ok "$rest" ;;
	not*) not_ok "${rest#- }" ;;
	*) echo "$status $dash $rest" ;;
	esac
done <"$dir/results"
[ -s "$dir/results" ] || not_ok "the findings can be read: $(cat "$dir/error")"
done_testing
