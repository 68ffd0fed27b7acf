#!/usr/bin/env python3
"""raw_http.py PORT [PART...] - sends bytes as they are, prints what comes back.

Each PART is sent by itself, after its escapes (\\r, \\n, \\xNN) have been replaced.
@SECONDS waits instead, and =FILE sends a file. It prints until the server closes the
connection. After five seconds of silence it prints "STILL OPEN" and ends.
"""

import codecs
import socket
import sys
import time


def main():
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in sys.argv[2:]:
        if part.startswith("@"):
            time.sleep(float(part[1:]))
        elif part.startswith("="):
            with open(part[1:], "rb") as file:
                client.sendall(file.read())
        else:
            client.sendall(codecs.escape_decode(part.encode())[0])
    client.settimeout(5)
    try:
        while data := client.recv(65536):
            sys.stdout.buffer.write(data)
    except socket.timeout:
        sys.stdout.buffer.write(b"STILL OPEN\n")
    except ConnectionError as error:
        sys.stdout.buffer.write(f"{error}\n".encode())


main()
