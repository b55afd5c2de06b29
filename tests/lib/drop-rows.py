#!/usr/bin/env python3
"""drop-rows.py LISTEN BROKER N -- a dishonest broker: everything of the audit
socket BROKER is passed on through the socket LISTEN, but frame N of rows
(from 0; -1: the last) of each answer is left out.  Until killed."""
import socket
import sys


def frame(sock):
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        want = 4 if len(data) < 4 else 4 + int.from_bytes(data[:4], "big")
        part = sock.recv(want - len(data))
        if not part:
            return None
        data += part
    return data


def visit(auditor, path, drop):
    broker = socket.socket(socket.AF_UNIX)
    broker.connect(path)
    auditor.sendall(frame(broker))  # CHALLENGE
    broker.sendall(frame(auditor))  # ASK
    frames = []
    while True:
        data = frame(broker)
        if data is None:
            break
        frames.append(data)
    rows = [data for data in frames if data[5] == 4]
    if rows:
        frames.remove(rows[drop])
    for data in frames:
        auditor.sendall(data)


listen, broker, drop = sys.argv[1], sys.argv[2], int(sys.argv[3])
server = socket.socket(socket.AF_UNIX)
server.bind(listen)
server.listen()
print("serving", flush=True)
while True:
    auditor, _ = server.accept()
    try:
        visit(auditor, broker, drop)
    except OSError:
        pass
    auditor.close()
