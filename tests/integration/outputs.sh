#!/usr/bin/env bash
# export, report, diff and rules on a real trace: usage errors, what is written, and the
# page in a real browser without an error on its console.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(realpath "${BUILD:-build}")
ioasis=$build/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# usage NAME TEXT COMMAND...: exit status 3 and one line with TEXT.
usage() {
	local name=$1 text=$2 err
	shift 2
	err=$("$@" 2>&1 >/dev/null)
	if [ $? = 3 ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == *"$text"* ]]; then
		ok "$name"
	else
		not_ok "$name"
		sed 's/^/# /' <<<"$err"
	fi
}

# Help texts: of each command, none with a line that a terminal of 80 columns breaks.
for command in "" $($ioasis --help | awk '/^Commands:/ { on = 1; next } !NF { on = 0 } on { print $1 }'); do
	$ioasis $command --help >"$dir/help"
	check "ioasis${command:+ $command} --help has 80 columns at most" \
		awk 'length > 80 { print; bad = 1 } END { exit bad || NR < 6 }' "$dir/help"
done
$ioasis-vmm --help >"$dir/help"
check "so has ioasis-vmm" awk 'length > 80 { print; bad = 1 } END { exit bad }' "$dir/help"

usage "export of no trace" "no trace given" $ioasis export --to json -o x
usage "export to nothing" "no --to given; it is perfetto, sqlite or json" $ioasis export t -o x
usage "export to what is not there" "--to does not take 'xml'; it takes perfetto, sqlite or json" \
	$ioasis export t --to xml -o x
usage "export without a file" "no -o given" $ioasis export t --to json
usage "an export to where no file can be" "$dir: Is a directory" \
	$ioasis export t --to sqlite -o "$dir"
usage "report without a file" "no -o given" $ioasis report t
usage "a trace that is not there" "/nonexistent: No such file or directory" \
	$ioasis report /nonexistent -o "$dir/x.html"
check "no page is left of it" test ! -e "$dir/x.html"
usage "a trace without a name" "'' is no trace; say the folder of a trace" $ioasis stats ""
usage "an option's value is not the end of options" "option '--output' needs a value" \
	$ioasis record -o -- true
usage "how often to look at no snapshot" "give both" $ioasis record --every 1s -- true
usage "all events and the last ones" "give one of them" $ioasis record --lossless --snapshot -- true
usage "a measured time of no device" "name a device with --device" \
	$ioasis simulate boot --timing measured
usage "a list of something" "--list takes no argument, not 'boot'" $ioasis simulate --list boot
usage "results that are not there" "'/nonexistent': No such file or directory; name" \
	$ioasis merge /nonexistent
usage "a drawing of nothing said" "--draw needs --metric" $ioasis merge "$dir" --draw "$dir/x.svg"
touch "$dir/plain"
usage "a sweep into a file" "plain: File exists" $ioasis sweep boot -o "$dir/plain"
check_output "help COMMAND is COMMAND --help" "$($ioasis sweep --help)" $ioasis help sweep
usage "diff of one trace" "1 traces given; it takes two" $ioasis diff a
usage "top at a rate that is too high" "--interval does not take '1ms'; it takes a time of 100ms" \
	$ioasis top --interval 1ms t
printf 'digraph x {\n  a -> \n}\n' >"$dir/bad.dot"
usage "a rule that is wrong has its place" "bad.dot:3:1: found '}'; expected the state" \
	$ioasis check --rules "$dir/bad.dot" t

if ! command -v lttng-sessiond >/dev/null; then
	skip "outputs of a real trace" "lttng-tools is not installed"
	done_testing
fi
record() { # NAME ARGUMENTS...
	local name=$1
	shift
	$ioasis record -o "$dir/$name" -- "$build/ioasis-vmm" --inproc --ops 60 "$@" \
		>"$dir/log" 2>&1 || { not_ok "a trace is recorded"; sed 's/^/# /' "$dir/log"; done_testing; }
}
record clean
record fault --fault double-map

rules=()
for rule in analysis/rules/*.dot; do
	rules+=(--rules "$rule")
done
$ioasis check "${rules[@]}" "$dir/clean" >"$dir/check"
check "this VMM unmaps under a device's eyes: status 1" test $? = 1
check "rule connect_before_alloc holds" grep -q '^ok  *connect_before_alloc' "$dir/check"
check "rule free_after_unmap holds" grep -q '^ok  *free_after_unmap' "$dir/check"
check "rule no_unmap_in_use names the unmap" \
	grep -q '^violation: no_unmap_in_use: unmap of ioas' "$dir/check"
check_status "one rule alone" 0 $ioasis check --rules analysis/rules/connect_before_alloc.dot \
	"$dir/clean"

for format in perfetto sqlite json; do
	check "export to $format" $ioasis export "$dir/clean" --to $format -o "$dir/out.$format"
	check "the $format file is there" test -s "$dir/out.$format"
done

for format in perfetto sqlite json; do
	usage "export to $format where there is no room" "" \
		$ioasis export "$dir/clean" --to $format -o /dev/full
done
check "the device that was full is still there" test -c /dev/full

# Traces that are no folder.
(cd "$dir" && tar -cf clean.tar clean && tar -czf clean.tgz clean && head -c 2000 clean.tgz >cut.tgz)
$ioasis stats --json "$dir/clean" >"$dir/stats.json"
for form in clean.tar clean.tgz; do
	check "a trace in $form is the same" bash -c "
		cmp <($ioasis stats --json '$dir/$form') '$dir/stats.json' &&
		cmp <($ioasis stats --json - <'$dir/$form') '$dir/stats.json'"
done
usage "a tar that is cut" "$dir/cut.tgz: cannot be unpacked: " $ioasis check "$dir/cut.tgz"
usage "standard input that is no trace" "standard input: not a trace" bash -c "echo no | $ioasis check -"
check "nothing unpacked is left" bash -c "! ls -d \"\${TMPDIR:-/tmp}\"/ioasis-?????? 2>/dev/null |
	xargs -r -I{} find {} -maxdepth 1 -name trace -newer '$dir/stats.json' | grep ."

# What a leak left is in the database, and nothing where all was given back.
record leak --inproc --fault leak
ask() { # TRACE QUERY
	$ioasis export "$dir/$1" --to sqlite -o "$dir/ask.db" || return
	python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row)' "$dir/ask.db" "$2"
}
check_output "left_behind has the mapping of a leak" "0x1000000000 65536" \
	ask leak "SELECT iova, bytes FROM left_behind"
check_output "left_objects has its address space" "ioas" ask leak "SELECT type FROM left_objects"
check_output "where all was given back both are empty" "0 0" ask clean \
	"SELECT (SELECT count(*) FROM left_behind), (SELECT count(*) FROM left_objects)"
check_output "the view of percentiles agrees with the table of the largest" "0" ask clean \
	"SELECT count(*) FROM percentiles p JOIN latency l USING (op, layer) WHERE p.max_ns <> l.max_ns
	 OR p.calls <> l.calls OR p.p50_ns > p.p90_ns OR p.p90_ns > p.p99_ns OR p.p99_ns > p.max_ns"
check_output "live bytes end at nothing" "0" ask clean \
	"SELECT count(*) FROM (SELECT sum(bytes) AS b FROM (SELECT object, bytes FROM live_bytes
	 GROUP BY object HAVING time_ns = max(time_ns))) WHERE b <> 0"

# Two traces whose processes have the same numbers.
for i in 1 2; do
	$ioasis simulate boot --trace "$dir/sim$i" >/dev/null
done
$ioasis export "$dir/sim1" "$dir/sim2" --to perfetto -o "$dir/two.perfetto"
check "two traces share no track in Perfetto" python3 - "$dir/two.perfetto" <<'END'
import sys

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at

def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value

def only(data, number):
    return [value for field, value in fields(data) if field == number]

processes, threads = [], []
for packet in only(open(sys.argv[1], "rb").read(), 1):
    for track in only(packet, 60):
        processes += [only(process, 1)[0] for process in only(track, 3)]
        threads += [only(thread, 2)[0] for thread in only(track, 4)]
assert len(processes) >= 2 and len(set(processes)) == len(processes), processes
assert len(set(threads)) == len(threads), threads
END

# A file is written whole or not at all, and as it was in all else.
mkdir "$dir/files" && cd "$dir/files" || exit 1
for format in perfetto sqlite json; do
	echo mine >f
	usage "an export of nothing to $format" "/nonexistent: No such file" \
		$ioasis export /nonexistent --to $format -o f
	check_output "what was there stays" mine cat f
	chmod 640 f
	ln -sf f link
	check "an export to $format over a link" $ioasis export "$dir/clean" --to $format -o link
	check_output "the link stays one, the file keeps its mode" "symbolic link 640" \
		echo "$(stat -c %F link) $(stat -c %a f)"
	$ioasis export "$dir/clean" --to $format -o - >piped
	check "-o - is standard output" test -s piped -a ! -e ./-
done
check_output "nothing else was made" "f link piped" echo *
cd "$TOP" || exit 1
usage "a page where there is no room" "/dev/full: No space left on device" \
	$ioasis report "$dir/clean" -o /dev/full
$ioasis export "$dir/clean" --to json -o /dev/stdout | cat >"$dir/piped.json"
check "in a pipe the quality comes last" bash -c "tail -1 '$dir/piped.json' | grep -q '\"quality\"'"

$ioasis diff "$dir/clean" "$dir/clean" --json >"$dir/diff.json"
check "a trace does not differ from itself" python3 - "$dir/diff.json" <<'END'
import json
import sys
ops = json.load(open(sys.argv[1]))["ops"]
assert ops
for op in ops:
    assert op["latency"]["effect_ppm"] == 0 and op["latency"]["p"] == 1, op
END

check_status "nothing got worse" 0 $ioasis diff --fail-on slower,tail,fails,p99:10% "$dir/clean" "$dir/clean"
check_status "more calls than the limit allows" 1 $ioasis diff --fail-on calls:1% "$dir/clean" "$dir/fault"
usage "a limit that is none" "--fail-on does not take 'mean'; it takes slower, tail, fails" \
	$ioasis diff --fail-on mean a b
check "diff writes bytes with a unit" \
	bash -c "$ioasis diff '$dir/clean' '$dir/clean' | grep -qE '^live bytes .* [KMGT]?i?B\$'"

check "the report is written" $ioasis report "${rules[@]}" "$dir/fault" -o "$dir/report.html"
check "the page needs nothing from outside" \
	bash -c "! grep -oE '(src|href)=\"(https?:)?//' '$dir/report.html'"
if ! command -v chromium >/dev/null; then
	skip "the page in a browser" "chromium is not installed"
	done_testing
fi

# page FILE#HASH: opens it; its console goes to $dir/console, what it became to $dir/dom.
page() {
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--disable-dev-shm-usage --allow-file-access-from-files --user-data-dir="$dir/profile" --enable-logging=stderr \
		--virtual-time-budget=600 --dump-dom "file://$1" >"$dir/dom" 2>"$dir/browser"
	grep CONSOLE "$dir/browser" >"$dir/console"
}
# The page as it is, with a script at its end that works it with the keyboard.
cat "$dir/report.html" - >"$dir/keys.html" <<'END'
<script>
const seen = [], box = document.getElementById("space-picture");
const press = (key, more) => {
  const before = [view.from, view.to].join();
  box.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, ...more}));
  seen.push(key + ([view.from, view.to].join() === before ? " stays" : " moves"));
};
for (const option of byId("space-select").options) {
  byId("space-select").value = option.value;
  byId("space-select").onchange();
}
press("+"); press("ArrowRight"); press("-"); press("0");
press("n"); seen.push(byId("announce").textContent.split(":")[0]);
press("v"); seen.push(byId("announce").textContent.split(",")[0]);
byId("theme").click(); seen.push(document.documentElement.className);
byId("colour-select").value = "owner"; byId("colour-select").onchange();
byId("latency-select").onchange();
document.documentElement.dataset.keys = seen.join("; ");
</script>
END
page "$dir/keys.html#finding-1"
check "the page is drawn to its end" grep -q 'data-ready="yes"' "$dir/dom"
check "its console has no line" test ! -s "$dir/console"
sed 's/^/# /' "$dir/console"
check "it shows the verdict" grep -q 'class="violation"><b>' "$dir/dom"
check "it names the planted mistake" grep -q '<h3>overlap</h3>' "$dir/dom"
check "the witness is on the picture" grep -q '<g class="witness"[^>]*><line' "$dir/dom"
check "the picture is worked with the keyboard" \
	grep -Eq 'data-keys="\+ moves; ArrowRight moves; - moves; 0 moves; .*Mapping 1 of [0-9]+; .*Finding [0-9] of' \
	"$dir/dom"
check "the theme changes" grep -q 'data-keys=".*; dark"' "$dir/dom"
grep -o 'data-keys="[^"]*"' "$dir/dom" | sed 's/^/# /'
check "the slowest calls are listed with their numbers" \
	grep -Eq '<div id="slowest-table".*<td>[0-9.]+ [mu]s</td>.*<td>[0-9]+:[0-9]+</td>' "$dir/dom"
check "latency over time is drawn" grep -Eq '<div id="heat-chart".*<rect [^>]*opacity' "$dir/dom"
cat >"$dir/narrow.html" <<'END'
<!DOCTYPE html><iframe id="f" src="report.html" style="width:360px;height:3000px;border:0"></iframe>
<script>
f.onload = () => setTimeout(() => {
  const root = f.contentDocument.documentElement;
  document.documentElement.dataset.narrow = root.scrollWidth <= 360 ? "fits" : "is " + root.scrollWidth;
}, 300);
</script>
END
page "$dir/narrow.html"
check "the page fits 360 pixels" grep -q 'data-narrow="fits"' "$dir/dom"
grep -o 'data-narrow="[^"]*"' "$dir/dom" | sed 's/^/# /'
printf '<!DOCTYPE html><script>\nnothing.there();\n</script>' >"$dir/broken.html"
page "$dir/broken.html"
check "an error on the console would have been seen" test -s "$dir/console"
done_testing
