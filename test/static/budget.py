#!/usr/bin/env python3
"""The static binary stays within its budget of bytes. Prints where they went: by component, and the ten largest modules.

    budget.py BUILD_DIR

Two lines are held: the libraries and the C and C++ runtime; and everything. What the linker map does not name (headers,
relocations, merged strings) is counted as the libraries'.
"""
import collections
import glob
import os
import re
import subprocess
import sys

LIBRARIES_BUDGET = 663_000  # with all merged strings, ours among them
BUDGET = 1_048_576  # a megabyte; the finished product's goal is 1,000,000

COMPONENTS = {'libcrypto.a': 'OpenSSL, libcrypto', 'libssl.a': 'OpenSSL, libssl', 'libcurl.a': 'curl',
              'libsimdjson.a': 'simdjson', 'libc.a': 'musl', 'libgcc.a': 'libgcc', 'libstdcxx.a': 'libstdc++'}
OURS = 'certlatch'
REST = 'headers, relocations, merged strings'


def symbols(path):
    """Yields (member, symbol) of an archive or object."""
    text = subprocess.run(['llvm-nm-19', '--defined-only', '-A', path], capture_output=True, text=True,
                          check=True).stdout
    for line in text.splitlines():
        where, _, what = line.partition(': ')
        yield where.split(':')[-1], what.split()[-1]


def owners(build, prefix):
    """symbol -> (component, module). What is in our objects and in a library is the library's."""
    found = {}
    for path in glob.glob(f'{build}/src/CMakeFiles/**/*.o', recursive=True):
        module = re.sub(r'.*\.dir/|\.o$', '', path)
        for _, symbol in symbols(path):
            found[symbol] = (OURS, module)
    for symbol, (_, module) in found.items():
        if '8simdjson' in symbol:
            found[symbol] = ('simdjson', 'parser, inlined into ' + module)
        if module.endswith('runtime.cc'):
            found[symbol] = ('libstdc++', 'runtime.cc')
    for file, component in COMPONENTS.items():
        for member, symbol in symbols(f'{prefix}/lib/{file}'):
            name = re.sub(r'^lib\w+-(lib|shlib)-|^libcurl_la-|\.l?o$', '', member)
            found[symbol] = (component, f'{file} {name}')
    return found


def contributions(map_file, found):
    """Yields (bytes, component, module) of what takes room in the file."""
    section = None
    with open(map_file, encoding='utf8', errors='replace') as file:
        for line in file:
            match = re.match(r'\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ (\s*)(\S.*)$', line)
            if not match:
                continue
            size, indent, name = int(match.group(1), 16), len(match.group(2)), match.group(3)
            if indent == 0:
                section = name
            elif indent == 8 and section not in ('.bss', '.tbss', '.symtab', '.strtab') and size:
                entry = re.match(r'(.*):\((.*)\)$', name)
                if not entry:
                    continue
                where, input_section = entry.groups()
                member = re.match(r'.*/(lib\w+\.a)\((.*?)\.l?o.*\)$', where)
                if member:  # not part of the optimised whole
                    yield size, COMPONENTS.get(member.group(1), member.group(1)), ' '.join(member.groups())
                    continue
                symbol = re.sub(r'^\.(text|rodata|data|data\.rel\.ro|init_array|ctors)(\.(unlikely|hot|startup|cst\d+))?\.',
                                '', input_section)
                for name in (symbol, re.sub(r'\.(llvm\.)?\d+$', '', symbol), re.sub(r'(\.\w+)+$', '', symbol)):
                    if name in found:
                        yield (size, *found[name])
                        break
                else:
                    if 'certlatch' in symbol or symbol.startswith(('_ZNSt', '_ZSt', '_ZNKSt', '_ZTV')):
                        yield size, OURS, 'templates'
                    elif 'OUTLINED' in symbol:
                        yield size, REST, 'outlined code'


def main():
    build = sys.argv[1]
    binary = f'{build}/certlatch'
    prefix = subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../cmake/static/build.sh'),
                             '--if-cached'], capture_output=True, text=True, check=True).stdout.strip()
    total = os.stat(binary).st_size
    by_component, by_module = collections.Counter(), collections.Counter()
    for size, component, module in contributions(f'{build}/certlatch.map', owners(build, prefix)):
        by_component[component] += size
        by_module[f'{component}: {module}'] += size
    by_component[REST] += total - sum(by_component.values())

    print(f'{total:>9,}  certlatch, of it')
    for component, size in by_component.most_common():
        print(f'{size:>9,}    {component}')
    print('\nThe ten largest modules:')
    for module, size in by_module.most_common(10):
        print(f'{size:>9,}  {module}')

    libraries = total - by_component[OURS]
    print()
    failed = False
    for what, size, budget in (('libraries and runtime', libraries, LIBRARIES_BUDGET), ('everything', total, BUDGET)):
        print(f'{what}: {size:,} of {budget:,} bytes')
        if size > budget:
            print(f'OVER BUDGET by {size - budget:,} bytes')
            failed = True
    return failed


if __name__ == '__main__':
    sys.exit(main())
