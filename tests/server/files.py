#!/usr/bin/env python3
"""files.py BUILD-DIR io_uring|epoll [PATTERN] - tests the files of `thaw serve`:
sockets, catalogs and images, who owns them, and what happens if they change or are
missing.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from support import (CATALOG, ENVIRONMENT, NO_FILE, OK, TERMINATED, USAGE,
                     Http, Server, main, refuses, test, wait_until)

ECHO = {'image': 'echo', 'concurrency': {'max': 8, 'queue': 1000,
                                          'queue_timeout': '30s'}}
# it sleeps until its timeout
FOREVER = {'image': 'edges', 'entry': 'sleep_unchecked', 'timeout': '50s'}


def append(image):
    """Another image, of which a function is the same."""
    with open(image, 'ab') as file:
        file.write(b'.')


@test('--watch: editing the catalog or an image, or renaming one over it')
def watch():
    with Server({'echo': ECHO}, '--watch',
                surprises=['catalog not reloaded']) as server:
        def names():
            return {row['name'] for row in
                    server.admin_json('/v1/functions')['functions']}

        for i, rename in enumerate((False, True, False, True)):
            server.write_catalog({'echo': ECHO, f'new{i}': ECHO}, rename)
            wait_until(lambda: f'new{i}' in names(), 'the new one is there')
        server.write_catalog(b'{')
        server.wait_line('catalog not reloaded')
        wait_until(lambda: server.function('new3')['state'] == 'active',
                   'it is deployed')
        server.check_works('new3')
        # an image's folder is watched from the moment a catalog names it
        image = os.path.join(server.work, 'images', 'function.elf')
        os.mkdir(os.path.dirname(image))
        shutil.copy(server.image('echo'), image)
        server.write_catalog({'echo': {**ECHO, 'image': image}})
        wait_until(lambda: server.function('echo')['image'] == image, 'it is')
        server.check_works()
        for renames in (True, False):
            before = len(server.lines('catalog reloaded.* changed=1'))
            if renames:
                shutil.copy(image, image + '.new')
                append(image + '.new')
                os.rename(image + '.new', image)
            else:
                append(image)
            server.wait_line('catalog reloaded.* changed=1', before + 1)
            server.check_works()


@test('--watch: a link that leads elsewhere, a file that a link leads to')
def watch_links():
    with Server({'echo': ECHO}, '--watch') as server:
        def path(*names):
            return os.path.join(server.work, *names)

        for name in ('1', '2'):
            os.makedirs(path('releases', name))
            shutil.copy(server.image('echo'), path('releases', name, 'f.elf'))
        append(path('releases', '2', 'f.elf'))
        os.mkdir(path('links'))
        os.symlink('../releases/1', path('links', 'current'))
        os.mkdir(path('images'))
        os.symlink(path('links', 'current', 'f.elf'), path('images', 'f.elf'))
        server.write_catalog({'f': {**ECHO, 'image': path('images', 'f.elf')}})
        server.wait_line('catalog reloaded.* added=1')
        wait_until(lambda: server.function('f')['state'] == 'active', 'it is')
        os.symlink('../releases/2', path('links', 'new'))
        os.rename(path('links', 'new'), path('links', 'current'))
        server.wait_line('catalog reloaded.* changed=1')
        append(path('releases', '2', 'f.elf'))
        wait_until(lambda: len(server.lines('catalog reloaded.* changed=1'))
                   == 2, 'the file has changed')


@test('--watch: one reload for one change, whoever asks for it')
def watch_once():
    with Server({'echo': ECHO}, '--watch') as server:
        # a folder that is new is watched from now on, and was read just now
        image = os.path.join(server.work, 'images', 'function.elf')
        os.mkdir(os.path.dirname(image))
        shutil.copy(server.image('echo'), image)
        server.write_catalog({'echo': {**ECHO, 'image': image}})
        assert server.reload()[1]['changed'] == ['echo']
        # neither has to do with what is in it
        os.chmod(image, 0o600)
        os.chown(image, os.getuid(), os.getgid())
        # longer than changes are waited for
        time.sleep(0.7)
        assert server.status()['catalog']['generation'] == 2, server.log()
        os.utime(image)
        status, changes = server.reload()
        assert (status, changes['unchanged']) == (200, 1), changes
        assert server.function('echo')['snapshot']['boots'] == 2


@test('a port or a socket that another server has is refused, and says so')
def taken():
    with Server({'echo': ECHO}) as server:
        port = f'127.0.0.1:{server.address[1]}'
        with Server({'echo': ECHO}, listen=[port], ready=False) as other:
            refuses(other, ENVIRONMENT, port, 'in use', 'another port')
        for option, path in (('--socket', server.socket_path),
                             ('--socket', f'unix:{server.socket_path}'),
                             ('--admin', f'unix:{server.admin_path}')):
            with Server({'echo': ECHO}, option, path, ready=False) as other:
                refuses(other, ENVIRONMENT, path, 'in use')
        server.check_works()
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            listener.listen()
            port = '127.0.0.1:%d' % listener.getsockname()[1]
            with Server({'echo': ECHO}, listen=[port], ready=False) as other:
                refuses(other, ENVIRONMENT, port, 'in use')


@test('what cannot be is refused: addresses, catalogs, paths')
def refused():
    with Server({'echo': ECHO}, listen=['0.0.0.0:0'], ready=False) as server:
        refuses(server, USAGE, '--insecure')
    with Server({'echo': ECHO}, '--socket', '/' + 'a' * 200,
                ready=False) as server:
        refuses(server, USAGE, 'path')
    # of TEST-NET-1, which no machine has; and one that lacks its interface
    for address in ('192.0.2.1:0', '[fe80::1]:0'):
        with Server({'echo': ECHO}, '--insecure', listen=[address],
                    ready=False) as server:
            refuses(server, ENVIRONMENT, 'cannot listen at', address)
    with Server({'echo': ECHO}, '-c', '/', ready=False) as server:
        refuses(server, NO_FILE, 'a directory')
    with Server({'echo': {'image': '/nowhere'}}, ready=False) as server:
        refuses(server, CATALOG, '/nowhere')


@test('the socket of a server that was killed is replaced; other files stay')
def stale():
    with Server({'echo': ECHO}) as server:
        path = os.path.join(server.work, 'sock')
        file = os.path.join(server.work, 'file')
        with socket.socket(socket.AF_UNIX) as abandoned:
            abandoned.bind(path)
            abandoned.listen()
        with Server({'echo': ECHO}, '--socket', path) as other:
            other.socket_path = path
            other.check_works()
        assert not os.path.exists(path)
        with open(file, 'w', encoding='ascii') as precious:
            precious.write('precious')
        with Server({'echo': ECHO}, '--socket', file, ready=False) as other:
            refuses(other, ENVIRONMENT, file)
        with open(file, encoding='ascii') as precious:
            assert precious.read() == 'precious'


@test('a server that ends removes its sockets, and nobody else\'s')
def own_files():
    with Server({'forever': FOREVER, 'echo': ECHO}, '--admin', 'none',
                ready=False, expects=TERMINATED,
                surprises=['told to end once more']) as server:
        server.wait_line('boots ended')
        server.find_port()
        with server.http() as http:
            http.send(Http.request_bytes('POST', '/function/forever'))
            time.sleep(0.2)
            server.signal(signal.SIGTERM)
            server.wait_line('draining')
            with Server({'echo': ECHO}, '--socket',
                        server.socket_path) as successor:
                successor.socket_path = server.socket_path
                server.signal(signal.SIGTERM)
                server.wait()
                successor.check_works()
    with Server({'echo': ECHO}) as server:
        os.unlink(server.socket_path)
        with open(server.socket_path, 'w', encoding='ascii') as file:
            file.write('precious')
        server.signal(signal.SIGTERM)
        server.wait()
        with open(server.socket_path, encoding='ascii') as file:
            assert file.read() == 'precious'
        os.unlink(server.socket_path)


@test('a server that was killed does not keep the next one from starting')
def killed():
    with Server({'echo': ECHO}) as first:
        port = f'127.0.0.1:{first.address[1]}'
        servers = [first]
        for _ in range(6):
            last = servers[-1]
            with last.http() as http:
                assert http.post('echo', b'a').status == 200
                last.process.kill()
                last.wait()
            servers.append(Server(
                {'echo': ECHO}, '--socket', first.socket_path,
                '--admin', first.admin_path, listen=[port],
                ready=False))
            servers[-1].run = first.run
            servers[-1].socket_path = first.socket_path
            servers[-1].admin_path = first.admin_path
            servers[-1].wait_ready()
        servers[-1].check_works()
        servers[-1].end()
        assert not os.listdir(first.run)
        for server in servers[1:]:
            shutil.rmtree(server.work)
        first.expects = -signal.SIGKILL


@test('what is no file is no catalog, and wedges nothing')
def no_files():
    with Server({'echo': ECHO}, surprises=['catalog not reloaded']) as server:
        bound = socket.socket(socket.AF_UNIX)
        for make in (os.mkfifo, os.mkdir, bound.bind,
                     lambda path: os.symlink('/dev/zero', path)):
            os.unlink(server.catalog)
            make(server.catalog)
            status, problem = server.reload()
            assert status == 422 and problem['detail'], problem
            if os.path.isdir(server.catalog):
                os.rmdir(server.catalog)
            else:
                os.unlink(server.catalog)
            server.write_catalog({'echo': ECHO})
            status, changes = server.reload()
            assert (status, changes['unchanged']) == (200, 1), changes
        bound.close()
        server.check_works()
    with Server({'echo': ECHO}, '-c', '/dev/zero', ready=False) as server:
        refuses(server, CATALOG, 'not a regular file')


@test('an image that was replaced is seen, whatever time its file has')
def same_time():
    with Server({'echo': ECHO}) as server:
        image = os.path.join(server.work, 'f.elf')

        def unpack(name):
            """As tar does; the inode may be the same one."""
            if os.path.exists(image):
                os.unlink(image)
            shutil.copy(server.image(name), image)
            # two images of one size
            os.truncate(image, 1 << 20)
            os.utime(image, (1000000000, 1000000000))

        unpack('echo')
        server.write_catalog({'f': {**ECHO, 'image': image}})
        assert server.reload()[0] == 200
        server.check_works('f')
        unpack('inits')
        with open(image, 'rb') as file:
            data = file.read()
        unpack('echo')
        assert server.reload()[0] == 200
        # in place, so that all but the time of the change is the same
        before = os.stat(image)
        with open(image, 'r+b') as file:
            file.write(data)
        os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = os.stat(image)
        assert ((before.st_ino, before.st_size, before.st_mtime_ns) ==
                (after.st_ino, after.st_size, after.st_mtime_ns))
        server.surprises.append('function not deployed')
        status, changes = server.reload()
        assert (status, changes['changed']) == (200, ['f']), changes


@test('--watch: a folder that goes and comes again is watched')
def watch_folder_anew():
    with Server({'echo': ECHO}, '--watch',
                surprises=['catalog not reloaded']) as server:
        folder = os.path.join(server.work, 'a', 'b')
        image = os.path.join(folder, 'f.elf')
        for make in (lambda: shutil.copy(server.image('echo'), image),
                     lambda: shutil.copy(server.image('hello'), image)):
            if os.path.exists(folder):
                before = len(server.lines('catalog not reloaded'))
                shutil.rmtree(os.path.dirname(folder))
                server.wait_line('catalog not reloaded', before + 1)
            os.makedirs(folder)
            time.sleep(0.7)
            make()
            if server.functions.get('hello'):
                continue
            server.write_catalog({'hello': {**ECHO, 'image': image}})
            wait_until(lambda: any(row['name'] == 'hello' and
                                   row['state'] == 'active' for row in
                                   server.admin_json(
                                       '/v1/functions')['functions']), 'it is there')
            server.check_works('hello')
        with server.http() as http:
            wait_until(lambda: b'Hello' in http.post(
                'hello', b'{"name":"Ada"}').body, 'the new one answers')


@test('a name of 64 letters, as in Lambda, has room everywhere')
def long_name():
    name = 'n' * 64
    arn = f'arn:aws:lambda:us-east-1:000000000000:function:{name}:1'
    with Server({name: {'image': 'clients', 'entry': 'show'}}) as server:
        shown = f'\nfunction={name}\n'.encode()
        with server.http() as http, server.frames() as frames:
            for response in (http.post(name), http.invoke(name, b'{}'),
                             http.invoke(arn, b'{}')):
                assert response.status == 200, response
                assert shown in response.body, response
            response = http.request('GET', f'/2015-03-31/functions/{arn}')
            assert json.loads(response.body)['Configuration'][
                'FunctionName'] == name, response
            reply = frames.call(name)
            assert reply.status == OK and shown in reply.data, reply
        assert server.function(name)['name'] == name
        for command in (['functions', 'list'], ['functions', 'describe', name]):
            said = subprocess.run(
                [os.path.join(Server.build, 'thaw'), *command, '--admin',
                 server.admin_path], capture_output=True, check=True)
            assert name in said.stdout.decode().split(), said
        # a reload says what has changed
        server.write_catalog({name: {'image': 'clients', 'entry': 'show',
                                    'timeout': '9s'}})
        said = subprocess.run(
            [os.path.join(Server.build, 'thaw'), 'reload', '--admin',
             server.admin_path], capture_output=True, check=True)
        assert name in said.stdout.decode().split(), said
        server.write_catalog({name + 'n': ECHO})
        server.surprises.append('catalog not reloaded')
        status, problem = server.reload()
        assert (status, '64' in problem['detail']) == (422, True), problem


if __name__ == '__main__':
    main()
