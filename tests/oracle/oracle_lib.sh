# For tests against what real kernels answered to the oracle programs, after tap.sh.
#
# answers/VERSION-KIND.xz holds what Linux VERSION (tests/oracle/README.md says which
# release) answered: KIND plain and mock to `ask`, seed after seed, each behind a line
# `seed N`; KIND sweep to `sweep`.
#
#   oracle_sets                      the sets for `ask`, as VERSION-KIND
#   oracle_compare LABEL SET PROGRAM...
#                                    runs PROGRAM with the set's seeds, a check each: the
#                                    answers, or what differs first, both ways. In the
#                                    folder for scratch.
#
# oracle_leave_out is a pattern of lines that are not compared.
#
# A sample of seeds is asked. ORACLE=all asks all, SEEDS="3 7" these, where a set has them.

answers=$TOP/tests/oracle/answers

# They are those of a process with no limit on locked memory.
ulimit -l unlimited 2>/dev/null

oracle_sets() {
	local set
	for set in "$answers"/*-plain.xz "$answers"/*-mock.xz; do
		basename "$set" .xz
	done
}

# The arguments for a set's kind: the test command changed its own.
oracle_flags() {
	case $1 in
	6.12-mock) echo --mock --old-mock ;;
	*-mock) echo --mock ;;
	esac
}

# The seeds that are asked of those there are.
oracle_seeds() { # SET
	local all
	all=$(xzcat "$answers/$1.xz" | sed -n 's/^seed //p')
	if [ -n "${SEEDS:-}" ]; then
		for seed in $SEEDS; do grep -qx "$seed" <<<"$all" && echo "$seed"; done
	elif [ "${ORACLE:-}" = all ]; then
		echo "$all"
	else
		sed -n '1p;8p;15p' <<<"$all"
	fi
}

oracle_compare() {
	local label=$1 set=$2 seed flags
	shift 2
	flags=$(oracle_flags "$set")
	rm -rf want && mkdir want
	xzcat "$answers/$set.xz" | awk '/^seed / { file = "want/" $2; next } { print >file }'
	for seed in $(oracle_seeds "$set"); do
		# shellcheck disable=SC2086
		"$@" --seed "$seed" --ops 2000 $flags >got 2>err
		[ -z "${oracle_leave_out:-}" ] || sed -i "/$oracle_leave_out/d" got "want/$seed"
		if oracle_same "want/$seed" got; then
			ok "$set seed $seed"
			continue
		fi
		not_ok "$set seed $seed"
		diff --label kernel --label "$label" "want/$seed" got | head -4 | sed 's/^/# /'
		head -3 err | sed 's/^/# /'
	done
}

# The same, but for dirty bits of physical neighbours (docs/FIDELITY.md): on a kernel they
# depend on luck, and of these seeds on it they show.
oracle_same() { # WANT GOT
	cmp -s "$1" "$2" && return
	case $1 in
	want/23) [ "$set" = 7.3-mock ] || return 1 ;;
	*) return 1 ;;
	esac
	diff "$1" "$2" | sed -n 's/^[<>] \([0-9]* GET_DIRTY .*\) out=.*/\1/p' | sort | uniq -c |
		awk '$1 != 2 { bad = 1 } END { exit bad }' &&
		! diff "$1" "$2" | grep '^[<>]' | grep -qv '^[<>] [0-9]* GET_DIRTY '
}
