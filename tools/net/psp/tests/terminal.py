#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# terminal.py [NETNS] - pspctl on a terminal and in a pipe. $PSPCTL is the
# program: with tests/fake.c in it, or a real one, which then looks into NETNS.
# Each command must say the same on both, and leave the terminal as it was; top
# has the terminal for itself, and has to give it back whatever ends it.

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PSPCTL = os.environ["PSPCTL"]
NETNS = ["-n", sys.argv[1]] if len(sys.argv) > 1 else []
WAIT = 30 * int(os.environ.get("PSP_SLOW", "1"))

DEADLY = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"
COLOR = re.compile(r"\033\[[0-9;]*m")
ESCAPE = re.compile(r"\033(\[[0-9;?]*[A-Za-z]|[(>=]B?)|[\r\017]")

# What each command of "pspctl help" is called with
WORDS = {
    "dev show": [],
    "dev set": ["1", "versions", "all"],
    "dev assoc": ["1", "ifname", "lo"],
    "dev disassoc": ["1", "ifname", "lo"],
    "key rotate": ["1"],
    "stats show": [],
    "assoc show": [],
    "monitor": ["count", "4"],
    "top": ["batch", "count", "1", "interval", "0.01"],
    "help": [],
}
SILENT = ("dev set", "dev assoc", "dev disassoc", "key rotate")
PLAIN = SILENT + ("help",)


class Failed(Exception):
    pass


def check(cond, what):
    if not cond:
        raise Failed(what)


def environ(env):
    full = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color",
            "TZ": "UTC", **env}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        if name not in env:
            full.pop(name, None)
    return full


def own_terminal():
    """In the child. A shell has jobs ignore SIGINT, and that is inherited."""
    for sig in DEADLY:
        signal.signal(sig, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A program that has a terminal of its own, and what it wrote there."""

    def __init__(self, words, rows=24, cols=80, **env):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.text = ""
        self.size(rows, cols)
        self.before = termios.tcgetattr(slave)
        self.child = subprocess.Popen(
            [PSPCTL] + NETNS + words, stdin=slave, stdout=slave, stderr=slave,
            env=environ(env), start_new_session=True,
            preexec_fn=own_terminal)

    def size(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, seconds):
        """Take what comes in that time; false if nothing did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        return True

    def await_text(self, regex):
        """Wait until that is there, then forget all up to it."""
        end = time.monotonic() + WAIT
        while True:
            match = re.search(regex, self.text, re.DOTALL)
            if match:
                self.text = self.text[match.end():]
                return match.group()
            check(time.monotonic() < end, f"no {regex!r} in {self.text!r}")
            self.read(0.1)

    def keys(self, keys):
        os.write(self.master, keys.encode())

    def redraw(self, regex):
        """Make the program draw all of it until that is in the picture."""
        end = time.monotonic() + WAIT
        while True:
            self.keys("\f")
            picture = self.await_text(r"\033\[H\033\[2J.*?"
                                      r"(q quit|needs 40x8)")
            picture = ESCAPE.sub(" ", picture)
            if re.search(regex, picture, re.DOTALL):
                return picture
            check(time.monotonic() < end, f"no {regex!r} in {picture!r}")

    def end(self):
        """Wait for the program's end; all that it wrote since."""
        end = time.monotonic() + WAIT
        while self.child.poll() is None:
            self.read(0.01)
            if time.monotonic() > end:
                self.child.kill()
                raise Failed(f"did not end: {self.text!r}")
        while self.read(0):
            pass
        check(termios.tcgetattr(self.slave) == self.before,
              "terminal is not as it was")
        text, self.text = self.text, ""
        os.close(self.master)
        os.close(self.slave)
        return text


def on_terminal(words, **env):
    terminal = Terminal(words, **env)
    text = terminal.end().replace("\r\n", "\n")
    return terminal.child.returncode, text


def in_pipe(words, **env):
    child = subprocess.run([PSPCTL] + NETNS + words, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=environ(env), timeout=WAIT)
    return child.returncode, child.stdout.decode("utf-8", "replace")


def digits(text):
    """What does not depend on the time."""
    return re.sub(r" +", " ", re.sub(r"[-+.:0-9]+[kMGT]?", "N", text))


def every_command_is_here():
    text = in_pipe(["help"])[1]
    there = set(re.findall(r"^  pspctl ([a-z]+(?: [a-z]+)?)", text, re.M))
    check(there == set(WORDS) - {"help"}, f"{there} are not {set(WORDS)}")


def same_on_both(name, words):
    env = {"FAKE_EVENTS": "1", "COLUMNS": "80"}
    pipe = in_pipe(words, **env)
    check(pipe[0] == 0, f"exits with {pipe[0]}: {pipe[1]}")
    check("\033" not in pipe[1], "colours in a pipe")
    check(bool(pipe[1]) == (name not in SILENT or "-j" in words),
          f"says {pipe[1]!r}")
    colored = on_terminal(words, **env)
    plain = COLOR.sub("", colored[1])
    check(colored[0] == 0, f"exits with {colored[0]} on a terminal")
    check(digits(plain) == digits(pipe[1]),
          f"says {colored[1]!r} on a terminal, {pipe[1]!r} in a pipe")
    check((plain != colored[1]) == (name not in PLAIN and "-j" not in words),
          f"colours? {colored[1]!r}")
    for less in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = on_terminal(words, **{**env, **less})[1]
        check("\033" not in text, f"colours with {less}")
    text = on_terminal(["-c=never"] + words, **env)[1]
    check("\033" not in text, "colours with -c=never")


def test_commands():
    if not NETNS:
        every_command_is_here()
    for name, more in WORDS.items():
        if NETNS and not name.endswith("show"):
            continue
        words = name.split() + more
        yield name, lambda: same_on_both(name, words)
        if name != "help":
            yield name + " -j", lambda: same_on_both(name, ["-j"] + words)


def errors_on_both():
    for words, env, status in ((["dev", "show", "5"], {}, 1),
                               (["nonsense"], {}, 2), (["top", "5"], {}, 1),
                               (["top"], {"FAKE_KERNEL": "absent"}, 1)):
        pipe, terminal = in_pipe(words, **env), on_terminal(words, **env)
        check(pipe == terminal, f"{pipe} and {terminal}")
        check(pipe[0] == status, f"{pipe[0]} is not {status}")


def top_start(*words, **env):
    terminal = Terminal(["top", "interval", "0.2"] + list(words), **env)
    terminal.await_text(re.escape(ENTER))
    terminal.await_text("pspctl top ")
    return terminal


def top_end(terminal, status=0):
    """It gives the terminal back, and says nothing after that."""
    text = terminal.end()
    check(terminal.child.returncode == status,
          f"ended with {terminal.child.returncode}")
    check(LEAVE in text, f"did not leave: {text!r}")
    check("\033[?25h" in text or "\033[34h\033[?25h" in text,
          "cursor is hidden")
    return text.split(LEAVE)[-1]


def top_draws():
    terminal = top_start(cols=120)
    text = terminal.redraw(r"RX PKT/S.*TX KEYS.*accepts .*STATE")
    if not NETNS:
        terminal.redraw("\u2588")
        check(re.search(r"lo .*full .*\[fd00::2\]:55555", text), text)
    terminal.keys("q")
    rest = top_end(terminal)
    check(not ESCAPE.sub("", rest), f"after the end: {rest!r}")


def top_counts():
    terminal = Terminal(["top", "count", "2", "interval", "0.05"])
    text = terminal.end()
    check(terminal.child.returncode == 0 and ENTER in text and LEAVE in text,
          "did not end by itself as it should")


def top_obeys_keys():
    terminal = top_start()
    terminal.keys(">")
    terminal.redraw("by age")
    terminal.keys("r")
    terminal.redraw("by -age")
    terminal.keys("<")
    terminal.redraw("by rate")
    terminal.keys("+")
    terminal.redraw("every 0.4 s")
    terminal.keys(" ")
    clock = re.search("top ([0-9:]+)", terminal.redraw("paused")).group()
    time.sleep(1.1)
    check(clock in terminal.redraw("paused"), "goes on")
    terminal.keys("p")
    terminal.redraw("every 0.4 s")
    terminal.keys("q")
    top_end(terminal)


def top_scrolls():
    terminal = top_start("sort", "age", rows=16, cols=170, FAKE_SOCKS="30")
    terminal.redraw(" 5 .* 6 .* 100 ")
    for keys, want in (("\033OB", " 6 .* 100 "), ("\033[6~", " 10[3-9] "),
                       ("\033OF", " 128 .* 129 "), ("\033[5~", " 12[0-4] "),
                       ("\033OH", " 5 .* 6 ")):
        terminal.keys(keys)
        picture = terminal.redraw(want)
    check(" 129 " not in picture, "all of them fit")
    terminal.keys("q")
    top_end(terminal)


def top_resizes():
    terminal = top_start()
    terminal.size(20, 160)
    terminal.redraw(r"COOKIE")
    terminal.size(20, 44)
    terminal.redraw("^(?!.*COOKIE).*PEER")
    terminal.size(5, 20)
    terminal.redraw("needs 40x8")
    terminal.size(24, 80)
    terminal.redraw("STATE")
    terminal.keys("q")
    top_end(terminal)


def top_is_killed():
    for sig in DEADLY:
        terminal = top_start()
        if sig == signal.SIGINT:
            terminal.keys("\003")
        else:
            terminal.child.send_signal(sig)
        top_end(terminal, -sig)
    terminal = top_start()
    terminal.keys(" ")
    terminal.redraw("paused")
    terminal.child.send_signal(signal.SIGTERM)
    top_end(terminal, -signal.SIGTERM)


def top_is_killed_amid_keys():
    """They come faster than it takes them."""
    terminal = top_start()
    os.set_blocking(terminal.master, False)
    end = time.monotonic() + WAIT
    while terminal.child.poll() is None and time.monotonic() < end:
        try:
            terminal.keys(1000 * "x")
        except BlockingIOError:
            terminal.child.send_signal(signal.SIGTERM)
        terminal.read(0)
    check(terminal.child.poll() is not None, "keys keep it from its end")
    top_end(terminal, -signal.SIGTERM)


def top_never_reads_in_vain():
    """
    Keys are thrown away on ^C, be it after the program was told of them: a read
    that waited for others then would keep it from its end.
    """
    terminal = top_start()
    least = termios.tcgetattr(terminal.slave)[6][termios.VMIN]
    terminal.keys("q")
    top_end(terminal)
    check(least in (0, b"\0"), f"a read waits for {least!r}")


def top_is_hung_up():
    terminal = top_start()
    os.close(terminal.master)
    check(terminal.child.wait(WAIT) in (-signal.SIGHUP, 1), "ended otherwise")
    os.close(terminal.slave)


def top_loses_the_kernel():
    terminal = top_start(FAKE_KERNEL="dies")
    text = top_end(terminal, 1)
    check("pspctl: top: No such file or directory\r\n" in text, text)


def top_needs_a_terminal():
    for term in "dumb", "nonsense", "":
        status, text = on_terminal(["top"], TERM=term)
        check(status == 1 and "cannot do it; try batch" in text, text)
    with open("/dev/null") as null:
        child = subprocess.run([PSPCTL] + NETNS + ["top", "-n", "1", "-d",
                                                   "0.01"],
                               stdin=null, stdout=subprocess.PIPE,
                               env=environ({}), timeout=WAIT)
    check(child.returncode == 0 and b"\033" not in child.stdout, "batch")


def top_in_colors():
    """Colours are those of terminfo; what is upside down is none."""
    for env, want in (({}, True), ({"NO_COLOR": "1"}, False),
                      ({"TERM": "vt100"}, False)):
        terminal = Terminal(["top"], **env)
        text = terminal.await_text("pspctl top .*q quit")
        terminal.keys("q")
        text += terminal.end()
        check(bool(re.search(r"\033\[(\d*;)*3[0-7]m", text)) == want,
              f"colours with {env}: {text!r}")


def top_in_ascii():
    terminal = top_start(LC_ALL="C")
    terminal.redraw("up to .*STATE")
    text = terminal.redraw("up to [^\n]* [#*=+]")
    check(text.isascii(), text)
    terminal.keys("q")
    top_end(terminal)


ALIKE = (top_draws, top_counts, top_obeys_keys, top_resizes, top_is_killed,
         top_is_killed_amid_keys, top_never_reads_in_vain, top_is_hung_up,
         top_needs_a_terminal, top_in_colors)
FAKED = (errors_on_both, top_scrolls, top_loses_the_kernel, top_in_ascii)


def cases():
    yield from test_commands()
    for test in ALIKE + (() if NETNS else FAKED):
        yield test.__name__, test


def main():
    failed = num = 0
    print("TAP version 13")
    for num, (name, run) in enumerate(cases(), 1):
        try:
            run()
            print("ok", num, name, flush=True)
        except Failed as why:
            failed = 1
            print("#", str(why)[:4000].replace("\n", "\n# "))
            print("not ok", num, name, flush=True)
    print(f"1..{num}")
    return failed


sys.exit(main())
