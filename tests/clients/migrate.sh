#!/usr/bin/env bash
# For tests/clients/run, under exec: moves a guest that uses a card from one QEMU to another.
#
#   migrate.sh FOLDER QEMU BDF BDF iommufd|container ARGUMENT...
#
# Prints what QEMU says of the migration and what the guest says afterwards, behind `result: `.
set -u
work=$1 qemu=$2 from=$3 to=$4 way=$5
shift 5

# run NAME BDF ARGUMENT...: a QEMU whose console is the file NAME, its monitor here.
run() {
	local name=$1 device="vfio-pci,host=$2,enable-migration=on" iommufd=
	shift 2
	[ "$way" = container ] || iommufd="-object iommufd,id=i" device=$device,iommufd=i
	# shellcheck disable=SC2086
	"$qemu" -accel tcg,thread=multi -machine q35 -only-migratable "$@" $iommufd \
		-device "$device" -serial "file:$work/$name" -monitor stdio
}

await() { # FILE PATTERN: until a line has it, a minute at most
	local i
	for ((i = 0; i < 600; i++)); do
		tr -d '\r' <"$1" 2>/dev/null | grep -q "$2" && return
		read -rt 0.1 <> <(:)
	done
	echo "gave up: $2"
	return 1
}

mkfifo "$work/hold-to" "$work/hold-from"
run to "$to" "$@" -incoming "unix:$work/socket" <"$work/hold-to" >"$work/monitor-to" 2>&1 &
exec 7>"$work/hold-to"
run from "$from" "$@" <"$work/hold-from" >"$work/monitor-from" 2>&1 &
exec 6>"$work/hold-from"
await "$work/from" filled
await "$work/from" kept
echo "migrate unix:$work/socket" >&6
# QEMU 10 answers when it is over, 11 at once.
for _ in $(seq 600); do
	echo "info migrate" >&6
	read -rt 0.1 <> <(:)
	tr -d '\r' <"$work/monitor-from" | grep -qi 'status:[[:space:]]*completed' && break
done
tr -d '\r' <"$work/monitor-from" | grep -qi 'status:[[:space:]]*completed' &&
	echo "result: completed"
await "$work/to" kept
echo quit >&6
echo quit >&7
wait
cat "$work/monitor-from" "$work/monitor-to" "$work/from" "$work/to"
if tr -d '\r' <"$work/to" | grep -v -e '^kept$' -e '^$' | grep -q .; then
	echo "result: lost"
elif tr -d '\r' <"$work/to" | grep -q kept; then
	echo "result: as it was"
fi
rm -f "$work"/hold-* "$work/socket"
