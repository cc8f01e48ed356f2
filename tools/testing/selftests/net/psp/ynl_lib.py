# SPDX-License-Identifier: GPL-2.0
"""
What tests with mainline's YNL client need: namespaces, ports, connections, and
KTAP. The client is where $PSP_YNL says, a kernel source tree or a part of one.
"""

import contextlib
import ctypes
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import traceback

TREE = os.path.abspath(os.path.dirname(__file__) + "/../../../../..")
YNL = os.environ.get("PSP_YNL", TREE)
SPECS = YNL + "/Documentation/netlink/specs/"
OUR_SPECS = TREE + "/Documentation/netlink/specs/"

sys.path.append(YNL + "/tools/net/ynl")
# pylint: disable=wrong-import-position
from pyynl import NlError, YnlFamily  # noqa: E402

SLOW = int(os.environ.get("PSP_SLOW", "1"))
WAIT = 20 * SLOW        # seconds, for what is sure to come
TEST_LIMIT = 60 * SLOW

ABORT = struct.pack("ii", 1, 0)
CHUNK = 8000            # bytes that any socket has room for
VERSIONS = {"hdr0-aes-gcm-128": 16, "hdr0-aes-gcm-256": 32,
            "hdr0-aes-gmac-128": 16, "hdr0-aes-gmac-256": 32}


class Skip(Exception):
    """The kernel has not what the test is about"""


def expect(good, what):
    """The test ends here if it is not so"""
    if not good:
        raise AssertionError(what)


def equal(want, got):
    """The same for two values that must be the same"""
    expect(want == got, f"expected {want!r}, got {got!r}")


def refused(call, request, error, **extack):
    """The kernel says no, and the client understands why"""
    try:
        reply = call(request)
    except NlError as err:
        equal(error, err.error)
        said = err.nl_msg.extack or {}
        for key, want in extack.items():
            equal(want, said.get(key.replace("_", "-")))
        return said
    raise AssertionError(f"not refused: {reply!r}")


_libc = ctypes.CDLL(None, use_errno=True)


def _setns(path):
    with open(path, "rb") as file:
        if _libc.setns(file.fileno(), 0):
            raise OSError(ctypes.get_errno(), path)


@contextlib.contextmanager
def netns(name):
    """Sockets that are made in here belong to the namespace"""
    with open("/proc/thread-self/ns/net", "rb") as home:
        _setns(f"/run/netns/{name}")
        try:
            yield
        finally:
            _setns(f"/proc/self/fd/{home.fileno()}")


def ip(name, *commands):
    """Commands of ip, in a namespace"""
    subprocess.run(["ip", "-n", name, "-batch", "-"], check=True, text=True,
                   input="\n".join(commands) + "\n")


class End:
    """A namespace, and clients in there"""

    def __init__(self, name, spec, port=None):
        self.name = name
        self.spec = spec
        self.port = port
        self.id = 0
        self.ifindex = 0
        self.nsid = -1
        self.ynl = None
        self.addr = {}
        subprocess.run(["ip", "netns", "add", name], check=True)

    def open(self):
        """The client that sends the requests"""
        with netns(self.name):
            self.ynl = YnlFamily(self.spec, schema="")

    def listen(self, group):
        """A client that hears what goes to the group; it takes but one"""
        with netns(self.name):
            client = YnlFamily(self.spec, schema="")
            client.ntf_subscribe(group)
        return client

    def has_port(self, addr4, addr6):
        """The port is there: find its device, let it receive"""
        ip(self.name, f"link set {self.port} up",
           f"addr add {addr4}/24 dev {self.port}",
           f"addr add {addr6}/64 dev {self.port} nodad")
        self.addr = {socket.AF_INET: addr4, socket.AF_INET6: addr6}
        self.open()
        with netns(self.name):
            self.ifindex = socket.if_nametoindex(self.port)
        devs = self.ynl.dev_get({}, dump=True)
        self.id = [dev["id"] for dev in devs
                   if dev["ifindex"] == self.ifindex][0]
        self.enable(VERSIONS)

    def enable(self, versions):
        """The device accepts these, and the client gets an empty reply"""
        equal({}, self.ynl.dev_set({"id": self.id,
                                    "psp-versions-ena": list(versions)}))

    def dev(self):
        """What dev-get says"""
        return self.ynl.dev_get({"id": self.id})

    def stats(self):
        """What get-stats says"""
        return self.ynl.get_stats({"dev-id": self.id})

    def close(self):
        """No client, no namespace, no port"""
        if self.ynl:
            self.ynl.close()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def heard(client, name, beside=None):
    """The next notification, which must be this one; others may come beside"""
    for ntf in client.poll_ntf(duration=WAIT):
        if ntf["name"] == beside:
            continue
        equal(name, ntf["name"])
        return ntf["msg"]
    raise AssertionError(f"no {name}")


def silence(*clients):
    """Nothing more has come: they are sent before the request is answered"""
    for client in clients:
        client.check_ntf()
        expect(client.async_msg_queue.empty(), "an unexpected notification")


class Pair:
    """Two ends with a port each, on a cable or each on its end of a veth"""

    def __init__(self, spec, lower=False):
        self.a = End("ynl-a", spec, "psp0")
        self.b = End("ynl-b", spec, "psp1")
        if lower:
            self._plug_lower()
        else:
            ip("ynl-a", "link add psp0 type psp_ref",
               "link add link psp0 name psp1 netns ynl-b type psp_ref")
        self.a.has_port("10.0.0.1", "fd00::1")
        self.b.has_port("10.0.0.2", "fd00::2")

    def _plug_lower(self):
        ip("ynl-a", "link add low0 type veth peer name low0 netns ynl-b")
        for end in self.a, self.b:
            ip(end.name, "link set low0 up",
               f"link add link low0 name {end.port} type psp_ref")

    def connect(self, family=socket.AF_INET):
        """A TCP connection: the sockets at A and at B"""
        with netns(self.b.name):
            listener = socket.create_server((self.b.addr[family], 0),
                                            family=family)
        with netns(self.a.name):
            sock = socket.socket(family)
        listener.settimeout(WAIT)
        sock.settimeout(WAIT)
        sock.connect(listener.getsockname()[:2])
        peer, _ = listener.accept()
        peer.settimeout(WAIT)
        listener.close()
        for one in sock, peer:  # A peer without keys hears no FIN
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        return sock, peer

    def close(self):
        """Ports and namespaces go away"""
        self.a.close()
        self.b.close()


def receive(sock, size):
    """That many bytes"""
    data = b""
    while len(data) < size:
        got = sock.recv(size - len(data))
        expect(got, "the connection has ended")
        data += got
    return data


def exchange(one, other, rounds=4):
    """The same data arrives, both ways"""
    for _ in range(rounds):
        for sender, receiver in (one, other), (other, one):
            data = os.urandom(CHUNK)
            sender.sendall(data)
            expect(data == receive(receiver, CHUNK), "other data came")


def rx_assoc(end, sock, version, **more):
    """Have a key made; the reply holds what it should"""
    reply = end.ynl.rx_assoc({"version": version, "sock-fd": sock.fileno(),
                              **more})
    equal(["dev-id", "rx-key"], sorted(reply))
    equal(end.id, reply["dev-id"])
    key = reply["rx-key"]
    equal(["key", "spi"], sorted(key))
    equal(VERSIONS[version], len(key["key"]))
    expect(key["spi"] & 0x7fffffff, "an SPI of 0")
    return key


def tx_assoc(end, sock, version, key, **more):
    """Use the peer's key; the reply is an empty one"""
    equal({}, end.ynl.tx_assoc({"version": version, "tx-key": key,
                                "sock-fd": sock.fileno(), **more}))


def secure(pair, one, other, version, **more):
    """Both ends of a connection; the keys go another way"""
    key_a = rx_assoc(pair.a, one, version, **more)
    key_b = rx_assoc(pair.b, other, version)
    tx_assoc(pair.a, one, version, key_b, **more)
    tx_assoc(pair.b, other, version, key_a)


def _limit(_signal, _frame):
    raise TimeoutError(f"not done after {TEST_LIMIT} seconds")


def _comment(text):
    for line in text.splitlines():
        print("# " + line)


def _run_test(call, pair):
    """The result, as KTAP has it. What the client prints are complaints."""
    said = io.StringIO()
    signal.alarm(TEST_LIMIT)
    try:
        with contextlib.redirect_stdout(said):
            call(pair)
        expect(not said.getvalue(), "the client has complained")
        return True, ""
    except Skip as why:
        return True, f" # SKIP {why}"
    except Exception:  # pylint: disable=broad-exception-caught
        _comment(said.getvalue() + traceback.format_exc())
        return False, ""
    finally:
        signal.alarm(0)


def _run_fixture(name, make, tests, number):
    """
    All tests with one pair, or with the next one after a failure: a client
    that has given up in the middle of an answer is of no use any more.
    """
    bad = 0
    pair = make()
    for number, test in enumerate(tests, number):
        good, rest = _run_test(test, pair)
        print(f"{'' if good else 'not '}ok {number} {name}.{test.__name__}"
              f"{rest}", flush=True)
        if not good:
            bad += 1
            pair.close()
            pair = make()
    pair.close()
    return bad


def run_tests(fixtures, tests):
    """
    All tests with each fixture: a name, a function that makes one. Status 1 if
    a test has failed.
    """
    bad, number = 0, 1
    signal.signal(signal.SIGALRM, _limit)
    print("TAP version 13")
    print(f"1..{len(fixtures) * len(tests)}", flush=True)
    for name, make in fixtures.items():
        bad += _run_fixture(name, make, tests, number)
        number += len(tests)
    return 1 if bad else 0
