#!/usr/bin/env bash
# The engine in the oracle program's own process against what Linux 7.2 answered:
# seeds 0 to 39, without and with mock devices. SEEDS="3 7" asks fewer.
. "$TOP/tests/integration/tap.sh"

answers=$TOP/../shared/oracle/answers
program=$BUILD/tests/oracle_inproc
[ -d "$answers" ] || skip_all "no recorded answers: ../shared/oracle is not there"
[ -x "$program" ] || skip_all "$program is not built"

# The answers are those of a process with every capability and no limit on locked
# memory: a user namespace gives the first, where root does not have all of them.
ulimit -l unlimited 2>/dev/null
as_root=
caps=0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
if [ $((caps >> 24 & 1)) = 0 ] || [ $((caps >> 14 & 1)) = 0 ]; then # SYS_RESOURCE, IPC_LOCK
	as_root="unshare --user --map-root-user"
	$as_root true 2>/dev/null ||
		skip_all "this user lacks capabilities and may make no user namespace"
fi

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

$as_root "$program" --ops 0 >/dev/null 2>&1 ||
	skip_all "the program's fixed addresses are taken here (ThreadSanitizer)"

# MODE SEED: ok, or the first line that differs, both ways.
compare() {
	local mode=$1 seed=$2 flag=
	[ "$mode" = mock ] && flag=--mock
	zcat "$answers/$mode-$seed.txt.gz" >want
	$as_root "$program" --dev /dev/iommu --seed "$seed" --ops 2000 $flag >got 2>err
	if cmp -s want got; then
		ok "$mode seed $seed"
		return
	fi
	not_ok "$mode seed $seed"
	diff --label kernel --label engine want got | head -4 | sed 's/^/# /'
	head -3 err | sed 's/^/# /'
}

for mode in plain mock; do
	for seed in ${SEEDS:-$(seq 0 39)}; do
		compare "$mode" "$seed"
	done
done
done_testing
