#!/usr/bin/env bash
# The oracle program, unmodified, on `ioasis serve` against what Linux 7.2 answered:
# seeds 0 to 39, without and with mock devices. SEEDS="3 7" asks fewer.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"

oracle=$TOP/../shared/oracle
[ -d "$oracle/answers" ] || skip_all "no recorded answers: ../shared/oracle is not there"
serve_needs

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
program=$PWD/iommufd-diff
cc -O2 -o "$program" "$oracle/iommufd-diff.c" 2>cc.err || {
	not_ok "the oracle program builds"
	done_testing
}

# The answers are those of a process with every capability and no limit on locked
# memory: the namespace gives the first.
ulimit -l unlimited 2>/dev/null

# MODE SEED: ok, or the first line that differs, both ways.
compare() {
	local mode=$1 seed=$2 flag=
	[ "$mode" = mock ] && flag=--mock
	zcat "$oracle/answers/$mode-$seed.txt.gz" >want
	"$program" --dev "$serve_path" --seed "$seed" --ops 2000 $flag >got 2>err
	if cmp -s want got; then
		ok "$mode seed $seed"
		return
	fi
	not_ok "$mode seed $seed"
	diff --label kernel --label fuse want got | head -4 | sed 's/^/# /'
	head -3 err | sed 's/^/# /'
}

serve_start --test-ops
for mode in plain mock; do
	for seed in ${SEEDS:-$(seq 0 39)}; do
		compare "$mode" "$seed"
	done
done
serve_stop
done_testing
