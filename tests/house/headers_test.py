"""Every header compiles alone: nobody has to know what to include before it.

headers_test.py BUILD_FOLDER: takes the compiler and its options from the folder's compile_commands.json.
"""

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def commands_by_source(build):
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
        return {os.path.relpath(entry['file'], ROOT): shlex.split(entry['command']) for entry in json.load(file)}


def options_for(header, commands):
    """The options of the sources beside the header, each once, those of a source of its own name first. The contract is
    taken as the edge takes it, in C++17, which is the stricter of the two."""
    contract = header.startswith('include/')
    folder = 'src/edge' if contract else os.path.dirname(header)
    stem = os.path.splitext(os.path.basename(header))[0]
    beside = sorted((os.path.splitext(os.path.basename(source))[0] != stem, source)
                    for source in commands if os.path.dirname(source) == folder)
    if not beside:
        raise SystemExit(f'{header}: no source in {folder} tells how to compile it')
    found = []
    for _, source in beside:
        options = without_files(commands[source])
        if contract:
            options = [word for word in options if not word.startswith('-std=')] + ['-std=c++17']
        if options not in found:
            found.append(options)
    return found


def without_files(words):
    """A compile command without what is about its source, its output and its dependencies."""
    kept, skip = [], False
    for word in words:
        if skip or word in ('-c', '-MD') or word.endswith('.cpp'):
            skip = False
        elif word in ('-o', '-MF', '-MT'):
            skip = True
        else:
            kept.append(word)
    return kept


def compile_alone(header, commands, folder):
    source = os.path.join(folder, header.replace('/', '.') + '.cpp')
    name = header.removeprefix('include/').removeprefix('src/')
    text = f'#include "{name}"\n#include "{name}"\n'
    if not os.path.exists(source) or open(source, encoding='utf-8').read() != text:
        with open(source, 'w', encoding='utf-8') as file:
            file.write(text)
    errors = ''
    # Where a folder has both C++17 and C++20, a header is made for one of them.
    for options in options_for(header, commands):
        command = options + ['-O0', '-g0', '-c', source, '-o', source + '.o']
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode == 0:
            return header, True, ''
        errors = errors or done.stderr
    return header, False, errors


def main():
    build = os.path.abspath(sys.argv[1])
    folder = os.path.join(build, 'headers_alone')
    os.makedirs(folder, exist_ok=True)
    commands = commands_by_source(build)
    headers = []
    for top in ('include', 'src'):
        for where, _, names in os.walk(os.path.join(ROOT, top)):
            headers += [os.path.relpath(os.path.join(where, name), ROOT) for name in names if name.endswith('.h')]
    if len(headers) < 20:
        raise SystemExit(f'only {len(headers)} headers found in {ROOT}')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda header: compile_alone(header, commands, folder), sorted(headers)))
    failed = [(header, errors) for header, fine, errors in results if not fine]
    for header, errors in failed:
        print(f'{header} does not compile alone:\n{errors}')
    print(f'{len(headers) - len(failed)} of {len(headers)} headers compile alone')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
