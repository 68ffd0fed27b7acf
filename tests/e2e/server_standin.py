#!/usr/bin/env python3
"""server_standin.py FOLDER - stands in for `thaw serve`, to test its clients.

Serves the admin API and the public one on FOLDER/admin.sock and on a TCP port
of 127.0.0.1, whose number is then in FOLDER/port, and frames on
FOLDER/thaw.sock (docs/protocol.md). What it answers is made up;
each look at the functions finds one second's worth of invocations more.
POST /v1/drain ends it half a second later. With FOLDER/bad there, a reload
finds a catalog that is no good.
"""

import base64
import http.server
import json
import os
import socket
import socketserver
import struct
import sys
import threading
import time

BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
          100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000]
folder = sys.argv[1]
start = time.monotonic()
looks = 0


def histogram(bucket, count):
    buckets = [0] * (len(BOUNDS) + 1)
    buckets[bucket] = count
    return {"buckets": buckets, "sum_us": 0}


def function(name, rate, bucket, errors, state="active", reason=None):
    ok = rate * looks
    return {
        "name": name, "description": "An \x1b[31mexample", "state": state,
        "reason": reason, "image": f"/images/{name}.elf",
        "image_sha256": "0" * 64, "image_bytes": 1000,
        "deployed_at": "2026-01-31T12:00:00Z", "boot_us": 4000,
        "memory_bytes": 16 << 20, "timeout_ms": 1000,
        "max_request_bytes": 1 << 20, "max_reply_bytes": 1 << 20,
        "entry": name, "kind": "native", "dispatch": "exit",
        "isolation": "strict", "gate": "none", "polled": False, "no_gate": "",
        "labels": {"team": "none"},
        "concurrency": {"max": 16, "warm": 2, "queue": 64,
                        "queue_timeout_ms": 1000},
        "vms": {"idle": 3, "busy": 1}, "queued": 2, "inflight": 1,
        "invocations": {"ok": ok, "function_error": errors * looks,
                        "timeout": 0, "crash": 0, "oom": 0, "too_large": 0,
                        "throttled": 0, "failed": 0},
        "duration": histogram(bucket, ok),
        "phases": {"queue": histogram(0, ok), "run": histogram(bucket, ok),
                   "restore": histogram(1, ok)},
        "snapshot": {"bytes": 2 << 20, "boots": 1, "boot_failures": 0},
        "restores": ok, "copied_bytes": 4096 * ok,
        "log": {"lines": 5, "dropped": 0},
        "events": {"pending": 0, "accepted": 0, "done": 0, "retried": 0,
                   "dropped": 0},
        "dispatched": {"polled": 0, "exit": ok, "no_core": 0},
    }


def functions():
    return [function("hello", 1000, 4, 0), function("echo", 10, 7, 5),
            function("broken", 0, 0, 0, "failed", "the image is missing")]


def status():
    return {
        "version": "0.1.0", "pid": os.getpid(), "state": "serving",
        "start_time": "2026-01-31T12:00:00Z",
        "uptime_ms": int((time.monotonic() - start) * 1000) + 3723000,
        "io": "io_uring", "workers": 2, "offload_threads": 4,
        "offload_busy": 0,
        "catalog": {"path": "/etc/thaw/functions.json", "sha256": "ab" * 32,
                    "generation": 1, "last_reload_error": None, "reloads": 0,
                    "reload_failures": 0},
        "connections": {"open": 1, "max": 10000, "total": 5, "refused": 0},
        "requests": {"total": 9, "bad": 0},
        "buffered": {"bytes": 0, "max": 1 << 29},
        "events": {"queued": 0, "max": 1000, "oldest_ms": 0},
        "log": {"dropped": 0},
        "functions": {"total": 3, "active": 2, "pending": 0, "failed": 1},
    }


# What POST /function/NAME does: status, then the body or (type, message).
PUBLIC = {
    "fails": (500, ("Hello.InvalidRequest", "byte 1: no \x1b[2J JSON")),
    "faults": (500, ("Runtime.Fault", "page fault at 0x0")),
    "slow": (504, ("Sandbox.Timedout", "not done within its timeout")),
    "throws": (500, ("", "thaw has failed")),
    "full": (429, ("", "all vms are busy")),
    "drains": (503, ("", "the server is draining")),
    "large": (413, ("", "larger than max_request")),
    "cooks": (418, ("", "no coffee")),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def log_message(self, format, *args):
        pass

    def address_string(self):
        return "client"

    def answer(self, code, body, kind="application/json", headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, code, detail, kind=""):
        body = {"type": "about:blank", "status": code, "detail": detail}
        if kind:
            body["errorType"] = kind
        self.answer(code, body, "application/problem+json",
                    [("X-Call-Id", "00112233")])

    def do_GET(self):
        global looks
        if self.path == "/v1/status":
            self.answer(200, status())
        elif self.path == "/v1/functions":
            looks += 1
            self.answer(200, {"bucket_bounds_us": BOUNDS,
                              "functions": functions()})
        elif self.path.startswith("/v1/functions/"):
            name = self.path.rsplit("/", 1)[1]
            found = [f for f in functions() if f["name"] == name]
            if found:
                self.answer(200, found[0])
            else:
                self.problem(404, f"no function {name}")
        elif self.path == "/livez":
            self.answer(200, b"ok\n", "text/plain")
        else:
            self.problem(404, f"no page {self.path}")

    def do_POST(self):
        if self.path.startswith("/function/flood"):
            # an answer before the request has been read
            self.problem(413, "larger than max_request")
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/reload":
            if os.path.exists(folder + "/bad"):
                self.problem(422, "f.json:3: /functions/0/tmeout: no such key")
            else:
                self.answer(200, {"generation": 2, "added": ["x", "y"],
                                  "changed": [], "removed": ["z"],
                                  "unchanged": 4})
        elif self.path == "/v1/drain":
            self.answer(202, {"state": "draining"})
            threading.Timer(0.5, os._exit, [0]).start()
        elif self.path.startswith("/2015-03-31/functions/"):
            self.invoke_lambda(body)
        elif "/function/" in self.path:
            self.invoke(self.path.rsplit("/", 1)[1], body)
        else:
            self.problem(404, f"no page {self.path}")

    def invoke(self, name, body):
        headers = [("X-Call-Id", "0123456789abcdef"),
                   ("Server-Timing", "queue;dur=0.010, run;dur=0.061")]
        if name == "closes":
            headers.append(("Connection", "close"))
        if name in ("echo", "hello", "closes"):
            kind = self.headers.get("Content-Type", "application/octet-stream")
            self.answer(200, body, kind, headers)
        elif name == "vanishes":
            self.close_connection = True
        elif name in PUBLIC:
            code, (kind, detail) = PUBLIC[name]
            self.problem(code, detail, kind)
        else:
            self.problem(404, f"no function {name}")

    def invoke_lambda(self, body):
        name = self.path.split("/")[3]
        headers = [("x-amzn-RequestId", "req-1")]
        if self.headers.get("X-Amz-Invocation-Type") == "Event":
            self.answer(202, b"", headers=headers)
            return
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            log = b"START RequestId: req-1\na \x1b[2J line\nEND\n"
            headers.append(("X-Amz-Log-Result",
                            base64.b64encode(log).decode()))
        if name == "echo":
            self.answer(200, body, headers=headers)
        elif name == "faults":
            headers.append(("X-Amz-Function-Error", "Unhandled"))
            self.answer(200, {"errorType": "Runtime.Fault",
                              "errorMessage": "page fault at 0x0"},
                        headers=headers)
        else:
            self.answer(404, {"Type": "User", "Message": "Function not found"},
                        headers=headers)


# What a frame for a function is answered with: status, type, message.
FRAMES = {
    b"fails": (1, b"Hello.InvalidRequest", b"byte 1: no JSON"),
    b"faults": (2, b"Runtime.Fault", b"page fault at 0x0"),
    b"slow": (3, b"Sandbox.Timedout", b"not done within its timeout"),
    b"large": (18, b"", b"larger than max_request"),
    b"full": (19, b"", b"all vms are busy"),
    b"drains": (20, b"", b"the server is draining"),
    b"throws": (21, b"", b"thaw has failed"),
}


class FrameHandler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            header = self.rfile.read(48)
            if len(header) < 48:
                return
            size, _, _, _, number, names, types, ids = struct.unpack(
                "<IBBHQHHH", header[:22])
            rest = self.rfile.read(size)
            name = rest[:names]
            kind = rest[names:names + types]
            if name == b"vanishes":
                return
            if name == b"echo":
                reply = (0, kind or b"text/plain", b"", b"",
                         rest[names + types + ids:])
            else:
                status, error, message = FRAMES.get(
                    name, (17, b"", b"no function " + name))
                reply = (status, b"", error, message, b"")
            self.answer(number, *reply)

    def answer(self, number, status, kind, error, message, data):
        body = kind + b"req-2" + error + message + data
        self.wfile.write(struct.pack(
            "<IBBHQHHHHQQQ", len(body), 1, 2, status, number, len(kind), 5,
            len(error), len(message), 10000, 61000, 0) + body)


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


class TcpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)


class TcpServer6(TcpServer):
    address_family = socket.AF_INET6


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    serve(UnixServer(folder + "/admin.sock", Handler))
    serve(UnixServer(folder + "/thaw.sock", FrameHandler))
    tcp = TcpServer(("127.0.0.1", 0), Handler)
    serve(tcp)
    port = tcp.server_address[1]
    try:
        serve(TcpServer6(("::1", port), Handler))
        open(folder + "/ipv6", "w").close()
    except OSError:
        pass
    with open(folder + "/port.new", "w") as file:
        file.write(str(port))
    os.rename(folder + "/port.new", folder + "/port")
    threading.Event().wait()


main()
