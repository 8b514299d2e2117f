#!/usr/bin/env bash
# The engine in the oracle program's own process against what real kernels answered, each
# version as itself. SEEDS="3 7" asks these, ORACLE=all all that are recorded.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/oracle/oracle_lib.sh"

program=$BUILD/tests/oracle_inproc
[ -x "$program" ] || skip_all "$program is not built"

# The recorded process had every capability: a user namespace gives them, where root does
# not have all.
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

for set in $(oracle_sets); do
	export IOASIS_LINUX=${set%-*}
	oracle_compare engine "$set" $as_root "$program" --dev /dev/iommu
done
done_testing
