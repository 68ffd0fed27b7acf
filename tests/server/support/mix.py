"""Clients of all kinds for tests of `thaw serve` under load: all protocols, functions
that fail, sleep and spin, clients that vanish or send nonsense, events, reloads.
load.py and soak.py use them.
"""
import signal
import time

from support import OK, Frames, Http, reset

MANY = {'max': 6, 'queue': 500, 'queue_timeout': '50s'}


def edges(entry, **about):
    return {'image': 'edges', 'entry': entry, 'concurrency': MANY, **about}


CATALOGS = [{
    'echo': {'image': 'echo', 'concurrency': MANY, 'timeout': timeout},
    'words': {'image': 'wordfreq', 'memory': '64MiB', 'concurrency': MANY},
    'sleep': edges('sleep_ms'),
    'spin': edges('spin_ms', timeout='100ms'),
    'crash': edges('overflow'),
    'lines': edges('log_lines'),
    'large': edges('reply', max_reply='8MiB', memory='32MiB'),
    # its clients go, but who has only closed one direction may still read
    'fleeting': edges('reply', max_reply='8MiB', memory='32MiB',
                      concurrency={**MANY, 'queue': 20}),
    'full': edges('sleep_ms', concurrency={'max': 1, 'queue': 1}),
    **more,
} for timeout, more in (('10s', {}), ('11s', {'more': edges('measure')}))]


class Clients:
    """What clients do, one round each; those of a thread have a connection."""

    def __init__(self, server, catalogs=CATALOGS):
        self.server = server
        self.catalogs = catalogs

    def http(self, http):
        for size in (0, 10, 5000, 200000):
            response = http.post('echo', b'h' * size)
            assert (response.status, response.body) == (200, b'h' * size)

    def lambdas(self, http):
        response = http.invoke('words', b'"one two two"')
        assert response.status == 200, response
        response = http.invoke('crash', b'{}')
        assert response.headers['x-amz-function-error'] == 'Unhandled', response
        response = http.invoke('lines', b'3', {'X-Amz-Log-Type': 'Tail'})
        assert 'x-amz-log-result' in response.headers, response

    def frames(self, frames):
        frames.send(b''.join(Frames.request_bytes(i, 'echo', b'%d' % i * 99)
                             for i in range(1, 101)))
        for _ in range(100):
            reply = frames.reply()
            assert (reply.status, reply.data) == (OK, b'%d' % reply.id * 99)

    def slow(self, http):
        assert http.post('sleep', b'30').status == 200
        assert http.post('spin', b'5').status in (200, 504)

    def spins(self, http):
        assert http.post('spin', b'5000').status == 504
        time.sleep(0.05)

    def throttled(self, frames):
        for i in range(1, 9):
            frames.request(i, 'full', b'5')
        for _ in range(8):
            assert frames.reply().status in (OK, 19)

    def large(self, http):
        response = http.post('large', b'3000000')
        assert len(response.body) == 3000000, response.status
        time.sleep(0.1)

    def events(self, http):
        response = http.invoke('sleep', b'2', {'X-Amz-Invocation-Type': 'Event'})
        assert response.status in (202, 429), response
        time.sleep(0.005)

    def vanishes(self, chance):
        kind = chance.choice((Http, Frames))
        body = {'echo': b'x' * 3000, 'sleep': b'20', 'fleeting': b'3000000'}
        name = chance.choice(list(body))
        with (self.server.http() if kind is Http else
              self.server.frames()) as stream:
            data = (Http.request_bytes('POST', f'/function/{name}', body[name])
                    if kind is Http else
                    Frames.request_bytes(1, name, body[name]))
            if chance.random() < 0.5:
                data = data[:chance.randrange(len(data))]
            if chance.random() < 0.2:
                data = chance.randbytes(200)
            stream.send(data)
            time.sleep(chance.choice((0, 0.001, 0.01)))
            if chance.random() < 0.5:
                reset(stream.socket)

    def watches(self, _):
        self.server.status()
        self.server.admin('GET', '/metrics')
        self.server.admin_json('/v1/functions')
        time.sleep(0.02)

    def reloads(self, turns):
        turns.append(0)
        self.server.write_catalog(self.catalogs[len(turns) % 2], rename=True)
        if len(turns) % 5:
            status, changes = self.server.reload()
            # 409: the one that a signal has asked for is under way
            assert status in (200, 409), changes
        else:
            self.server.signal(signal.SIGHUP)
        time.sleep(0.2)
