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


def main():
    trace, copy, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    chance = random.Random(seed)
    shutil.copytree(trace, copy)
    dropped = 0
    for folder, folders, files in os.walk(copy):
        if os.path.basename(folder) == "index":
            shutil.rmtree(folder)
            continue
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            if name == "metadata" or len(data) < 4 or data[:4] != struct.pack("<I", MAGIC):
                continue
            all_packets = list(packets(data))
            kept = [packet for packet in all_packets if chance.random() > 0.35]
            dropped += len(all_packets) - len(kept)
            with open(path, "wb") as file:
                file.write(b"".join(kept))
    print(dropped)


main()
