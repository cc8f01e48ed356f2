# SPDX-License-Identifier: GPL-2.0
"""
The literal blocks of documents, and what comments beside them say about their
test. Documentation/process/testing.rst, "Documents", has the convention.
"""

import glob
import os
import re

TREE = os.path.abspath(os.path.dirname(__file__) + "/../../../../../..")
GLOBS = ("README.md", "Documentation/**/*.rst", "tools/net/psp/man/*.[1-9]")

COMMENT = {
    ".rst": re.compile(r"\s*\.\. docs-test:\s*(.*)"),
    ".md": re.compile(r"\s*<!-- docs-test:\s*(.*?)\s*-->"),
    ".man": re.compile(r'[.\']\\" docs-test:\s*(.*)'),
}
PROMPT = re.compile(r"[#$] (.*)")
# What may have a prompt; in a shell's own language "# " is a comment
CONSOLE = (None, "console")
SHELL = CONSOLE + ("sh", "bash", "shell")
# What a block may be, if it is not to be run
KINDS = ("picture", "output", "quote", "file", "host", "c")
OPTIONS = {"stops": False, "fails": True, "timeout": True, "numbers": False}


class Wrong(Exception):
    """Something about a document is not as it has to be"""


class Command:
    """A command, and the output that is expected; None if it does not matter"""

    def __init__(self, line, text, output=None):
        self.line = line
        self.text = text
        self.output = output


class Block:
    """A literal block: where it begins, its lines, what is said about it"""

    def __init__(self, path, line, lang, lines):
        self.path = path
        self.line = line
        self.lang = lang
        self.lines = lines
        self.session = None     # fixture of a session that begins here
        self.setup = []         # commands that nobody sees, before it
        self.then = []          # and after it: what must be so then
        self.kind = "run"
        self.arg = ""
        self.options = {}

    @property
    def text(self):
        """The block as one text"""
        return "".join(line + "\n" for line in self.lines)

    def where(self, line=None):
        """For people"""
        return f"{self.path}:{line or self.line}"

    def commands(self):
        """The commands of a block of shell"""
        if self.lang in CONSOLE and PROMPT.match(self.lines[0]):
            return self._prompted()
        return [Command(self.line + at, text)
                for at, text in statements(self.lines)]

    def _prompted(self):
        found = []
        more = False
        for at, line in enumerate(self.lines):
            prompt = PROMPT.match(line)
            if more:
                found[-1].text += "\n" + re.sub("^> ", "", line)
            elif prompt:
                found.append(Command(self.line + at, prompt[1]))
            else:
                found[-1].output = (found[-1].output or []) + [line]
                continue
            more = open_end(found[-1].text)
        return found


def _bare(text):
    """The text without quoted parts and comments; None if a quote is open"""
    parts = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|(?<!\S)#[^\n]*"""
                       r"""|(['"])|[^'"\\#]+|.""", re.S)
    bare = ""
    for part in parts.finditer(text):
        if part[1]:
            return None
        if part[0][0] not in "'\"\\#":
            bare += part[0]
    return bare


def open_end(text):
    """Does a command go on in the next line?"""
    if text.endswith("\\"):
        return True
    heredoc = re.search(r"<<-?\s*['\"]?(\w+)", text)
    if heredoc:
        return not re.search(rf"^\t*{heredoc[1]}$", text, re.M)
    bare = _bare(text)
    if bare is None:
        return True
    words = re.findall(r"(?:^|[\s;&|(])(for|while|until|if|case|done|fi|esac"
                       r"|\{|\})(?=$|[\s;&|)])", bare)
    begins = sum(word in "for while until if case {".split()
                 for word in words)
    return begins > len(words) - begins


def statements(lines):
    """The commands of a script: how far down, and what"""
    at, text = 0, ""
    for number, line in enumerate(lines):
        if not text:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            at = number
        text = text + "\n" + line if text else line
        if not open_end(text):
            yield at, text
            text = ""
    if text:
        yield at, text


def _indent(line):
    return len(line) - len(line.lstrip())


def _indented(lines, at, deeper):
    """The block from lines[at] on that is deeper than that: its end, itself"""
    end = last = at
    while end < len(lines) and (not lines[end].strip() or
                                _indent(lines[end]) > deeper):
        if lines[end].strip():
            last = end + 1
        end += 1
    block = lines[at:last]
    least = min((_indent(line) for line in block if line.strip()), default=0)
    return last, [line[least:].rstrip() for line in block]


def _skip_blank(lines, at):
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _rst(path, lines):
    """Literal blocks of reStructuredText"""
    at = 0
    while at < len(lines):
        line = lines[at].expandtabs()
        code = re.match(r"(\s*)\.\. (?:code-block|code|sourcecode)::\s*(\w+)?",
                        line)
        shown = re.match(r"\s*\.\. (?:literalinclude|parsed-literal)::", line)
        at += 1
        if shown:
            raise Wrong(f"{path}:{at}: such a block cannot be tested")
        hidden = re.match(r"\s*\.\. .*[^\w-].*::\s*$", line)
        if hidden and not code and not COMMENT[".rst"].match(line):
            raise Wrong(f"{path}:{at}: such a block is not seen: "
                        "put its text on a line of its own")
        if COMMENT[".rst"].match(line):
            yield at, line
        elif code or (line.rstrip().endswith("::") and
                      not line.lstrip().startswith(".. ")):
            deeper = _indent(line)
            while code and at < len(lines) and \
                    lines[at].lstrip().startswith(":"):
                at += 1
            start = _skip_blank(lines, at)
            whole = [text.expandtabs() for text in lines]
            at, block = _indented(whole, start, deeper)
            if block:
                yield start + 1, (code[2] if code else None, block)


def _md(path, lines):
    """Literal blocks of Markdown, with fences or four columns to the right"""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        fence = re.match(r"(```+|~~~+)\s*(\w+)?", line)
        if re.match(r"\s+(```|~~~)|\t|[-*+0-9.)> ]+\t* *(```|~~~)", line):
            raise Wrong(f"{path}:{at}: such a block is not seen")
        if COMMENT[".md"].match(line):
            yield at, line
        elif fence:
            start = at
            while at < len(lines) and not lines[at].startswith(fence[1]):
                at += 1
            yield start + 1, (fence[2], lines[start:at])
            at += 1
        elif line.startswith("    ") and (at < 2 or not lines[at - 2].strip()):
            start = at - 1
            at, block = _indented(lines, start, 3)
            yield start + 1, (None, block)
    if not lines:
        raise Wrong(f"{path}: nothing in it")


def _unroff(text):
    for what, char in ((r"\-", "-"), (r"\e", "\\"), (r"\(aq", "'"),
                       (r"\(dq", '"'), (r"\(ti", "~"), (r"\(ha", "^"),
                       (r"\(ga", "`"), (r"\(bs", "\\"), (r"\&", "")):
        text = text.replace(what, char)
    return text


def _man(path, lines):
    """Displays of manual pages: .EX, .nf, .Bd -literal or -unfilled, .Dl"""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        begin = re.match(r"\.(EX|nf|Bd\b.*-(?:literal|unfilled).*)", line)
        if COMMENT[".man"].match(line):
            yield at, line
        elif re.match(r"\.(D1|DS|LD|ID|CD|RD|BD)\b", line):
            raise Wrong(f"{path}:{at}: such a block is not seen")
        elif line.startswith(".Dl "):
            yield at, (None, [_unroff(line[4:])])
        elif begin:
            end = "." + {"E": "EE", "n": "fi", "B": "Ed"}[begin[1][0]]
            start = at
            while at < len(lines) and not lines[at].startswith(end):
                at += 1
            if at == len(lines):
                raise Wrong(f"{path}:{start}: {end} is missing")
            yield start + 1, (None, [_unroff(text)
                                     for text in lines[start:at]])


def _told(block, word, rest, where):
    """One comment, about this block"""
    if word == "with":
        block.session = rest or "nothing"
    elif word in ("setup", "then"):
        getattr(block, word).append(rest)
    elif word == "run":
        for option in rest.split():
            name, _, val = option.partition("=")
            if name not in OPTIONS or bool(val) != OPTIONS[name]:
                raise Wrong(f"{where}: {option}: no such option")
            block.options[name] = int(val) if val else True
    elif word in KINDS:
        if block.kind != "run":
            raise Wrong(f"{where}: it is {block.kind} already")
        block.kind, block.arg = word, rest
        if not rest and word not in ("picture", "output", "c"):
            raise Wrong(f"{where}: {word} of what?")
    else:
        raise Wrong(f"{where}: docs-test: {word}: what is that?")


def read(path):
    """The blocks of a document; the path begins at the top of the tree"""
    with open(f"{TREE}/{path}", encoding="utf-8") as file:
        lines = file.read().split("\n")
    kind = os.path.splitext(path)[1]
    kind = kind if kind in COMMENT else ".man"
    parse = {".rst": _rst, ".md": _md, ".man": _man}[kind]
    blocks = []
    told = []
    for line, what in parse(path, lines):
        if isinstance(what, str):
            told.append((line, COMMENT[kind].match(what)[1]))
            continue
        lang, text = what
        block = Block(path, line, lang, text)
        for at, comment in told:
            word, _, rest = comment.partition(" ")
            _told(block, word, rest.strip(), f"{path}:{at}")
        told = []
        blocks.append(block)
    if told:
        raise Wrong(f"{path}:{told[0][0]}: there is no block behind it")
    return blocks


def documents():
    """The documents that there are"""
    found = []
    for pattern in GLOBS:
        names = glob.glob(f"{TREE}/{pattern}", recursive=True)
        if not names:
            raise Wrong(f"{pattern}: there is none")
        found += sorted(os.path.relpath(name, TREE) for name in names)
    return found
