#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
docs_run.py [--list] [DOCUMENT...]

Runs the commands of documents, of all if none is named, and compares their
output. KTAP on stdout. It wants to be root in a virtual machine, as the suite
"docs" of ./run test is. With --list it tells what it would not run, and why.
"""

import os
import sys

import docs_blocks
import docs_check
import docs_session

Failed = docs_session.Failed


class Tap:
    """Results, one for each command"""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def skip(self, name, reason):
        """A test that nobody runs, and why"""
        self.count += 1
        print(f"ok {self.count} {self._name(name)} # SKIP {reason}", flush=True)

    @staticmethod
    def _name(name):
        # KTAP has its own use of #
        return name.replace("#", "").replace("\n", " ")[:100]

    def result(self, name, error=None):
        """A test is over"""
        self.count += 1
        name = self._name(name)
        lines = (error or "").splitlines()
        if len(lines) > 40:
            lines[20:-20] = ["[...]"]
        for line in lines:
            print("# " + line)
        print(f"{'not ' if error else ''}ok {self.count} {name}", flush=True)
        self.failed += bool(error)


def check_output(command, status, got, block, last):
    """What a command has printed, and its status"""
    want = int(block.options.get("fails", 0)) if last else 0
    said = "".join("\n| " + line for line in got)
    if status != want:
        raise Failed(f"status {status}, not {want}" + said)
    if command.output is not None and not docs_session.matches(
            command.output, got, "numbers" in block.options):
        raise Failed("the document says\n| " + "\n| ".join(command.output) +
                     "\nand it was" + (said or " nothing"))


def stopped(session, command, block):
    """A command that goes on until somebody stops it"""
    numbers = "numbers" in block.options

    def done(got):
        if any(session.run(then)[0] for then in block.then):
            return False
        return command.output is None or \
            docs_session.matches(command.output, got, numbers)

    status, got = session.run_until(command.text, done)
    if status:
        raise Failed(f"it ended by itself, status {status}" +
                     "".join("\n| " + line for line in got))


def run_command(session, block, command, last):
    """One command, and what must be so after the last one"""
    if last and "stops" in block.options:
        stopped(session, command, block)
        return
    limit = block.options.get("timeout", 0) * docs_session.SLOW
    status, got = session.run(command.text, limit or docs_session.LIMIT)
    check_output(command, status, got, block, last)
    if last:
        for then in block.then:
            session.until(then)


def c_program(block):
    """A fragment of C as a program"""
    headers = "libpsp.h psp_rekey.h err.h errno.h stdio.h stdlib.h string.h " \
              "net/if.h poll.h unistd.h sys/socket.h"
    lines = [f"#include <{name}>" for name in headers.split()]
    text = block.text
    if "main(" not in text:
        text = "int main(void)\n{\n" + text + "\nreturn 0;\n}\n"
    return "\n".join(lines) + f'\n#line {block.line} "{block.path}"\n' + text


def run_c(session, block):
    """A fragment of C has to be understood, and to work"""
    with open(session.dir + "/fragment.c", "w", encoding="utf-8") as file:
        file.write(c_program(block))
    for command in ("cc -Wall -Werror -o fragment fragment.c "
                    "$(pkg-config --cflags --libs libpsp)", "./fragment"):
        status, got = session.run(command)
        if status:
            raise Failed(f"{command}: status {status}\n" + "\n".join(got))
    for then in block.then:
        session.until(then)


def run_block(tap, session, block):
    """All commands of a block; if one fails, the others do as well"""
    for setup in block.setup:
        try:
            session.must(setup)
        except Failed as err:
            tap.result(f"{block.where()} setup", str(err))
            return
    if block.kind == "c":
        try:
            run_c(session, block)
            tap.result(f"{block.where()} {block.lines[0]}")
        except Failed as err:
            tap.result(f"{block.where()} {block.lines[0]}", str(err))
    elif block.kind == "file":
        with open(f"{session.dir}/{block.arg}", "w", encoding="utf-8") as file:
            file.write(block.text)
    elif block.kind == "host":
        where, _, reason = block.arg.partition(" ")
        for command in block.commands() if where == "-" else ():
            tap.skip(f"{block.where(command.line)} {command.text}", reason)
    elif block.kind == "run":
        commands = block.commands()
        for command in commands:
            name = f"{block.where(command.line)} {command.text}"
            try:
                run_command(session, block, command, command is commands[-1])
                tap.result(name)
            except Failed as err:
                tap.result(name, str(err))


def close(tap, session, path):
    """The end of a session, which has to work as well"""
    try:
        session.close()
    except Failed as err:
        tap.result(f"{path} end of session", str(err))


def run_document(tap, path):
    """All blocks, each session in turn"""
    session = None
    try:
        for block in docs_blocks.read(path):
            if block.session or (not session and
                                 block.kind in ("run", "file", "c")):
                if session:
                    close(tap, session, path)
                    session = None
                session = docs_session.Session(block.session or "nothing")
            if block.kind in ("run", "file", "c", "host"):
                run_block(tap, session, block)
    except (Failed, docs_blocks.Wrong) as err:
        tap.result(f"{path} session", str(err))
    if session:
        close(tap, session, path)


def list_hosts(paths):
    """What cannot run in a virtual machine"""
    for path in paths:
        for block in docs_blocks.read(path):
            if block.kind == "host":
                for command in block.commands():
                    print(f"{block.where(command.line)}: {command.text}: "
                          f"{block.arg}")


def main(args):
    """All documents, or some"""
    paths = [arg for arg in args if arg != "--list"]
    paths = paths or docs_blocks.documents()
    if "--list" in args:
        list_hosts(paths)
        return 0
    print("TAP version 13")
    tap = Tap()
    wrong = docs_check.check(paths)
    tap.result("every block is run or excused", "\n".join(wrong))
    for path in paths:
        run_document(tap, path)
    print(f"1..{tap.count}")
    return tap.failed > 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
