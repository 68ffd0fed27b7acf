#!/usr/bin/env python3
"""load.py BUILD-DIR io_uring|epoll [SECONDS] - sends everything at once for a
while: all protocols, functions that fail, sleep and spin, clients that vanish or
send nonsense, events, reloads. Then it tells the server to end, which must happen.
It is made for sanitizers: their reports are no lines of a log, so the test finds
them.
"""
import json
import random
import sys
import time

from support import Server, Threads, main, test
from support.mix import CATALOGS, Clients

SECONDS = float(sys.argv.pop(3)) if len(sys.argv) > 3 else 15


@test(f'everything at once for {SECONDS:.0f} s, and a clean end')
def load():
    surprises = ['invocation (failed|refused)', 'log lines dropped']
    with Server(CATALOGS[0], '--event-queue', '50', '--head-timeout', '2s',
                surprises=surprises) as server:
        with Threads() as threads:
            do = Clients(server)
            for action in (do.http, do.http, do.lambdas, do.slow, do.spins,
                           do.large, do.events):
                threads.start(action, server.http())
            for action in (do.frames, do.throttled):
                threads.start(action, server.frames())
            for seed in (1, 2):
                threads.start(do.vanishes, random.Random(seed))
            threads.start(do.watches, None)
            threads.start(do.reloads, [])
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and not threads.failures:
                time.sleep(0.1)
        print('#', json.dumps(threads.counts))
        for name in ('http', 'lambdas', 'frames', 'slow', 'reloads', 'vanishes'):
            assert threads.counts[name], name
        server.wait_quiet()
        server.check_works()
        server.end()


if __name__ == '__main__':
    main()
