#!/usr/bin/env bash
# `export --to perfetto`, decoded by protobuf's own tool with Perfetto's published field numbers
# (perfetto.proto): no unknown field, every track described before it is used, slices that nest,
# and as many calls of each name as the SQLite export of the same trace has.
#
# PERFETTO_PROTOS=DIR takes Perfetto's own files: a folder that has protos/perfetto/trace/.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
PATH=$BUILD:$PATH
command -v protoc >/dev/null || skip_all "protoc is not installed (protobuf-compiler)"
command -v sqlite3 >/dev/null || skip_all "sqlite3 is not installed"

decode() { # FILE
	if [ "${PERFETTO_PROTOS:-}" ]; then
		protoc -I "$PERFETTO_PROTOS" --decode perfetto.protos.Trace \
			protos/perfetto/trace/trace.proto <"$1"
	else
		protoc -I "$TOP/tests/integration" --decode perfetto.protos.Trace \
			perfetto.proto <"$1"
	fi
}

compare() { # NAME TRACE...
	local name=$1
	shift
	ioasis export "$@" --to perfetto -o "$name.pf" && ioasis export "$@" --to sqlite -o "$name.db" &&
		decode "$name.pf" >"$name.txt" &&
		python3 "$TOP/tests/integration/perfetto_read.py" <"$name.txt" >"$name.facts" ||
		return
	sqlite3 -separator ' ' "$name.db" "SELECT 'calls', op, count(*) FROM ops
		WHERE end_ns IS NOT NULL GROUP BY op ORDER BY op" | LC_ALL=C sort >"$name.sql"
	grep '^calls' "$name.facts" | LC_ALL=C sort | diff "$name.sql" - &&
		[ -s "$name.sql" ] && ! grep '^wrong' "$name.facts"
}

for scenario in boot nvme buggy-driver device-hotplug; do
	ioasis simulate "$scenario" --trace "$scenario" >log 2>&1 || cat log
	check "$scenario: protoc reads it, and the calls are those of SQL" compare $scenario $scenario
done
check "two traces at once: tracks of their own" compare both boot nvme
check_output "at the end of 'nvme' no byte is mapped" "counter live bytes 0" \
	grep 'live bytes' nvme.facts
check "what is in it: bytes have a unit" grep -q 'UNIT_SIZE_BYTES' nvme.txt

# The reader itself: a file with a field that the format lacks is found out.
cp boot.pf odd.pf
printf '\012\004\372\077\001x' >>odd.pf # packet { 1023: "x" }
decode odd.pf | python3 "$TOP/tests/integration/perfetto_read.py" >odd.facts
check "a field of no meaning would be seen" grep -q '^wrong field packet.1023' odd.facts
done_testing
