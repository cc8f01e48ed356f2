#!/usr/bin/env python3
# SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
"""
secure.py [-l] ADDRESS PORT - a TCP connection, then PSP on it

What secure.c does, and it talks to that, by the YNL library of a kernel source
tree and the specification of the netlink family. Example program of
Documentation/networking/psp_app.rst.
"""

import socket
import sys

from pyynl import NlError, YnlFamily

SPEC = "Documentation/netlink/specs/psp.yaml"
VERSION = "hdr0-aes-gcm-128"
KEY_LEN = 16


def offer_key(psp, sock):
    """Our device makes a key; who has it can send to this socket"""
    reply = psp.rx_assoc({"version": VERSION, "sock-fd": sock.fileno()})
    key = reply["rx-key"]
    sys.stdout.buffer.write(key["spi"].to_bytes(4, "big") + key["key"])
    sys.stdout.buffer.flush()


def take_key(psp, sock):
    """The peer's key: from now on we send under it"""
    offer = sys.stdin.buffer.read(4 + KEY_LEN)
    key = {"spi": int.from_bytes(offer[:4], "big"), "key": offer[4:]}
    psp.tx_assoc({"version": VERSION, "sock-fd": sock.fileno(),
                  "tx-key": key})


def get_connection(listening, address):
    """Connects, or waits for somebody who does"""
    if not listening:
        return socket.create_connection(address)
    with socket.create_server(address) as listener:
        return listener.accept()[0]


def talk(sock, text):
    """An ordinary socket: nothing in here knows of PSP"""
    sock.sendall(text.encode())
    sock.shutdown(socket.SHUT_WR)
    while data := sock.recv(64):
        sys.stderr.buffer.write(data)
    sys.stderr.buffer.write(b"\n")


def main(args):
    """The connection, the keys, the talk"""
    listening = args[:1] == ["-l"]
    address, port = args[listening:]
    sock = get_connection(listening, (address, int(port)))
    psp = YnlFamily(SPEC, schema="")
    try:
        offer_key(psp, sock)
        take_key(psp, sock)
    except NlError as err:
        sys.exit(f"secure.py: {err}")
    talk(sock, "hello from Python")


main(sys.argv[1:])
