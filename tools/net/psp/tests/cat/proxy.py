#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""proxy.py LISTEN-PORT PORT [HARM [N]]

Stands between client and server of one connection, and does harm to what the
server says: HARM is cut (the connection ends before byte N), flip (byte N is
another), mute (nothing comes from byte N on), all counted from the end of TLS
on; tls-cut and tls-flip, counted from the beginning; end (the record that ends
TLS is another), or none. Up- before it: to what the client says. Prints how
many bytes came behind TLS, from the server and from the client.
"""
import socket
import sys
import threading

END_LEN = 5 + 19    # an alert, as TLS 1.3 hides it


def units(sock):
    """(True, record) while there is TLS, then (False, bytes)."""
    buf = b""
    tls = True
    while more := sock.recv(65536):
        buf += more
        while buf:
            if tls and 0x14 <= buf[0] <= 0x17:
                size = 5 + int.from_bytes(buf[3:5], "big")
                if len(buf) < max(size, 5):
                    break
            else:
                tls = False
                size = len(buf)
            yield tls, buf[:size]
            buf = buf[size:]


def harmed(harm, at, tls, unit):
    """What becomes of it, and whether it is the last."""
    if harm == "end" and tls and len(unit) == END_LEN:
        at = END_LEN - 1
    elif harm in ("end", "none", None) or tls != harm.startswith("tls-"):
        return unit, False
    if harm == "mute" and at < 0:
        return b"", False
    if not 0 <= at < len(unit):
        return unit, False
    if harm.endswith("cut"):
        return unit[:at], True
    if harm == "mute":
        return unit[:at], False
    return unit[:at] + bytes([unit[at] ^ 1]) + unit[at + 1:], False


def pass_on(src, dst, harm, at):
    counts = {True: 0, False: 0}
    for tls, unit in units(src):
        out, last = harmed(harm, at - counts[tls], tls, unit)
        counts[tls] += len(unit)
        try:
            dst.sendall(out)
        except OSError:
            break
        if last:
            break
    try:
        dst.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return counts[False]


def main():
    listen, port = int(sys.argv[1]), int(sys.argv[2])
    harm = sys.argv[3] if len(sys.argv) > 3 else None
    at = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    server = socket.create_server(("127.0.0.1", listen))
    client, _ = server.accept()
    peer = socket.create_connection(("127.0.0.1", port))
    harms = [harm, None]
    if harm and harm.startswith("up-"):
        harms = [None, harm[3:]]
    counts = [0, 0]

    def run(way, src, dst):
        counts[way] = pass_on(src, dst, harms[way], at)

    up = threading.Thread(target=run, args=(1, client, peer))
    up.start()
    run(0, peer, client)
    up.join()
    print(*counts)


main()
