#!/usr/bin/env python3
"""clients.py BUILD-DIR io_uring|epoll [PATTERN] - tests `thaw serve` with clients
that send nonsense, vanish, are slow or many.
"""
import itertools
import os
import random
import select
import socket
import time

from support import (BAD_REQUEST, ECHO, FRAME, LARGE, LARGE_SIZE,
                     NOT_FOUND, OK, REQUEST, SLEEP, TOO_LARGE, Frames,
                     Http, Server, Threads, is_running, main,
                     slow_reader, test, wait_until)

# Whoever sends them is told why; the connection ends.
BAD_REQUESTS = [
    (b'\0\0\0\0\r\n\r\n', 400),
    (b'\r\n' * 100, 400),
    (b'nonsense\r\n\r\n', 400),
    (b'GET /\r\n\r\n', 400),
    (b'GET / HTTP/1.1\r\n\r\n', 400),
    (b'GET / HTTP/2.0\r\n\r\n', 505),
    (b'GET / RTSP/1.0\r\n\r\n', 400),
    (b'GET / HTTP/1.1\nHost: a\n\n', 400),
    (b'GET / HTTP/1.1\r\nHost: localhost\r\n folded: a\r\n\r\n', 400),
    (b'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400),
    (b'GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n', 400),
    (b'GET /' + b'a' * 20000 + b' HTTP/1.1\r\n\r\n', 414),
    (b'GET / HTTP/1.1\r\nHost: localhost\r\nA: ' + b'a' * 20000 + b'\r\n\r\n', 431),
    (b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'A: a\r\n' * 113 + b'\r\n', 431),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\n'
     b'Content-Length: 99999999999999999999999\r\n\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n'
     b'Content-Length: 2\r\n\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n'
     b'Transfer-Encoding: chunked\r\n\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n', 501),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
     b'z\r\n', 400),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
     b'fffffffff\r\n', 413),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\n\r\n', 417),
    (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n', 413),
    (b'POST /function/none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n', 404),
    (b'TRACE /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n', 405),
    (b'POST /function/%zz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n', 404),
]


@test('malformed and oversized HTTP requests are refused and harm nobody')
def malformed_http():
    with Server({'echo': ECHO}) as server, server.http() as neighbour:
        for data, status in BAD_REQUESTS:
            with server.http() as http:
                http.send(data)
                response = http.response()
                assert response.status == status, (data[:80], response)
                if status in (404, 405):
                    continue
                assert response.headers['connection'] == 'close', response
                assert http.is_ended(), data[:80]
            assert neighbour.post('echo', b'a').body == b'a'
        assert server.status()['requests']['bad'] > 10


@test('random bytes are refused, on every listener')
def random_bytes():
    chance = random.Random(1)
    with Server({'echo': ECHO}) as server:
        for address in (server.address, server.socket_path, server.admin_path):
            for _ in range(50):
                with Http(address) as stream:
                    try:
                        stream.send(chance.randbytes(chance.randrange(1, 3000)))
                        stream.socket.shutdown(socket.SHUT_WR)
                        while stream.socket.recv(65536):
                            pass
                    except (ConnectionResetError, BrokenPipeError):
                        pass
        server.wait_quiet()
        server.check_works()


@test('requests split anywhere are whole requests, and answered in order')
def split_http():
    request = Http.request_bytes('POST', '/function/echo', b'body')
    with Server({'echo': ECHO}) as server, server.http() as http:
        for i in range(1, len(request)):
            http.send(request[:i])
            time.sleep(0.001)
            http.send(request[i:])
            assert http.response().body == b'body'
        for byte in request:
            http.send(bytes([byte]))
        assert http.response().body == b'body'
        http.send(b''.join(Http.request_bytes('POST', '/function/echo', b'%d' % i)
                           for i in range(300)))
        for i in range(300):
            assert http.response().body == b'%d' % i


@test('what comes behind the last request does not cost its response')
def behind_the_last():
    last = Http.request_bytes('POST', '/function/echo', b'body',
                              [('Connection', 'close')])
    with Server({'echo': ECHO}) as server:
        for behind in (last, b'x' * 4 * 1024 * 1024):
            with server.http() as http:
                http.send(last + behind)
                # to be there still when the server has closed its side
                time.sleep(0.1)
                assert http.response().body == b'body'
                # and no reset, which is_ended() would not mind
                assert http.socket.recv(1) == b''
        wait_until(lambda: server.status()['connections']['open'] <= 1,
                   'they are closed')


def header(**changes):
    fields = {'size': 4, 'version': 1, 'kind': REQUEST, 'status': 0, 'id': 1,
              'a': 4, 'b': 0, 'c': 0, 'd': 0, 'timeout': 0, 'time': 0,
              'reserved': 0, **changes}
    return FRAME.pack(*fields.values())


BAD_FRAMES = [
    header(version=0), header(version=2), header(kind=0), header(kind=2),
    header(status=1), header(id=0), header(a=0), header(a=5), header(a=64),
    header(b=128), header(c=64), header(d=1), header(time=1),
    header(reserved=1), header(size=3), header(size=0),
    header(size=65 * 1024 * 1024 + 1), header(size=0xffffffff),
    header() + b'a\0bc', header() + b'\xff\xff\xff\xff',
    header(size=8, b=4) + b'echo\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n' * 4,
]


@test('malformed frames end their connection, which is told why')
def malformed_frames():
    with Server({'echo': ECHO}) as server:
        for data in BAD_FRAMES:
            with server.frames() as frames, server.frames() as neighbour:
                frames.request(5, 'echo', b'before')
                assert frames.reply().data == b'before'
                frames.send(data)
                reply = frames.reply()
                assert (reply.id, reply.status) == (0, BAD_REQUEST), (data, reply)
                assert frames.is_ended(), data
                assert neighbour.call('echo', b'a').data == b'a'
        server.wait_quiet()


@test('truncated frames end quietly')
def truncated_frames():
    frame = Frames.request_bytes(1, 'echo', b'data')
    with Server({'echo': ECHO}) as server:
        for size in range(len(frame)):
            with server.frames() as frames:
                frames.send(frame[:size])
                frames.socket.shutdown(socket.SHUT_WR)
                assert frames.is_ended(), size
        server.wait_quiet()
        server.check_works()


@test('frames beyond max_request are refused, and the next ones are served')
def oversized_frames():
    with Server({'echo': {**ECHO, 'max_request': '8KiB'}},
                surprises=['invocation refused .*larger']) as server:
        with server.frames() as frames:
            for size in (8 * 1024 + 1, 100000, 3000000):
                frames.request(1, 'echo', b'a' * size)
                frames.request(2, 'echo', b'a' * 8192)
                frames.request(3, 'none', b'b' * size)
                replies = {}
                for _ in range(3):
                    reply = frames.reply()
                    replies[reply.id] = reply
                assert replies[1].status == TOO_LARGE, (size, replies[1])
                assert replies[2].data == b'a' * 8192
                assert replies[3].status in (NOT_FOUND, TOO_LARGE), replies[3]


@test('frames split at every byte are whole frames')
def split_frames():
    frame = Frames.request_bytes(9, 'echo', b'data', b'text/plain', b'my-id')
    with Server({'echo': ECHO}) as server, server.frames() as frames:
        for i in range(1, len(frame)):
            frames.send(frame[:i])
            time.sleep(0.001)
            frames.send(frame[i:] + frame[:i])
            time.sleep(0.001)
            frames.send(frame[i:])
            for _ in range(2):
                reply = frames.reply()
                assert (reply.id, reply.data) == (9, b'data'), reply
                assert reply.request_id == b'my-id', reply
        for byte in frame:
            frames.send(bytes([byte]))
        assert frames.reply().data == b'data'


@test('frames are pipelined: each has its reply, and 64 run or wait at most')
def pipelined_frames():
    with Server({'echo': ECHO, 'sleep': SLEEP}) as server:
        with server.frames() as frames:
            for count in (64, 65, 2000):
                frames.send(b''.join(
                    Frames.request_bytes(i, 'echo', b'%d' % i * 50)
                    for i in range(1, count + 1)))
                replies = [frames.reply() for _ in range(count)]
                assert {r.id for r in replies} == set(range(1, count + 1))
                for reply in replies:
                    assert reply.data == b'%d' % reply.id * 50, reply
            frames.send(b''.join(Frames.request_bytes(i, 'sleep', b'20')
                                 for i in range(1, 201)))
            seen = 0
            while True:
                row = server.function('sleep')
                # those whose replies are there already are counted for a moment
                assert row['inflight'] <= 64 + 4, row['inflight']
                seen = max(seen, row['inflight'])
                if row['invocations']['ok'] == 200:
                    break
            assert seen > 4, seen
            assert {frames.reply().id for _ in range(200)} == set(range(1, 201))


@test('a client of frames that reads no replies is read no further')
def backpressure():
    frame = Frames.request_bytes(1, 'echo', b'x' * 60000)
    with Server({'echo': ECHO}) as server, server.frames() as frames:
        before = server.rss_kib()
        frames.socket.setblocking(False)
        sent = 0
        pending = b''
        while sent < 200 * len(frame):
            pending = pending or frame
            if not select.select([], [frames.socket], [], 1)[1]:
                break
            size = frames.socket.send(pending)
            pending = pending[size:]
            sent += size
        assert sent < 200 * len(frame), 'it reads without end'
        assert server.rss_kib() - before < 64 * 1024
        server.check_works()
        frames.socket.settimeout(60)
        with Threads() as threads:
            def send_rest():
                frames.send(pending)
                return False
            threads.start(send_rest)
            for _ in range((sent + len(pending)) // len(frame)):
                assert frames.reply().data == b'x' * 60000


@test('replies come in the order in which runs end')
def out_of_order():
    with Server({'echo': ECHO, 'sleep': SLEEP}) as server:
        with server.frames() as frames:
            # at once: the first does not end before the others are sent
            frames.send(b''.join((
                Frames.request_bytes(1, 'sleep', b'500'),
                Frames.request_bytes(2, 'echo', b'first'),
                Frames.request_bytes(3, 'sleep', b'x'),
                Frames.request_bytes(4, 'echo', b'first'))))
            order = [frames.reply().id for _ in range(4)]
            assert order[-1] == 1 and order[:3] != [1, 2, 3], order
        # what a client has asked for it can read, though it sends no more
        with server.frames() as frames:
            frames.request(1, 'sleep', b'200')
            frames.socket.shutdown(socket.SHUT_WR)
            assert frames.reply().status == OK and frames.is_ended()
        with server.http() as http:
            http.send(Http.request_bytes('POST', '/function/sleep', b'200'))
            http.socket.shutdown(socket.SHUT_WR)
            assert http.response().status == 200 and http.is_ended()


def is_seen_running(server, stream, request):
    """Sends it again if it ended before anybody looked."""
    if select.select([stream.socket], [], [], 0)[0]:
        stream.response() if isinstance(stream, Http) else stream.reply()
        stream.send(request)
    return is_running(server)


def vanish(server, step, leave):
    """A client that sends less than a request, or does not read its reply."""
    kind, part = step
    if kind == 'http':
        stream = server.http()
        whole = {'run': Http.request_bytes('POST', '/function/sleep', b'100'),
                 'reply': Http.request_bytes('POST', '/function/large',
                                             b'%d' % LARGE_SIZE)}
        small = Http.request_bytes('POST', '/function/echo', b'body' * 100)
    else:
        stream = server.frames()
        whole = {'run': Frames.request_bytes(1, 'sleep', b'100'),
                 'reply': Frames.request_bytes(1, 'large', b'%d' % LARGE_SIZE)}
        small = Frames.request_bytes(1, 'echo', b'body' * 100)
    if part in whole:
        stream.send(whole[part])
    else:
        stream.send(small[:int(len(small) * part)])
    if part == 'run':
        wait_until(lambda: is_seen_running(server, stream, whole['run']),
                   'it runs')
    elif part == 'reply':
        stream.take(1000)
    leave(stream)


@test('clients that vanish at any step leave nothing behind')
def vanishing():
    functions = {'echo': ECHO, 'sleep': SLEEP, 'large': LARGE}
    # shells are made ahead at any time, and have files
    with Server(functions, '--shells', '0') as server:
        server.check_works()
        with server.http() as http:
            assert http.post('large', b'10').status == 200
        before = server.fds()
        for kind in ('http', 'frames'):
            for part in (0, 0.05, 0.3, 0.6, 0.95, 'run', 'reply'):
                for leave in (type(server.http()).close, Http.reset):
                    for _ in range(2):
                        vanish(server, (kind, part), leave)
        server.wait_quiet()
        server.check_works()
        for name in functions:
            row = server.function(name)
            assert row['invocations']['crash'] == 0, row
        wait_until(lambda: server.fds() <= before + 24, 'files are closed')


@test('clients of frames that leave while their calls wait or run harm nobody')
def leaving_frames():
    # what is malloc'ed for the second client is not zero, thanks to the first
    pattern = bytes(i % 178 < 89 for i in range(8000))
    with Server({'echo': ECHO, 'sleep': SLEEP}, '--workers', '1') as server:
        for _ in range(20):
            with server.frames() as frames:
                frames.send(b''.join(Frames.request_bytes(i, 'echo', pattern)
                                     for i in range(1, 21)))
                for _ in range(20):
                    assert frames.reply().data == pattern
            with server.frames() as frames:
                def some_wait(numbers=itertools.count(1)):
                    # again if they ended before anybody looked
                    frames.send(b''.join(
                        Frames.request_bytes(next(numbers), 'sleep', b'10')
                        for _ in range(40)))
                    return server.function('sleep')['inflight'] > 4
                wait_until(some_wait, 'some run and some wait')
        server.wait_quiet()
        server.check_works()
        assert server.function('sleep')['invocations']['crash'] == 0


@test('10,000 idle connections cost little, disturb nobody and time out')
def idle():
    with Server({'echo': ECHO}, '--idle-timeout', '4s', '--max-connections',
                '12000') as server, server.http() as busy:
        server.check_works()
        before, streams = server.rss_kib(), []
        try:
            limit = min(10000, os.sysconf('SC_OPEN_MAX') - 500)
            while len(streams) < limit:
                streams.append(server.http())
                if len(streams) % 100 == 0:
                    assert busy.post('echo', b'a').body == b'a'
            # they have time out since; those who left first first
            for _ in range(100):
                assert busy.post('echo', b'a').body == b'a'
            grown = server.rss_kib() - before
            opened = server.status()['connections']['open']
            print(f'# {opened} connections open, {grown} KiB more memory')
            assert grown < limit * 2, f'{grown} KiB'
            for stream in streams:
                assert stream.is_ended()
            assert server.status()['connections']['total'] >= limit
        finally:
            for stream in streams:
                stream.close()
        wait_until(lambda: server.status()['connections']['open'] <= 2,
                   'only the busy one is open')
        server.check_works()


@test('who reads a large reply slowly delays nobody, and is cut off in the end')
def slow_readers():
    for http in (True, False):
        with Server({'echo': ECHO, 'large': LARGE}, '--send-timeout', '2s',
                    surprises=['large'], timeout='5s') as server:
            # more of them than the function has vms
            slow = [slow_reader(server, http, LARGE_SIZE) for _ in range(6)]
            wait_until(lambda: not server.function('large')['vms']['busy'],
                       'their vms are free')
            start = time.monotonic()
            for _ in range(50):
                server.check_works()
            print(f'# 50 rounds in {time.monotonic() - start:.2f} s')
            wait_until(lambda: server.status()['connections']['open'] <= 1,
                       'the slow ones are cut off')
            for stream in slow:
                size = 100
                try:
                    while data := stream.socket.recv(1 << 20):
                        size += len(data)
                except ConnectionResetError:
                    pass
                assert size < LARGE_SIZE, size
                stream.close()
            # who reads all of it gets all of it
            with server.http() as whole:
                body = whole.post('large', b'%d' % LARGE_SIZE).body
                assert body == b'r' * LARGE_SIZE


@test('who sends a request byte by byte and never ends it is told so')
def slowloris():
    with Server({'echo': ECHO}, '--head-timeout', '500ms', '--body-timeout',
                '700ms') as server:
        head = b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n'
        for start, drip in ((b'', head * 100),
                            (head, b'X-Drip: drip\r\n' * 1000),
                            (head + b'\r\n', b'a' * 900)):
            with server.http() as http:
                http.send(start)
                for byte in drip:
                    http.send(bytes([byte]))
                    if select.select([http.socket], [], [], 0.02)[0]:
                        break
                response = http.response()
                assert response.status == 408, response
                assert response.headers['connection'] == 'close', response
                assert http.is_ended()
            server.check_works()
        server.wait_quiet()


@test('who begins a frame has to end it; who says nothing may stay')
def unfinished_frames():
    frame = Frames.request_bytes(1, 'echo', b'data')
    with Server({'echo': ECHO}, '--body-timeout', '300ms') as server, \
            server.frames() as silent:
        for part in (frame[:1], frame[:50], frame[:-1]):
            with server.frames() as frames:
                began = time.monotonic()
                frames.send(part)
                assert frames.is_ended()
                assert 0.2 < time.monotonic() - began < 5
        silent.request(1, 'echo', b'data')
        assert silent.reply().data == b'data'


if __name__ == '__main__':
    main()
