#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
spec-diff.py OURS MAINLINE - does a netlink specification hold another one?

All that goes over the wire has to be the same in both: numbers, names, order,
types, what requests and replies hold, who is told. What OURS has besides must
have numbers, attribute sets and groups of its own. Prints what is different,
and fails if there is anything.
"""

import sys

import yaml

OWN_COMMANDS = 64       # where those begin that mainline has not

# Words for people, and for mainline's code generator
UNSEEN = ("doc", "pre", "post")


def strip(node):
    """A part of a specification, less what does not go over the wire"""
    if isinstance(node, dict):
        return {key: strip(val) for key, val in node.items()
                if key not in UNSEEN}
    if isinstance(node, list):
        return [strip(val) for val in node]
    return node


def named(entries):
    """Entries of an enum, which may be bare names"""
    return [entry if isinstance(entry, dict) else {"name": entry}
            for entry in entries]


def numbered(ops):
    """Operations as name and all the rest, with the number of each"""
    value = 0
    for op in ops:
        value = op.get("value", value + 1)
        yield op["name"], {**op, "value": value}


def by_name(entries):
    """In a form that tells what is meant, in messages"""
    return {entry["name"]: entry for entry in entries}


def compare(what, ours, mainline):
    """Each part of mainline's is in ours; what is not, printed"""
    bad = 0
    for name, want in mainline.items():
        if ours.get(name) != want:
            print(f"{what} {name}:", f"mainline has {want}",
                  f"and we {ours.get(name)}", sep="\n  ")
            bad += 1
    if list(ours)[:len(mainline)] != list(mainline):
        print(f"{what}s: another order")
        bad += 1
    return bad


def own_parts(ours, mainline):
    """What we have added keeps off what is mainline's"""
    bad = 0
    own = {name: op for name, op in ours.items() if name not in mainline}
    sets = {op["attribute-set"] for op in mainline.values()
            if "attribute-set" in op}
    groups = {op["mcgrp"] for op in mainline.values() if "mcgrp" in op}
    for name, op in own.items():
        if op["value"] < OWN_COMMANDS or op.get("attribute-set") in sets or \
           op.get("mcgrp") in groups:
            print(f"operation {name} takes what is mainline's: {op}")
            bad += 1
    return bad


def load(path):
    """The comparable parts of a specification"""
    with open(path, encoding="utf-8") as file:
        spec = strip(yaml.safe_load(file))
    for enum in spec["definitions"]:
        enum["entries"] = named(enum["entries"])
    return {
        "definition": by_name(spec["definitions"]),
        "attribute set": by_name(spec["attribute-sets"]),
        "operation": dict(numbered(spec["operations"]["list"])),
        "group": by_name(spec["mcast-groups"]["list"]),
    }


def main(ours, mainline):
    """See above"""
    ours, mainline = load(ours), load(mainline)
    bad = sum(compare(part, ours[part], mainline[part]) for part in mainline)
    bad += own_parts(ours["operation"], mainline["operation"])
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: spec-diff.py OURS MAINLINE")
    sys.exit(main(*sys.argv[1:]))
