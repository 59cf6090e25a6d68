"""The house rules hold in every file, and each rule bites where it is broken."""

import os
import subprocess
import unittest

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXT = rules.CODE + ('.md', '.txt', '.yaml', '.json', '.cfg', '.html')
PASSED_OVER = {'.git', 'build', 'data', 'node_modules', 'fixtures', '__pycache__', '.cache'}


def files():
    """The repository's text files, those that are not committed yet among them; what is ignored is not."""
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                            capture_output=True, text=True)
    if listed.returncode == 0:
        paths = listed.stdout.split('\0')
    else:
        paths = []
        for folder, folders, here in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in PASSED_OVER]
            paths += [os.path.relpath(os.path.join(folder, name), ROOT) for name in here]
    for path in sorted(set(paths)):
        whole = os.path.join(ROOT, path)
        script = path.startswith(('scripts/', '.ci/'))
        if not (path.endswith(TEXT) or script) or path.endswith('package-lock.json') or not os.path.isfile(whole):
            continue
        if PASSED_OVER & set(path.split('/')):
            continue
        with open(whole, encoding='utf-8') as file:
            yield path, file.read()


class TheHouse(unittest.TestCase):
    def test_every_file_keeps_the_rules(self):
        complaints = [f'{path} {complaint}' for path, text in files() for rule in rules.RULES
                      for complaint in rule(path, text)]
        self.assertEqual(complaints, [], '\n' + '\n'.join(complaints))

    def test_there_are_files_to_look_at(self):
        paths = [path for path, _ in files()]
        for path in ('include/inkmesh/core.h', 'src/core/core.cpp', 'scripts/test', 'README.md'):
            self.assertIn(path, paths)


class EachRuleBites(unittest.TestCase):
    def bites(self, rule, path, text):
        self.assertNotEqual(list(rule(path, text)), [], f'{path}: {text}')

    def lets(self, rule, path, text):
        self.assertEqual(list(rule(path, text)), [], f'{path}: {text}')

    def test_floors(self):
        self.bites(rules.floors, 'src/core/log.cpp', '#include "store/store.h"\n')
        self.bites(rules.floors, 'src/store/store.h', '#include "wire/mesh_codec.h"\n')
        self.bites(rules.floors, 'src/mesh/mesh.cpp', '#include "edge/ws_edge.h"\n')
        self.bites(rules.floors, 'src/edge/ws_edge.cpp', '  #  include "mesh/mesh.h"\n')
        self.bites(rules.floors, 'src/cli/tail.cpp', '#include "node/loop.h"\n')
        self.bites(rules.floors, 'include/inkmesh/core.h', '#include "core/log.h"\n')
        self.lets(rules.floors, 'src/node/loop.cpp', '#include "edge/ws_edge.h"\n#include <vector>\n')
        self.lets(rules.floors, 'src/cli/node.cpp', '#include "node/node.h"\n')

    def test_libraries(self):
        self.bites(rules.libraries, 'src/node/node.cpp', '#include <websocketpp/server.hpp>\n')
        self.bites(rules.libraries, 'src/edge/shard.cpp', '#include <zmq.hpp>\n')
        self.bites(rules.libraries, 'include/inkmesh/core.h', '#include <sys/socket.h>\n')
        self.lets(rules.libraries, 'src/edge/shard.cpp', '#include <asio/io_context.hpp>\n')

    def test_pure_core(self):
        for header in ('<chrono>', '<random>', '<thread>', '<sys/socket.h>'):
            self.bites(rules.pure_core, 'src/core/log.cpp', f'#include {header}\n')
        self.bites(rules.pure_core, 'src/core/log.cpp', 'auto now = std::chrono::steady_clock::now();')
        self.lets(rules.pure_core, 'src/node/loop.cpp', '#include <chrono>\n')
        self.lets(rules.pure_core, 'src/core/log.cpp', '#include <map>\n')

    def test_small_ones(self):
        self.bites(rules.guarded, 'src/core/a.h', 'int a();\n')
        self.bites(rules.marks, 'README.md', 'a TO' 'DO here')
        self.bites(rules.length, 'src/core/a.cpp', '\n' * 401)
        self.lets(rules.length, 'src/core/a.cpp', '\n' * 400)
        self.bites(rules.names, 'src/core/a.h', 'class LinkManager {')
        self.bites(rules.names, 'src/core/a.h', 'int topic = 0;')
        self.lets(rules.names, 'src/core/a.h', 'bool has_room();')
        self.bites(rules.safe_store, 'src/store/lmdb_env.cpp', 'MDB_NOSYNC')


if __name__ == '__main__':
    unittest.main()
