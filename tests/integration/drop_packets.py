#!/usr/bin/env python3
"""Copies a trace and drops packets of its stream files at random.

    drop_packets.py TRACE COPY SEED

A packet of LTTng-UST begins with its magic number; its whole length in bits is the
eighth 64-bit word from byte 32 on. The index files go: they tell of packets that are gone.
"""
import os
import random
import shutil
import struct
import sys

HEAD = struct.Struct("<I16sIQQQQQ")  # magic, uuid, stream, instance, begin, end, content, packet
MAGIC = 0xC1FC1FC1


def packets(data):
    at = 0
    while at + HEAD.size <= len(data):
        head = HEAD.unpack_from(data, at)
        assert head[0] == MAGIC, "not a packet"
        size = head[7] // 8
        yield data[at : at + size]
        at += size


def streams(copy):
    """The stream files below copy; the index folders go."""
    for folder, folders, files in os.walk(copy):
        if os.path.basename(folder) == "index":
            shutil.rmtree(folder)
            continue
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            if name != "metadata" and data[:4] == struct.pack("<I", MAGIC):
                yield path, list(packets(data))


def main():
    trace, copy, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    shutil.copytree(trace, copy)
    found = list(streams(copy))
    places = [(path, at) for path, kept in found for at in range(len(kept))]
    chance = random.Random(seed)
    dropped = set(chance.sample(places, chance.randint(1, max(1, len(places) // 2))))
    for path, kept in found:
        with open(path, "wb") as file:
            for at, packet in enumerate(kept):
                if (path, at) not in dropped:
                    file.write(packet)
    print(len(dropped))


main()
