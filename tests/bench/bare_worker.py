"""A worker without a library: the loop that one would write for this and nothing else. --echo: payloads are not looked at."""

import json
import os
import socket
import struct
import sys

HEADER = struct.Struct("<IIQ")
HELLO, TASK, RESULT = 1, 2, 3


def main():
    same = "--echo" in sys.argv
    channel = socket.socket(fileno=int(os.environ["CORRAL_TASK_FD"]))
    loads, dumps, unpack, pack = json.loads, json.dumps, HEADER.unpack_from, HEADER.pack
    channel.sendall(pack(8, HELLO, 0) + struct.pack("<II", 1, 1 << 30))
    data = bytearray()
    while True:
        more = channel.recv(1 << 20)
        if not more:
            return
        data += more
        at, end, out = 0, len(data), []
        while end - at >= 16:
            length, kind, number = unpack(data, at)
            if end - at - 16 < length:
                break
            if kind == TASK:
                payload = data[at + 16 : at + 16 + length]
                result = payload if same else dumps(loads(payload)).encode()
                out += (pack(len(result), RESULT, number), result)
            at += 16 + length
        del data[:at]
        channel.sendall(b"".join(out))


main()
