#!/usr/bin/env python3
"""life.py BUILD-DIR io_uring|epoll [PATTERN] - tests how `thaw serve` starts,
reloads, runs out of resources and ends.
"""
import ctypes
import errno
import fcntl
import json
import os
import re
import signal
import socket
import struct
import time

from support import (CATALOG, ENVIRONMENT, OK, Skip, TERMINATED, UNFINISHED,
                     Frames, Http, Server, Threads, connect, main,
                     refuses, test, wait_until)

ECHO = {'image': 'echo', 'concurrency': {'max': 8, 'queue': 1000,
                                          'queue_timeout': '30s'}}
SLEEP = {'image': 'edges', 'entry': 'sleep_ms',
         'concurrency': {'max': 4, 'queue': 100, 'queue_timeout': '30s'}}
# it sleeps until its timeout
FOREVER = {'image': 'edges', 'entry': 'sleep_unchecked', 'timeout': '50s'}


def is_busy(server, name):
    return server.function(name)['vms']['busy'] > 0


def is_late(since):
    """Whether a thread had no CPU for as long as a connection without a request has
    while the server drains: then it is closed.
    """
    return time.monotonic() - since > 0.4


def polite(server, function, body):
    """A client that goes on until it is told that the server ends."""
    def run():
        try:
            http = server.http()
        except ConnectionRefusedError:
            return False
        with http:
            for _ in range(20):
                idle = time.monotonic()
                try:
                    response = http.post(function, body)
                except (BrokenPipeError, ConnectionResetError, EOFError):
                    assert is_late(idle)
                    return True
                assert response.status == 200, response
                if response.headers.get('connection') == 'close':
                    assert http.is_ended()
                    return True
        return True
    return run


def pipeliner(server):
    """The same for frames: whatever was sent before the end is answered."""
    def run():
        try:
            frames = server.frames()
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        start = time.monotonic()
        with frames:
            try:
                for i in range(1, 11):
                    frames.request(i, 'echo', b'%d' % i)
            except (BrokenPipeError, ConnectionResetError):
                assert is_late(start)
                return False
            for _ in range(10):
                reply = frames.reply()
                assert reply.status == OK, reply
                assert reply.data == b'%d' % reply.id, reply
        return True
    return run


@test('SIGTERM under load: nothing that was sent goes without its answer')
def drain_under_load():
    for by_signal in (True, False, True):
        with Server({'echo': ECHO, 'slow': SLEEP}) as server, \
                Threads() as threads:
            for i in range(6):
                threads.start(polite(server, 'echo', b'%d' % i))
            for _ in range(2):
                threads.start(polite(server, 'slow', b'20'))
                threads.start(pipeliner(server))
            threads.wait_count('run', 50)
            if by_signal:
                server.signal(signal.SIGTERM)
            else:
                response = server.admin('POST', '/v1/drain')
                assert response.status == 202, response
                server.told_to_end = True
            threads.join()
            server.end()
            assert server.lines('draining') and server.lines('ended')


# <asm-generic/socket.h>
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27


def is_let_in():
    """Whether who hears late, after SIGTERM, that it is connected is answered."""
    with Server({'echo': ECHO}) as server, \
            server.frames() as frames, socket.socket() as late:
        # struct sock_fprog, of one instruction: drop all
        drop = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
        try:
            late.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
                'HxxxxxxP', 1, ctypes.addressof(drop)))
        except PermissionError:
            raise Skip('this kernel lets only the privileged attach a filter') from None
        late.setblocking(False)
        assert late.connect_ex(server.address) == errno.EINPROGRESS
        server.signal(signal.SIGTERM)
        # which its workers do when they drain
        assert frames.is_ended()
        late.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        late.settimeout(60)
        try:
            late.send(Http.request_bytes('POST', '/function/echo', b'late'))
            return late.recv(100).startswith(b'HTTP/1.1 200')
        except OSError:
            return False


@test('who is half connected when the server drains is let in')
def drain_half_open():
    # a busy machine may let its client come too late
    assert any(is_let_in() for _ in range(5))


@test('an idle connection may send one more request when the server drains')
def drain_idle():
    with Server({'echo': ECHO, 'slow': SLEEP}) as server:
        with server.http() as idle, server.http() as busy, \
                server.frames() as frames:
            assert idle.post('echo', b'a').status == 200
            busy.send(Http.request_bytes('POST', '/function/slow', b'300'))
            frames.request(1, 'slow', b'300')
            wait_until(lambda: is_busy(server, 'slow'), 'it runs')
            with Http(server.admin_path) as admin:
                server.signal(signal.SIGTERM)
                server.wait_line('draining')
                response = admin.request('GET', '/readyz')
                assert response.status == 503, response
                assert b'draining' in response.body, response
            response = idle.post('echo', b'b')
            assert (response.status, response.body) == (200, b'b'), response
            assert response.headers['connection'] == 'close', response
            response = busy.response()
            assert response.status == 200, response
            assert response.headers['connection'] == 'close', response
            assert frames.reply().status == OK
            assert frames.is_ended()
        server.end()


@test('it accepts for as long as --drain-delay says, and is not ready')
def drain_delay():
    with Server({'echo': ECHO}, '--drain-delay', '1s') as server:
        server.signal(signal.SIGTERM)
        server.wait_line('draining')
        with server.http() as http:
            assert http.request('GET', '/readyz').status == 503
            assert http.request('GET', '/livez').status == 200
        server.end()


@test('a second SIGTERM ends at once')
def second_signal():
    with Server({'echo': ECHO, 'forever': FOREVER}, expects=TERMINATED,
                surprises=['told to end once more']) as server:
        with server.http() as http:
            http.send(Http.request_bytes('POST', '/function/forever'))
            wait_until(lambda: is_busy(server, 'forever'), 'it runs')
            server.signal(signal.SIGTERM)
            server.wait_line('draining')
            time.sleep(0.2)
            assert server.process.poll() is None
            server.signal(signal.SIGTERM)
            server.wait()
            assert not os.listdir(server.run)


@test('what does not end within --drain-timeout is left')
def drain_timeout():
    with Server({'echo': ECHO, 'forever': FOREVER}, '--drain-timeout', '300ms',
                expects=UNFINISHED, surprises=['drain timeout']) as server:
        with server.http() as http:
            http.send(Http.request_bytes('POST', '/function/forever'))
            wait_until(lambda: is_busy(server, 'forever'), 'it runs')
            server.signal(signal.SIGTERM)
            server.wait()
            assert server.lines('drain timeout.* connections=1 '), server.log()


@test('requests that do not arrive do not keep a server from ending')
def drain_unfinished():
    with Server({'echo': ECHO}, '--drain-timeout', '20s') as server:
        whole = Http.request_bytes('POST', '/function/echo', b'body')
        with server.http() as head, server.http() as body, \
                server.http() as slow, server.frames() as frames:
            head.send(whole[:10])
            body.send(whole[:-1])
            slow.send(whole[:-1])
            frames.send(Frames.request_bytes(1, 'echo', b'data')[:-1])
            wait_until(lambda: server.status()['connections']['open'] == 5,
                       'all are there')
            server.signal(signal.SIGTERM)
            time.sleep(0.2)
            slow.send(whole[-1:])
            assert slow.response().body == b'body'
            for http in (head, body):
                response = http.response()
                assert response.status == 408, response
                assert response.headers['connection'] == 'close', response
            server.wait()


@test('a signal to end while functions are being deployed ends it')
def early_end():
    many = {f'f{i}': ECHO for i in range(40)}
    for delay in (0, 0.01, 0.03, 0.1):
        with Server(many, ready=False) as server:
            server.wait_line('listening kind=admin')
            time.sleep(delay)
            server.end()


CATALOGS = [
    {'stays': ECHO, 'sleeps': SLEEP},
    {'stays': ECHO, 'sleeps': SLEEP, 'added': ECHO},
    {'stays': ECHO, 'sleeps': SLEEP, 'added': {**ECHO, 'memory': '32MiB'}},
    {'stays': {**ECHO, 'timeout': '9s'}, 'sleeps': SLEEP},
    {'added': ECHO, 'stays': ECHO,
     'sleeps': {**SLEEP, 'concurrency': {'max': 6, 'queue': 101,
                                          'queue_timeout': '30s'}}},
]


@test('reloads under load cost no request to functions that stay')
def reload_under_load():
    with Server(CATALOGS[0], surprises=['catalog not reloaded',
                                        'function not deployed',
                                        'is being deployed',
                                        'log lines dropped']) as server, \
            Threads() as threads:
        http_slow, last = server.http(), {}

        def fast(http):
            response = http.post('stays', b'a' * 100)
            assert response.status == 200 and len(response.body) == 100, response

        def slow():
            assert http_slow.post('sleeps', b'30').status == 200

        def frame(frames):
            for i in range(1, 20):
                frames.request(i, 'stays', b'a')
            for _ in range(19):
                reply = frames.reply()
                assert (reply.status, reply.data) == (OK, b'a'), reply

        def comes_and_goes(http):
            # 503: added, and being booted
            last['status'] = http.post('added', b'').status
            assert last['status'] in (200, 404, 503), last

        for _ in range(3):
            threads.start(fast, server.http())
        threads.start(slow)
        threads.start(frame, server.frames())
        threads.start(comes_and_goes, server.http())
        for i in range(1, 16):
            catalog = CATALOGS[i % len(CATALOGS)]
            if i % 6 == 5:
                server.write_catalog(b'{"version": 1, "functions": [nonsense')
                status, problem = server.reload()
                assert status == 422 and problem['detail'], problem
                assert server.status()['catalog']['last_reload_error']
            if i % 6 == 3:
                # deploys, but for one
                server.write_catalog({**catalog, 'x': {'image': '/bin/sh'}})
                status, changes = server.reload()
                assert status == 200, changes
                assert [f['name'] for f in changes['failed']] == ['x'], changes
            server.write_catalog(catalog)
            if i % 4 == 3:
                before = len(server.lines('catalog reloaded'))
                server.signal(signal.SIGHUP)
                server.wait_line('catalog reloaded', before + 1)
            else:
                status, changes = server.reload()
                assert status == 200, changes
            assert ({row['name'] for row in
                     server.admin_json('/v1/functions')['functions']} ==
                    set(catalog))
            wanted = 200 if 'added' in catalog else 404
            with server.http() as http:
                wait_until(lambda: http.post('added', b'').status == wanted,
                           f'the one that comes and goes is {wanted}')
            threads.wait_count('fast', threads.counts['fast'] + 20)
        threads.wait_count('comes_and_goes', 100)
        assert server.status()['catalog']['last_reload_error'] is None


@test('generations that were replaced leave no files, and little memory')
def reload_leaks():
    two = [{'echo': {**ECHO, 'timeout': f'{i}s'},
            'other': {**ECHO, 'memory': f'{16 * i}MiB'}} for i in (1, 2)]
    # shells are made ahead at any time, and have files
    with Server(two[0], '--shells', '0') as server, Threads() as threads:
        def use(http, name):
            assert http.post(name, b'a').status == 200

        threads.start(use, server.http(), 'echo')
        threads.start(use, server.http(), 'other')

        def reloads(count):
            for i in range(count):
                server.write_catalog(two[(i + 1) % 2])
                status, changes = server.reload()
                assert status == 200 and len(changes['changed']) == 2, changes

        reloads(10)
        threads.stopping.set()
        threads.join()
        server.check_works()
        server.check_works('other')
        wait_until(lambda: server.fds() < 90, 'the old vms are gone')
        before, rss = server.fds(), server.rss_kib()
        reloads(20)
        server.check_works()
        server.check_works('other')
        wait_until(lambda: server.fds() <= before + 4, 'the old vms are gone')
        print(f'# {before} files, {rss} KiB; {server.fds()} files and '
              f'{server.rss_kib()} KiB after 20 reloads')
        if not server.is_sanitized():  # which keep what was freed for a while
            assert server.rss_kib() < rss + 16 * 1024


@test('the server may end while it reloads')
def end_in_reload():
    for delay in (0, 0.002, 0.005, 0.01, 0.02):
        with Server({'echo': ECHO}) as server:
            server.write_catalog({f'f{i}': ECHO for i in range(20)})
            server.signal(signal.SIGHUP)
            time.sleep(delay)
            server.end()


@test('a catalog that changes while the server starts is not missed')
def change_in_start():
    many = {f'f{i}': ECHO for i in range(40)}
    for option in ((), ('--watch',)):
        with Server(many, *option, ready=False) as server:
            server.wait_line('listening kind=admin')
            server.write_catalog({'echo': ECHO})
            if not option:
                server.signal(signal.SIGHUP)
            server.wait_line('catalog reloaded')
            server.wait_ready()
            server.check_works()
            assert not server.lines('serving.*functions=1'), server.log()


def fill(server, count):
    """Opens connections."""
    return [server.http() for _ in range(count)]


@test('without files for more, those who are connected are served')
def out_of_files():
    few = {**ECHO, 'concurrency': {'max': 2, 'warm': 2, 'queue': 100,
                                   'queue_timeout': '30s'}}
    with Server({'echo': few}, '--max-connections', '10000', files=300,
                surprises=['cannot accept', 'raise the limit']) as server:
        assert server.lines('raise the limit.* max_connections=10000 .*files=300')
        with server.http() as first, server.frames() as frames:
            assert first.post('echo', b'a').status == 200
            assert frames.call('echo', b'a').status == OK
            waiting = fill(server, 400)
            server.wait_line('cannot accept')
            for i in range(50):
                assert first.post('echo', b'%d' % i).body == b'%d' % i
                assert frames.call('echo', b'%d' % i).data == b'%d' % i
            # one that nobody has accepted yet is served when there is room
            waiting[-1].send(Http.request_bytes('POST', '/function/echo', b'z'))
            for stream in waiting[:300]:
                stream.close()
            assert waiting[-1].response().body == b'z'
            for stream in waiting[300:]:
                stream.close()
            wait_until(lambda: server.status()['connections']['open'] <= 3,
                       'all others are closed')
            server.check_works()
            # it is said once a worker, not over and over
            assert len(server.lines('cannot accept')) <= 3


@test('beyond --max-connections new ones are closed, and the admin is let in')
def max_connections():
    with Server({'echo': ECHO}, '--max-connections', '20') as server:
        served, refused_count = [], 0
        for _ in range(30):
            stream = server.http()
            try:
                assert stream.post('echo', b'a').body == b'a'
                served.append(stream)
            except (EOFError, ConnectionResetError, BrokenPipeError):
                refused_count += 1
                stream.close()
        assert len(served) == 20 and refused_count == 10, len(served)
        state = server.status()['connections']
        assert state['max'] == 20 and state['refused'] == 10, state
        for stream in served:
            assert stream.post('echo', b'b').body == b'b'
        for stream in served:
            stream.close()
        wait_until(lambda: server.status()['connections']['open'] <= 1,
                   'they are closed')
        server.check_works()


# <linux/filter.h>, <linux/seccomp.h>: io_uring_setup fails with EPERM.
IO_URING_SETUP = 425
RETURN_ERRNO, RETURN_ALLOW = 0x00050000, 0x7fff0000
FILTER = [
    (0x20, 0, 0, 0),                       # load the system call's number
    (0x15, 0, 1, IO_URING_SETUP),          # is it that one?
    (0x06, 0, 0, RETURN_ERRNO | errno.EPERM),
    (0x06, 0, 0, RETURN_ALLOW),
]


def forbid_io_uring():
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(
        b''.join(struct.pack('HBBI', *line) for line in FILTER))
    program = ctypes.create_string_buffer(
        struct.pack('HxxxxxxP', len(FILTER), ctypes.addressof(code)))
    assert not libc.prctl(38, 1, 0, 0, 0), 'PR_SET_NO_NEW_PRIVS'
    assert not libc.prctl(22, 2, program, 0, 0), 'PR_SET_SECCOMP'


@test('where io_uring is forbidden it serves with epoll, and says so once')
def no_io_uring():
    with Server({'echo': ECHO}, io='auto', preexec=forbid_io_uring,
                surprises=['no io_uring: epoll is used']) as server:
        server.check_works()
        assert server.status()['io'] == 'epoll'
        lines = server.lines('io_uring')
        assert len(lines) == 1 and 'seccomp' in lines[0], lines
    with Server({'echo': ECHO}, io='io_uring', preexec=forbid_io_uring,
                ready=False) as server:
        refuses(server, ENVIRONMENT, 'io_uring')


# Gives its descriptors $A... the numbers from 3 on, as systemd would.
ACTIVATE = 'export LISTEN_PID=$$ LISTEN_FDS=3; exec "$@" 3<&$A 4<&$B 5<&$C'


@test('sockets that systemd made are used by their names, and left alone')
def activation():
    with Server({'echo': ECHO}) as outer:
        paths = [os.path.join(outer.work, name) for name in ('one', 'two')]
        public = socket.socket()
        public.bind(('127.0.0.1', 0))
        listeners = [public]
        for path in paths:
            listeners.append(socket.socket(socket.AF_UNIX))
            listeners[-1].bind(path)
        files = []
        for listener in listeners:
            listener.listen()
            files.append(fcntl.fcntl(listener, fcntl.F_DUPFD, 100))
        env = {'LISTEN_FDNAMES': 'http:admin:socket',
               **dict(zip('ABC', map(str, files)))}
        # who comes before the server is there waits for it
        early = Http(public.getsockname())
        early.send(Http.request_bytes('POST', '/function/echo', b'early'))
        with Server({'echo': ECHO}, prefix=['bash', '-c', ACTIVATE, 'bash'],
                    env=env, pass_fds=files, ready=False,
                    surprises=['echo is being deployed']) as server:
            server.admin_path, server.socket_path = paths
            server.wait_ready()
            server.address = public.getsockname()
            # perhaps before the function was booted
            response = early.response()
            assert (response.status == 503 or
                    response.body == b'early'), response
            early.close()
            server.check_works()
            assert not os.path.exists(os.path.join(server.run, 'thaw.sock'))
            os.makedirs(server.run, exist_ok=True)
            server.end()
        assert all(map(os.path.exists, paths)), 'they are systemd\'s'
        # so the next server can have them
        with connect(public.getsockname()):
            pass
        for listener in listeners:
            listener.close()
        for file in files:
            os.close(file)


@test('systemd is told what becomes of the server')
def notifications():
    for name in ('notify', '@'):
        with Server({'echo': ECHO}) as outer, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            if name == '@':
                path = f'@thaw-test-{os.getpid()}'
                told.bind('\0' + path[1:])
            else:
                path = os.path.join(outer.work, name)
                told.bind(path)
            told.settimeout(60)
            messages = []

            def expect(pattern):
                while True:
                    messages.append(told.recv(4096).decode())
                    if re.search(pattern, messages[-1], re.M):
                        return messages[-1]

            with Server({'echo': ECHO}, env={
                    'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '200000'},
                    surprises=['catalog not reloaded']) as server:
                expect('^READY=1$')
                for _ in range(3):
                    expect('^WATCHDOG=1$')
                for catalog in ({'echo': ECHO, 'b': ECHO}, b'{'):
                    server.write_catalog(catalog)
                    server.signal(signal.SIGHUP)
                    text = expect('^RELOADING=1$')
                    then = int(re.search(r'MONOTONIC_USEC=(\d+)', text)[1])
                    assert 0 < then <= time.monotonic() * 1e6, text
                    expect('^READY=1$')
                server.signal(signal.SIGTERM)
                expect('^STOPPING=1$')
                server.end()


@test('the log as JSON is JSON, line by line')
def json_log():
    with Server({'echo': ECHO, 'lines': {'image': 'edges',
                                         'entry': 'log_lines'}},
                '--log-format', 'json', '--log-level', 'debug') as server:
        with server.http() as http:
            assert http.post('lines', b'5').status == 200
        server.check_works()
        server.end()
        entries = [json.loads(line) for line in server.log().splitlines()]
        texts = {entry['msg'] for entry in entries}
        assert {'listening', 'serving', 'draining', 'ended'} <= texts, texts
        for entry in entries:
            assert {'ts', 'level', 'msg'} <= set(entry), entry
    with Server({'echo': {'image': '/nowhere'}}, '--log-format', 'json',
                ready=False) as server:
        refuses(server, CATALOG, '/nowhere')
        last = json.loads(server.log().splitlines()[-2])
        assert (last['level'], last['msg']) == ('error', 'cannot serve'), last


@test('a server that frames are sent to is used by many at once')
def many_clients():
    with Server({'echo': ECHO}) as server, Threads() as threads:
        def call():
            with server.frames() as frames:
                frames.send(b''.join(
                    Frames.request_bytes(i, 'echo', b'%d' % i)
                    for i in range(1, 30)))
                for _ in range(29):
                    reply = frames.reply()
                    assert reply.data == b'%d' % reply.id, reply

        for _ in range(10):
            threads.start(call)
        threads.wait_count('call', 100)


if __name__ == '__main__':
    main()
