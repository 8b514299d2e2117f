#!/usr/bin/env bash
# Traces of others, at which a library may end the program: every one gives a sensible status.
#
#   make check-foreign TRACES=DIR
#
# DIR holds the sources of babeltrace2, of barectf, or any folders with CTF traces. A trace is a
# folder with a file `metadata`; barectf keeps its as NAME.metadata.expect and NAME.data.expect. What
# is written in babeltrace2's own language (*.mctf) is skipped.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

ioasis=$(realpath "${BUILD:-build}")/ioasis
[ -n "${TRACES:-}" ] || skip_all "TRACES=DIR names no folder"
[ -d "$TRACES" ] || { not_ok "TRACES=$TRACES is a folder"; done_testing; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export TMPDIR=$dir/tmp
mkdir "$dir/tmp"

# sensible TRACE: 0 to 3 from each command; 3 with one line that names it, else none.
sensible() {
	local trace=$1 bad= out=$dir/out err status lines
	for command in check stats "export --to json -o $out"; do
		err=$(timeout 60 $ioasis $command "$trace" 2>&1 >/dev/null)
		status=$?
		lines=$(printf '%s' "$err" | grep -c '')
		case $status in
		0 | 1 | 2) [ "$lines" = 0 ] || bad+="# $command: $lines lines: $err
" ;;
		3) [ "$lines" = 1 ] && [[ $err == *"$trace"* ]] && [ ! -e "$out" ] || bad+="# $command: status 3: $err
" ;;
		*) bad+="# $command: status $status: $err
" ;;
		esac
		[ -z "$(ls -A "$dir/tmp")" ] || bad+="# $command leaves files
"
		rm -f "$out"
	done
	if [ -z "$bad" ]; then
		ok "${trace#"$TRACES"/}"
	else
		not_ok "${trace#"$TRACES"/}"
		printf '%s' "$bad"
	fi
}

while read -r folder; do
	sensible "$folder"
done < <(find "$TRACES" -name metadata -type f -printf '%h\n' | sort)
while read -r metadata; do
	name=${metadata%.metadata.expect}
	trace=$dir/${name##*/}
	mkdir -p "$trace"
	cp "$metadata" "$trace/metadata"
	[ ! -e "$name.data.expect" ] || cp "$name.data.expect" "$trace/stream"
	sensible "$trace"
	rm -rf "$trace"
done < <(find "$TRACES" -name '*.metadata.expect' | sort)
while read -r file; do
	skip "${file#"$TRACES"/}" "it is written in a language of babeltrace2's tests"
done < <(find "$TRACES" -name '*.mctf' | sort)
[ $tap_count -gt 0 ] || not_ok "there are traces in $TRACES"
done_testing
