"""The house rules: each takes a file's path and text, and gives what is wrong with it."""

import re

LINES_MAX = 400

# Longer than LINES_MAX for a reason that is written here.
LONG_FILES = {
    'src/core/replication.cpp': "a peer's link is one state machine",
    'src/core/sessions.cpp': 'a subscriber is one state machine, from joining to live and back',
}

STANDARD = re.compile(r'^<[a-z_0-9]+>$')

# Who may include whom: a folder's own headers and those of the floors below it.
FLOORS = {
    'include/inkmesh/': ('inkmesh/',),
    'src/core/': ('inkmesh/', 'core/'),
    'src/wire/': ('inkmesh/', 'core/', 'wire/'),
    'src/store/': ('inkmesh/', 'core/', 'store/'),
    'src/mesh/': ('inkmesh/', 'core/', 'wire/', 'mesh/'),
    'src/edge/': ('inkmesh/', 'core/', 'wire/', 'edge/'),
    'src/node/config/': ('inkmesh/', 'node/config/'),
    'src/node/': ('inkmesh/', 'core/', 'wire/', 'store/', 'mesh/', 'edge/', 'node/', 'web/'),
    'src/cli/': ('inkmesh/', 'wire/json_scanner.h', 'node/node.h', 'node/config/', 'cli/'),
    'src/main.cpp': ('cli/',),
}

# A library is known to one part of the house.
LIBRARIES = {
    'websocketpp/': ('src/edge/', 'src/cli/ws_client.cpp'),
    'asio': ('src/edge/', 'src/cli/ws_client.cpp'),
    'zmq': ('src/mesh/',),
    'lmdb.h': ('src/store/',),
    'cereal/': ('src/wire/',),
    'yaml-cpp/': ('src/node/config/',),
    'rapidjson/': ('src/wire/', 'src/node/', 'src/cli/json_slice.cpp'),
    'spdlog/': ('src/node/',),
    'fmt/': ('src/node/',),
    'CLI/': ('src/cli/',),
}

# What the core must not have: clocks, chance, threads, sockets, disks. (That it iterates over nothing whose order is
# chance is the simulator's to see: the same seed twice gives the same trace.)
IMPURE_HEADERS = re.compile(
    r'<(chrono|ctime|time\.h|random|thread|mutex|shared_mutex|condition_variable|future|atomic|stop_token|semaphore|'
    r'barrier|latch|fstream|filesystem|iostream|unistd\.h|sys/.*|netinet/.*|arpa/.*|poll\.h)>')
IMPURE_CALLS = re.compile(
    r'\b(steady_clock|system_clock|high_resolution_clock|gettimeofday|clock_gettime|std::time|std::rand|random_device|'
    r'mt19937|std::thread|std::mutex|std::atomic|getenv)\b')

MARKS = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
EMPTY_NAMES = re.compile(r'\b(class|struct)\s+\w*(Manager|Handler|Utils?|Helpers?)\b')
OTHER_WORDS = re.compile(r'\b(topics?|topic_\w+|\w+_topic|room_id|chat_room|message_bus)\b')
UNSAFE_LMDB = re.compile(r'\bMDB_(NOSYNC|MAPASYNC|WRITEMAP|NOMETASYNC|NOLOCK)\b')
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])', re.M)

CODE = ('.h', '.cpp', '.js', '.mjs', '.py', '.cmake')


def is_cpp(path):
    return path.endswith(('.h', '.cpp'))


def includes(text):
    return INCLUDE.findall(text)


def floors(path, text):
    if not is_cpp(path):
        return
    floor = next((folder for folder in FLOORS if path.startswith(folder)), None)
    if floor is None:
        return
    for name in includes(text):
        if name.startswith('"') and not name[1:].startswith(FLOORS[floor]):
            yield f'includes {name}, which {floor} must not know'


def libraries(path, text):
    if not is_cpp(path) or not path.startswith(('src/', 'include/')):
        return
    for name in includes(text):
        if path.startswith('include/') and name.startswith('<') and not STANDARD.match(name):
            yield f'includes {name}: the contract knows the standard library only'
        for library, homes in LIBRARIES.items():
            if name[1:].startswith(library) and not path.startswith(homes):
                yield f'includes {name}, which is for {" and ".join(homes)}'


def pure_core(path, text):
    if not path.startswith('src/core/'):
        return
    for name in includes(text):
        if IMPURE_HEADERS.match(name):
            yield f'includes {name}: the core is pure'
    for found in IMPURE_CALLS.finditer(text):
        yield f'uses {found.group()}: the core is pure'


def guarded(path, text):
    if path.endswith('.h') and '#pragma once' not in text:
        yield 'has no #pragma once'


def marks(path, text):
    for found in MARKS.finditer(text):
        yield f'has the mark {found.group()}: do it, or leave it'


def length(path, text):
    lines = text.count('\n')
    if path.endswith(CODE) and lines > LINES_MAX and path not in LONG_FILES:
        yield f'has {lines} lines, more than {LINES_MAX}: one file, one purpose'


def names(path, text):
    if not is_cpp(path):
        return
    for found in EMPTY_NAMES.finditer(text):
        yield f'"{found.group()}" says nothing: name what it is'
    if path.startswith(('src/', 'include/')):
        for found in OTHER_WORDS.finditer(text):
            yield f'"{found.group()}": the word is channel'


def safe_store(path, text):
    if not path.startswith('src/'):
        return
    for found in UNSAFE_LMDB.finditer(text):
        yield f'uses {found.group()}: a power cut would lose what was acknowledged'


RULES = (floors, libraries, pure_core, guarded, marks, length, names, safe_store)
