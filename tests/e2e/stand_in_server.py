#!/usr/bin/env python3
"""stand_in_server.py serve --socket PATH --listen unix:PATH|HOST:PORT [...]

What `thaw bench` takes for a server, to test it without one: HTTP, and the
socket protocol. Other options of `thaw serve` are ignored. What becomes of a
request depends on the function's name:

    missing   not found
    busy      throttled
    mixed     every other one is throttled
    hangup    the connection ends instead of a reply
    silent    never a reply
    closing   echo, and the connection ends after it
    garbage   what is no reply
    stall     echo, but the third request of all stops the server for 300 ms
    slow      echo, 50 ms later
    any other echo
"""
import argparse
import asyncio
import struct
import time

HEADER = struct.Struct('<IBBHQ4HQQQ')
STRINGS = 4

STATUSES = {'ok': (200, 0), 'missing': (404, 17), 'busy': (429, 19)}
counts = {}


async def outcome(function):
    """The status, or what happens instead of a reply."""
    counts[function] = count = counts.get(function, 0) + 1
    if function == 'stall' and count == 3:
        time.sleep(0.3)
    if function == 'slow':
        await asyncio.sleep(0.05)
    if function == 'silent':
        await asyncio.sleep(3600)
    if function == 'mixed':
        return 'ok' if count % 2 else 'busy'
    if function in ('missing', 'busy', 'hangup', 'garbage', 'closing'):
        return function
    return 'ok'


async def read_http(reader):
    """A request's function and data."""
    head = await reader.readuntil(b'\r\n\r\n')
    line, *headers = head.decode().split('\r\n')
    method, path, _ = line.split(' ')
    fields = dict(h.lower().split(': ', 1) for h in headers if h)
    assert method == 'POST' and path.startswith('/function/'), line
    assert 'host' in fields, head
    data = await reader.readexactly(int(fields['content-length']))
    return path[len('/function/'):], data, None


def http_reply(what, data, _):
    status = STATUSES.get(what, STATUSES['ok'])[0]
    close = 'Connection: close\r\n' if what == 'closing' else ''
    return (f'HTTP/1.1 {status} Status\r\n{close}'
            f'Content-Length: {len(data)}\r\n\r\n').encode() + data


async def read_frame(reader):
    header = HEADER.unpack(await reader.readexactly(HEADER.size))
    size, version, kind, _, number, name, *lengths = header
    assert version == 1 and kind == 1, header
    body = await reader.readexactly(size)
    return (body[:name].decode(), body[name + sum(lengths[:STRINGS - 1]):],
            number)


def frame_reply(what, data, number):
    status = STATUSES.get(what, STATUSES['ok'])[1]
    return HEADER.pack(len(data), 1, 2, status, number, 0, 0, 0, 0, 0, 0,
                       0) + data


def server_of(read, reply):
    async def serve(reader, writer):
        try:
            while True:
                function, data, number = await read(reader)
                what = await outcome(function)
                if what == 'hangup':
                    break
                if what == 'garbage':
                    writer.write(b'nothing that is a reply\r\n\r\n' * 4)
                    break
                writer.write(reply(what, data, number))
                await writer.drain()
                if what == 'closing':
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
    return serve


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('verb')
    parser.add_argument('--socket')
    parser.add_argument('--listen')
    options, _ = parser.parse_known_args()
    servers = []
    if options.socket:
        servers.append(await asyncio.start_unix_server(
            server_of(read_frame, frame_reply), options.socket))
    if options.listen:
        serve = server_of(read_http, http_reply)
        if options.listen.startswith('unix:'):
            servers.append(await asyncio.start_unix_server(
                serve, options.listen[len('unix:'):]))
        else:
            host, port = options.listen.rsplit(':', 1)
            server = await asyncio.start_server(serve, host, int(port))
            print(server.sockets[0].getsockname()[1], flush=True)
            servers.append(server)
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
