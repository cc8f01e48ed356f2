# SPDX-License-Identifier: GPL-2.0
"""
Where the commands of a document run: a shell with a network namespace and a
folder of its own, that a fixture of docs_fixtures.sh has prepared.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.abspath(os.path.dirname(__file__))
SLOW = int(os.environ.get("PSP_SLOW", "1"))
LIMIT = 60 * SLOW       # seconds for a command
POLL = 0.1
# Not part of a name: psp0, gcm-128
NUMBER = r"(?<![a-z0-9])(?<![a-z]-)(?:0x[0-9a-f]+|[0-9]+)"


class Failed(Exception):
    """A command has not done what the document says"""


def _expected(line, numbers):
    """The regular expression for a line of output"""
    parts = []
    for part in line.split("..."):
        if numbers:
            part = re.sub(NUMBER, "\0", part)
        parts.append(re.escape(part).replace("\0", NUMBER))
    text = ".*".join(parts)
    return re.sub(r"(?:\\[ \t])+", r"[ \\t]+", text)


def matches(want, got, numbers=False):
    """Is this the output? A line of dots stands for any number of lines"""
    regex = ""
    for line in want:
        if line.strip() == "...":
            regex += r"(?:.*\n)*"
        else:
            regex += _expected(line.rstrip(), numbers) + r"\s*\n"
    text = "".join(line.rstrip() + "\n" for line in got)
    return re.fullmatch(regex, text) is not None


class Session:
    """The shell, and the folder"""

    # What the shell runs in; docs_test.py wants it to be nothing
    APART = ["unshare", "--net", "--mount"]

    def __init__(self, fixture):
        self.fixture = fixture
        self.dir = tempfile.mkdtemp(prefix="docs.")
        self.count = 0
        status, self.status_in = os.pipe()
        self.status = os.fdopen(status, "rb", buffering=0)
        # pylint: disable=consider-using-with
        self.shell = subprocess.Popen(
            self.APART + ["bash", "--norc", "-o", "pipefail"],
            cwd=self.dir, stdin=subprocess.PIPE, bufsize=0,
            pass_fds=[self.status_in],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": self.dir, "LC_ALL": "C.UTF-8",
                 "TERM": "dumb"})
        # Only the shell has it now, so that its end is seen
        os.close(self.status_in)
        if not fixture:
            return
        try:
            self.must(f". {HERE}/docs_fixtures.sh")
            self.must(f"docs_with {fixture}", 3 * LIMIT)
        except Failed:
            self.kill()
            raise

    def _file(self, text):
        self.count += 1
        path = f"{self.dir}/.{self.count}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path

    def run(self, text, limit=None):
        """Run a command; its status, and the lines of its output"""
        path = self._file(text)
        limit = limit or LIMIT
        fd = self.status_in
        self._tell(f". {path} < /dev/null > {path}.out 2>&1 {fd}>&-; "
                   f"echo $? >&{fd}")
        ready, _, _ = select.select([self.status], [], [], limit)
        if not ready:
            self.kill()
            raise Failed(f"it did not end within {limit} seconds" +
                         self._said(path))
        status = self.status.readline()
        if not status:
            self.kill()
            raise Failed("it took the shell with it" + self._said(path))
        return int(status), self._output(path)

    def _tell(self, line):
        try:
            self.shell.stdin.write((line + "\n").encode())
        except OSError as err:
            raise Failed("the shell of this session is gone") from err

    @staticmethod
    def _output(path):
        if not os.path.exists(path + ".out"):
            return []
        with open(path + ".out", encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def _said(self, path):
        return "".join("\n| " + line for line in self._output(path))

    def must(self, text, limit=None):
        """A command that has to work"""
        status, out = self.run(text, limit)
        if status:
            raise Failed(f"{text}: status {status}\n" + "\n".join(out))

    def until(self, text):
        """Wait until a command works"""
        deadline = time.monotonic() + LIMIT
        while True:
            status, out = self.run(text)
            if not status:
                return
            if time.monotonic() > deadline:
                raise Failed(f"{text}: status {status}\n" + "\n".join(out))
            time.sleep(POLL)

    def run_until(self, text, done):
        """
        Run a command that somebody stops, here as soon as done() is true of its
        output, which DOCS_OUT names. Its status, 0 if that is what has ended it,
        and the output that done() was content with.
        """
        # What is stopped ends with its own status, and not with that of a shell
        path = self._file("trap exit TERM\n" + text)
        self.must(f"DOCS_OUT={path}.out\n"
                  f"setsid bash -o pipefail {path} < /dev/null > {path}.out 2>&1 "
                  f"{self.status_in}>&- &\necho $! > {path}.pid")
        with open(f"{path}.pid", encoding="utf-8") as file:
            group = int(file.read())
        try:
            got = self._wait_for(path, done)
            self._signal(group, signal.SIGTERM)
            status, _ = self.run(f"wait {group}")
        finally:
            self._signal(group, signal.SIGKILL)
        return 0 if status == 128 + signal.SIGTERM else status, got

    def _wait_for(self, path, done):
        deadline = time.monotonic() + LIMIT
        while True:
            got = self._output(path)
            if done(got):
                return got
            if time.monotonic() > deadline:
                raise Failed("it was not heard of in time" + self._said(path))
            time.sleep(POLL)

    @staticmethod
    def _signal(group, number):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass

    def kill(self):
        """Nobody is left"""
        self._signal(self.shell.pid, signal.SIGKILL)
        self.shell.wait()

    def close(self):
        """The fixture clears up what the kernel does not by itself"""
        try:
            self._end()
        finally:
            self.kill()
            self.shell.stdin.close()
            self.status.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def _end(self):
        if not self.fixture:
            return
        if self.shell.poll() is None:
            self.must("docs_end")
            return
        # The modules are the next session's, whatever became of this one
        done = subprocess.run(
            ["bash", "-c", f". {HERE}/docs_fixtures.sh; docs_end"],
            check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed(f"docs_end: status {done.returncode}\n{done.stdout}")
