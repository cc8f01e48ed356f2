#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""memory.py PID TEXT HEX...

Looks for bytes in the memory of a process, in either order: BIGNUMs begin with
the last ones. TEXT is something that must be there. Status 1 if one is found.
"""
import sys


def areas(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(word, 16) for word in span.split("-"))
            # What cannot be written has no keys; ASan's shadow is too large
            if not mode.startswith("rw") or end - start > 1 << 30:
                continue
            mem.seek(start)
            try:
                yield mem.read(end - start)
            except OSError:
                continue


def main():
    pid, text = sys.argv[1], sys.argv[2].encode()
    keys = [bytes.fromhex(word) for word in sys.argv[3:]]
    there = False
    for area in areas(pid):
        there |= text in area
        for key in keys:
            for what in (key, key[::-1]):
                if what in area:
                    sys.exit(f"it is in the memory of {pid}")
    if not there:
        sys.exit("not even what should be there has been found")


main()
