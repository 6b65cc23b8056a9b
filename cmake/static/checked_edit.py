"""Edits of other people's sources that fail when they do not apply.

A pattern that is no longer there, or is there more often than it was, stops the build: nobody has looked yet at what
the new text does. Nothing is ever edited "if possible".
"""
import glob
import os
import re
import sys


class Tree:
    """One source tree, edited in place."""

    def __init__(self, root):
        self.root = root

    def fail(self, problem):
        sys.exit(f'static build: a trim no longer applies: {problem}\n'
                 'Look at what changed there, then at cmake/README.md ("When a trim no longer applies").')

    def read(self, path):
        with open(f'{self.root}/{path}', encoding='latin1') as file:
            return file.read()

    def write(self, path, text):
        name = f'{self.root}/{path}'
        if os.path.islink(name):
            os.unlink(name)
        with open(name, 'w', encoding='latin1') as file:
            file.write(text)

    def append(self, path, text):
        self.write(path, self.read(path) + text)

    def replace(self, path, old, new, times=1):
        """Literal text, exactly so many times."""
        text = self.read(path)
        if text.count(old) != times:
            self.fail(f'{path}: {text.count(old)} times instead of {times}: {old!r}')
        self.write(path, text.replace(old, new))

    def replace_regex(self, path, pattern, new, times=1):
        text, count = re.subn(pattern, new, self.read(path), flags=re.S)
        if count != times:
            self.fail(f'{path}: {count} times instead of {times}: /{pattern}/')
        self.write(path, text)

    def replace_between(self, path, start, end, new, last=False):
        """The text from the end of `start` to the beginning of the `end` after it."""
        text = self.read(path)
        if start not in text:
            self.fail(f'{path}: no {start!r}')
        begin = (text.rindex(start) if last else text.index(start)) + len(start)
        stop = text.find(end, begin)
        if stop < 0:
            self.fail(f'{path}: no {end!r} after {start!r}')
        old = text[begin:stop]
        self.write(path, text[:begin] + (new(old) if callable(new) else new) + text[stop:])

    def replace_body(self, path, signature, body, flags=0):
        """The body of the one function whose signature (a regular expression) ends before its "{"."""
        text, count = re.subn(r'(\n' + signature + r'\s*\n\{).*?\n\}', lambda m: m.group(1) + '\n' + body + '}',
                              self.read(path), flags=re.S)
        if count != 1:
            self.fail(f'{path}: {count} times instead of once: the function /{signature}/')
        self.write(path, text)

    def sources(self, *folders, without=()):
        for folder in folders:
            for name in sorted(glob.glob(f'{self.root}/{folder}/**/*.[ch]', recursive=True)):
                path = os.path.relpath(name, self.root)
                if not any(word in path for word in without):
                    yield path

    def fold_member(self, header, declaration, name, constant, files, objects=r'\w+'):
        """Makes a struct member the constant that it always is here, by deleting the member: a use that was missed
        does not compile. Assignments keep their right side, for its effects."""
        self.replace(header, declaration, f'/* {name} is always {constant} here */\n')
        uses = 0
        for path in files:
            text = self.read(path)
            edited, stores = re.subn(rf'(?<![\w>.]){objects}->{name} = ([^;]+);', r'(void)(\1);', text)
            edited, reads = re.subn(rf'(?<![\w>.]){objects}->{name}\b', f'({constant})', edited)
            if stores + reads:
                self.write(path, edited)
                uses += stores + reads
        if uses == 0:
            self.fail(f'{name}: not used anywhere')
        print(f'{name} -> {constant}: {uses} uses')
