#!/usr/bin/env bash
# Logs of QEMU as traces: `check`, `stats`, `report`, `replay` read what an unmodified QEMU wrote with
# -trace 'iommufd*' -D FILE.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

ioasis=$(realpath "${BUILD:-build}")/ioasis
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# As Debian's QEMU 10.0.2 writes it, shortened; a device is bound, memory mapped and all given back.
cat >"$dir/old.log" <<'END'
qemu-system-x86_64: warning: of something else
4242@1700000000.000100:iommufd_cdev_getfd  /dev/vfio/devices/vfio0 (fd=12)
4242@1700000000.000200:iommufd_backend_connect fd=3 owned=1 users=1
4242@1700000000.000300:iommufd_cdev_connect_and_bind  [iommufd=3] Successfully bound device 0000:00:05.0 (fd=12): output devid=1
4242@1700000000.000400:iommufd_backend_alloc_ioas  iommufd=3 ioas=2
4242@1700000000.000500:iommufd_cdev_alloc_ioas  [iommufd=3] new IOMMUFD container with ioasid=2
4242@1700000000.000600:iommufd_backend_map_dma  iommufd=3 ioas=2 iova=0x0 size=0xa0000 addr=0x7f1234000000 readonly=0 (0)
4242@1700000000.000700:iommufd_backend_map_dma  iommufd=3 ioas=2 iova=0xc0000 size=0x1000 addr=0x7f12340c0000 readonly=1 (0)
4243@1700000000.000800:iommufd_backend_unmap_dma_non_exist  Unmap nonexistent mapping: iommufd=3 ioas=2 iova=0xd0000 size=0x1000 (-1)
4242@1700000000.000900:iommufd_backend_unmap_dma  iommufd=3 ioas=2 iova=0xc0000 size=0x1000 (0)
4242@1700000000.001000:iommufd_backend_unmap_dma  iommufd=3 ioas=2 iova=0x0 size=0xa0000 (0)
4242@1700000000.001100:iommufd_backend_free_id  iommufd=3 id=2 (0)
4242@1700000000.001200:iommufd_backend_disconnect fd=-1 users=0
END
sed -E 's/^[0-9]*@[0-9]*.([0-9]*):/2026-11-28T13:04:30.\1Z /' "$dir/old.log" >"$dir/new.log"
sed 's/^[0-9]*@[0-9.]*://' "$dir/old.log" >"$dir/plain.log"
for log in old new plain; do
	check_status "check of a log, $log prefix" 0 $ioasis check "$dir/$log.log"
	check_status "replay of it" 0 $ioasis replay "$dir/$log.log"
	check "its calls are counted" bash -c "$ioasis stats --json '$dir/$log.log' | python3 -c '
import json, sys
rows = {row[\"operation\"]: row for row in json.load(sys.stdin)[\"operations\"]}
assert rows[\"map_dma\"][\"calls\"] == 2 and rows[\"map_dma\"][\"bytes\"] == 0xa1000, rows
assert rows[\"unmap_dma\"][\"calls\"] == 3 and rows[\"unmap_dma\"][\"non_exist\"] == 1, rows'"
	check "a report of it" $ioasis report "$dir/$log.log" -o "$dir/$log.html"
done
sed '/unmap_dma  .*0x0 size/s/0x0 /0x1000 /' "$dir/old.log" >"$dir/bad.log"
check "a mistake in it is found by name" bash -c "$ioasis check '$dir/bad.log' |
	grep -q '^violation: partial-unmap'"
head -c -20 "$dir/old.log" >"$dir/cut.log"
check "a log that ends in the middle of a line: an event is lost" bash -c "
	$ioasis check '$dir/cut.log' | grep -q '^lost: 1 events'"
check_output "text that is no log" \
	"ioasis check: $dir/no.log: not a trace: a trace is a folder, a tar of one, or a log that QEMU wrote with -trace 'iommufd*' -D FILE" \
	bash -c "echo no >'$dir/no.log'; $ioasis check '$dir/no.log'"

qemu=qemu-system-x86_64
if ! command -v $qemu >/dev/null; then
	skip "a log of the QEMU that is installed" "$qemu is not installed"
	done_testing
fi
if ! $qemu -trace help 2>/dev/null | grep -q iommufd_backend_map_dma ||
	! $qemu -device vfio-pci,help 2>/dev/null | grep -q iommufd; then
	skip "a log of the QEMU that is installed" "it has no iommufd, or no trace backend 'log'"
	done_testing
fi
if ! $ioasis exec -- true 2>"$dir/why"; then
	skip "a log of the QEMU that is installed" "$(head -1 "$dir/why")"
	done_testing
fi
for timestamp in off on; do
	printf '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n' |
		timeout 60 $ioasis exec --leak-check no --device edu,addr=0000:00:05.0 -- \
			$qemu -machine q35 -m 64M -display none -nodefaults -S -qmp stdio \
			-msg timestamp=$timestamp -object iommufd,id=i \
			-device vfio-pci,host=0000:00:05.0,iommufd=i \
			-trace 'iommufd*' -D "$dir/real.log" >"$dir/qmp" 2>&1 ||
		{ not_ok "QEMU runs, timestamp=$timestamp"; sed 's/^/# /' "$dir/qmp"; continue; }
	check "the log of QEMU, timestamp=$timestamp, breaks no rule but the leak of its end" bash -c "
		$ioasis check --json '$dir/real.log' | python3 -c '
import json, sys
rows = json.load(sys.stdin)[\"rules\"]
assert all(row[\"verdict\"] == \"ok\" for row in rows if row[\"rule\"] != \"leak\"), rows
assert any(row[\"rule\"] == \"overlap\" and row[\"checked\"] for row in rows), rows'"
done
done_testing
