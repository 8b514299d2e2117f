#!/usr/bin/env bash
# How fast the simulated NVMe disk is for a driver that polls: make bench-native
#
#   LIBVFN=BUILD   libvfn's build folder: its examples/perf is the driver
#   SECONDS_EACH=N of a run (default 2), ROUNDS=N (default 5)
#
# Prints reads of 4 KiB a second at random addresses, what they cost in processor time, how
# fast a plain loop of the same copies is in this run, and what a device at rest costs.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(realpath "${BUILD:-$TOP/build}")
ioasis=$BUILD/ioasis
bdf=0000:00:02.0
seconds=${SECONDS_EACH:-2} rounds=${ROUNDS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
perf=${LIBVFN:-}/examples/perf
[ -x "$perf" ] || { echo "bench-native: LIBVFN names no build folder of libvfn (tests/nvme/native.sh)"; exit 2; }

truncate -s 64M "$work/disk"
dd if=/dev/urandom of="$work/disk" bs=1M count=64 conv=notrunc status=none

# What ioasis costs before the first read: the least of three.
start=$(for _ in 1 2 3; do
	TIMEFORMAT='%U %S'
	{ time "$ioasis" exec --leak-check no --device "nvme,file=$work/disk,lba=4096" -- true; } 2>&1 |
		awk '{ print $1 + $2 }'
done | sort -n | head -1)

# once DEPTH: "IOPS LATENCY_US US_OF_IOASIS US_OF_DRIVER" of a run.
once() {
	TIMEFORMAT='%U %S'
	{ time "$ioasis" exec --leak-check no --device "nvme,file=$work/disk,lba=4096" -- \
		bash -c 'TIMEFORMAT="%U %S"; time "$@" 2>/dev/null >"$0"' "$work/out" \
		"$perf" -d $bdf -N 1 -p randread -q "$1" -t "$seconds"; } 2>"$work/times"
	awk -v seconds="$seconds" -v start="$start" '
		FNR == NR { if ($1 ~ /^[0-9.]+$/) { iops = $1; latency = $3 } next }
		FNR == 1 { driver = $1 + $2 }
		FNR == 2 { all = $1 + $2 }
		END { n = iops * seconds
			if (n) printf "%.0f %.1f %.2f %.2f\n", iops, latency, (all - driver - start) * 1e6 / n, driver * 1e6 / n }
	' "$work/out" "$work/times"
}

echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg); best of $rounds runs of $seconds s"
printf '%8s %10s %12s %22s %22s\n' depth reads/s "latency us" "us of ioasis a read" "us of driver a read"
for depth in 1 32 128; do
	for _ in $(seq "$rounds"); do
		once $depth
	done | sort -n | tail -1 | while read -r iops latency ours driver; do
		printf '%8s %10s %12s %22s %22s\n' $depth "$iops" "$latency" "$ours" "$driver"
	done
done

# A plain loop: 4 KiB out of a file into another process's memory, as each read does.
python3 - <<'END'
import os, signal, time, mmap
memory = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory[:] = b"x" * (1 << 20)
import ctypes
at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
child = os.fork()
if not child:
    signal.pause()
fd = os.open(f"/proc/{child}/mem", os.O_RDWR)
data, best = b"y" * 4096, 1e9
for _ in range(5):
    begun = time.process_time()
    for i in range(20000):
        os.pwrite(fd, data, at + (i * 4096 & 0xfffff))
    best = min(best, (time.process_time() - begun) / 20000)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print(f"a plain loop of pwrite() to /proc/PID/mem: {best * 1e6:.2f} us of a processor for 4 KiB")
END

# rest POLL: the processor's share that a bound device takes while nobody uses it.
rest() {
	cat >"$work/rest.py" <<'END'
import os, sys, time, fcntl, struct
def call(fd, number, layout, *values):
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
    fcntl.ioctl(fd, number, data)
iommu = os.open("/dev/iommu", os.O_RDWR)
device = os.open("/dev/vfio/devices/vfio0", os.O_RDWR)
call(device, 0x3B76, "=IIiIQ", 0, iommu, 0, 0)
def spent():
    """Seconds of a processor that the threads of ioasis above us have taken."""
    total = 0
    parent = os.getppid()
    for task in os.listdir(f"/proc/{parent}/task"):
        total += int(open(f"/proc/{parent}/task/{task}/schedstat").read().split()[0])
    return total / 1e9
time.sleep(1)
before, begun = spent(), time.monotonic()
time.sleep(5)
share = (spent() - before) / (time.monotonic() - begun)
print(f"{share * 100:.2f} %")
END
	"$ioasis" exec --leak-check no --device "nvme,file=$work/disk,poll=$1" -- python3 "$work/rest.py"
}
for poll in 5us-2ms 5us-10ms 50us-200us; do
	echo "at rest, poll=$poll: $(rest $poll) of one processor"
done
