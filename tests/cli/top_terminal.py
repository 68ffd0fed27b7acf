#!/usr/bin/env python3
"""top_terminal.py THAW - `thaw top` in a pseudo terminal.

Prints a line for each check, "ok - WHAT" or "not ok - WHAT". The environment names
the server.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
thaw = sys.argv[1]


def check(text, good, seen=b""):
    print(f"{'ok' if good else 'not ok'} - {text}")
    if not good:
        print(f"# {seen[-2000:]!r}")


class Terminal:
    def __init__(self, *arguments, rows=20, columns=100):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.execv(thaw, [thaw, "top", *arguments])
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, text, seconds=10):
        """Reads until it has come; forgets what was before its end."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return False
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return False
        self.seen = self.seen[self.seen.index(text) + len(text):]
        return True

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Its exit status, or minus the signal; and whether all is as before."""
        restored = self.wait_for(LEAVE)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        same = termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return status, restored, same


def ends(text, terminal, wanted):
    status, restored, same = terminal.end()
    check(f"{text}: ends with {wanted}, and did with {status}",
          status == wanted)
    check(f"{text}: leaves the other screen and shows the cursor", restored)
    check(f"{text}: leaves the terminal's settings as they were", same)


def main():
    top = Terminal("--interval", "200ms")
    check("takes another screen", top.wait_for(ENTER), top.seen)
    check("says what the server is", top.wait_for(b"serving for"), top.seen)
    check("sorts by rate", top.wait_for(b"by rate"), top.seen)
    check("has headings", top.wait_for(b"BUSY/IDLE/MAX    ERR/s  STATE"),
          top.seen)
    check("draws functions", top.wait_for(b"75.0us   99.5us"), top.seen)
    top.press(b"n")
    check("key n sorts by name", top.wait_for(b"by name"), top.seen)
    top.press(b"\x1b[C")
    top.press(b"e")
    check("an arrow is no key; e sorts by errors", top.wait_for(b"by errors"),
          top.seen)
    top.resize(9, 40)
    check("a smaller window has fewer columns",
          top.wait_for(b"FUNCTION    RATE/s      P99    ERR/s\x1b"), top.seen)
    top.press(b"q")
    ends("key q", top, 0)

    top = Terminal("-n", "2", "--interval", "100ms")
    ends("two tables", top, 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        top = Terminal()
        top.wait_for(b"hello")
        os.kill(top.pid, number)
        ends(signal.Signals(number).name, top, -number)
    top = Terminal()
    top.wait_for(b"hello")
    top.press(b"\x03")
    ends("^C", top, -signal.SIGINT)


main()
