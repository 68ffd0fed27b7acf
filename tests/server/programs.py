#!/usr/bin/env python3
"""programs.py BUILD-DIR io_uring|epoll [PATTERN] - tests Linux programs of `thaw serve`
whose files change: what their boots have read is what counts.
"""
import hashlib
import os
import shutil
import signal

from support import Server, main, test, wait_until

PYTHON = '/usr/bin/python3'
# It reads the module and the greeting before it asks for a request.
HANDLER = """import sys
sys.dont_write_bytecode = True
import module
with open('{work}/app/greeting') as file:
    greeting = file.read()
name = sys.stdin.read()
print(greeting, module.SIGN, name, end='')
"""
PROGRAM = {'kind': 'linux', 'program': PYTHON, 'memory': '64MiB', 'timeout': '30s'}


def write(text, *path):
    with open(os.path.join(*path), 'w', encoding='utf-8') as file:
        file.write(text)


class Programs(Server):
    """A server of the program; what it reads is in the folder `app`."""

    def __init__(self, *options, **spec):
        self.spec = spec
        super().__init__({'echo': {'image': 'echo'}}, *options)

    def folder(self, *names):
        return os.path.join(self.work, 'app', *names)

    def make(self):
        """Makes the files and adds the function."""
        os.makedirs(self.folder('other'))
        write('hello', self.folder('greeting'))
        write('SIGN = "1"\n', self.folder('module.py'))
        write('not read', self.folder('other', 'file'))
        write(HANDLER.format(work=self.work), self.folder('handler.py'))
        self.write_catalog({'p': {
            **PROGRAM, 'argv': ['python3', self.folder('handler.py')],
            'files': [self.folder()], **self.spec}})
        assert self.reload()[1]['added'] == ['p']
        self.says('hello 1 you')

    def says(self, text):
        response = self.ask(b'you')
        assert (response.status, response.body) == (200, text.encode()), response

    def ask(self, request):
        with self.http() as http:
            return http.post('p', request)

    def expect(self, change, text):
        """Reloads; the function has changed, or not, and says so."""
        status, changes = self.reload()
        assert (status, changes['changed']) == (200, ['p'] if change else []), \
            changes
        assert not changes['failed'] and not changes['pending'], changes
        self.says(text)


@test('reload: what the boot has read counts, and nothing else')
def what_was_read():
    with Programs() as server:
        server.make()
        server.expect(False, 'hello 1 you')
        # as many bytes as before
        write('HELLO', server.folder('greeting'))
        server.expect(True, 'HELLO 1 you')
        server.expect(False, 'HELLO 1 you')
        write('SIGN = "2"\n', server.folder('module.py'))
        server.expect(True, 'HELLO 2 you')
        write('changed', server.folder('other', 'file'))
        server.expect(False, 'HELLO 2 you')
        # a path that led to nothing, and is looked for first
        os.mkdir(server.folder('module'))
        write('SIGN = "3"\n', server.folder('module', '__init__.py'))
        server.expect(True, 'HELLO 3 you')
        write('new', server.folder('greeting.new'))
        os.rename(server.folder('greeting.new'), server.folder('greeting'))
        server.expect(True, 'new 3 you')


@test('reload: a program that cannot start any more keeps its old version')
def missing():
    with Programs() as server:
        server.surprises.append('function not deployed')
        server.make()
        os.rename(server.folder('greeting'), server.folder('away'))
        status, changes = server.reload()
        assert status == 200 and changes['failed'][0]['name'] == 'p', changes
        server.says('hello 1 you')
        # which is as good as new
        os.rename(server.folder('away'), server.folder('greeting'))
        status, changes = server.reload()
        assert (status, changes['failed']) == (200, []), changes
        server.says('hello 1 you')


@test('reload: a link of files that leads elsewhere')
def link():
    with Programs() as server:
        os.mkdir(server.folder())
        for name in ('1', '2'):
            os.makedirs(server.folder('releases', name))
            write(f'import sys\nname = sys.stdin.read()\nprint({name}, name)\n',
                  server.folder('releases', name, 'handler.py'))
        os.symlink('releases/1', server.folder('current'))
        server.write_catalog({'p': {
            **PROGRAM, 'argv': ['python3', '/app/handler.py'],
            'files': ['/app=' + server.folder('current')]}})
        server.reload()
        server.expect(False, '1 you\n')
        os.symlink('releases/2', server.folder('new'))
        os.rename(server.folder('new'), server.folder('current'))
        server.expect(True, '2 you\n')
        server.expect(False, '2 you\n')


@test('reload: the file of warm_input')
def warm_input():
    with Programs() as server:
        path = os.path.join(server.work, 'request')
        write('warm', path)
        server.spec = {'warm_input': {'file': path}}
        server.make()
        server.expect(False, 'hello 1 you')
        write('mild', path)
        server.expect(True, 'hello 1 you')


@test('reload: a root, in which absolute links lead where they do for the program')
def root():
    with Programs() as server:
        def top(*names):
            return os.path.join(server.work, 'top', *names)

        guests = os.path.join(server.build, 'tests', 'guest')
        os.makedirs(top('opt', 'bin'))
        shutil.copy(os.path.join(guests, 'linux_trace'), top('opt', 'bin', 'p'))
        # for the host, these lead to nothing, and to another program
        os.symlink('/opt', top('usr'))
        os.symlink('/usr/bin/p', top('sh'))
        server.write_catalog({'p': {
            'kind': 'linux', 'program': '/sh', 'argv': ['p'], 'root': top()}})
        server.reload()
        thirty = 'thirty-two bytes are shown, and what follows is cut off\n'
        server.expect(False, 'you' + thirty)
        with open(top('opt', 'bin', 'p'), 'rb') as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        assert server.function('p')['image_sha256'] == digest
        shutil.copy(os.path.join(guests, 'linux_program_fixed'),
                    top('opt', 'bin', 'q'))
        os.rename(top('opt', 'bin', 'q'), top('opt', 'bin', 'p'))
        status, changes = server.reload()
        assert (status, changes['changed']) == (200, ['p']), changes
        response = server.ask(b'echo you')
        assert response.body == b'echo you', response
        # another directory in its place
        os.rename(top(), top() + '.old')
        os.makedirs(top('opt', 'bin'))
        shutil.copy(os.path.join(guests, 'linux_trace'), top('sh'))
        server.expect(True, 'you' + thirty)


@test('reload: a change while the program starts')
def pending():
    with Programs() as server:
        server.make()
        with open(server.folder('module.py'), 'a', encoding='utf-8') as file:
            file.write('import time\ntime.sleep(0.5)\n')
        server.write_catalog({**server.functions, 'echo': {'image': 'echo'}})
        server.signal(signal.SIGHUP)
        server.wait_line('catalog reloaded', 2)
        # it has probably read the module; it must not matter
        write('SIGN = "2"\n', server.folder('module.py'))
        assert server.reload()[0] == 200
        wait_until(lambda: server.ask(b'you').body == b'hello 2 you', 'it is new')


@test('--watch: a change of what the boot has read')
def watch():
    with Programs('--watch') as server:
        server.make()
        wait_until(lambda: server.lines('boots ended'), 'it is watched')
        generation = server.status()['catalog']['generation']
        write('HELLO', server.folder('greeting'))
        server.wait_line('catalog reloaded.* changed=1')
        wait_until(lambda: server.ask(b'you').body == b'HELLO 1 you', 'it is new')
        assert server.status()['catalog']['generation'] == generation + 1
        # a folder that no path names, but in which something was read
        write('SIGN = "2"\n', server.folder('module.py'))
        wait_until(lambda: server.ask(b'you').body == b'HELLO 2 you', 'it is new')


if __name__ == '__main__':
    main()
