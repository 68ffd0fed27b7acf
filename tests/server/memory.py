#!/usr/bin/env python3
"""memory.py BUILD-DIR io_uring|epoll [PATTERN] - tests the memory that clients make
`thaw serve` keep: its limit, each client's part of it, and that it is given back.
"""
import re
import select
import socket

from support import (ECHO, LARGE, LARGE_SIZE, SLEEP, THROTTLED, Frames,
                     Http, Server, Skip, is_running, main, slow_reader,
                     test, wait_until)

# What half of a body takes at least, and what a server may have after many.
HALF_SENT_KIB = 100
KEPT_KIB = 80 << 10


def buffered(server):
    return server.status()['buffered']['bytes']


def begin(server, body, function='echo', frames=False):
    """A client that sends all but the end of a request."""
    stream = server.frames() if frames else server.http()
    whole = (Frames.request_bytes(1, function, body) if frames else
             Http.request_bytes('POST', f'/function/{function}', body))
    stream.send(whole[:-1])
    return stream


@test('beyond --max-buffered requests are refused, and those let in are answered')
def max_buffered():
    large = b'a' * 300000
    with Server({'echo': ECHO, 'other': ECHO, 'large': LARGE}, '--max-buffered',
                '1MiB', surprises=['large']) as server, \
            server.http() as neighbour:
        assert server.status()['buffered'] == {'bytes': 0, 'max': 1 << 20}
        slow = begin(server, large)
        wait_until(lambda: buffered(server) >= 300000, 'it is in memory')
        with server.http() as http, server.frames() as frames:
            # its function has half of it, at most
            for response in (http.post('echo', large),
                             server.http().invoke('echo', large)):
                assert response.status == 503, response
                assert b"the function's share" in response.body, response
                assert b'--max-buffered' in response.body, response
                assert int(response.headers['retry-after']) > 0, response
            for number in (7, 8):
                frames.send(Frames.request_bytes(number, 'echo', large) +
                            Frames.request_bytes(9, 'echo', b'small'))
                refused, reply = frames.reply(), frames.reply()
                assert (refused.id, refused.status) == (number, THROTTLED), refused
                assert b"the function's share" in refused.error_message, refused
                assert (reply.id, reply.data) == (9, b'small'), reply
            assert neighbour.post('echo', b'small').body == b'small'
            # and another one has room
            assert neighbour.post('other', large).body == large
            wait_until(lambda: buffered(server) < 350000, 'that is over')
            assert frames.call('other', large).data == large
        slow.send(b'a')
        assert slow.response().body == large
        slow.close()
        wait_until(lambda: not buffered(server), 'nothing is in memory')
        # a reply that has no room is refused, whoever does not read it
        http, frames = slow_reader(server, True, LARGE_SIZE), server.frames()
        with server.http() as other:
            for response in (other.post('large', b'%d' % LARGE_SIZE),
                             other.invoke('large', b'%d' % LARGE_SIZE)):
                assert response.status == 503, response
                assert b'--max-buffered' in response.body, response
                assert int(response.headers['retry-after']) > 0, response
        reply = frames.call('large', b'%d' % LARGE_SIZE)
        assert reply.status == THROTTLED, reply
        assert b'--max-buffered' in reply.error_message, reply
        assert neighbour.post('echo', b'small').body == b'small'
        assert frames.call('echo', large).data == large
        assert buffered(server) < 1 << 20
        frames.close()
        http.close()


@test('replies that nobody reads leave room for another function')
def unread_replies():
    size = 3000000
    with Server({'echo': ECHO, 'large': LARGE}, '--max-buffered', '32MiB',
                surprises=['large']) as server, server.http() as neighbour:
        for http in (True, False):
            # each has been answered, or sent away
            readers = [slow_reader(server, http, size) for _ in range(20)]
            assert 0 < buffered(server) < 40 << 20, buffered(server)
            if http:
                assert neighbour.post('echo', b'a' * 100000).status == 200
            for reader in readers:
                reader.close()
            wait_until(lambda: not buffered(server), 'nothing is kept')
        assert neighbour.post('echo', b'small').body == b'small'


def refused_of(streams):
    """Those of them that have been answered."""
    sockets = [stream.socket for stream in streams]
    ready = select.select(sockets, [], [], 0)[0]
    return [stream for stream in streams if stream.socket in ready]


@test('half-sent requests for one function leave room for another')
def half_sent():
    body = b'a' * 100000
    with Server({'echo': ECHO, 'other': ECHO}, '--max-buffered', '4MiB') as server:
        for frames in (False, True):
            for function in ('echo', 'none'):
                streams = [begin(server, body, function, frames)
                           for _ in range(60)]
                # it can get half: 21 bodies at most, less if they grow at once
                wait_until(lambda: len(refused_of(streams)) >= 60 - 21,
                           'the others are refused')
                wait_until(lambda: 200000 < buffered(server) < 2.2 * (1 << 20),
                           'some are kept, and half of it at most')
                with server.http() as http, server.frames() as calls:
                    for _ in range(20):
                        assert http.post('other', body).body == body
                        assert calls.call('other', body).data == body
                refused = refused_of(streams)[0]
                if frames:
                    reply = refused.reply()
                    assert (reply.id, reply.status) == (1, THROTTLED), reply
                else:
                    response = refused.response()
                    assert response.status == (
                        503 if function == 'echo' else 404), response
                for stream in streams:
                    stream.close()
                wait_until(lambda: not buffered(server), 'nothing is kept')
        server.check_works()


def own_address():
    """One of this machine that is no loopback's; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))
            address = probe.getsockname()[0]
        except OSError:
            address = '127.0.0.1'
    if address.startswith('127.'):
        raise Skip('this machine has no other address')
    return address


@test('half-sent requests of one client leave room for another')
def half_sent_of_one():
    body, functions = b'a' * 50000, {f'f{i}': ECHO for i in range(5)}
    address = own_address()
    with Server(functions, '--max-buffered', '4MiB', '--insecure',
                listen=('127.0.0.1:0', f'{address}:0')) as server, \
            server.http() as neighbour:
        port = re.search(re.escape(address) + r':(\d+)', server.log())[1]
        far = []

        def refused(text):
            return any(text in stream.response().body
                       for stream in refused_of(far))
        for i in range(100):
            stream = Http((address, int(port)))
            stream.send(Http.request_bytes('POST', f'/function/f{i % 5}',
                                           body)[:-1])
            far.append(stream)
        # it can get half, whichever functions it asks for
        wait_until(lambda: len(refused_of(far)) >= 100 - 42,
                   'the others are refused')
        assert refused(b"the client's share")
        wait_until(lambda: buffered(server) < 2.2 * (1 << 20),
                   'half of it is kept at most')
        for function in functions:
            assert neighbour.post(function, body).body == body
        for stream in far:
            stream.close()
        wait_until(lambda: not buffered(server), 'nothing is kept')


@test('half-sent heads count, and take little')
def half_sent_heads():
    with Server({'echo': ECHO}, '--max-buffered', '8MiB') as server:
        for head, most in ((b'P', 12.5), (b'POST / HTTP/1.1\r\nA: ' +
                                          b'a' * 3000, 17)):
            streams = [server.http() for _ in range(100)]
            for stream in streams:
                stream.send(head)
            wait_until(lambda: buffered(server) >= 100 * 10000, 'they count')
            each = buffered(server) / 100 / 1024
            print(f'# a head of {len(head)} bytes takes {each:.1f} KiB')
            assert each < most, each
            server.check_works()
            for stream in streams:
                stream.close()
            wait_until(lambda: not buffered(server), 'nothing is kept')


@test('what comes ahead of its turn stays in the socket, but for a piece that counts')
def kept_ahead():
    with Server({'echo': ECHO, 'sleep': SLEEP}, '--workers', '1') as server:
        streams = [server.http() for _ in range(4)]
        for stream in streams:
            stream.send(Http.request_bytes('POST', '/function/sleep', b'900'))
        wait_until(lambda: server.function('sleep')['inflight'] == 4, 'they run')
        before = buffered(server)
        for stream in streams:
            stream.socket.setblocking(False)
            stream.socket.send(b'x' * (1 << 20))
        wait_until(lambda: buffered(server) >= before + 4 * 4096,
                   'a piece of each is kept')
        assert buffered(server) <= before + 4 * 16 * 1024
        for stream in streams:
            stream.socket.setblocking(True)
            assert stream.response().status == 200
            stream.close()
        wait_until(lambda: not buffered(server), 'nothing is kept')


@test('events count in --max-buffered, and one function has its share')
def buffered_events():
    body = b'"' + b'a' * 99998 + b'"'
    event = [('X-Amz-Invocation-Type', 'Event')]
    functions = {'sleep': {**SLEEP, 'concurrency': {'max': 1, 'queue': 0}},
                 'echo': ECHO}
    with Server(functions, '--max-buffered', '2MiB', '--event-retries', '0',
                surprises=['event', 'invocation']) as server, \
            server.http() as http, server.http() as busy:
        busy.send(Http.request_bytes('POST', '/function/sleep', b'900'))
        wait_until(lambda: is_running(server), 'it runs')
        responses = [http.invoke('sleep', body, event) for _ in range(20)]
        assert [r.status for r in responses[:8]] == [202] * 8, responses
        response = responses[-1]
        assert response.status == 503, response
        assert b"the function's share" in response.body, response
        assert int(response.headers['retry-after']) > 0, response
        accepted = sum(r.status == 202 for r in responses)
        assert accepted * len(body) <= buffered(server) <= 1.1 * (1 << 20)
        assert http.post('echo', body).body == body
        response = busy.response()
        assert response.status == 200, response
        # they are done or dropped, and nothing of them is left
        wait_until(lambda: not server.status()['events']['queued'], 'all are over')
        wait_until(lambda: not buffered(server), 'nothing is kept')


def send_half(server, count):
    """Clients that send all but the end of bodies of several sizes, and go."""
    clients = [server.http() for _ in range(count)]
    for i, http in enumerate(clients):
        size = (9000, 30000, 150000, 400000)[i % 4]
        http.send(Http.request_bytes('POST', '/function/echo', b'a' * size)[:-1])
    wait_until(lambda: server.rss_kib() > HALF_SENT_KIB * count,
               'they are in memory')
    for http in clients:
        http.close()
    server.wait_quiet()


@test('the memory of bodies that were half sent is given back')
def memory_of_half_sent():
    if Server.is_sanitized():
        raise Skip('the sanitizers have a malloc() of their own')
    with Server({'echo': ECHO}, '--max-buffered', '1GiB',
                '--vm-idle-timeout', '500ms') as server:
        server.check_works()
        for _ in range(3):
            send_half(server, 1500)
        after = wait_until(lambda: server.rss_kib() < KEPT_KIB and
                           server.rss_kib(), 'it is given back')
        print(f'# {after} KiB are left')
        server.check_works()


if __name__ == '__main__':
    main()
