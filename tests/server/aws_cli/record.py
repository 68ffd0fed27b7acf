#!/usr/bin/env python3
"""record.py SERVER-PORT FILE AWS-ARGUMENT... - records what the AWS CLI sends.

Runs `aws lambda AWS-ARGUMENT...` against a proxy in front of a server at
127.0.0.1:SERVER-PORT, and writes the bytes of its request to FILE. What
depends on time, port, kernel or secrets is made the same in all recordings.
"""

import os
import re
import socket
import subprocess
import sys
import threading

DATE = b"20260131T120000Z"
SCRUBBED = (
    (rb"(?m)^(Host: 127\.0\.0\.1):\d+", rb"\g<1>:8080"),
    (rb"(?m)^(X-Amz-Date: )\w+", rb"\g<1>" + DATE),
    (rb"(Credential=test)/\d{8}/", rb"\g<1>/" + DATE[:8] + b"/"),
    (rb"(Signature=)[0-9a-f]{64}", rb"\g<1>" + b"0" * 64),
    (rb"Linux/\S+", rb"Linux/6.1.0"),
)


def relay(client, server, seen):
    while data := client.recv(65536):
        if seen is not None:
            seen.append(data)
        server.sendall(data)
    server.shutdown(socket.SHUT_WR)


def serve(listener, port, seen):
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        back = threading.Thread(target=relay, args=(server, client, None))
        back.start()
        relay(client, server, seen)
        back.join()


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []
    threading.Thread(
        target=serve, args=(listener, port, seen), daemon=True
    ).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    aws = [os.environ.get("AWS", "aws"), "lambda", "--endpoint-url", url]
    code = subprocess.run(aws + sys.argv[3:], env=environment).returncode
    request = b"".join(seen)
    for pattern, text in SCRUBBED:
        request = re.sub(pattern, text, request)
    with open(name, "wb") as file:
        file.write(request)
    # its threads may still wait
    sys.stdout.flush()
    os._exit(code)


main()
