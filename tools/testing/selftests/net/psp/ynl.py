#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
PSP as mainline's users see it: by mainline's YNL client, from mainline's
description of the family. It gives up on an attribute that it does not know,
and prints what it did not expect; both fail a test. The same tests pass on a
kernel that has mainline's PSP.

What this project has added is in the family all the time, and is in use in the
tests of "ours", where the client has this project's description.
"""

import contextlib
import errno
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile

from ynl_lib import (OUR_SPECS, SPECS, VERSIONS, WAIT, YNL, End, Pair,
                     Skip, YnlFamily, equal, exchange, expect, heard, ip,
                     netns, receive, refused, run_tests, rx_assoc, secure,
                     silence, tx_assoc)

DEV = ["id", "ifindex", "psp-versions-cap", "psp-versions-ena"]
STATS = ["dev-id", "key-rotations", "rx-auth-fail", "rx-bad", "rx-bytes",
         "rx-error", "rx-packets", "stale-events", "tx-bytes", "tx-error",
         "tx-packets"]
GCM = "hdr0-aes-gcm-128"
KEY = {"spi": 0x1234, "key": bytes(16)}
NO_SUCH = 0x7ffffff0
OURS = 64               # first command that is not mainline's
NSIDS = itertools.count(7)      # of containers, for their host
FAMILIES = (socket.AF_INET, socket.AF_INET6)


def has_ours(pair):
    """Does the family have more than mainline's? The kernel says so"""
    with netns(pair.a.name), \
         YnlFamily(SPECS + "nlctrl.yaml", schema="") as ctrl:
        family = ctrl.getfamily({"family-name": "psp"})
    return OURS in [op["id"] for entry in family["ops"]
                    for op in entry.values()]


def dev_get(pair):
    """One device and all devices are described alike"""
    dev = pair.a.dev()
    equal(DEV, sorted(dev))
    equal(pair.a.id, dev["id"])
    equal(pair.a.ifindex, dev["ifindex"])
    equal(set(VERSIONS), dev["psp-versions-cap"])
    equal(set(VERSIONS), dev["psp-versions-ena"])
    equal([dev], pair.a.ynl.dev_get({}, dump=True))


def dev_set(pair):
    """A change is answered, told and seen"""
    listener = pair.a.listen("mgmt")
    try:
        pair.a.enable([GCM, "hdr0-aes-gmac-256"])
        dev = pair.a.dev()
        equal({GCM, "hdr0-aes-gmac-256"}, dev["psp-versions-ena"])
        equal(dev, heard(listener, "dev-change-ntf"))
    finally:
        pair.a.enable(VERSIONS)
    equal(pair.a.dev(), heard(listener, "dev-change-ntf"))
    silence(listener)


def key_rotate(pair):
    """Rotations are told to users, and counted"""
    listener = pair.a.listen("use")
    others = [pair.a.listen("mgmt"), pair.b.listen("mgmt"),
              pair.b.listen("use")]
    before = pair.a.stats()["key-rotations"]
    for _ in range(2):
        equal({"id": pair.a.id}, pair.a.ynl.key_rotate({"id": pair.a.id}))
        equal({"id": pair.a.id}, heard(listener, "key-rotate-ntf"))
    equal(before + 2, pair.a.stats()["key-rotations"])
    silence(listener, *others)


def rotation_changes_the_phase(pair):
    """The uppermost bit of SPIs goes with the device key"""
    phases = set()
    for _ in range(2):
        sock, _peer = pair.connect()
        phases.add(rx_assoc(pair.a, sock, GCM)["spi"] >> 31)
        pair.a.ynl.key_rotate({"id": pair.a.id})
    equal({0, 1}, phases)


def get_stats(pair):
    """One device and all devices, every counter"""
    stats = pair.a.stats()
    equal(STATS, sorted(stats))
    equal(pair.a.id, stats["dev-id"])
    expect(all(isinstance(val, int) for val in stats.values()), stats)
    equal([stats], pair.a.ynl.get_stats({}, dump=True))


def devices_come_and_go(pair):
    """As told to managers"""
    listener, other = pair.a.listen("mgmt"), pair.a.listen("use")
    ip(pair.a.name, "link add more0 type psp_ref")
    dev = heard(listener, "dev-add-ntf")
    equal(DEV, sorted(dev))
    equal(set(), dev["psp-versions-ena"])
    equal(dev, pair.a.ynl.dev_get({"id": dev["id"]}))
    equal(2, len(pair.a.ynl.dev_get({}, dump=True)))
    ip(pair.a.name, "link del more0")
    # Mainline takes the network device for an associated one that goes
    beside = None if has_ours(pair) else "dev-change-ntf"
    equal(dev, heard(listener, "dev-del-ntf", beside))
    silence(listener, other)


def requests_in_one_message(pair):
    """Each gets its own answer"""
    one = {"id": pair.a.id}
    replies = pair.a.ynl.do_multi([
        ("dev-get", one, []), ("get-stats", {"dev-id": pair.a.id}, []),
        ("key-rotate", one, []), ("dev-get", one, [])])
    equal([DEV, STATS, ["id"], DEV], [sorted(reply) for reply in replies])
    equal(replies[0], replies[3])


def data_crosses_under_every_version(pair):
    """Over IPv4 and IPv6, with and without a device in the request"""
    for family in FAMILIES:
        for version in VERSIONS:
            more = {} if family == socket.AF_INET else {"dev-id": pair.a.id}
            one, other = pair.connect(family)
            before = pair.a.stats(), pair.b.stats()
            secure(pair, one, other, version, **more)
            exchange(one, other)
            after = pair.a.stats(), pair.b.stats()
            for old, new in zip(before, after):
                for count in "rx-packets", "rx-bytes", "tx-packets", "tx-bytes":
                    expect(new[count] > old[count], f"no {count}")
                for count in "rx-auth-fail", "rx-error", "rx-bad", "tx-error":
                    equal(old[count], new[count])


def keys_cross_the_connection_itself(pair):
    """What a program does that has nothing else: SPI and key in plain text"""
    one, other = pair.connect()
    keys = []
    for end, sock, peer in (pair.a, one, other), (pair.b, other, one):
        key = rx_assoc(end, sock, GCM)
        sock.sendall(key["spi"].to_bytes(4, "little") + key["key"])
        data = receive(peer, 20)
        keys.append({"spi": int.from_bytes(data[:4], "little"),
                     "key": data[4:]})
    tx_assoc(pair.a, one, GCM, keys[1])
    tx_assoc(pair.b, other, GCM, keys[0])
    exchange(one, other)


def data_follows_a_rotation(pair):
    """One rotation later packets under the keys are still accepted"""
    one, other = pair.connect(socket.AF_INET6)
    secure(pair, one, other, GCM)
    exchange(one, other)
    pair.a.ynl.key_rotate({"id": pair.a.id})
    exchange(one, other)
    equal(0, pair.a.stats()["rx-auth-fail"])


def queued_plain_data_is_in_the_way(pair):
    """tx-assoc has to wait until it is read"""
    one, other = pair.connect()
    secured = rx_assoc(pair.a, one, GCM), rx_assoc(pair.b, other, GCM)
    other.sendall(b"plain")
    equal(b"plain", one.recv(5, socket.MSG_PEEK))
    refused(pair.a.ynl.tx_assoc,
            {"version": GCM, "tx-key": secured[1], "sock-fd": one.fileno()},
            errno.EBUSY)
    equal(b"plain", receive(one, 5))
    tx_assoc(pair.a, one, GCM, secured[1])
    tx_assoc(pair.b, other, GCM, secured[0])
    exchange(one, other)


def second_keys_before_a_rotation_are_refused(pair):
    """And the connection goes on"""
    one, other = pair.connect()
    secure(pair, one, other, GCM)
    exchange(one, other)
    refused(pair.a.ynl.rx_assoc, {"version": GCM, "sock-fd": one.fileno()},
            errno.EBUSY, bad_attr=".sock-fd")
    exchange(one, other)


def bad_devices(pair):
    """None, unknown, out of range, another namespace's"""
    ynl = pair.a.ynl
    for call, name in (ynl.dev_get, "id"), (ynl.dev_set, "id"), \
                      (ynl.key_rotate, "id"), (ynl.get_stats, "dev-id"), \
                      (ynl.dev_assoc, "id"), (ynl.dev_disassoc, "id"):
        refused(call, {}, errno.EINVAL, miss_type=name)
        refused(call, {name: 0}, errno.ERANGE, bad_attr="." + name)
        refused(call, {name: NO_SUCH}, errno.ENODEV)
        refused(call, {name: pair.b.id}, errno.ENOENT)


def bad_settings(pair):
    """Versions that do not exist, none at all, and what is no setting"""
    one = {"id": pair.a.id}
    refused(pair.a.ynl.dev_set, one, errno.EINVAL)
    refused(pair.a.ynl.dev_set, {**one, "psp-versions-ena": 0x10},
            errno.EINVAL, bad_attr=".psp-versions-ena")
    refused(pair.a.ynl.dev_set, {**one, "ifindex": 1}, errno.EINVAL)
    refused(pair.a.ynl.dev_get, {**one, "nsid": 1}, errno.EINVAL,
            bad_attr=".nsid")
    equal(set(VERSIONS), pair.a.dev()["psp-versions-ena"])


def bad_sockets(pair):
    """No file, no socket, not TCP, nowhere to send"""
    ynl = pair.a.ynl
    refused(ynl.rx_assoc, {"version": GCM}, errno.EINVAL, miss_type="sock-fd")
    refused(ynl.rx_assoc, {"version": GCM, "sock-fd": 9999}, errno.EBADF)
    with open("/dev/null", "rb") as file:
        refused(ynl.rx_assoc, {"version": GCM, "sock-fd": file.fileno()},
                errno.ENOTSOCK)
    with netns(pair.a.name):
        udp = socket.socket(type=socket.SOCK_DGRAM)
        tcp = socket.socket()
    refused(ynl.rx_assoc, {"version": GCM, "sock-fd": udp.fileno()},
            errno.EOPNOTSUPP, bad_attr=".sock-fd")
    refused(ynl.rx_assoc, {"version": GCM, "sock-fd": tcp.fileno()},
            errno.EINVAL, miss_type="dev-id")
    rx_assoc(pair.a, tcp, GCM, **{"dev-id": pair.a.id})


def bad_versions(pair):
    """Missing, out of range, not that of the rx key"""
    one, other = pair.connect()
    fd = {"sock-fd": one.fileno()}
    for call in pair.a.ynl.rx_assoc, pair.a.ynl.tx_assoc:
        refused(call, fd, errno.EINVAL, miss_type="version")
        refused(call, {**fd, "version": 4}, errno.ERANGE, bad_attr=".version")
    rx_assoc(pair.a, one, GCM)
    refused(pair.a.ynl.tx_assoc,
            {**fd, "version": "hdr0-aes-gmac-128", "tx-key": KEY},
            errno.EINVAL)
    other.close()


def bad_keys(pair):
    """Missing, in part or as a whole; too long; SPI 0; before the rx key"""
    one, _other = pair.connect()
    tx = {"version": GCM, "sock-fd": one.fileno()}
    call = pair.a.ynl.tx_assoc
    refused(call, {**tx, "tx-key": KEY}, errno.EINVAL)
    rx_assoc(pair.a, one, GCM)
    refused(call, tx, errno.EINVAL, miss_type="tx-key")
    for part in "key", "spi":
        said = refused(call, {**tx, "tx-key": {part: KEY[part]}}, errno.EINVAL)
        expect("miss-type" in said and "miss-nest" in said, said)
    refused(call, {**tx, "tx-key": {**KEY, "key": bytes(32)}}, errno.EINVAL,
            bad_attr=".tx-key.key")
    for spi in 0, 1 << 31:
        said = refused(call, {**tx, "tx-key": {**KEY, "spi": spi}},
                       errno.EINVAL)
        expect(said["bad-attr"].startswith(".tx-key."), said)
    tx_assoc(pair.a, one, GCM, KEY)


def other_device_than_the_route_s(pair):
    """The request's device must be right if it is there"""
    one, _other = pair.connect()
    refused(pair.a.ynl.rx_assoc,
            {"version": GCM, "sock-fd": one.fileno(), "dev-id": NO_SUCH},
            errno.EINVAL, bad_attr=".dev-id")


def version_that_the_device_lacks(pair):
    """It can be neither enabled nor used"""
    versions = "/sys/module/psp_ref/parameters/versions"
    with open(versions, encoding="ascii") as file:
        before = file.read()
    try:
        with open(versions, "w", encoding="ascii") as file:
            file.write("1")
        ip(pair.a.name, "link add more0 type psp_ref")
    finally:
        with open(versions, "w", encoding="ascii") as file:
            file.write(before)
    dev = max(pair.a.ynl.dev_get({}, dump=True), key=lambda dev: dev["id"])
    equal({GCM}, dev["psp-versions-cap"])
    refused(pair.a.ynl.dev_set,
            {"id": dev["id"], "psp-versions-ena": ["hdr0-aes-gcm-256"]},
            errno.EINVAL)
    with netns(pair.a.name):
        sock = socket.socket()
    refused(pair.a.ynl.rx_assoc,
            {"version": "hdr0-aes-gcm-256", "sock-fd": sock.fileno(),
             "dev-id": dev["id"]}, errno.EOPNOTSUPP, bad_attr=".version")
    ip(pair.a.name, "link del more0")


def only_administrators_change_a_device(pair):
    """A child without rights may look, and make keys for its socket"""
    one, _other = pair.connect()
    ids = {"id": pair.a.id, "ifindex": 1}
    child = os.fork()
    if child:
        equal((child, 0), os.waitpid(child, 0))
        return
    status = 1
    try:
        os.setresuid(65534, 65534, 65534)
        refused(pair.a.ynl.key_rotate, {"id": pair.a.id}, errno.EPERM)
        refused(pair.a.ynl.dev_set, {"id": pair.a.id, "psp-versions-ena": 1},
                errno.EPERM)
        refused(pair.a.ynl.dev_assoc, ids, errno.EPERM)
        refused(pair.a.ynl.dev_disassoc, ids, errno.EPERM)
        equal(DEV, sorted(pair.a.dev()))
        tx_assoc(pair.a, one, GCM, rx_assoc(pair.a, one, GCM))
        status = 0
    finally:
        os._exit(status)  # pylint: disable=protected-access


@contextlib.contextmanager
def container(pair):
    """A namespace behind a veth of A; and the indices of its two ends"""
    guest = End("ynl-c", pair.a.spec, "eth0")
    guest.nsid = next(NSIDS)
    try:
        ip("ynl-a", f"netns set ynl-c {guest.nsid}",
           "link add host0 type veth peer name eth0 netns ynl-c")
        guest.open()
        guest.id = pair.a.id
        with netns("ynl-c"):
            guest.ifindex = socket.if_nametoindex("eth0")
        with netns("ynl-a"):
            host0 = socket.if_nametoindex("host0")
        yield guest, host0
    finally:
        subprocess.run(["ip", "-n", "ynl-a", "link", "del", "host0"],
                       check=False)
        guest.close()


def associations_are_seen(pair):
    """On both sides, each as it looks from there"""
    plain = pair.a.dev()
    with container(pair) as (guest, _):
        dev = {"id": pair.a.id, "ifindex": guest.ifindex,
               "nsid": guest.nsid}
        equal([], guest.ynl.dev_get({}, dump=True))

        equal({}, pair.a.ynl.dev_assoc(dev))
        equal({**plain,
               "assoc-list": [{"ifindex": guest.ifindex,
                               "nsid": guest.nsid}]},
              pair.a.dev())
        inside = guest.dev()
        equal({**plain, "by-association": True,
               "assoc-list": [{"ifindex": guest.ifindex, "nsid": -1}]}, inside)
        equal([inside], guest.ynl.dev_get({}, dump=True))

        equal({}, pair.a.ynl.dev_disassoc(dev))
        equal(plain, pair.a.dev())
        equal([], guest.ynl.dev_get({}, dump=True))


def associations_are_told(pair):
    """On both sides: the beginning, rotations meanwhile, and before the end"""
    with container(pair) as (guest, _):
        ends = pair.a, guest
        mgmt = [end.listen("mgmt") for end in ends]
        use = [end.listen("use") for end in ends]
        dev = {"id": pair.a.id, "ifindex": guest.ifindex,
               "nsid": guest.nsid}

        pair.a.ynl.dev_assoc(dev)
        seen = [end.dev() for end in ends]
        equal(seen, [heard(client, "dev-change-ntf") for client in mgmt])
        pair.a.ynl.key_rotate({"id": pair.a.id})
        for client in use:
            equal({"id": pair.a.id}, heard(client, "key-rotate-ntf"))
        pair.a.ynl.dev_disassoc(dev)
        equal(seen, [heard(client, "dev-change-ntf") for client in mgmt])
        silence(*mgmt, *use)


def associated_namespace_makes_keys(pair):
    """And may look, but not change the device"""
    with container(pair) as (guest, _):
        one = {"id": guest.id}
        with netns(guest.name):
            sock = socket.socket()
        request = {"version": GCM, "sock-fd": sock.fileno(),
                   "dev-id": guest.id}
        refused(guest.ynl.rx_assoc, request, errno.ENOENT)
        pair.a.ynl.dev_assoc({**one, "ifindex": guest.ifindex,
                              "nsid": guest.nsid})
        key = rx_assoc(guest, sock, GCM, **{"dev-id": guest.id})
        tx_assoc(guest, sock, GCM, key, **{"dev-id": guest.id})
        equal(STATS, sorted(guest.stats()))
        refused(guest.ynl.key_rotate, one, errno.ENOENT)
        refused(guest.ynl.dev_set, {**one, "psp-versions-ena": 1},
                errno.ENOENT)
        refused(guest.ynl.dev_assoc, {**one, "ifindex": 1, "nsid": 0},
                errno.EPERM, bad_attr=".nsid")
    expect("assoc-list" not in pair.a.dev(), "the association has no end")


def bad_associations(pair):
    """No device, no namespace, twice, not there"""
    one = {"id": pair.a.id}
    ynl = pair.a.ynl
    with container(pair) as (_, host0):
        for call in ynl.dev_assoc, ynl.dev_disassoc:
            refused(call, one, errno.EINVAL, miss_type="ifindex")
            refused(call, {**one, "ifindex": NO_SUCH}, errno.ENODEV,
                    bad_attr=".ifindex")
            refused(call, {**one, "ifindex": host0, "nsid": NO_SUCH},
                    errno.EINVAL, bad_attr=".nsid")
        refused(ynl.dev_disassoc, {**one, "ifindex": host0}, errno.ENODEV,
                bad_attr=".ifindex")
        equal({}, ynl.dev_assoc({**one, "ifindex": host0}))
        refused(ynl.dev_assoc, {**one, "ifindex": host0}, errno.EBUSY)
        refused(ynl.dev_assoc, {**one, "ifindex": pair.a.ifindex}, errno.EBUSY)
        listed = pair.a.dev()["assoc-list"]
        equal([host0], [dev["ifindex"] for dev in listed])
        expect(listed[0]["nsid"] >= 0, "the host has no id for itself")
        equal({}, ynl.dev_disassoc({**one, "ifindex": host0}))


U32 = {"type": "u32", "min-value": 0, "max-value": 0xffffffff}
ID = {**U32, "min-value": 1}
ASSOC = {"dev-id": ID, "version": {**U32, "max-value": 3}, "sock-fd": U32}
S32 = {"type": "s32", "min-value": -(1 << 31), "max-value": (1 << 31) - 1}
ASSOC_DEV = {"id": ID, "ifindex": U32, "nsid": S32}
POLICY = {
    "dev-get": {"id": ID}, "key-rotate": {"id": ID},
    "dev-set": {"id": ID, "psp-versions-ena": {"type": "u32", "mask": 15}},
    "get-stats": {"dev-id": ID}, "rx-assoc": ASSOC,
    "dev-assoc": ASSOC_DEV, "dev-disassoc": ASSOC_DEV,
}


def kernel_tells_its_policy(pair):
    """What requests may hold, asked for by the client"""
    for name, want in POLICY.items():
        got = pair.a.ynl.get_policy(name, "do").to_dict()
        equal((name, want), (name, got))
    got = pair.a.ynl.get_policy("tx-assoc", "do").to_dict()
    equal(["dev-id", "sock-fd", "tx-key", "version"], sorted(got))
    equal("nested", got["tx-key"]["type"])
    equal(["key", "spi"], sorted(got["tx-key"]["policy"]))


def command_line(pair):
    """The client as a program"""
    def cli(*args):
        out = subprocess.run(
            ["ip", "netns", "exec", pair.a.name, sys.executable,
             YNL + "/tools/net/ynl/pyynl/cli.py", "--spec", pair.a.spec,
             "--no-schema", "--output-json", *args],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)

    devs = cli("--dump", "dev-get")
    equal([pair.a.id], [dev["id"] for dev in devs])
    equal({}, cli("--do", "dev-set", "--json", json.dumps(
        {"id": pair.a.id, "psp-versions-ena": list(VERSIONS)})))
    equal(pair.a.id, cli("--do", "key-rotate", "--json",
                         json.dumps({"id": pair.a.id}))["id"])


def need_ours(pair):
    """Skip where the family has mainline's commands only"""
    if not has_ours(pair):
        raise Skip("mainline's PSP: the family has nothing else")


def ours(pair):
    """A client that knows what we have added, at A"""
    need_ours(pair)
    with netns(pair.a.name):
        return YnlFamily(OUR_SPECS + "psp.yaml", schema="")


def rekeying(pair):
    """Keys that take the place of others, by requests that mainline has"""
    need_ours(pair)
    one, other = pair.connect()
    secure(pair, one, other, GCM)
    exchange(one, other)
    for _ in range(3):
        for end in pair.a, pair.b:
            end.ynl.key_rotate({"id": end.id})
        secure(pair, one, other, GCM)
        exchange(one, other)


def our_commands(pair):
    """Beside mainline's, which look the same as before"""
    client = ours(pair)
    one, other = pair.connect()
    secure(pair, one, other, GCM)
    exchange(one, other)
    stats = client.rekey_stats_get({"dev-id": pair.a.id})
    equal([stats], client.rekey_stats_get({}, dump=True))
    expect(stats["drops"] and stats["tx-keys"] > 0, stats)
    socks = client.assoc_get({"dev-id": pair.a.id}, dump=True)
    socks = [sock for sock in socks
             if sock.get("local-port") == one.getsockname()[1]]
    equal(["full"], [sock["state"] for sock in socks])
    equal("10.0.0.2", socks[0]["remote-addr"])
    dev_get(pair)
    get_stats(pair)


def our_events_stay_among_us(pair):
    """A stale socket is told to the group assoc, and to no other"""
    client = ours(pair)
    client.ntf_subscribe("assoc")
    mgmt, use = pair.a.listen("mgmt"), pair.a.listen("use")
    one, _other = pair.connect()
    key = rx_assoc(pair.a, one, GCM)
    for _ in range(2):
        pair.a.ynl.key_rotate({"id": pair.a.id})
    for ntf in client.poll_ntf(duration=WAIT):
        equal("assoc-stale-ntf", ntf["name"])
        if ntf["msg"]["spi"] == key["spi"]:
            break
    else:
        raise AssertionError("nothing told of the stale socket")
    for _ in range(2):
        heard(use, "key-rotate-ntf")
    silence(mgmt, use)


TESTS = [
    dev_get, dev_set, key_rotate, rotation_changes_the_phase, get_stats,
    devices_come_and_go, requests_in_one_message,
    data_crosses_under_every_version, keys_cross_the_connection_itself,
    data_follows_a_rotation, queued_plain_data_is_in_the_way,
    second_keys_before_a_rotation_are_refused, bad_devices, bad_settings,
    bad_sockets, bad_versions, bad_keys, other_device_than_the_route_s,
    version_that_the_device_lacks, only_administrators_change_a_device,
    associations_are_seen, associations_are_told,
    associated_namespace_makes_keys, bad_associations, kernel_tells_its_policy, command_line, rekeying,
    our_commands, our_events_stay_among_us,
]

FIXTURES = {
    "cable": lambda: Pair(SPECS + "psp.yaml"),
    "lower": lambda: Pair(SPECS + "psp.yaml", lower=True),
    "ours": lambda: Pair(OUR_SPECS + "psp.yaml"),
}


def main():
    """ynl.py [TEST]..."""
    names = [test.__name__ for test in TESTS]
    if set(sys.argv[1:]) - set(names):
        sys.exit("tests: " + " ".join(names))
    os.chdir(tempfile.gettempdir())
    sys.exit(run_tests(FIXTURES, [test for test in TESTS
                                  if test.__name__ in sys.argv[1:] or
                                  not sys.argv[1:]]))


if __name__ == "__main__":
    main()
