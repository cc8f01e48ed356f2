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
import docs_run
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
            ("in a note", ".. note:: Text::\n\n     a\n"),
            ("nobody runs", ".. docs-test: host scripts/deb.sh it is so\n\n"
             "::\n\n  dpkg-buildpackage --nonsense\n"),
            ("packages", ".. docs-test: host debian/control it is so\n\n"
             "::\n\n  apt-get install libmnl-dev\n"),
            ("packages, more", ".. docs-test: host debian/control it is so\n"
             "\n::\n\n  apt-get install libmnl-dev libncurses-dev libssl-dev"
             " pkg-config nonsense\n"),
            ("stops", ".. docs-test: run stops\n\n::\n\n  cat\n"),
            ("no such file", ".. docs-test: quote a.c\n\n::\n\n  a\n"),
            ("misquoted", ".. docs-test: quote run\n\n::\n\n  usage() (\n"),
            ("disordered", ".. docs-test: quote COPYING\n\n::\n\n"
             "  with\n  Linux\n")):
        if not checked(".rst", text):
            BAD.append(f"{name}: nothing is said")
    for name, text in (
            ("picture", ".. docs-test: picture\n\n::\n\n  -->(\n"),
            ("runs", ".. docs-test: host scripts/deb.sh it is so\n\n"
             "::\n\n  dpkg-buildpackage  -us -uc   # so\n"),
            ("packages", ".. docs-test: host debian/control it is so\n\n"
             "::\n\n  apt-get install libmnl-dev libncurses-dev\n"
             "  apt-get install libssl-dev pkg-config build-essential\n"),
            ("stops, output",
             ".. docs-test: run stops\n\n::\n\n  # a\n  b\n"),
            ("stops, then", ".. docs-test: run stops\n.. docs-test: then a\n"
             "\n::\n\n  b\n"),
            ("note", ".. note::\n\n     Text\n"),
            ("quote", ".. docs-test: quote run\n\n::\n\n  usage() {\n")):
        equal(name, [], checked(".rst", text))
    for ending, text in ((".md", "- a\n\n  ```\n  a\n  ```\n"),
                         (".md", "- ```\n  a\n  ```\n"),
                         (".md", "Text\n\n\ta\n"), (".8", ".D1 a\n")):
        if not checked(ending, text):
            BAD.append(f"{text!r}: nothing is said")


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


class Heard(docs_run.Tap):
    """Results that are not printed"""

    def __init__(self):
        super().__init__()
        self.said = []

    def result(self, name, error=None):
        self.said.append(not error)
        if "within" in (error or ""):
            self.said.append("it was waited for")

    def skip(self, name, reason):
        self.said.append(reason)


def results(text):
    """What becomes of the commands of a document, here and now"""
    tap = Heard()
    session = docs_session.Session(None)
    for block in parsed(".rst", text):
        docs_run.run_block(tap, session, block)
    docs_run.close(tap, session, "document")
    return tap.said


def test_runner():
    """What the runner must see"""
    stops = ".. docs-test: run stops\n"
    saw = ".. docs-test: then grep -q a $DOCS_OUT\n"
    for name, want, text in (
            ("works", [True], "::\n\n  true\n"),
            ("fails", [False, True], "::\n\n  false\n  true\n"),
            ("pipeline", [False], "::\n\n  false | cat\n"),
            ("output", [False], "::\n\n  # echo a\n  b\n"),
            ("shell is gone", [False, False], "::\n\n  exit 0\n  true\n"),
            ("setup", [False],
             ".. docs-test: setup false\n\n::\n\n  true\n"),
            ("excused", ["it is so", "it is so"],
             ".. docs-test: host - it is so\n\n::\n\n  false\n  false\n"),
            ("stops", [True], stops + saw +
             "\n::\n\n  echo a; sleep 99\n"),
            ("stops, pipeline", [True], stops + saw +
             "\n::\n\n  { echo a; sleep 99; } | cat\n"),
            ("stops, output", [True], stops +
             "\n::\n\n  # echo a; sleep 99\n  a\n"),
            ("stops, ended well", [True], stops + saw + "\n::\n\n  echo a\n"),
            ("stops, ended", [False], stops + saw +
             "\n::\n\n  echo a >&2; false\n"),
            ("stops, pipeline ended", [False], stops + saw +
             "\n::\n\n  { echo a; false; } | cat\n"),
            ("stops, badly", [False], stops + saw + "\n::\n\n"
             "  bash -c \"trap 'exit 3' TERM; echo a; sleep 99 & wait\"\n"),
            ("stops, says no", [False], stops + ".. docs-test: then false\n"
             "\n::\n\n  echo a; sleep 99\n")):
        equal(name, want, results(text))


def test_end():
    """Whatever a session has come to, its end is not left out"""
    for name, commands_of in (("open", ()), ("gone", ("exit 0",))):
        with tempfile.TemporaryDirectory() as docs_session.HERE:
            mark = docs_session.HERE + "/ended"
            with open(docs_session.HERE + "/docs_fixtures.sh", "w",
                      encoding="utf-8") as file:
                file.write("docs_with() { :; }\n"
                           f"docs_end() {{ : > {mark}; }}\n")
            session = docs_session.Session("nothing")
            for text in commands_of:
                try:
                    session.run(text)
                    BAD.append(f"{name}: it was not noticed")
                except docs_session.Failed:
                    pass
            session.close()
            equal(name, True, os.path.exists(mark))


docs_session.Session.APART = []
docs_session.LIMIT = 5
for test in (test_places, test_commands, test_wrong, test_output, test_runner,
             test_end):
    test()
print("".join(line + "\n" for line in BAD), end="")
sys.exit(bool(BAD))
