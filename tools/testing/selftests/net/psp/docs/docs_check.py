#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
docs_check.py [--hosts] [DOCUMENT...]

What can be said of documents without running them: each literal block is run,
is excused, or is what stands in a file of the tree. Prints what is wrong. With
--hosts it prints the commands that no virtual machine runs: where they are, who
does run them, and the command, with tabs between.
"""

import os
import re
import subprocess
import sys

import docs_blocks
from docs_blocks import TREE, Wrong

HERE = os.path.abspath(os.path.dirname(__file__))


def fixtures():
    """The fixtures that there are"""
    with open(HERE + "/docs_fixtures.sh", encoding="utf-8") as file:
        return re.findall(r"^with_(\w+)\(\)", file.read(), re.M)


def quoted(block):
    """Stands the block in the file? White space does not count"""
    path = f"{TREE}/{block.arg}"
    if not os.path.exists(path):
        return f"{block.arg}: there is no such file"
    with open(path, encoding="utf-8") as file:
        have = [" ".join(line.split()) for line in file]
    want = [" ".join(line.split()) for line in block.lines]
    for at in range(len(have)):
        if have[at:at + len(want)] == want:
            return None
    known = set(have)
    new = [line for line in want if line not in known]
    return f"this does not stand in {block.arg}" + \
        (f": {new[0]}" if new else " in this order")


def is_shell(text):
    """Does the shell understand it?"""
    done = subprocess.run(["bash", "-n"], input=text, text=True, check=False,
                          stderr=subprocess.PIPE)
    return not done.returncode and not done.stderr


def commands_wrong(block):
    """What is wrong with commands"""
    if block.lang not in docs_blocks.SHELL:
        yield f"a block of {block.lang} does not run by itself: quote a file"
        return
    for command in block.commands():
        if not is_shell(command.text):
            yield f"this is no command: {command.text}"


def plain(text):
    """A command without comments, and with one blank where there is any"""
    return " ".join(re.sub(r"\s#.*|\\\n", " ", text).split())


def tokens(path):
    """The commands that a file says it runs, "# docs: COMMAND" each"""
    with open(f"{TREE}/{path}", encoding="utf-8") as file:
        return [plain(text) for text in
                re.findall(r"^\s*# docs: (.*)", file.read(), re.M)]


def needed():
    """What packages it takes to build tools and packages, and to test these"""
    with open(f"{TREE}/debian/control", encoding="utf-8") as file:
        field = re.search(r"^Build-Depends:((?:.*,\n)*.*)", file.read(), re.M)
    fields = [name.strip() for name in field[1].split(",")]
    tests = {name.split()[0] for name in fields if "<!nocheck>" in name}
    names = {re.sub(r"\s*\(.*", "", name) for name in fields
             if "<!nocheck>" not in name}
    both = {name for name in names if not re.match("debhelper-|dh-", name)}
    # A virtual package each
    return both, {re.sub("-compat$", "", name).replace("-sequence", "")
                  for name in names - both} | tests


def packages_wrong(block):
    """Does it install what Build-Depends says?"""
    have = set()
    for command in block.commands():
        words = re.sub(r"\$\(.*?\)", "", plain(command.text)).split()
        if words[:2] != ["apt-get", "install"]:
            yield f"it installs nothing: {command.text}"
        have |= set(words[2:])
    tools, packaging = needed()
    want = tools | (packaging if have & packaging else set())
    for name in sorted(want - have):
        yield f"Build-Depends of debian/control has {name}"
    for name in sorted(have - want):
        if name != "build-essential" and \
                not name.startswith("linux-headers-"):
            yield f"Build-Depends of debian/control does not have {name}"


def host_wrong(block):
    """Is there what runs these commands?"""
    where, _, reason = block.arg.partition(" ")
    if not reason and where != "docs_make":
        yield "it has to say why it cannot run in the virtual machine"
    if where in ("-", "docs_make", ".ci/run"):
        return
    if where == "debian/control":
        yield from packages_wrong(block)
    elif not os.path.exists(f"{TREE}/{where}"):
        yield f"{where}: no such place to run it"
    else:
        known = tokens(where)
        for command in block.commands():
            if plain(command.text) not in known:
                yield f"{where} does not say that it runs this: {command.text}"


def stops_wrong(block):
    """Can it be told whether a command that is stopped has worked?"""
    if "stops" in block.options and not block.then and \
            block.commands()[-1].output is None:
        yield "what is stopped needs output, or \"then\""


def block_wrong(block, known):
    """What is wrong with a block"""
    if block.session and block.session not in known:
        yield f"{block.session}: no such fixture"
    for text in block.setup + block.then:
        if not is_shell(text):
            yield f"this is no command: {text}"
    if block.kind in ("run", "host"):
        yield from commands_wrong(block)
        yield from stops_wrong(block)
    if block.kind == "host":
        yield from host_wrong(block)
    if block.kind == "quote":
        wrong = quoted(block)
        if wrong:
            yield wrong
    if block.kind not in ("run", "c") and block.then:
        yield "nothing is run that something could be so after"


def check(paths):
    """What is wrong with documents, a line each"""
    known = fixtures()
    found = []
    for path in paths:
        try:
            blocks = docs_blocks.read(path)
        except Wrong as err:
            found.append(str(err))
            continue
        for block in blocks:
            found += [f"{block.where()}: {wrong}"
                      for wrong in block_wrong(block, known)]
    return found


def hosts(paths):
    """The commands that run elsewhere, and ./run within sentences"""
    for path in paths:
        for block in docs_blocks.read(path):
            if block.kind == "host":
                for command in block.commands():
                    yield (block.where(command.line), block.arg.split()[0],
                           command.text.replace("\n", " "))
        with open(f"{TREE}/{path}", encoding="utf-8") as file:
            text = file.read()
        for found in re.finditer(r"(?<!`)(`{1,2})(\./run\s[^`]*)\1", text):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{path}:{line}", "-", " ".join(found[2].split())


def main(args):
    """Print them"""
    paths = [arg for arg in args if arg != "--hosts"]
    if "--hosts" in args:
        for words in hosts(paths or docs_blocks.documents()):
            print("\t".join(words))
        return 0
    found = check(paths or docs_blocks.documents())
    print("".join(line + "\n" for line in found), end="")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
