#!/usr/bin/env bash
# docs/DEVICE_MODEL.md: the model in it is the one that is built, and the driver in it runs.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
page=$TOP/docs/DEVICE_MODEL.md

block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d'; }

block c >dice.c
check "the page has the source as it is" diff "$TOP/sim/pci/dice.c" dice.c
lines=$(grep -cvE '^[[:space:]]*$|^/\*|^#' dice.c)
check "and it is short: $lines lines" test "$lines" -le 75
row=$(sed -n '/^## Its row/,/^## /s/^    \(PCI_MODEL.*\)/\1/p' "$page")
check "its row: $row" grep -qxF "${row:-none}" "$TOP/sim/pci/models.def"

block python >driver.py
wanted=$(sed -n '/^    \$ ioasis exec --device dice/{n;s/^    //p}' "$page")
if python3 -c 'import os; os.eventfd' 2>/dev/null; then
	check_output "the driver prints what the page says" "$wanted" \
		$exec --device dice --seed 7 -- python3 driver.py
	other=$($exec --device dice --seed 8 -- python3 driver.py)
	check "another seed throws others" test -n "$other" -a "$other" != "$wanted"
else
	skip "the driver prints what the page says" "python3 has no os.eventfd (3.10)"
fi
check "its kind is listed" eval '"$ioasis" exec --list-devices | grep -q "^dice  "'
done_testing
