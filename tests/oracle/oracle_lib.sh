# For tests against what Linux 7.2 answered to the oracle program, after tap.sh.
#
#   oracle_needs                      skips the script without the recorded answers
#   oracle_compare LABEL PROGRAM...   runs it with seeds 0 to 39, without and with mock devices,
#                                     a check each: the answers, or what differs first, both
#                                     ways. SEEDS="3 7" asks fewer. In the folder for scratch.

oracle=$TOP/../shared/oracle

oracle_needs() {
	[ -d "$oracle/answers" ] || skip_all "no recorded answers: ../shared/oracle is not there"
	# They are those of a process with no limit on locked memory.
	ulimit -l unlimited 2>/dev/null
}

oracle_compare() {
	local label=$1 mode flag seed
	shift
	for mode in plain mock; do
		flag=
		[ "$mode" = mock ] && flag=--mock
		for seed in ${SEEDS:-$(seq 0 39)}; do
			zcat "$oracle/answers/$mode-$seed.txt.gz" >want
			"$@" --seed "$seed" --ops 2000 $flag >got 2>err
			if cmp -s want got; then
				ok "$mode seed $seed"
				continue
			fi
			not_ok "$mode seed $seed"
			diff --label kernel --label "$label" want got | head -4 | sed 's/^/# /'
			head -3 err | sed 's/^/# /'
		done
	done
}
