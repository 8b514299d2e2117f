#!/usr/bin/env bash
# Every command number, with all sizes, and each word of its structure changed, under
# `ioasis exec --linux` against what that kernel answered: 14,016 lines a version.
#
# A sample asks some numbers, and the questions at the end; ORACLE=all asks all.
. "$TOP/tests/integration/tap.sh"

. "$TOP/tests/integration/exec_lib.sh"

answers=$TOP/tests/oracle/answers
ulimit -l unlimited 2>/dev/null

cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

# What is asked: as arguments of the program, and as a filter of the recorded lines.
numbers="85 89 8c 95"
[ "${ORACLE:-}" = all ] && numbers=
# 95 (NOIOMMU_GET_PA) is for CAP_SYS_RAWIO, which the recorded answers were given to.
if [ "$(id -u)" != 0 ]; then
	[ -z "$numbers" ] && skip_all "all numbers are asked as root alone"
	numbers=${numbers% 95}
fi
filter() {
	[ -n "$numbers" ] || { cat && return; }
	awk -v numbers="$numbers" 'BEGIN { n = split(numbers, a); for (i = 1; i <= n; i++) want[a[i]] }
		/^-- directed/ { all = 1 } all || ($1 == "nr" && $2 in want)'
}

for recorded in "$answers"/*-sweep.xz; do
	version=$(basename "$recorded" -sweep.xz)
	xzcat "$recorded" | filter >want
	# shellcheck disable=SC2086
	$exec --test-ops --linux "$version" -- \
		"$BUILD/tests/sweep" /dev/iommu $numbers >got 2>err
	if cmp -s want got; then
		ok "$version: $(wc -l <want) lines"
	else
		not_ok "$version: $(diff want got | grep -c '^<') of $(wc -l <want) lines differ"
		diff --label kernel --label fake want got | head -8 | sed 's/^/# /'
		head -3 err | sed 's/^/# /'
	fi
done
done_testing
