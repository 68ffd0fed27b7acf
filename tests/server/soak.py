#!/usr/bin/env python3
"""soak.py BUILD-DIR io_uring|epoll [MINUTES] - runs load.py's clients in rounds.
After each round, descriptors, threads, vms and memory are what they were after the
first, and every request has been answered once. Then the server is told to end
under load, and completes every answer that it has begun. tests/soak.sh runs this
for as long as one likes.
"""
import contextlib
import itertools
import json
import os
import pathlib
import random
import sys
import threading
import time

from support import OK, Server, Threads, main, test, wait_until
from support.mix import CATALOGS, MANY, Clients

MINUTES = float(sys.argv.pop(3)) if len(sys.argv) > 3 else 1
ROUND_S = 8
ROUNDS = 3  # of one server
IDLE_S = 2.5  # JOBS_IDLE_NS of offload.h, and a little
# What clients ask for with numbers, and what each has answered is counted.
COUNTED = {'image': 'echo', 'concurrency': MANY}
# Shells that are kept without a vm: SHELLS_DEFAULT, SERVER_SHELLS_DEFAULT.
SHELLS = 16 + 16

# malloc() gives back the end of its first arena only. What it keeps in the others is
# 20 to 90 MiB, another amount after each round, so the server is given no others.
ONE_ARENA = {'GLIBC_TUNABLES': 'glibc.malloc.arena_max=1'}
# A round may leave so much more than the first one did. Smaller leaks are the
# sanitizer's to find.
MORE_KIB = 12 << 10

COUNTING = [{**catalog, 'counted': COUNTED} for catalog in CATALOGS]


class Counting(Clients):
    """Clients that keep a tally of answers; each request has a number."""

    def __init__(self, server):
        super().__init__(server, COUNTING)
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self.answered = 0
        self.ends = False  # the server has been told to end

    def note(self, count=1):
        with self.lock:
            self.answered += count

    def number(self):
        with self.lock:
            return next(self.numbers)

    def asks(self, http):
        text = b'%d' % self.number()
        response = (http.post('counted', text) if random.random() < 0.5 else
                    http.invoke('counted', text))
        assert (response.status, response.body) == (200, text), response
        self.note()

    def asks_many(self, frames):
        numbers = [self.number() for _ in range(20)]
        for number in numbers:
            frames.request(number, 'counted', b'%d' % number)
        replies = [frames.reply() for _ in numbers]
        assert sorted(reply.id for reply in replies) == numbers, 'each once'
        for reply in replies:
            assert (reply.status, reply.data) == (OK, b'%d' % reply.id), reply
        self.note(len(numbers))

    def comes_and_goes(self, _):
        with self.server.http() as http:
            self.asks(http)

    def until_the_end(self, stream):
        """Asks until the server closes; an answer that has begun is whole."""
        http = hasattr(stream, 'post')
        try:
            (self.asks if http else self.asks_many)(stream)
        except (EOFError, ConnectionError):
            assert self.ends, 'the server has hung up'
            assert not stream.buffer, 'a part of an answer'
            return False
        return True


def files(server):
    """What its open files are; one may be closed meanwhile."""
    folder = f'/proc/{server.process.pid}/fd'
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f'{folder}/{name}')


def thread_names(server):
    for path in pathlib.Path(f'/proc/{server.process.pid}/task').glob('*/comm'):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield path.read_text(encoding='utf-8')


def facts(server):
    links = list(files(server))
    return {'fds': sum('kvm-v' not in link for link in links),
            'kvm_vms': sum('kvm-vm' in link for link in links),
            # those of KVM's vms begin so
            'threads': sum(not name.startswith('kvm-')
                           for name in thread_names(server)),
            'rss_kib': server.rss_kib(),
            'vms': sum(row['vms']['idle'] + row['vms']['busy'] for row in
                       server.admin_json('/v1/functions')['functions']),
            'buffered': server.status()['buffered']['bytes'],
            'events': server.status()['events']['queued']}


def rest(server):
    """What it has when nothing is to be done any more, with the first catalog."""
    server.write_catalog(COUNTING[0], rename=True)
    wait_until(lambda: server.reload()[0] == 200, 'it is reloaded')
    wait_until(lambda: not (server.status()['functions']['pending'] +
                            server.status()['functions']['outdated']),
               'all is deployed')
    server.wait_quiet()
    wait_until(lambda: not server.status()['events']['queued'], 'no event waits')
    wait_until(lambda: facts(server)['vms'] == 0, 'vms that nobody uses are freed')
    wait_until(lambda: facts(server)['buffered'] == 0, 'nothing is kept')
    time.sleep(IDLE_S)
    now = facts(server)
    # shells come and go: those of functions, and those made ahead
    assert now['kvm_vms'] <= SHELLS, now
    return now


def one_round(server, do, reloads, seconds):
    with Threads() as threads:
        for action in (do.http, do.lambdas, do.slow, do.large, do.events, do.asks,
                       do.asks):
            threads.start(action, server.http())
        for action in (do.frames, do.throttled, do.asks_many):
            threads.start(action, server.frames())
        for seed in (1, 2):
            threads.start(do.vanishes, random.Random(seed))
        for action in (do.watches, do.comes_and_goes):
            threads.start(action, None)
        threads.start(do.reloads, reloads)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not threads.failures:
            time.sleep(0.1)
    return threads.counts


def check_round(server, do, first, now):
    ok = server.function('counted')['invocations']['ok']
    assert ok == do.answered, f'{ok} ran well, {do.answered} were answered'
    if not first:
        return
    # what has been closed may have been so a moment ago, and threads that have
    # nothing to do end soon
    for what in ('fds', 'threads'):
        wait_until(lambda what=what: facts(server)[what] <= first[what],
                   f'{what} are as many as before: {first[what]}, not {now[what]}')
    if not Server.is_sanitized():
        assert now['rss_kib'] <= first['rss_kib'] + MORE_KIB, (first, now)


def end_under_load(server, do):
    with Threads() as threads:
        for _ in range(4):
            threads.start(do.until_the_end, server.http())
            threads.start(do.until_the_end, server.frames())
        threads.wait_count('until_the_end', 50)
        do.ends = True
        server.end()
    assert threads.counts['until_the_end'] >= 50


def one_server(until):
    with Server(COUNTING[0], '--event-queue', '50', '--head-timeout', '2s',
                '--vm-idle-timeout', '500ms', '--event-retries', '0',
                surprises=['invocation (failed|refused)', 'lines dropped',
                           'event dropped'],
                env=ONE_ARENA) as server:
        do, first, reloads = Counting(server), None, []
        for turn in range(ROUNDS):
            counts = one_round(server, do, reloads, ROUND_S)
            now = rest(server)
            print('#', json.dumps(now), json.dumps(counts))
            check_round(server, do, first, now)
            first = first or now
            if time.monotonic() > until and turn:
                break
        end_under_load(server, do)


@test(f'{MINUTES:g} minutes of rounds, each of which leaves the server as it was')
def soak():
    until = time.monotonic() + MINUTES * 60
    one_server(until)
    while time.monotonic() < until:
        one_server(until)


if __name__ == '__main__':
    main()
