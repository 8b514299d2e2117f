"""A driver of tests/integration/vfio_user_server_main.c's device: memory that the server maps.

Run under `ioasis exec --device vfio-user,...`. Prints what it saw; vfio_user.sh compares."""
import ctypes
import errno
import fcntl
import mmap
import os
import struct

CONFIG = 7 << 40
BIND, ATTACH, IOAS_ALLOC, IOAS_MAP, IOAS_UNMAP = 0x3B76, 0x3B77, 0x3B81, 0x3B85, 0x3B86
ADDRESS, COPY, STATUS = 0x08, 0x10, 0x20

iommu = os.open("/dev/iommu", os.O_RDWR)
device = os.open("/dev/vfio/devices/vfio0", os.O_RDWR)


def call(fd, number, layout, *values):
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
    fcntl.ioctl(fd, number, data)
    return struct.unpack(layout, data)


def register(offset, value=None):
    if value is None:
        return struct.unpack("=Q", os.pread(device, 8, offset))[0]
    return os.pwrite(device, struct.pack("=Q", value), offset)


def map_at(ioas, memory, iova):
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    call(iommu, IOAS_MAP, "=IIIIQQQ", 7, ioas, 0, address, 4096, iova)


def invert(memory, iova):
    """The device inverts 64 bytes to the 64 behind them; what came of it."""
    memory[0:128] = b"\x0f" * 64 + bytes(64)
    register(ADDRESS, iova)
    register(COPY, 1)
    status = register(STATUS)
    return errno.errorcode[status] if status else memory[64:128] == b"\xf0" * 64


call(device, BIND, "=IIiIQ", 0, iommu, 0, 0)
ioas = call(iommu, IOAS_ALLOC, "=III", 0, 0)[2]
file = os.memfd_create("memory")
os.ftruncate(file, 8192)
first, second = mmap.mmap(file, 4096), mmap.mmap(file, 4096, offset=4096)
own = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
map_at(ioas, first, 0x1000)
call(device, ATTACH, "=III", 0, ioas)
map_at(ioas, second, 0x8000)
map_at(ioas, own, 0x20000)
# No bus master: what goes by messages does not come through.
print("mapped before the attach:", invert(first, 0x1000))
print("mapped after it:", invert(second, 0x8000))
print("no file, no bus master:", invert(own, 0x20000))
os.pwrite(device, b"\x06\x00", CONFIG + 4)
print("no file:", invert(own, 0x20000))
call(iommu, IOAS_UNMAP, "=IIQQ", ioas, 0x8000, 4096)
print("unmapped:", invert(second, 0x8000), second[64:128] == bytes(64))
print("the other:", invert(first, 0x1000))
