"""A worker that speaks the task protocol of docs/protocol.md, written from that page alone, and misbehaves as its task says.

A task is a JSON object with one key, what to do; anything else is given back as the result.
"""

import json
import os
import select
import signal
import socket
import struct
import sys
import time

HEADER = struct.Struct("<IBBHQ")
HELLO, TASK, RESULT, ERROR, PROGRESS, CANCEL, DRAIN = range(1, 8)

channel = socket.socket(fileno=int(os.environ["CORRAL_TASK_FD"]))
received, answers = bytearray(), []
cancelled = set()


def send(kind, task, payload=b""):
    answers.append(HEADER.pack(len(payload), kind, 0, 0, task) + payload)


def write_all():
    channel.sendall(b"".join(answers))
    answers.clear()


def frames():
    """All whole frames that have arrived."""
    found = []
    while len(received) >= HEADER.size:
        length, kind, _, _, task = HEADER.unpack_from(received)
        if len(received) < HEADER.size + length:
            break
        found.append((kind, task, bytes(received[HEADER.size:HEADER.size + length])))
        del received[:HEADER.size + length]
    return found


def do(task, item):
    what, value = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else ("echo", item)
    if what == "sleep":
        write_all()  # Nothing is kept back behind a long one.
        time.sleep(value)
    elif what == "say":
        print(value, flush=True)
    elif what == "touch":
        open(value, "w").close()
    elif what == "kill":  # Itself, with that signal.
        write_all()
        os.kill(os.getpid(), value)
        time.sleep(60)
    elif what == "exit":
        write_all()
        os._exit(value)
    elif what == "kill-once":  # The first time that this file is not there.
        if not os.path.exists(value):
            open(value, "w").close()
            write_all()
            os.kill(os.getpid(), signal.SIGKILL)
    elif what == "fail":
        send(ERROR, task, json.dumps({"type": "ValueError", "message": value, "traceback": ""}).encode())
        return
    elif what == "garbage":
        write_all()
        channel.sendall(os.urandom(1000))
        time.sleep(60)
    elif what == "twice":
        send(RESULT, task, b'"first"')
        send(RESULT, task, b'"second"')
        return
    elif what == "forge":
        send(RESULT, value, b'"forged"')
    elif what == "progress":
        for _ in range(int(value / 0.1)):
            send(PROGRESS, task)
            write_all()
            time.sleep(0.1)
    elif what == "close":
        write_all()
        channel.shutdown(socket.SHUT_RDWR)
        time.sleep(60)
    elif what == "big":
        send(RESULT, task, json.dumps("x" * value).encode())
        return
    elif what == "lines":
        send(RESULT, task, b'{\n "a":\r\n 1}')
        return
    send(RESULT, task, json.dumps(item).encode())


def main():
    if "--ignore-term" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = b"test worker"
    channel.sendall(HEADER.pack(8 + len(name), HELLO, 0, 0, 0) + struct.pack("<II", 1, 64 << 20) + name)
    waiting, drained = [], False
    while True:
        while not drained and (not waiting or select.select([channel], [], [], 0)[0]):
            chunk = channel.recv(1 << 18)
            received.extend(chunk)
            drained = not chunk
            for kind, task, payload in frames():
                if kind == TASK:
                    waiting.append((task, payload))
                elif kind == CANCEL:
                    cancelled.add(task)
                elif kind == DRAIN:
                    drained = True
        if not waiting:
            write_all()
            return
        task, payload = waiting.pop(0)
        if task in cancelled:
            send(CANCEL, task)
        else:
            try:
                do(task, json.loads(payload))
            except ValueError as error:
                send(ERROR, task, json.dumps({"type": "ValueError", "message": str(error), "traceback": ""}).encode())
        if not waiting:
            write_all()


main()
