#!/usr/bin/env bash
# The learning page in a headless Chromium without a network, opened from the disk: page.mjs.
. "$TOP/tests/integration/tap.sh"
page=$BUILD/learn-site/index.html
[ -e "$page" ] || skip_all "no $page: 'make learn-site' makes it"
for program in node "${CHROMIUM:-chromium}"; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done
exec node "$TOP/tests/learn/page.mjs" "$page" "$BUILD/ioasis"
