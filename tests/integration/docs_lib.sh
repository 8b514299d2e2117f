# Runs the commands of a page of docs/: `. "$TOP/tests/integration/docs_lib.sh"`.
#
#   run_page FILE   runs each `$ COMMAND` of the page's console blocks; a check each
#
# Each line under a command must be part of a line of its output, spaces aside, in any order;
# `...` in it stands for whatever is there. Lines that begin with `#` are for the reader.

squeeze() { tr -s ' \t' ' '; }

# printed LINE: whether `out` has a line that holds it.
printed() {
	local pattern
	case $1 in
	*...*)
		pattern=$(sed 's/[][\.*^$\/]/\\&/g; s/\\\.\\\.\\\./.*/g' <<<"$1")
		grep -q -- "$pattern" out
		;;
	*) grep -qF -- "$1" out ;;
	esac
}

page_command=
page_missing=
page_finish() {
	[ -n "$page_command" ] || return
	if [ -z "$page_missing" ]; then
		ok "$page_command"
	else
		not_ok "$page_command"
		printf 'status %s, not printed: %s\n' "$page_status" "$page_missing" | sed 's/^/# /'
		head -n 40 out | sed 's/^/# /'
	fi
	page_command=
	page_missing=
}

run_page() {
	local line inside=
	while IFS= read -r line <&3; do
		case $line in
		'```console') inside=1 ;;
		'```') page_finish; inside= ;;
		'$ '*)
			[ -n "$inside" ] || continue
			page_finish
			page_command=${line#'$ '}
			eval "$page_command" >raw 2>&1 </dev/null
			page_status=$?
			squeeze <raw >out
			;;
		'#'* | '') ;;
		*)
			[ -n "$inside" ] || continue
			printed "$(squeeze <<<"$line")" || page_missing=$line
			;;
		esac
	done 3<"$1"
}
