#!/usr/bin/env python3
"""socket_activation.py BUILD-DIR - sockets that systemd hands over.

Two servers, one after the other, get the same four listening sockets from this
script. Each must serve at them by their names. When the first ends, it must leave them
open, so that the second serves whoever connects meanwhile.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

LISTEN_FDS_START = 3
NAMES = ("http", "socket", "admin", "metrics")

build = os.path.realpath(sys.argv[1])
thaw = build + "/thaw"
if subprocess.run([thaw, "doctor"], capture_output=True).returncode:
    print("skipped: this machine cannot run functions")
    sys.exit(77)
work = tempfile.TemporaryDirectory()
failed = 0


def listen(name):
    if name == "http":
        one = socket.create_server(("127.0.0.1", 0))
    else:
        one = socket.socket(socket.AF_UNIX)
        one.bind(f"{work.name}/{name}")
        one.listen()
    return one


def check(text, holds):
    global failed
    print("ok -" if holds else "not ok -", text)
    failed += not holds


def start(sockets):
    """Becomes a server in a child, as systemd would start it."""
    pid = os.fork()
    if pid:
        return pid
    copies = [fcntl.fcntl(one, fcntl.F_DUPFD, 64) for one in sockets]
    for i, fd in enumerate(copies):
        os.dup2(fd, LISTEN_FDS_START + i, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(copies)),
                      LISTEN_FDNAMES=":".join(NAMES), THAW_RUNTIME_DIR=work.name)
    os.execv(thaw, [thaw, "serve", "-c", f"{work.name}/functions.json"])


def run(*command):
    done = subprocess.run(command, capture_output=True, timeout=60)
    return done.returncode == 0


def until(what, *arguments):
    for _ in range(600):
        if what(*arguments):
            return True
        time.sleep(0.1)
    return False


with open(f"{work.name}/functions.json", "w") as catalog:
    catalog.write('{"functions": [{"name": "echo", "image": "%s"}]}'
                  % (build + "/guest/echo.elf"))
sockets = [listen(name) for name in NAMES]
url = "127.0.0.1:%d" % sockets[0].getsockname()[1]
for which in ("first", "second"):
    pid = start(sockets)
    # nothing waits for the server to be up: that is what these sockets are for
    # until the function is booted it says so
    check(f"the {which} server answers over HTTP",
          until(run, thaw, "invoke", "echo", "--url", url, "-d", "x"))
    check(f"the {which} server answers over the socket",
          run(thaw, "invoke", "echo", "--socket", f"{work.name}/socket"))
    check(f"the {which} server can be told by its admin socket",
          run(thaw, "status", "--admin", f"unix:{work.name}/admin"))
    check(f"the {which} server's metrics can be read by theirs",
          run(thaw, "metrics", "--admin", f"unix:{work.name}/metrics") and
          not run(thaw, "status", "--admin", f"unix:{work.name}/metrics"))
    os.kill(pid, signal.SIGTERM)
    check(f"the {which} server ends well", os.waitpid(pid, 0)[1] == 0)
sys.exit(failed != 0)
