#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Do docs_blocks.py, docs_check.py and docs_session.py see what they must? Feeds
them planted documents; part of ./run check, needs no virtual machine.
"""

import os
import sys
import tempfile

import docs_blocks
import docs_check
import docs_session

BAD = []


def equal(name, want, got):
    """They must be the same"""
    if want != got:
        BAD.append(f"{name}: {got!r}, not {want!r}")


def parsed(ending, text):
    """The blocks of a document with this text"""
    with tempfile.NamedTemporaryFile("w", suffix=ending) as file:
        file.write(text)
        file.flush()
        return docs_blocks.read(os.path.relpath(file.name, docs_blocks.TREE))


def checked(ending, text):
    """What is wrong with it"""
    with tempfile.NamedTemporaryFile("w", suffix=ending) as file:
        file.write(text)
        file.flush()
        path = os.path.relpath(file.name, docs_blocks.TREE)
        return docs_check.check([path])


def commands(ending, text):
    """The commands of all blocks: line, text, output"""
    return [(cmd.line, cmd.text, cmd.output) for block in parsed(ending, text)
            for cmd in block.commands()]


def test_places():
    """Blocks are found wherever they may be"""
    for name, ending, text in (
            ("rst", ".rst", "Text::\n\n  one\n  two\n\nText\n"),
            ("rst, in a list", ".rst", "- Text::\n\n    one\n    two\n"),
            ("rst, alone", ".rst", "::\n\n\tone\n\ttwo\n"),
            ("rst, code", ".rst",
             ".. code-block:: sh\n   :name: x\n\n   one\n   two\n"),
            ("md", ".md", "Text\n\n    one\n    two\n\nText\n"),
            ("md, fence", ".md", "Text\n```sh\none\ntwo\n```\n"),
            ("man", ".8", ".Bd -literal -offset indent\none\ntwo\n.Ed\n"),
            ("man, unfilled", ".8", ".Bd -unfilled\none\ntwo\n.Ed\n"),
            ("man, EX", ".8", ".EX\none\ntwo\n.EE\n"),
            ("man, Dl", ".8", ".Dl one\n.Dl two\n")):
        equal(name, ["one", "two"],
              [cmd[1] for cmd in commands(ending, text)])


def test_commands():
    """What is a command, and what its output"""
    for name, want, text in (
            ("prompts", [(3, "a", ["b"]), (5, "c", None)],
             "::\n\n  # a\n  b\n  $ c\n"),
            ("comments", [(4, "a  # c", None)], "::\n\n  #x\n  a  # c\n"),
            ("backslash", [(3, "a \\\n  b", None), (5, "c", None)],
             "::\n\n  a \\\n    b\n  c\n"),
            ("loop", [(3, "for i in 1; do\n  a\ndone", None)],
             "::\n\n  for i in 1; do\n    a\n  done\n"),
            ("quotes", [(3, "a 'b\n  c'", None)], "::\n\n  a 'b\n    c'\n"),
            ("here", [(3, "a <<E\nb\nE", None)], "::\n\n  a <<E\n  b\n  E\n"),
            ("here, prompt", [(3, "a <<E\nb\nE", ["c"])],
             "::\n\n  # a <<E\n  > b\n  > E\n  c\n")):
        equal(name, want, commands(".rst", text))


def test_wrong():
    """What the gate must not let pass"""
    for name, text in (
            ("unknown word", ".. docs-test: nonsense\n\n::\n\n  a\n"),
            ("unknown option", ".. docs-test: run nonsense\n\n::\n\n  a\n"),
            ("unknown fixture", ".. docs-test: with nonsense\n\n::\n\n  a\n"),
            ("no reason", ".. docs-test: host -\n\n::\n\n  a\n"),
            ("no place", ".. docs-test: host nowhere it is so\n\n::\n\n  a\n"),
            ("no block", "Text::\n\n  a\n\n.. docs-test: picture\n"),
            ("C", ".. code-block:: c\n\n  int a;\n"),
            ("no shell", "::\n\n  if (a) b;\n"),
            ("two kinds",
             ".. docs-test: picture\n.. docs-test: output\n\n::\n\n  a\n"),
            ("included", ".. literalinclude:: a.c\n"),
            ("no such file", ".. docs-test: quote a.c\n\n::\n\n  a\n"),
            ("misquoted", ".. docs-test: quote run\n\n::\n\n  usage() (\n"),
            ("disordered", ".. docs-test: quote COPYING\n\n::\n\n"
             "  with\n  Linux\n")):
        if not checked(".rst", text):
            BAD.append(f"{name}: nothing is said")
    for name, text in (
            ("picture", ".. docs-test: picture\n\n::\n\n  -->(\n"),
            ("quote", ".. docs-test: quote run\n\n::\n\n  usage() {\n")):
        equal(name, [], checked(".rst", text))


def test_output():
    """What is the output that was expected"""
    for want, got, numbers, same in (
            ("a b", "a b", False, True), ("a b", "a c", False, False),
            ("a ... c", "a b c", False, True), ("a", "a\nb", False, False),
            ("a\n...", "a\nb", False, True), ("...\nb", "b", False, True),
            ("...\nb", "a\nc", False, False), ("a.c", "abc", False, False),
            ("a 1", "a 22", True, True), ("a 1", "a b", True, False),
            ("a 1", "a 22", False, False), ("a  1 b", "a\t1   b", False, True),
            ("a b", "ab", False, False),
            ("spi 0x80000001", "spi 0x0bcdef01", True, True),
            ("enabled none", "enabled all", True, False),
            ("gcm-128", "gmac-128", True, False), ("a", "", False, False)):
        equal(f"{want!r} for {got!r}", same, docs_session.matches(
            want.split("\n"), got.split("\n") if got else [], numbers))


for test in (test_places, test_commands, test_wrong, test_output):
    test()
print("".join(line + "\n" for line in BAD), end="")
sys.exit(bool(BAD))
