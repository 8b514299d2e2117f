"""What a driver in Python does with the simulated device: import it, under `ioasis exec --device`."""
import ctypes
import fcntl
import mmap
import os
import struct

CONFIG = 7 << 40
SET_IRQS, BIND, ATTACH = 0x3B6E, 0x3B76, 0x3B77
IOAS_ALLOC, IOAS_MAP, IOAS_UNMAP = 0x3B81, 0x3B85, 0x3B86

iommu = os.open("/dev/iommu", os.O_RDWR)
device = os.open("/dev/vfio/devices/vfio0", os.O_RDWR)


def call(fd, number, layout, *values):
    """The ioctl of that number, whose structure begins with its size; returns its members."""
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
    fcntl.ioctl(fd, number, data)
    return struct.unpack(layout, data)


def map_page(ioas, memory, iova):
    """Readable, writable, at a fixed address."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    call(iommu, IOAS_MAP, "=IIIIQQQ", 7, ioas, 0, address, 4096, iova)


def bind():
    """Returns an address space; attach() attaches the device to it."""
    call(device, BIND, "=IIiIQ", 0, iommu, 0, 0)
    return call(iommu, IOAS_ALLOC, "=III", 0, 0)[2]


def attach(ioas):
    call(device, ATTACH, "=III", 0, ioas)


def pages():
    """A page of the process's own, and two of a file."""
    file = os.memfd_create("memory")
    os.ftruncate(file, 8192)
    own = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return own, mmap.mmap(file, 4096), mmap.mmap(file, 4096, offset=4096)
