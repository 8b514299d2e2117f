#!/usr/bin/env bash
# The commands of docs/LEARN.md print what it says (docs_lib.sh). And the shares that
# docs/COSTS.md states.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/docs_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
ln -sf "$TOP/sim" sim
command -v babeltrace2 >/dev/null || skip_all "babeltrace2 is not installed"

run_page "$TOP/docs/LEARN.md"

share() {
	ioasis simulate sim/scenarios/nic.yaml "$@" --json |
		python3 -c 'import json,sys; print(round(json.load(sys.stdin)["nic"]["line_share_ppm"] / 1e4, 1))'
}
check_output "COSTS.md: strict" 40.7 share
check_output "COSTS.md: deferred" 73.9 share --set nic.mode=deferred --set preset=sandy-bridge-deferred
for number in '| 40.7 % | 43 %' '| 73.9 % | 91 %'; do
	check "COSTS.md says '$number'" grep -qF "$number" "$TOP/docs/COSTS.md"
done
done_testing
