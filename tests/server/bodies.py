#!/usr/bin/env python3
"""bodies.py BUILD-DIR io_uring|epoll [PATTERN] - tests large requests and replies of
`thaw serve`: they come and go as they are, however they are cut, and no client has a vm
while it sends or reads.
"""
import random
import socket
import time

from support import (ECHO, OK, TOO_LARGE, Frames, Http, Server, main, test, wait_until)

MIB = 1 << 20

# Around what is received, sent and kept at a time, and the largest.
SIZES = [4095, 4096, 16383, 16384, 20479, 20480, 20481, 32768, 65535, 65536, 65537,
         262143, 262144, 262145, MIB - 1, MIB]

# One vm, so that whoever keeps it is seen; and one whose bodies are another thread's.
ONE = {**ECHO, 'concurrency': {'max': 1, 'queue': 100, 'queue_timeout': '30s'}}
LARGER = {**ECHO, 'memory': '32MiB', 'max_request': '4MiB', 'max_reply': '4MiB'}


def body_of(size):
    return random.Random(size).randbytes(size)


def send_in_pieces(stream, data, chance, most):
    """Sends it in pieces of random sizes."""
    at = 0
    while at < len(data):
        size = chance.randrange(1, most)
        stream.send(data[at:at + size])
        at += size
        if chance.randrange(4) == 0:
            time.sleep(0.001)


@test('bodies of all sizes come back as they are, over HTTP and the socket')
def sizes():
    with Server({'echo': ECHO, 'larger': LARGER}) as server, server.http() as http, \
            server.frames() as frames:
        for size in SIZES:
            body = body_of(size)
            assert http.post('echo', body).body == body, size
            text = b'"%s"' % (b'a' * (size - 2))
            assert http.invoke('larger', text).body == text, size
            reply = frames.call('echo', body)
            assert (reply.status, reply.data) == (OK, body), size
            assert frames.call('larger', body).data == body, size
        for size in (MIB + 1, 4 * MIB - 1, 4 * MIB):
            body = body_of(size)
            assert http.post('larger', body).body == body, size
            assert frames.call('larger', body).data == body, size


@test('bodies in pieces of any size come back as they are')
def pieces():
    chance = random.Random(1)
    with Server({'echo': ECHO}) as server, server.http() as http, \
            server.frames() as frames:
        for _ in range(10):
            body = body_of(chance.choice(SIZES))
            most = chance.choice((20000, 100000, 500000))
            send_in_pieces(http, Http.request_bytes('POST', '/function/echo', body),
                           chance, most)
            assert http.response().body == body, (len(body), most)
            send_in_pieces(frames, Frames.request_bytes(1, 'echo', body), chance, most)
            assert frames.reply().data == body, (len(body), most)


@test('what comes right behind a large body is the next request')
def behind():
    small = Http.request_bytes('POST', '/function/echo', b'small')
    with Server({'echo': ECHO}) as server:
        for size in (65537, 262144, MIB):
            body = body_of(size)
            large = Http.request_bytes('POST', '/function/echo', body)
            with server.http() as http:
                http.send(large + small + large + small)
                for expected in (body, b'small', body, b'small'):
                    assert http.response().body == expected, size
            with server.frames() as frames:
                frames.send(b''.join(Frames.request_bytes(i, 'echo', data) for i, data in
                                     ((1, body), (2, b'small'), (3, body), (4, b'small'))))
                replies = {reply.id: reply.data
                           for reply in (frames.reply() for _ in range(4))}
                assert replies == {1: body, 2: b'small', 3: body, 4: b'small'}, size


def slow(address):
    """A connection of which the server's replies are not read, and little is kept."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    kind = Http if family == socket.AF_INET else Frames
    stream = kind.__new__(kind)
    stream.buffer = b''
    stream.socket = socket.socket(family, socket.SOCK_STREAM)
    stream.socket.settimeout(60)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.socket.connect(address)
    return stream


@test('a client that does not read its reply keeps no vm, and gets all of it later')
def slow_readers():
    body = body_of(MIB)
    with Server({'echo': ONE}) as server, server.http() as neighbour:
        readers = [slow(address) for address in
                   (server.address, server.socket_path) * 4]
        for reader in readers:
            reader.send(Http.request_bytes('POST', '/function/echo', body)
                        if isinstance(reader, Http)
                        else Frames.request_bytes(1, 'echo', body))
        wait_until(lambda: server.function('echo')['invocations']['ok'] == len(readers),
                   'all have run')
        for _ in range(10):
            assert neighbour.post('echo', b'small').body == b'small'
        for reader in readers:
            if isinstance(reader, Http):
                assert reader.response().body == body
            else:
                assert reader.reply().data == body
            reader.close()


@test('what comes behind the last body of a connection takes nothing from the response')
def last_ones():
    body = body_of(400000)
    request = Http.request_bytes('POST', '/function/echo', body, {'Connection': 'close'})
    with Server({'echo': ECHO}) as server:
        for behind in (b'\r\n', request[:60000]):
            for _ in range(5):
                with slow(server.address) as stream:
                    stream.send(request + behind)
                    time.sleep(0.1)
                    assert stream.response().body == body, len(behind)


@test('a client that sends its request slowly keeps no vm')
def slow_senders():
    body = body_of(MIB)
    requests = [Http.request_bytes('POST', '/function/echo', body),
                Frames.request_bytes(1, 'echo', body)]
    with Server({'echo': ONE}) as server, server.http() as neighbour, \
            server.http() as http, server.frames() as frames:
        for at in range(0, MIB, 150000):
            http.send(requests[0][at:at + 150000])
            frames.send(requests[1][at:at + 150000])
            assert neighbour.post('echo', b'small').body == b'small'
        http.send(requests[0][at + 150000:])
        frames.send(requests[1][at + 150000:])
        assert http.response().body == body
        assert frames.reply().data == body


@test('clients that leave within a body, or a reply, leave nothing behind')
def leaving():
    body = body_of(MIB)
    chance = random.Random(2)
    with Server({'echo': ECHO}) as server:
        for i in range(40):
            stream = server.http() if i % 2 else server.frames()
            whole = (Http.request_bytes('POST', '/function/echo', body) if i % 2
                     else Frames.request_bytes(1, 'echo', body))
            stream.send(whole[:chance.randrange(len(whole)) if i % 4 < 2 else len(whole)])
            if chance.randrange(2):
                time.sleep(0.005)
            if chance.randrange(2):
                stream.reset()
            else:
                stream.close()
        server.wait_quiet()
        assert server.status()['buffered']['bytes'] == 0
        server.check_works()


@test('a body in chunks, one that is too large, and HEAD are as before')
def others():
    body = body_of(MIB)
    with Server({'echo': ECHO}) as server, server.http() as http, \
            server.frames() as frames:
        head = (b'POST /function/echo HTTP/1.1\r\nHost: localhost\r\n'
                b'Transfer-Encoding: chunked\r\n\r\n')
        chunks = b''.join(b'%x\r\n%s\r\n' % (len(body[at:at + 70000]), body[at:at + 70000])
                          for at in range(0, MIB, 70000))
        http.send(head + chunks + b'0\r\n\r\n')
        assert http.response().body == body
        http.send(Http.request_bytes('HEAD', '/function/echo', body))
        while b'\r\n\r\n' not in http.buffer:
            http.fill()
        length, _, http.buffer = http.buffer.partition(b'\r\n\r\n')
        assert b'Content-Length: %d\r\n' % MIB in length + b'\r\n', length
        assert http.post('echo', body).body == body
        frames.request(1, 'echo', body + b'x')
        assert frames.reply().status == TOO_LARGE
        assert frames.call('echo', body).data == body
        http.send(Http.request_bytes('POST', '/function/echo', body + b'x')[:2 * 65536])
        assert http.response().status == 413


if __name__ == '__main__':
    main()
