"""A driver of tests/integration/vfio_user_server_main.c's device: memory that the server maps.

Run under `ioasis exec --device vfio-user,...`. Prints what it saw; vfio_user.sh compares."""
import errno
import os
import struct

from vfio_driver import CONFIG, IOAS_UNMAP, attach, bind, call, device, iommu, map_page, pages

ADDRESS, COPY, STATUS = 0x08, 0x10, 0x20


def register(offset, value=None):
    if value is None:
        return struct.unpack("=Q", os.pread(device, 8, offset))[0]
    return os.pwrite(device, struct.pack("=Q", value), offset)


def invert(memory, iova):
    """The device inverts 64 bytes to the 64 behind them; what came of it."""
    memory[0:128] = b"\x0f" * 64 + bytes(64)
    register(ADDRESS, iova)
    register(COPY, 1)
    status = register(STATUS)
    return errno.errorcode[status] if status else memory[64:128] == b"\xf0" * 64


ioas = bind()
own, first, second = pages()
map_page(ioas, first, 0x1000)
attach(ioas)
map_page(ioas, second, 0x8000)
map_page(ioas, own, 0x20000)
# No bus master: what goes by messages does not come through.
print("mapped before the attach:", invert(first, 0x1000))
print("mapped after it:", invert(second, 0x8000))
print("no file, no bus master:", invert(own, 0x20000))
os.pwrite(device, b"\x06\x00", CONFIG + 4)
print("no file:", invert(own, 0x20000))
call(iommu, IOAS_UNMAP, "=IIQQ", ioas, 0x8000, 4096)
print("unmapped:", invert(second, 0x8000), second[64:128] == bytes(64))
print("the other:", invert(first, 0x1000))
