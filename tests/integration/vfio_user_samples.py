"""Drives libvfio-user's samples behind `--device vfio-user`: gpio or server.

Run under `ioasis exec`. Prints what it saw; tests/integration/vfio_user.sh compares."""
import ctypes
import fcntl
import mmap
import os
import select
import struct
import sys
import time

BAR = [n << 40 for n in range(6)]
CONFIG = 7 << 40
GET_INFO, GET_REGION_INFO, SET_IRQS, BIND, ATTACH = 0x3B6B, 0x3B6C, 0x3B6E, 0x3B76, 0x3B77
IOAS_ALLOC, IOAS_MAP, IOAS_UNMAP = 0x3B81, 0x3B85, 0x3B86

iommu = os.open("/dev/iommu", os.O_RDWR)
device = os.open("/dev/vfio/devices/vfio0", os.O_RDWR)


def call(fd, number, layout, *values):
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
    fcntl.ioctl(fd, number, data)
    return struct.unpack(layout, data)


def map_memory(ioas, memory, iova):
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    # Readable, writable, at a fixed address.
    call(iommu, IOAS_MAP, "=IIIIQQQ", 7, ioas, 0, address, 4096, iova)


def start():
    """Memory of the process's own at 0, memory of a file at 4096."""
    call(device, BIND, "=IIiIQ", 0, iommu, 0, 0)
    ioas = call(iommu, IOAS_ALLOC, "=III", 0, 0)[2]
    own = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    file = os.memfd_create("memory")
    os.ftruncate(file, 8192)
    shared = mmap.mmap(file, 4096, offset=4096)
    map_memory(ioas, own, 0)
    call(device, ATTACH, "=III", 0, ioas)
    map_memory(ioas, shared, 4096)
    os.pwrite(device, b"\x06\x00", CONFIG + 4)
    return ioas, own, shared


def gpio():
    start()
    print("ids", os.pread(device, 4, CONFIG).hex())
    print("inputs", os.pread(device, 1, BAR[2] + 1).hex())
    os.pwrite(device, b"\x05", BAR[2])
    print("inputs", os.pread(device, 1, BAR[2] + 1).hex())


def await_bytes(memory):
    end = time.time() + 20
    while memory[3072:4096] != b"D" * 1024 and time.time() < end:
        select.select([], [], [], 0.01)
    return memory[0:2048:1024].decode() + memory[2048:4096:1024].decode()


def server():
    ioas, own, shared = start()
    now = struct.unpack("=q", os.pread(device, 8, BAR[0]))[0]
    print("clock", "ok" if abs(now - time.time()) < 60 else now)
    event = os.eventfd(0)
    call(device, SET_IRQS, "=IIIIIi", 0x24, 0, 0, 1, event)
    os.pwrite(device, struct.pack("=q", int(time.time()) + 1), BAR[0])
    print("interrupt", "ok" if select.select([event], [], [], 20)[0] else "none")
    # It writes to the second piece where it has mapped it, to the first by messages.
    print("mapped", await_bytes(shared))
    print("by message", await_bytes(own))
    call(iommu, IOAS_UNMAP, "=IIQQ", ioas, 4096, 4096)
    call(iommu, IOAS_UNMAP, "=IIQQ", ioas, 0, 4096)
    now = struct.unpack("=q", os.pread(device, 8, BAR[0]))[0]
    print("afterwards", "here" if now != -1 else "gone")


{"gpio": gpio, "server": server}[sys.argv[1]]()
