#!/usr/bin/env python3
"""typed.py BUILD-DIR io_uring|epoll [PATTERN] - tests `thaw serve` with typed
functions: by HTTP, by AWS's API and by the unix socket, as JSON and as messages.
"""
import json
import struct

from support import (BAD_REQUEST, ECHO, ERROR, NOT_FOUND, OK, THROTTLED, Frames,
                     Server, Skip, main, test, wait_until)

TYPED = 'application/vnd.thaw.typed'
INT, STRING = 1, 7

# An invocation that failed is a line of the log; one that was refused is not.
SURPRISES = ['invocation failed']

FUNCTIONS = {'echo': ECHO, 'math': {'image': 'typed'},
             'add': {'image': 'typed', 'entry': 'add'},
             'cxx': {'image': 'typed_cxx'},
             'registered': {'image': 'registered',
                            'environment': {'INIT': ''}},
             'nothing': {'image': 'typed', 'entry': 'nothing'},
             'small': {'image': 'typed', 'entry': 'same_string',
                       'max_request': '4KiB'}}
# Results up to 4 MiB; and a worker runs it for as long as it takes.
LARGE = {'image': 'typed', 'max_request': '4MiB', 'max_reply': '4MiB',
         'memory': '32MiB', 'inline_budget': '1s', 'concurrency': {'max': 1}}
# What a worker converts itself: SERVER_INLINE_TYPED of server_limits.h.
INLINE_TYPED = 64 << 10


def message(name, *values):
    """A call as guest/abi/thaw_typed.h has it."""
    def padded(data):
        return data + b'\0' * (8 - len(data) % 8)

    name = name.encode()
    items, rest = b'', padded(name)
    start = 24 + 16 * len(values)
    for value in values:
        if isinstance(value, int):
            items += struct.pack('<IIq', INT, 0, value)
        else:
            data = value.encode()
            items += struct.pack('<IIQ', STRING, len(data), start + len(rest))
            rest += padded(data)
    head = struct.pack('<IHHHHIQ', start + len(rest), 1, len(values), 0xffff, 0,
                       len(name), start)
    return head + items + rest


def result(data):
    size, kind, count = struct.unpack_from('<IHH', data)
    assert (size, kind, count) == (len(data), 2, 1), data
    of, length, bits = struct.unpack_from('<IIq', data, 24)
    return bits if of == INT else data[bits:bits + length].decode()


@test('HTTP calls typed functions by their path, or by their name in the body')
def http():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.http() as client:
            for function, body in (
                    ('math/add', b'[20,22]'),
                    ('math', b'{"function":"add","args":[20,22]}'),
                    ('math/add', b'{"args":[20,22]}'),
                    ('add', b'[20,22]')):
                response = client.post(function, body)
                assert response.status == 200, response
                assert response.body == b'{"result":42}', response
                assert (response.headers['content-type'] ==
                        'application/json'), response
            response = client.request('GET', '/function/math/nothing')
            assert response.body == b'{"result":null}', response
            response = client.invoke('math',
                                     b'{"function":"add","args":[1,2]}')
            assert response.body == b'{"result":3}', response
        server.check_works()


@test('what is wrong in a call is said, and its function never runs')
def refused():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.http() as client:
            response = client.post('math/add', b'[20,"22"]')
            assert response.status == 400, response
            detail = json.loads(response.body)['detail']
            assert ('argument 2 (b): expected int' in detail and
                    'given the string "22"' in detail), detail
            response = client.post('math/add', b'[20,')
            assert response.status == 400, response
            response = client.post('cxx/meen', b'[1,2]')
            assert response.status == 404, response
            assert 'did you mean mean?' in json.loads(response.body)['detail']
            response = client.invoke('cxx', b'{"function":"meen"}')
            assert response.status == 404, response
            response = client.invoke('add', b'[1]')
            assert response.status == 400, response
            # one that has run is an error of the function
            response = client.post('math/divide', b'[1,0]')
            assert response.status == 500, response
            assert b'Typed.DivisionByZero' in response.body, response
        for name in ('add', 'cxx'):
            counts = server.function(name)['dispatched']
            assert counts['exit'] + counts['polled'] == 0, counts
        # it is the clients' fault, not thaw's
        for name, count in (('math', 2), ('add', 1), ('cxx', 2)):
            counts = server.function(name)['invocations']
            assert (counts['refused'], counts['failed']) == (count, 0), counts
        assert server.function('math')['invocations']['function_error'] == 1
        server.check_works()


@test("AWS's API calls typed functions, and says its errors")
def lambda_api():
    with Server(FUNCTIONS, surprises=SURPRISES + ['larger']) as server:
        with server.http() as client:
            for function, body, status, answer in (
                    ('math', b'{"function":"add","args":[20,22]}', 200,
                     b'{"result":42}'),
                    ('add', b'[20,22]', 200, b'{"result":42}'),
                    # an empty payload is {} to this API
                    ('nothing', b'', 200, b'{"result":null}'),
                    ('math', b'', 400, 'InvalidParameterValueException'),
                    ('add', b'[20,"22"]', 400,
                     'InvalidParameterValueException'),
                    ('add', b'[20,', 400, 'InvalidRequestContentException'),
                    ('cxx', b'{"function":"meen"}', 404,
                     'ResourceNotFoundException'),
                    ('small', b'["%s"]' % (b'x' * 5000), 413,
                     'RequestTooLargeException'),
                    # its JSON is small enough, and the message is not
                    ('small', b'["%s"]' % (b'x' * 4092), 413,
                     'RequestTooLargeException')):
                # a connection ends with a body that is too large
                with server.http() as other:
                    response = other.invoke(function, body)
                assert response.status == status, (function, body, response)
                if status == 200:
                    assert response.body == answer, response
                    assert (response.headers['content-type'] ==
                            'application/json'), response
                else:
                    assert (response.headers['x-amzn-errortype'] ==
                            answer), response
            response = client.invoke('math',
                                     b'{"function":"divide","args":[1,0]}')
            assert response.status == 200, response
            assert 'x-amz-function-error' in response.headers, response
            assert b'Typed.DivisionByZero' in response.body, response
            for content_type in (TYPED, TYPED.upper() + '; a=b'):
                response = client.invoke('math', message('add', 20, 22),
                                         {'Content-Type': content_type})
                assert response.status == 200, response
                assert response.headers['content-type'] == TYPED, response
                assert result(response.body) == 42, response
            response = client.invoke('math', message('add', 20, 22)[:-1],
                                     {'Content-Type': TYPED})
            assert response.status == 400, response
            assert (response.headers['x-amzn-errortype'] ==
                    'InvalidParameterValueException'), response
        server.check_works()


@test('only calls and results that are large are converted on other threads')
def offloaded():
    with Server({'echo': ECHO, 'large': LARGE}) as server, \
            server.http() as client:
        def send(name, body):
            before = server.metric('thaw_offloaded_total')
            response = client.post(f'large/{name}', body)
            assert response.status == 200, response
            return response.body, (server.metric('thaw_offloaded_total') -
                                   before)

        send('add', b'[1,2]')  # there is a vm now
        for _ in range(10):
            assert send('add', b'[20,22]') == (b'{"result":42}', 0)
        # a list, two quotes; 40 bytes of a result come before its text
        text = b'x' * (INLINE_TYPED - 4)
        body, count = send('same_string', b'["%s"]' % text)
        assert (body, count) == (b'{"result":"%s"}' % text, 1), count
        text = b'x' * (INLINE_TYPED - 48)
        body, count = send('same_string', b'["%s"]' % text)
        assert (body, count) == (b'{"result":"%s"}' % text, 0), count
        text = b'\\u0001' * (1 << 15)
        body, count = send('same_string', b'["%s"]' % text)
        assert (body, count) == (b'{"result":"%s"}' % text, 1), count
        text = b'\\u0001' * (3 << 16)
        body, count = send('same_string', b'["%s"]' % text)
        assert (body, count) == (b'{"result":"%s"}' % text, 2), count
        body, count = send('fill', b'[1000000]')
        assert count == 1 and len(body) == 13 + 4 * 333334, (count, len(body))
        # none of that has made the function one that begins on other threads
        assert send('add', b'[20,22]') == (b'{"result":42}', 0)
        server.check_works()


@test('a typed function is polled, whatever its max_reply is')
def polled():
    with Server({'echo': ECHO,
                 'polled': {**LARGE, 'dispatch': 'polled'}}) as server:
        if server.function('polled')['gate'] == 'none':
            raise Skip(server.function('polled')['no_gate'])
        with server.http() as client:
            def is_polled():
                response = client.post('polled/add', b'[20,22]')
                assert response.body == b'{"result":42}', response
                return server.function('polled')['dispatched']['polled'] > 0
            wait_until(is_polled, 'a call is polled')
            text = b'x' * (2 * INLINE_TYPED)
            response = client.post('polled/same_string', b'["%s"]' % text)
            assert response.body == b'{"result":"%s"}' % text, response
        server.check_works()


@test('the memory of typed calls counts in --max-buffered')
def max_buffered():
    with Server({'echo': ECHO, 'large': LARGE}, '--max-buffered', '1MiB',
                surprises=['typed call that takes']) as server:
        with server.http() as client, server.frames() as frames:
            for size, status in ((1000, 200), (50000, 200), (200000, 429),
                                 (100, 200)):
                text = b'x' * size
                response = client.post('large/same_string', b'["%s"]' % text)
                assert response.status == status, (size, response)
                if status == 200:
                    assert response.body == b'{"result":"%s"}' % text, size
                else:
                    assert b'--max-buffered' in response.body, response
                    assert 'retry-after' in response.headers, response
            reply = frames.call('large', b'{"function":"same_string","args":'
                                         b'["%s"]}' % (b'x' * 200000))
            assert reply.status == THROTTLED, reply
            # a message is the call, and takes no more
            whole = message('same_string', 'x' * 200000)
            frames.send(Frames.request_bytes(9, 'large', whole,
                                             TYPED.encode()))
            reply = frames.reply()
            assert reply.status == OK and len(reply.data) == 40 + 200008, (
                reply.status, len(reply.data))
        wait_until(lambda: server.status()['buffered']['bytes'] == 0,
                   'nothing is kept')
        counts = server.function('large')['invocations']
        assert (counts['ok'], counts['throttled']) == (4, 2), counts
        server.check_works()


@test('the unix socket takes JSON, and messages without JSON')
def frames():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.frames() as client:
            reply = client.call('add', b'[20,22]')
            assert (reply.status, reply.data) == (OK, b'{"result":42}'), reply

            def call(function, data):
                client.send(Frames.request_bytes(9, function, data,
                                                 TYPED.encode()))
                return client.reply()

            reply = call('math', message('add', 20, 22))
            assert reply.status == OK, reply
            assert reply.content_type == TYPED.encode(), reply
            assert result(reply.data) == 42, reply
            reply = call('math', message('same_string', 'gr\u00fcn'))
            assert result(reply.data) == 'gr\u00fcn', reply
            reply = call('math', message('divide', 1, 0))
            assert reply.status == ERROR, reply
            reply = call('math', message('add', 20, 'x'))
            assert reply.status == BAD_REQUEST, reply
            assert b'expected int, given string' in reply.error_message, reply
            reply = call('cxx', message('meen', 1))
            assert reply.status == NOT_FOUND, reply
            whole = message('add', 20, 22)
            for size in (0, 1, 23, 24, 55, len(whole) - 1):
                reply = call('math', whole[:size])
                assert reply.status == BAD_REQUEST, (size, reply)
        server.check_works()


@test('the admin API shows signatures')
def signatures():
    with Server(FUNCTIONS) as server:
        functions = server.function('cxx')['functions']
        assert [one['signature'] for one in functions] == [
            'double mean(double a, double b)', 'void nothing()',
            'string repeat(string text, uint count)',
            'bytes tail(bytes all, ulong from)'], functions
        assert functions[0]['parameters'] == [
            {'name': 'a', 'type': 'double'}, {'name': 'b', 'type': 'double'}]
        assert server.function('echo')['functions'] == []
        assert server.function('echo')['imports'] == []
        functions = server.function('registered')['functions']
        assert [one['signature'] for one in functions] == [
            'int add(int a, int b)', 'int too_late()', 'int twice(int)'], \
            functions


if __name__ == '__main__':
    main()
