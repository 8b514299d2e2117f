#!/usr/bin/env bash
# `ioasis test`: one step for CI. Exit statuses, JUnit, SARIF, annotations, what is kept.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
vmm=$build/ioasis-vmm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export TMPDIR=$dir/tmp
mkdir "$dir/tmp"
unset GITHUB_ACTIONS

# Which failure does a program not survive? Without LTTng.
cat >"$dir/fragile.c" <<'END'
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/dev/iommu", O_RDWR);
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	char *memory = aligned_alloc(4096, 4 * 4096);

	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		return 1;
	for (int i = 0; i < 4; i++) {
		struct iommu_ioas_map map = {
			.size = sizeof(map), .flags = 7, .ioas_id = alloc.out_ioas_id,
			.user_va = (unsigned long)memory + 4096 * i, .length = 4096, .iova = 4096 * i,
		};

		if (!ioctl(fd, IOMMU_IOAS_MAP, &map))
			continue;
		if (i == 2)
			abort();
		while (i == 3)
			pause();
		return 2;
	}
	return 0;
}
END
if ${CC:-cc} -O1 -Ibackend/include -o "$dir/fragile" "$dir/fragile.c" 2>/dev/null &&
	$ioasis exec -- true 2>/dev/null; then
	$ioasis test --fail-each ENOMEM --timeout 1s --junit "$dir/each.xml" -- "$dir/fragile" \
		2>"$dir/each"
	check "--fail-each: a status when a failure is not survived" test $? = 1
	check_output "it names them" "ioasis test: --fail map:ENOMEM@3: CMD ends by signal 6 (Aborted)
ioasis test: --fail map:ENOMEM@4: CMD hangs
ioasis test: survives 3 of 5 failures" cat "$dir/each"
	check "JUnit's file has a case for each" bash -c "
		[ \$(grep -c '<testcase' '$dir/each.xml') = 5 ] && grep -q 'failures=\"2\"' '$dir/each.xml'"
	check_status "all survived: 0" 0 $ioasis test --fail-each EIO -- "$vmm" --ops 3 --threads 1
	check_status "a program that fails by itself cannot be tried" 125 \
		$ioasis test --fail-each EIO -- false
	check_status "an errno that is none" 125 $ioasis test --fail-each EFOO -- true
	check_output "nothing is left running" "" pgrep -f "$dir/fragile"
else
	skip "--fail-each" "no compiler, or no fake device can be made here"
fi

command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
if ! $ioasis test -- true >"$dir/probe" 2>&1; then
	skip_all "$(grep '^ioasis' "$dir/probe" | head -1)"
fi

bad=("$vmm" --ops 20 --fault double-map)
check_status "a clean program: its own status" 0 $ioasis test --error-exitcode 9 -- "$vmm" --ops 20
check_status "a program that fails: its own status" 7 $ioasis test --error-exitcode 9 -- sh -c 'exit 7'
check_status "a signal n is 128+n" 137 $ioasis test -- sh -c 'kill -9 $$'
check_status "not found" 127 $ioasis test -- "$dir/nothing"
check_status "no command" 125 $ioasis test --keep "$dir/x"
check_status "a broken rule, as of valgrind: CMD's status" 0 $ioasis test -- "${bad[@]}"
check_status "with --error-exitcode that one" 9 $ioasis test --error-exitcode 9 -- "${bad[@]}"
check "options of the device go to it" bash -c "
	$ioasis test --error-exitcode 9 --fail=map:ENOMEM@3 --linux 6.12 -- '$vmm' --ops 20 2>&1 |
		grep -q 'Cannot allocate memory'"
check_output "no trace is left" "" ls -A "$dir/tmp"

$ioasis test --junit "$dir/bad.xml" --sarif "$dir/bad.sarif" --github --keep "$dir/kept" \
	-- "${bad[@]}" >"$dir/out" 2>"$dir/err"
check "the trace is kept" $ioasis stats "$dir/kept"
check "an annotation is one line" \
	grep -qE '^::error title=ioasis overlap::.*%0A.*double|^::error title=ioasis overlap::.*refused.*%0A' "$dir/out"
check "the finding is on standard error" grep -q '^violation: overlap' "$dir/err"
check "JUnit's file has the failure and counts it" python3 - "$dir/bad.xml" <<'END'
import sys
import xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot()[0]
failed = [case.get("name") for case in suite if case.find("failure") is not None]
assert failed == ["overlap"] and suite.get("failures") == "1", failed
assert int(suite.get("tests")) == len(suite) > 10
END
check "SARIF's file has it as well" python3 - "$dir/bad.sarif" <<'END'
import json
import sys
log = json.load(open(sys.argv[1]))
run = log["runs"][0]
assert log["version"] == "2.1.0"
assert [(r["ruleId"], r["level"]) for r in run["results"]] == [("overlap", "error")], run["results"]
ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
assert "overlap" in ids and len(set(ids)) == len(ids)
END
$ioasis test --junit "$dir/good.xml" -- "$vmm" --ops 20 >/dev/null 2>&1
check "a clean run has no failure" grep -q 'failures="0"' "$dir/good.xml"
check "GITHUB_ACTIONS turns annotations on" bash -c "
	GITHUB_ACTIONS=true $ioasis test -- ${bad[*]} 2>/dev/null | grep -q '^::error'"
check_status "a file that cannot be written is an error" 125 \
	$ioasis test --junit /nonexistent/x -- "$vmm" --ops 20
done_testing
