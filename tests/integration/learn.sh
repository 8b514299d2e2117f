#!/usr/bin/env bash
# The commands of docs/LEARN.md print what it says: each line under a command is part of a
# line of its output, spaces aside. And the shares that docs/COSTS.md states.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
ln -sf "$TOP/sim" sim
command -v babeltrace2 >/dev/null || skip_all "babeltrace2 is not installed"

squeeze() { tr -s ' \t' ' '; }

run_command() { # COMMAND: its output is in `out`
	eval "$1" >raw 2>&1
	status=$?
	squeeze <raw >out
}

command=
missing=
finish() {
	[ -n "$command" ] || return
	if [ -z "$missing" ]; then
		ok "$command"
	else
		not_ok "$command"
		printf 'status %s, not printed: %s\n' "$status" "$missing" | sed 's/^/# /'
		head -n 20 out | sed 's/^/# /'
	fi
	command=
	missing=
}

inside=
while IFS= read -r line; do
	case $line in
	'```console') inside=1 ;;
	'```') finish; inside= ;;
	'$ '*)
		[ -n "$inside" ] || continue
		finish
		command=${line#'$ '}
		run_command "$command"
		;;
	*)
		[ -n "$inside" ] || continue
		grep -qF -- "$(squeeze <<<"$line")" out || missing=$line
		;;
	esac
done <"$TOP/docs/LEARN.md"

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
