#!/usr/bin/env python3
"""event_lines.py BUILD-DIR io_uring|epoll [PATTERN] - many Event invocations wait
in line, and none is refused or lost. The test counts, and measures no times. See
events.sh.
"""
import time

from support import Http, Server, main, test, wait_until

ECHO = {'image': 'echo', 'concurrency': {'max': 8, 'queue': 1000,
                                          'queue_timeout': '30s'}}
EVENT = {'X-Amz-Invocation-Type': 'Event'}


def sleep(most, queue, **about):
    return {'image': 'edges', 'entry': 'sleep_ms', 'concurrency': {
        'max': most, 'queue': queue, 'queue_timeout': '30s'}, **about}


def send(http, name, body, count):
    """So many events, pipelined; returns how many were taken, and the rest."""
    path = f'/2015-03-31/functions/{name}/invocations'
    http.send(Http.request_bytes('POST', path, body, EVENT) * count)
    answers = [http.response() for _ in range(count)]
    refused = [answer for answer in answers if answer.status != 202]
    return count - len(refused), refused


def send_all(server, name, body, count):
    """By four connections, so that all workers have some."""
    for _ in range(4):
        with server.http() as http:
            taken, refused = send(http, name, body, count // 4)
            assert taken == count // 4, refused[0]


def wait_done(server, name, count, most):
    """Until so many are done; never do more than @most run or wait for a vm."""
    def is_done():
        row = server.function(name)
        assert row['inflight'] <= most, row
        return row['events']['done'] == count
    wait_until(is_done, f'{count} events are done')


def check_clean(server, name, count):
    """Each ran once; none was refused, begun again or given up."""
    row = server.function(name)
    assert row['events'] == {'pending': 0, 'accepted': count, 'done': count,
                             'retried': 0, 'dropped': 0}, row
    assert sum(row['invocations'].values()) == count, row
    assert row['invocations']['ok'] == count, row
    status = server.status()['events']
    assert status['queued'] == 0, status


@test('1,000 events on 8 vms run once each, 8 at a time, and none is refused')
def many():
    with Server({'echo': ECHO, 'nap': sleep(8, 8)}) as server:
        send_all(server, 'nap', b'5', 1000)
        wait_done(server, 'nap', 1000, 8)
        check_clean(server, 'nap', 1000)


def is_held(server):
    """No event ends, and three invocations at most are admitted. It is not enough
    to count: a request that has been sent may not be among them yet."""
    before = server.function('nap')
    time.sleep(0.1)
    now = server.function('nap')
    return now['inflight'] <= 3 and now['invocations'] == before['invocations']


@test('clients have their place in the queue while events wait')
def clients():
    with Server({'echo': ECHO, 'nap': sleep(2, 2)}) as server:
        send_all(server, 'nap', b'20', 200)
        with server.http() as first, server.http() as second:
            for _ in range(20):
                for http in (first, second):
                    http.send(Http.request_bytes('POST', '/function/nap', b'1'))
                for http in (first, second):
                    assert http.response().status == 200
            # both vms are a client's: then one event at most is in the queue
            first.send(Http.request_bytes('POST', '/function/nap', b'400'))
            second.send(Http.request_bytes('POST', '/function/nap', b'400'))
            wait_until(lambda: is_held(server), 'one event is with them at most')
            with server.http() as third:
                assert third.post('nap', b'1').status == 200
            assert first.response().status == 200
            assert second.response().status == 200
        wait_until(lambda: server.function('nap')['events']['done'] == 200,
                   'all events are done')
        row = server.function('nap')
        assert row['invocations']['ok'] == 243, row
        assert row['invocations']['throttled'] == 0, row


@test('a full queue puts events off; that is no invocation, and no line')
def put_off():
    with Server({'echo': ECHO, 'nap': sleep(1, 0)}) as server:
        with server.http() as http, server.http() as other:
            http.send(Http.request_bytes('POST', '/function/nap', b'400'))
            wait_until(lambda: server.function('nap')['vms']['busy'],
                       'the client has the vm')
            assert send(other, 'nap', b'1', 10) == (10, [])
            assert http.response().status == 200
        wait_done(server, 'nap', 10, 1)
        row = server.function('nap')
        assert row['invocations']['ok'] == 11, row
        assert sum(row['invocations'].values()) == 11, row
        assert row['events']['retried'] == 0, row


@test('a reload loses no event, and its concurrency holds for those that wait')
def reload():
    functions = {'echo': ECHO, 'nap': sleep(2, 2)}
    with Server(functions) as server:
        send_all(server, 'nap', b'10', 200)
        for most in (4, 1, 8):
            server.write_catalog({'echo': ECHO, 'nap': sleep(most, 2)})
            status, changes = server.reload()
            assert status == 200 and changes['changed'] == ['nap'], changes
        wait_done(server, 'nap', 200, 8)
        check_clean(server, 'nap', 200)


@test('who is gone from the catalog and comes back has its events again')
def comes_back():
    with Server({'echo': ECHO, 'nap': sleep(1, 1)},
                surprises=['event dropped.*not in the catalog']) as server:
        with server.http() as http:
            assert send(http, 'nap', b'200', 3) == (3, [])
            server.write_catalog({'echo': ECHO})
            assert server.reload()[0] == 200
            server.write_catalog({'echo': ECHO, 'nap': sleep(1, 1)})
            assert server.reload()[0] == 200
            wait_until(lambda: not server.status()['events']['queued'],
                       'none waits')
            events = server.function('nap')['events']
            assert events['pending'] == 0, events
            assert send(http, 'nap', b'1', 3) == (3, [])
        wait_until(lambda: server.function('nap')['events']['done'] == 3,
                   'new ones are done')


@test('a server that drains runs those that wait')
def drain():
    with Server({'echo': ECHO, 'nap': sleep(4, 4)}) as server:
        send_all(server, 'nap', b'5', 400)
        server.end()
        assert not server.lines('event dropped')


@test('who waits for longer than --event-max-age is dropped')
def too_old():
    with Server({'echo': ECHO, 'nap': sleep(1, 1)}, '--event-max-age', '300ms',
                surprises=['event dropped.*it is too old']) as server:
        with server.http() as http:
            assert send(http, 'nap', b'900', 5) == (5, [])
        wait_until(lambda: server.function('nap')['events']['dropped'] == 4,
                   'those behind it are dropped')
        wait_until(lambda: server.function('nap')['events']['done'] == 1,
                   'the first is done')


@test("one function's events leave room for the others'")
def shares():
    functions = {'echo': ECHO, 'nap': sleep(1, 1), 'doze': sleep(1, 1)}
    with Server(functions, '--event-queue', '10') as server:
        with server.http() as http:
            # as long as it has not more than there is room left
            taken, refused = send(http, 'nap', b'400', 20)
            assert taken == 6, taken
            for answer in refused:
                assert answer.status == 429, answer
                assert b'function nap: ' in answer.body, answer
                assert b'--event-queue' in answer.body, answer
            taken, _ = send(http, 'doze', b'400', 20)
            assert taken == 3, taken
            assert send(http, 'echo', b'{}', 1) == (1, [])


if __name__ == '__main__':
    main()
