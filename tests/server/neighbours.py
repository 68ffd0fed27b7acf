#!/usr/bin/env python3
"""neighbours.py BUILD-DIR io_uring|epoll [PATTERN] - runs a hostile function of
each kind beside a good one. What the good one waited for is counted by the server's
decisions, not measured: turns of others, threads, restores. `thaw bench
--neighbours` shows the times.
"""
import ctypes
import os
import struct

from support import OK, Server, Threads, main, test, wait_until

GOOD = {'echo': {'image': 'echo', 'concurrency': {'max': 2}},
        # needs a thread each time
        'long': {'image': 'edges', 'entry': 'spin_ms',
                 'concurrency': {'max': 2}}}
# Invocations of the good function, by each protocol.
COUNT = 200
LONG_COUNT = 10
# What a worker takes from its queue while one of them waits there, itself included,
# on average: 1 or 2, but for one that a busy machine has held up, which pays for it.
MOST_TURNS = 12
# What a worker may restore itself: SERVER_INLINE_RESTORE of server_limits.h.
INLINE_RESTORE = 4 << 20
PAGE = 4096
SLICES_NS = {'thaw-worker': 100000, 'thaw-watchdog': 100000}


def change(first, count):
    """A request of pages.elf's `steps`: writes to @count pages."""
    return struct.pack('<4I', 1, 0, first, count)


def edges(entry, most=4, **about):
    return {'image': 'edges', 'entry': entry, 'memory': '8MiB',
            'concurrency': {'max': most, 'queue_timeout': '1m'}, **about}


def check_neighbour(server, most_turns=MOST_TURNS):
    """Whether the good function has all it needs, beside others."""
    before = server.function('echo')
    with server.http() as http, server.frames() as frames:
        for i in range(COUNT):
            text = b'%d' % i
            response = http.post('echo', text)
            assert (response.status, response.body) == (200, text), response
            reply = frames.call('echo', text)
            assert (reply.status, reply.data) == (OK, text), reply
        for _ in range(LONG_COUNT):
            assert http.post('long', b'4').status == 200
    after = server.function('echo')

    def more(member):
        return after[member] - before[member]

    count = 2 * COUNT
    assert after['invocations']['ok'] - before['invocations']['ok'] == count
    assert after['invocations']['throttled'] == 0, after
    assert more('queue_turns') <= most_turns * count, (
        f'{more("queue_turns")} turns for {count} invocations')
    assert more('thread_waits') == 0, after
    assert more('restores_offloaded') == 0, after
    assert server.function('long')['thread_waits'] == 0


def attack(hostile, bodies, clients=8, surprises=(), options=()):
    """@clients send @bodies in turn to the function @hostile for as long as the
    returned function's caller looks after the good one."""
    def run(check):
        functions = {**GOOD, 'hostile': hostile}
        with Server(functions, *options, surprises=[
                'invocation (failed|refused)', 'log lines dropped', *surprises]
                ) as server:
            server.check_works()
            with Threads() as threads:
                def client(http, turn):
                    http.post('hostile', bodies[next(turn) % len(bodies)])

                def counter():
                    number = 0
                    while True:
                        yield number
                        number += 1

                for _ in range(clients):
                    threads.start(client, server.http(), counter())
                wait_until(lambda: check(server), 'the attack is under way')
                check_neighbour(server)
                wait_until(lambda: check(server), 'the attack goes on')
                assert not threads.failures, threads.failures[0]
                # its clients need not wait for what is under way
                threads.stopping.set()
    return run


def counts(server):
    return server.function('hostile')


def slice_ns(task):
    """Of sched_getattr(2); 0 where that tells none, before Linux 6.12."""
    number = {'x86_64': 315, 'aarch64': 275}[os.uname().machine]
    text = ctypes.create_string_buffer(56)
    assert not ctypes.CDLL(None).syscall(number, task, text, len(text), 0)
    return struct.unpack_from('=Q', text, 24)[0]


@test('who takes long yields to who does not, and the watchdog to nobody')
def niceness():
    own = os.getpriority(os.PRIO_PROCESS, 0)
    wishes = {'thaw-worker': (own, os.SCHED_OTHER),
              'thaw-watchdog': (own, os.SCHED_OTHER),
              'thaw-offload': (max(own, 10), os.SCHED_BATCH),
              'thaw-builder': (max(own, 10), os.SCHED_BATCH),
              'thaw-boot': (max(own, 5), os.SCHED_BATCH)}
    with Server({**GOOD, 'slow': edges('spin_ms')}) as server:
        with server.http() as http:
            for _ in range(10):
                assert http.post('slow', b'4').status == 200
        found = set()
        for task in os.listdir(f'/proc/{server.process.pid}/task'):
            with open(f'/proc/{server.process.pid}/task/{task}/comm') as comm:
                name = comm.read().strip()
            if name not in wishes:
                continue
            found.add(name)
            if name in SLICES_NS:
                assert slice_ns(int(task)) in (0, SLICES_NS[name]), name
            assert (os.getpriority(os.PRIO_PROCESS, int(task)),
                    os.sched_getscheduler(int(task))) == wishes[name], name
        assert found == set(wishes), found


@test('a function that spins takes no turn and no thread of another')
def spin():
    attack(edges('spin_ms', 32, timeout='300ms'), [b'100000'], 32)(
        lambda s: counts(s)['thread_waits'] > 0)


@test('sleepers hold no threads, however many they are')
def sleep():
    def is_so(server):
        hostile = counts(server)
        return (hostile['vms']['busy'] >= 24 and
                server.status()['offload_busy'] <= 2)
    attack(edges('sleep_ms', 32, timeout='900ms'), [b'900'], 32)(is_so)


@test('naps by the thousand are turns, and others have theirs')
def naps():
    attack(edges('sleep_ms', 8), [b'1'], 16)(
        lambda s: counts(s)['invocations']['ok'] > 100)


@test('a large hot set is restored by other threads')
def heavy():
    pages = 3 * INLINE_RESTORE // PAGE
    hostile = {'image': 'pages', 'entry': 'steps', 'memory': '32MiB',
               'concurrency': {'max': 2}}
    attack(hostile, [change(0, pages)], 4)(
        lambda s: counts(s)['restores_offloaded'] > 0)


@test('what is written once is restored by other threads, until it has left')
def heavy_once():
    pages = 3 * INLINE_RESTORE // PAGE
    hostile = {'image': 'pages', 'entry': 'steps', 'memory': '32MiB',
               'concurrency': {'max': 2}}
    attack(hostile, [change(0, pages)] + [change(0, 1)] * 40, 4)(
        lambda s: counts(s)['restores_offloaded'] > 0)


@test('what is written for the first time is restored by other threads, too')
def heavy_first():
    pages = 3 * INLINE_RESTORE // PAGE
    # writes, sleeps, and ends on a worker
    body = struct.pack('<7I', 2, 0, 0, pages, 10, 0, 5)
    hostile = {'image': 'pages', 'entry': 'steps', 'memory': '32MiB',
               'concurrency': {'max': 1}}
    with Server({'echo': GOOD['echo'], 'hostile': hostile}) as server:
        with server.http() as http:
            assert http.post('hostile', body).status == 200
        wait_until(lambda: counts(server)['restores'] == 1, 'it is restored')
        assert counts(server)['restores_offloaded'] == 1, counts(server)


@test('a storm of log lines is dropped, and not waited for')
def log_storm():
    attack(edges('log_lines'), [b'900'])(
        lambda s: counts(s)['log']['dropped'] > 1000)


@test('faults are restored in turn')
def faults():
    attack(edges('overflow'), [b''])(
        lambda s: counts(s)['invocations']['crash'] > 20)


@test('vms that have to be replaced take a share of the makers')
def spoil():
    hostile = {'image': 'hostile', 'concurrency': {'max': 8}}
    attack(hostile, [b'halts', b'in_doorbell'], 16)(
        lambda s: counts(s)['invocations']['crash'] > 20)


@test('bus locks, for which the CPU waits, are no excuse for long turns')
def bus_locks():
    attack(edges('lock_buses_ms', timeout='300ms'), [b'100000'])(
        lambda s: (counts(s)['invocations']['timeout'] +
                   counts(s)['invocations']['crash'] > 4))


@test('huge replies are copied, sent, and forgotten')
def huge_replies():
    hostile = {'image': 'edges', 'entry': 'reply', 'memory': '32MiB',
               'max_reply': '4MiB', 'concurrency': {'max': 4}}
    attack(hostile, [b'4000000'])(lambda s: counts(s)['invocations']['ok'] > 20)


@test('inits that do not end have threads of their own')
def slow_init():
    hostile = {f'init{i}': {'image': 'inits', 'environment': {'INIT': 'never'},
                            'init_timeout': '1m'} for i in range(20)}
    with Server({**hostile, **GOOD}, ready=False, surprises=['not deployed']
                ) as server:
        server.wait_line('(info |")serving')
        server.find_port()
        wait_until(lambda: all(server.function(name)['state'] == 'active'
                               for name in ('echo', 'long')),
                   'the good ones are deployed, though they come last')
        check_neighbour(server)
        assert server.function('init0')['state'] == 'pending'


@test('a thousand that wait for one function wait for themselves')
def long_queue():
    hostile = edges('spin_ms', 1, timeout='20s')
    hostile['concurrency']['queue'] = 2000
    attack(hostile, [b'2'], 300)(lambda s: counts(s)['queued'] > 100)


@test('a flood of small requests is behind one that comes alone')
def flood():
    # as many as run and wait at a time; a worker runs all of them itself
    batch, clients = 64, 6
    hostile = edges('measure', inline_budget='50ms')
    with Server({**GOOD, 'hostile': hostile}, '--workers', '1') as server, \
            Threads() as threads:
        def client(frames):
            for number in range(1, batch + 1):
                frames.request(number, 'hostile', b'x' * 100)
            for _ in range(batch):
                assert frames.reply().status == OK

        for _ in range(clients):
            threads.start(client, server.frames())
        threads.wait_count('client', 2 * clients)
        check_neighbour(server)
        # which is not for want of others
        hostile = counts(server)
        assert (hostile['queue_turns'] >
                3 * MOST_TURNS * hostile['invocations']['ok']), hostile


if __name__ == '__main__':
    main()
