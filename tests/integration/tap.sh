# TAP for test scripts: `. "$TOP/tests/integration/tap.sh"` at their head.
#
#   check NAME COMMAND...    ok when the command succeeds; its output shows if not
#   ok NAME / not_ok NAME    a result found otherwise; skip NAME WHY
#   skip_all WHY             the plan is one skipped check; ends the script
#   done_testing             prints the plan; the last line of every script

tap_count=0
tap_failed=0

ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=1
	echo "not ok $tap_count - $1"
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count # SKIP $1: $2"
}

skip_all() {
	echo "1..1"
	echo "ok 1 # SKIP $1"
	exit 0
}

check() {
	local name=$1 log
	shift
	if log=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		printf '%s\n' "$log" | sed 's/^/# /'
	fi
}

# check_output NAME EXPECTED COMMAND...: the command's output is EXPECTED, whatever its status.
check_output() {
	local name=$1 expected=$2 got
	shift 2
	got=$("$@" 2>&1)
	if [ "$got" = "$expected" ]; then
		ok "$name"
	else
		not_ok "$name"
		printf 'expected: %s\ngot: %s\n' "$expected" "$got" | sed 's/^/# /'
	fi
}

# check_status NAME STATUS COMMAND...: the command ends with STATUS.
check_status() {
	local name=$1 expected=$2 got log
	shift 2
	log=$("$@" 2>&1)
	got=$?
	if [ "$got" = "$expected" ]; then
		ok "$name"
	else
		not_ok "$name"
		printf 'expected status %s, got %s\n%s\n' "$expected" "$got" "$log" | sed 's/^/# /'
	fi
}

done_testing() {
	echo "1..$tap_count"
	exit $tap_failed
}
