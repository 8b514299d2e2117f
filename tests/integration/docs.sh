#!/usr/bin/env bash
# The commands of the pages for readers print what the pages say (docs_lib.sh).
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/docs_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
export IOASIS=$TOP

for tool in babeltrace2 cc sqlite3 lttng-sessiond; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
ioasis exec -- true >log 2>&1 || skip_all "$(head -1 log)"
if ! ioasis record -o probe -- true >log 2>&1; then
	grep -q 'record:' log && skip_all "$(head -1 log)"
fi

for page in TUTORIAL QUERIES CI; do
	run_page "$TOP/docs/$page.md"
done
done_testing
