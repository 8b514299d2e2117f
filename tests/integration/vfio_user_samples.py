"""Drives libvfio-user's samples behind `--device vfio-user`: gpio or server.

Run under `ioasis exec`. Prints what it saw; tests/integration/vfio_user.sh compares."""
import os
import select
import struct
import sys
import time

from vfio_driver import (CONFIG, IOAS_UNMAP, SET_IRQS, attach, bind, call,
                         device, iommu, map_page, pages)

BAR = [n << 40 for n in range(6)]


def start():
    """Memory of the process's own at 0, memory of a file at 4096."""
    ioas = bind()
    own, _, shared = pages()
    map_page(ioas, own, 0)
    attach(ioas)
    map_page(ioas, shared, 4096)
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
