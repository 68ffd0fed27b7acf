#!/usr/bin/env python3
"""functions.py BUILD-DIR io_uring|epoll [PATTERN] - tests `thaw serve` with
functions that are slow, crash, spin, log nonsense, have too many callers, or cannot
be deployed.
"""
import base64
import json
import re
import time

from support import (ECHO, ERROR, FAILED, FAULT, NOT_READY, OK, THROTTLED,
                     TIMEOUT, Frames, Http, Server, Threads, edges, lasts, main,
                     sleep, test, wait_until)


@test('beyond max and queue, all APIs throttle and say when to come again')
def full_queue():
    functions = {'echo': ECHO, 'slow': sleep(1, 2)}
    with Server(functions, surprises=['invocation refused']) as server:
        clients = []
        for i in range(3):
            clients.append(server.http())
            clients[-1].send(Http.request_bytes('POST', '/function/slow',
                                                b'900'))
            lasts(server, 1, i)
        with server.http() as http:
            response = http.post('slow', b'1')
            assert response.status == 429, response
            assert response.headers['retry-after'] == '1', response
            problem = json.loads(response.body)
            assert 'concurrency.max' in problem['detail'], problem
            response = http.invoke('slow', b'1')
            assert response.status == 429, response
            assert response.headers['retry-after'] == '1', response
            assert (response.headers['x-amzn-errortype'] ==
                    'TooManyRequestsException'), response
            assert (json.loads(response.body)['Reason'] ==
                    'ReservedFunctionConcurrentInvocationLimitExceeded')
        with server.frames() as frames:
            reply = frames.call('slow', b'1')
            assert reply.status == THROTTLED, reply
            assert b'concurrency.max' in reply.error_message, reply
        assert server.function('slow')['invocations']['throttled'] == 3
        server.check_works()
        for client in clients:
            assert client.response().status == 200
            client.close()
        with server.http() as http:
            assert http.post('slow', b'1').status == 200


@test('who waits for longer than queue_timeout is throttled')
def queue_timeout():
    functions = {'echo': ECHO, 'slow': sleep(1, 10, '100ms')}
    with Server(functions, surprises=['invocation refused']) as server:
        with server.http() as first, server.http() as second, \
                server.frames() as frames:
            first.send(Http.request_bytes('POST', '/function/slow', b'900'))
            lasts(server, 1, 0)
            frames.request(1, 'slow', b'1')
            response = second.invoke('slow', b'1')
            assert response.status == 429, response
            body = json.loads(response.body)
            assert 'queue_timeout' in body['Message' if 'Message' in body
                                           else 'message'], body
            assert body['Reason'], body
            reply = frames.reply()
            assert reply.status == THROTTLED, reply
            assert first.response().status == 200


@test('what has not begun when its client goes does not begin')
def gone():
    functions = {'echo': ECHO, 'slow': sleep(1, 20)}
    with Server(functions, surprises=['invocation refused']) as server:
        with server.http() as first:
            first.send(Http.request_bytes('POST', '/function/slow', b'500'))
            lasts(server, 1, 0)
            streams = [server.http() for _ in range(6)]
            for i, stream in enumerate(streams):
                stream.send(Http.request_bytes('POST', '/function/slow',
                                               b'900'))
                lasts(server, 1, i + 1)
            for stream in streams:
                stream.reset()
            assert first.response().status == 200
        wait_until(lambda: server.function('slow')['invocations']['failed'] == 6,
                   'all of them are given up')
        with server.http() as http:
            assert http.post('slow', b'1').status == 200
        row = server.function('slow')
        assert row['invocations']['ok'] == 2, row
        server.check_works()
        server.end()


@test('who waits for a vm and goes does not keep a place')
def places():
    functions = {'echo': ECHO, 'slow': {**sleep(1, 20), 'entry': 'spin_ms'}}
    # with more workers one may be in other hands, and keeps it until its turn
    with Server(functions, '--workers', '1',
                surprises=['invocation refused']) as server:
        with server.http() as first, server.http() as last:
            first.send(Http.request_bytes('POST', '/function/slow', b'4000'))
            lasts(server, 1, 0)
            streams = [server.http() for _ in range(3)]
            for i, stream in enumerate(streams):
                stream.send(Http.request_bytes('POST', '/function/slow', b'9'))
                lasts(server, 1, i + 1)
            last.send(Http.request_bytes('POST', '/function/slow', b'1'))
            lasts(server, 1, 4)
            for stream in streams:
                stream.reset()
            lasts(server, 1, 1)
            row = server.function('slow')
            assert row['invocations']['ok'] == 0, 'the first has ended too soon'
            assert row['invocations']['failed'] == 3, row
            assert first.response().status == 200
            assert last.response().status == 200
        server.end()


@test('concurrency.max holds across workers and protocols')
def most_at_once():
    functions = {'echo': ECHO, 'slow': sleep(3, 1000)}
    with Server(functions, '--workers', '4') as server, Threads() as threads:
        def by_http(http):
            assert http.post('slow', b'5').status == 200

        def by_frames(frames):
            for i in range(1, 9):
                frames.request(i, 'slow', b'5')
            for _ in range(8):
                assert frames.reply().status == OK

        for _ in range(8):
            threads.start(by_http, server.http())
        for _ in range(2):
            threads.start(by_frames, server.frames())
        seen = set()
        while not threads.failures and (threads.counts['by_frames'] < 20 or
                                        3 not in seen):
            vms = server.function('slow')['vms']
            assert vms['busy'] + vms['idle'] <= 3, vms
            seen.add(vms['busy'])
            metric = server.admin('GET', '/metrics').body.decode()
            assert 'thaw_instances_max{function="slow"} 3' in metric
        assert max(seen) == 3, seen


@test('crashing and spinning functions harm no neighbour')
def crash_and_spin():
    few = {'concurrency': {'max': 2, 'queue': 100, 'queue_timeout': '30s'}}
    functions = {
        'echo': ECHO,
        'crash': edges('overflow', **few),
        'spin': edges('spin_ms', timeout='20ms', **few),
        'fail': edges('fail_at_length', **few),
        'abort': {'image': 'hostile', **few},
    }
    with Server(functions, surprises=['invocation failed', 'log lines dropped'],
                timeout='10s') as server, Threads() as threads:
        def lambda_fails(http, name, body, kind, error_type):
            response = http.invoke(name, body)
            assert response.status == 200, response
            assert response.headers['x-amz-function-error'] == kind, response
            assert json.loads(response.body)['errorType'] == error_type, response

        def plain_fails(http, name, body, status, error_type):
            response = http.post(name, body)
            assert response.status == status, response
            assert json.loads(response.body)['errorType'] == error_type, response

        def frame_fails(frames, name, body, status, error_type):
            reply = frames.call(name, body)
            assert reply.status == status, reply
            assert reply.error_type == error_type, reply

        def neighbour(http, frames, text):
            for size in (1, 100, 5000, 100000):
                response = http.invoke('echo', json.dumps(text * size).encode())
                assert response.status == 200, response
                assert 'x-amz-function-error' not in response.headers, response
                assert json.loads(response.body) == text * size
                reply = frames.call('echo', text.encode() * size)
                assert (reply.status, reply.data) == (OK, text.encode() * size)

        for name, body, kind, error_type in (
                ('crash', b'{}', 'Unhandled', 'Runtime.Fault'),
                ('spin', b'9000', 'Unhandled', 'Sandbox.Timedout'),
                ('fail', b'5', 'Handled', 'fffff')):
            threads.start(lambda_fails, server.http(), name, body, kind,
                          error_type)
        for name, body, status, error_type in (
                ('crash', b'', 500, 'Runtime.Fault'),
                ('spin', b'9000', 504, 'Sandbox.Timedout'),
                ('abort', b'calls_abort', 500, 'Runtime.Abort'),
                ('abort', b'exhaust_heap', 500, 'Runtime.OutOfMemory')):
            threads.start(plain_fails, server.http(), name, body, status,
                          error_type)
        for name, body, status, error_type in (
                ('crash', b'', FAULT, b'Runtime.Fault'),
                ('spin', b'9000', TIMEOUT, b'Sandbox.Timedout'),
                ('abort', b'ring_255', ERROR, b'Runtime.ProtocolError')):
            threads.start(frame_fails, server.frames(), name, body, status,
                          error_type)
        for text in 'abc':
            threads.start(neighbour, server.http(), server.frames(), text)
        for name in ('lambda_fails', 'plain_fails', 'frame_fails', 'neighbour'):
            threads.wait_count(name, 100)


@test('functions that sleep or spin for long are moved, and fast ones answered')
def slow_beside_fast():
    functions = {'echo': ECHO, 'slow': sleep(4, 100),
                 'spin': edges('spin_ms', concurrency={'max': 1, 'queue': 9})}
    with Server(functions) as server, Threads() as threads:
        def slow(http):
            assert http.post('slow', b'100').status == 200

        def spin(http):
            assert http.post('spin', b'20').status == 200

        for _ in range(4):
            threads.start(slow, server.http())
        threads.start(spin, server.http())
        threads.wait_count('slow', 4)
        before = threads.counts['slow']
        longest, start = 0, time.monotonic()
        with server.http() as http, server.frames() as frames:
            for i in range(1000):
                then = time.monotonic()
                assert http.post('echo', b'%d' % i).body == b'%d' % i
                assert frames.call('echo', b'%d' % i).data == b'%d' % i
                longest = max(longest, time.monotonic() - then)
        slept = threads.counts['slow'] - before
        print(f'# 2000 fast ones in {time.monotonic() - start:.2f} s beside '
              f'{slept} slow ones; the slowest pair took {longest * 1e3:.1f} ms')
        threads.wait_count('slow', 20)
        assert server.metric('thaw_offloaded_total') > 0
        assert slept < 2000


@test('large requests and replies are checked and copied by offload threads')
def large_bodies():
    size = (1 << 20) + 1  # one more than a worker copies itself
    large = {'memory': '32MiB', 'max_request': '2MiB', 'max_reply': '2MiB',
             'concurrency': {'max': 1}, 'inline_budget': '100ms'}
    functions = {'echo': {**ECHO, **large}, 'reply': edges('reply', **large)}
    document = b'"' + b'x' * (size - 2) + b'"'
    event = {'ce-id': '1', 'ce-source': 's', 'ce-type': 't',
             'ce-specversion': '1.0', 'content-type': 'application/json'}

    def http_reply(connection, headers=()):
        return connection.post('echo', document, headers).body

    def ask(number):
        return lambda connection: connection.post('reply', number).body

    def in_turn(connection):
        """A large reply between small ones, all sent at once."""
        for number, count in enumerate((5, size, 7, size), 1):
            connection.request(number, 'reply', b'%d' % count)
        return b''.join(sorted((connection.reply().data for _ in range(4)),
                               key=len))

    def bad(connection):
        response = connection.invoke('echo', document[:-1] + b'x')
        assert response.status == 400, response
        return response.headers['x-amzn-errortype'].encode()

    cases = [
        # what is asked, by which protocol, the answer, how much is offloaded
        (http_reply, 'http', document, 1),
        (lambda c: c.invoke('echo', document).body, 'http', document, 2),
        (bad, 'http', b'InvalidRequestContentException', 1),
        (lambda c: json.loads(http_reply(c, event))['data'].encode(), 'http',
         document[1:-1], 2),
        (ask(b'%d' % size), 'http', b'r' * size, 1),
        (ask(b'%d' % (size - 1)), 'http', b'r' * (size - 1), 0),
        (lambda c: c.call('echo', document).data, 'frames', document, 1),
        (in_turn, 'frames', b'r' * (12 + 2 * size), 2),
    ]
    def by_event(connection):
        return connection.invoke('reply', b'%d' % size,
                                 {'X-Amz-Invocation-Type': 'Event'}).body

    cases.append((by_event, 'http', b'', 0))
    with Server(functions) as server:
        with server.http() as http:
            # a vm that is made for it runs its first one
            assert http.post('echo', b'1').status == 200
            assert http.post('reply', b'1').status == 200
        for number, (asked, protocol, answer, offloaded) in enumerate(cases):
            before = server.metric('thaw_offloaded_total')
            with getattr(server, protocol)() as connection:
                assert asked(connection) == answer, number
            wait_until(lambda: not server.function('reply')['events']['pending'],
                       'the event is over')
            after = server.metric('thaw_offloaded_total')
            assert after - before == offloaded, (number, before, after)


@test('functions log what they like: the log has a line for each, and no more')
def hostile_lines():
    functions = {'echo': ECHO, 'wild': edges('log_unchecked'),
                 'long': edges('log_at_length'), 'odd': edges('controls'),
                 'flood': {'image': 'hostile'}}
    surprises = ['function=(wild|odd|flood)', '"function":"(wild|odd|flood)"']
    for style in ('text', 'json'):
        with Server(functions, '--log-format', style,
                    surprises=surprises) as server, server.http() as http:
            for size in (b'0', b'1', b'100', b'4000', b'99999999'):
                http.post('wild', size, {'X-Call-Id': f'wild-{size.decode()}'})
                http.post('long', size if len(size) < 4 else b'2000')
            for status in (b'0', b'1', b'2'):
                http.post('odd', status, {'X-Call-Id': f'odd-{status.decode()}'})
            for what in (b'log_of_wild_size', b'log_of_wild_level'):
                http.post('flood', what)
            http.post('long', b'3', {'X-Call-Id': 'the-last'})
            server.wait_line('the-last')
            assert server.lines('wild-100')
            server.check_log()
            assert '\x1b' not in server.log() and '\x7f' not in server.log()


@test('lines of functions have the id of the request, and there is a limit')
def ids_and_limits():
    functions = {'echo': ECHO, 'lines': edges('log_lines'),
                 'other': edges('log_lines'), 'more': edges('log_lines'),
                 'slow': sleep(1, 0)}
    for style in ('text', 'json'):
        with Server(functions, '--log-format', style,
                    surprises=['log lines', 'invocation refused']
                    ) as server, server.http() as http:
            http.post('lines', b'3', {'X-Call-Id': 'my-own-id'})
            lines = server.wait_line('my-own-id', 3)
            assert len(lines) == 3, lines
            # without one it is given one, and told
            made = http.post('lines', b'1').headers['x-call-id']
            assert len(made) == 36 and server.wait_line(made)
            made = http.invoke('lines', b'1').headers['x-amzn-requestid']
            assert server.wait_line(made)
            with server.frames() as frames:
                frames.send(Frames.request_bytes(1, 'lines', b'1',
                                                 ident=b'of-a-frame'))
                assert frames.reply().request_id == b'of-a-frame'
            server.wait_line('of-a-frame')
            # who is refused can be found, too
            with server.http() as slow:
                slow.send(Http.request_bytes('POST', '/function/slow', b'500'))
                lasts(server, 1, 0)
                http.post('slow', b'1', {'X-Call-Id': 'refused-one'})
                server.wait_line('refused-one')
                assert slow.response().status == 200
            start = time.monotonic()
            for _ in range(4):
                http.post('lines', b'900', {'X-Call-Id': 'a-flood'})
            took = time.monotonic() - start
            http.post('other', b'3', {'X-Call-Id': 'a-neighbour'})
            assert len(server.wait_line('a-neighbour', 3)) == 3
            written = len(server.lines('a-flood'))
            assert 900 <= written <= 1001 + 100 * (took + 1), written
            log = server.function('lines')['log']
            assert log['dropped'] >= 3600 - written, log
            server.wait_line('log lines dropped')
            # and one for each invocation, here of a function that has logged nothing
            http.post('more', b'1500', {'X-Call-Id': 'too-many'})
            server.wait_line('more than 1000 log lines.*too-many')


def reload_and_boot(server, _):
    """A reload leaves alone what still boots from the last one."""
    server.reload()
    wait_until(lambda: server.function('inits')['state'] == 'failed',
               'the boot has failed')


# What a guest or a client can have written to the log: how to cause it; how many
# lines that is; what is in them; and their limit, lines a second and at once.
MINE, INITS, SERVERS = (100, 1001), (100, 10000), (10, 100)
EVENT = {'X-Amz-Invocation-Type': 'Event'}
CAUSES = {
    'lines of the function': (
        lambda server, http: http.post('lines', b'900'),
        900, r'line \d+ function=lines', MINE),
    'invocations': (
        lambda server, http: http.post('fail', b'2'),
        1, 'invocation (failed|refused)', MINE),
    'events dropped': (
        lambda server, http: http.invoke('fail', b'22', EVENT),
        1, 'event dropped', MINE),
    # the catalog has a function that logs, and cannot be deployed
    'lines at init': (
        reload_and_boot,
        1001, 'function=inits phase=init', INITS),
    'reloads': (
        lambda server, http: server.reload(),
        1, 'catalog (not )?reloaded', SERVERS),
}


def check_limited(server, cause):
    """Causes twice as many lines as may come at once."""
    make, lines_each, message, (per_second, burst) = CAUSES[cause]
    times = 2 * burst // lines_each + 1
    start = time.monotonic()
    with server.http() as http:
        for _ in range(times):
            make(server, http)

    def told():
        return sum(int(re.search(r'lines=(\d+)', line)[1]) for line in
                   server.lines(f'log lines dropped cause="?{cause}"? '))

    def written():
        return len(server.lines(f'^(?!.*lines dropped).*{message}'))

    # nobody causes a line any more, and yet all are accounted for
    wait_until(lambda: written() + told() >= times * lines_each,
               f'lines of {cause} are accounted for')
    took = time.monotonic() - start
    assert written() + told() == times * lines_each, (written(), told())
    assert burst <= written() <= burst + per_second * (took + 1), written()


@test('nobody can fill the log: each cause of lines has its limit')
def limits():
    functions = {'lines': edges('log_lines'), 'fail': edges('fail_at_length')}
    broken = {**functions, 'inits': {'image': 'inits', 'entry': 'nobody',
                                     'environment': {'INIT': 'logs_much'}}}
    for cause in CAUSES:
        with Server(functions, '--event-retries', '0', '--event-queue', '5000',
                    surprises=['lines dropped', 'invocation', 'event',
                               'function not deployed', 'catalog not',
                               'more than 1000']) as server:
            if cause == 'lines at init':
                server.write_catalog(broken)
            check_limited(server, cause)
            dropped = server.status()['log']['dropped']
            assert dropped and dropped == server.metric(
                'thaw_log_dropped_total'), dropped


@test('who asks for a log gets that of the own request')
def own_log():
    functions = {'lines': edges('log_lines', concurrency={'max': 8})}
    with Server(functions, surprises=['log lines dropped']) as server, \
            Threads() as threads:
        def ask(http, count):
            response = http.invoke('lines', b'%d' % count,
                                   {'X-Amz-Log-Type': 'Tail'})
            assert response.status == 200, response
            text = base64.b64decode(response.headers['x-amz-log-result'])
            assert text.count(b'line ') == count, text
            assert response.headers['x-amzn-requestid'].encode() in text, text

        for count in range(8):
            threads.start(ask, server.http(), count)
        threads.wait_count('ask', 200)
        threads.stopping.set()
        threads.join()


@test('a function that cannot be deployed is named; the others are served')
def not_deployed():
    functions = {'echo': ECHO,
                 'broken': {'image': '/bin/sh', 'critical': True},
                 'absent': {'image': 'edges', 'entry': 'nobody'}}
    with Server(functions, ready=False,
                surprises=['function not deployed']) as server:
        server.wait_line('boots ended .*failed=2')
        response = server.admin('GET', '/readyz')
        assert response.status == 503, response
        checks = {c['name']: c for c in json.loads(response.body)['checks']}
        assert 'function echo' not in checks, checks
        for name in ('broken', 'absent'):
            assert not checks[f'function {name}']['ok'], checks
            assert checks[f'function {name}']['reason'], checks
            row = server.function(name)
            assert row['state'] == 'failed' and row['reason'], row
        assert server.status()['functions']['failed'] == 2
        server.find_port()
        server.check_works()
        with server.http() as http:
            assert http.request('GET', '/livez').status == 200
            response = http.request('GET', '/readyz')
            assert response.status == 503 and b'broken' in response.body
            response = http.invoke('broken', b'{}')
            assert response.status == 502, response
            assert (response.headers['x-amzn-errortype'] ==
                    'InvalidRuntimeException'), response
            response = http.post('broken', b'')
            assert response.status >= 500, response
        with server.frames() as frames:
            reply = frames.call('broken', b'')
            assert reply.status in (FAILED, NOT_READY), reply
        # repaired: a reload makes it ready
        server.surprises.append('invocation refused')
        server.write_catalog({'echo': ECHO, 'broken': {'image': 'echo'}})
        status, changes = server.reload()
        assert status == 200, changes
        assert server.admin('GET', '/readyz').status == 200
        server.check_works('broken')


@test('Event invocations are run, repeated when they fail, and drain')
def events():
    functions = {'echo': ECHO, 'fail': edges('fail_at_length'),
                 'slow': sleep(2, 100)}
    with Server(functions, '--event-retries', '1', '--event-queue', '20',
                surprises=['event failed', 'event dropped', 'invocation failed',
                           'invocation refused']) as server:
        headers = {'X-Amz-Invocation-Type': 'Event'}
        with server.http() as http:
            for _ in range(10):
                assert http.invoke('echo', b'{}', headers).status == 202
            assert http.invoke('fail', b'3', headers).status == 202
            wait_until(lambda: server.function('echo')['events']['done'] == 10,
                       'events are done')
            wait_until(lambda: server.function('fail')['events']['dropped'],
                       'the one that fails is dropped')
            row = server.function('fail')
            assert row['invocations']['function_error'] == 2, row
            statuses = [http.invoke('slow', b'300', headers).status
                        for _ in range(30)]
            assert statuses.count(202) <= 20 and 429 in statuses, statuses
            done = statuses.count(202)
        # the server ends when all of them have ended
        assert server.function('slow')['events']['accepted'] == done
        server.end()
        assert len(server.lines('event dropped')) == 1


if __name__ == '__main__':
    main()
