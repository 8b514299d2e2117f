#!/usr/bin/env python3
"""A program without the backend library that makes mistakes at random, and counts them.

    raw_mistakes.py DEVICE SEED

Prints a line `RULE COUNT` for each rule that it broke, which `ioasis check` must find
in its trace. It keeps a model of what lives, and the device has to answer as that says.
"""
import collections
import ctypes
import errno
import fcntl
import mmap
import os
import random
import struct
import sys

PAGE = 4096
MAP_FIXED_READ_WRITE = 7


class Client:
    def __init__(self, device, seed):
        self.fd = os.open(device, os.O_RDWR)
        self.memory = mmap.mmap(-1, 16 * PAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.random = random.Random(seed)
        self.spaces = {}  # id: {iova: length} of what is mapped
        self.given = set()  # ids that were ever given out
        self.mistakes = collections.Counter()

    def call(self, number, layout, *values):
        """The errno of an ioctl, and its structure afterwards."""
        arg = bytearray(struct.pack(layout, struct.calcsize(layout), *values))
        try:
            fcntl.ioctl(self.fd, number, arg)
            return 0, struct.unpack(layout, arg)
        except OSError as error:
            return error.errno, None

    def is_there(self, space, after_free):
        if space in self.spaces:
            return True
        self.mistakes[after_free if space in self.given else "unknown-id"] += 1
        return False

    def alloc(self):
        if len(self.spaces) < 5:
            error, answer = self.call(0x3B81, "=III", 0, 0)
            assert not error
            self.spaces[answer[2]] = {}
            self.given.add(answer[2])

    def destroy(self, space):
        error, _ = self.call(0x3B80, "=II", space)
        if self.is_there(space, "double-free"):
            assert not error
            del self.spaces[space]
        else:
            assert error == errno.ENOENT

    def map(self, space):
        iova, length = self.random.randrange(16) * PAGE, self.random.randint(1, 4) * PAGE
        error, _ = self.call(
            0x3B85, "=IIIIQQQ", MAP_FIXED_READ_WRITE, space, 0, self.address, length, iova
        )
        if not self.is_there(space, "use-after-free"):
            assert error == errno.ENOENT
        elif self.met(space, iova, length):
            self.mistakes["overlap"] += 1
            assert error == errno.EEXIST
        else:
            assert not error
            self.spaces[space][iova] = length

    def unmap(self, space):
        iova, length = self.random.randrange(16) * PAGE, self.random.randint(1, 8) * PAGE
        if self.spaces.get(space) and self.random.random() < 0.5:
            iova = self.random.choice(list(self.spaces[space]))
            length = self.spaces[space][iova]
        error, _ = self.call(0x3B86, "=IIQQ", space, iova, length)
        if not self.is_there(space, "use-after-free"):
            assert error == errno.ENOENT
            return
        met = self.met(space, iova, length)
        cut = False
        for start, size in met:
            cut = start < iova or start + size > iova + length
            if cut:  # those before it are gone
                self.mistakes["partial-unmap"] += 1
                break
            del self.spaces[space][start]
        assert error == (errno.ENOENT if cut or not met else 0)

    def met(self, space, iova, length):
        return sorted(
            (start, size)
            for start, size in self.spaces[space].items()
            if start < iova + length and iova < start + size
        )

    def step(self):
        kind = self.random.choice("aammmmmmuuuuuud")
        space = self.random.randint(1, 7)
        if kind == "a":
            self.alloc()
        elif kind == "d":
            self.destroy(space)
        elif kind == "m":
            self.map(space)
        else:
            self.unmap(space)


client = Client(sys.argv[1], int(sys.argv[2]))
for _ in range(600):
    client.step()
for space in list(client.spaces):
    client.destroy(space)
os.close(client.fd)
for rule in sorted(client.mistakes):
    print(rule, client.mistakes[rule])
