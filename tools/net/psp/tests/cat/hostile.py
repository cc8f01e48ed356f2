#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""hostile.py list | hostile.py PORT CERT KEY CASE

The other side of pspcat -l --fallback=tls, with a good certificate: it says
what it must not say, and then waits for the end of the connection.
"""
import socket
import ssl
import sys

HELLO, READY, KEY, BIND, CREDIT, DATA, END, DONE, ABORT = range(1, 10)
WINDOW = 4 << 20
MAX = 16380


def frame(kind, data=b"", zero=0):
    return bytes([kind, zero]) + len(data).to_bytes(2, "big") + data


def num(val):
    return val.to_bytes(8, "big")


PSP = frame(HELLO, bytes([1, 3, 3, 0]))
TLS = frame(HELLO, bytes([1, 2, 0, 0]) + b"none")
GO = PSP + frame(READY, b"\1")
ENDED = frame(END, num(0))

CASES = {
    "hello_short": frame(HELLO, b"\1\3\3"),
    "hello_long": frame(HELLO, bytes([1, 3, 3, 0]) + b"x" * 161),
    "hello_format": frame(HELLO, bytes([2, 3, 3, 0])),
    "hello_refused": frame(HELLO, bytes([1, 0, 0, 0]) + b"\33[2J"),
    "hello_twice": PSP + PSP,
    "hello_twice_tls": TLS + TLS,
    "frame_byte": frame(HELLO, bytes([1, 3, 3, 0]), 1),
    "frame_long": bytes([HELLO, 0, 0xff, 0xff]),
    "frame_half": PSP[:5],
    "frame_none": b"",
    "ready_first": frame(READY, b"\1"),
    "ready_empty": PSP + frame(READY),
    "ready_twice": GO + frame(READY, b"\1"),
    "ready_no": PSP + frame(READY, b"\0none") + frame(KEY, bytes(64)),
    "key_first": frame(KEY, bytes(64)),
    "key_short": GO + frame(KEY, bytes(23)),
    "key_long": GO + frame(KEY, bytes(65)),
    "key_forged": GO + frame(KEY, bytes(64)),
    "key_none": GO,
    "key_tls": TLS + frame(KEY, bytes(64)),
    "bind_first": frame(BIND, bytes(32)),
    "bind_plain": GO + frame(BIND, bytes(32)),
    "bind_tls": TLS + frame(BIND, bytes(32)),
    "data_first": frame(DATA, b"x"),
    "data_plain": GO + frame(DATA, b"x"),
    "data_much": TLS + frame(DATA, bytes(MAX)) * (2 * WINDOW // MAX),
    "data_behind": TLS + ENDED + frame(DATA, b"x"),
    "end_early": PSP + ENDED,
    "end_short": TLS + frame(END, bytes(7)),
    "end_more": TLS + frame(DATA, b"x") + frame(END, num(2)),
    "end_less": TLS + frame(DATA, b"x") + ENDED,
    "end_twice": TLS + ENDED + ENDED,
    "end_alone": TLS + ENDED,
    "credit_short": TLS + frame(CREDIT, bytes(7)),
    "credit_back": TLS + frame(CREDIT, num(9)) + frame(CREDIT, num(8)),
    "done_early": TLS + frame(DONE),
    "done_data": TLS + frame(CREDIT, num(9)) + frame(DONE, b"x"),
    "abort": TLS + frame(ABORT, b"\33[2J"),
    "abort_long": TLS + frame(ABORT, b"x" * MAX),
    "type_0": TLS + frame(0),
    "type_255": TLS + frame(255),
}


def main():
    if sys.argv[1] == "list":
        print(*CASES)
        return
    port, cert, key, case = sys.argv[1:]
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    ctx.load_cert_chain(cert, key)
    ctx.set_alpn_protocols(["pspcat/1"])
    sock = ctx.wrap_socket(socket.create_connection(("127.0.0.1", int(port))))
    sock.settimeout(60)
    try:
        sock.sendall(CASES[case])
        if case in ("frame_half", "frame_none", "key_none", "end_alone"):
            sock.unwrap()
        while sock.recv(65536):
            pass
    except (OSError, ValueError) as err:
        print(err)


main()
