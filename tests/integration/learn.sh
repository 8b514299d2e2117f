#!/usr/bin/env bash
# The commands of docs/LEARN.md print what it says (docs_lib.sh).
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/docs_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
ln -sf "$TOP/sim" sim
command -v babeltrace2 >/dev/null || skip_all "babeltrace2 is not installed"

run_page "$TOP/docs/LEARN.md"
done_testing
