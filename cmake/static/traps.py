"""traps.py LIST ARCHIVE MEMBERS > traps.s: for each member in LIST, its functions as traps that print their name and
abort. Fails when a member is not in ARCHIVE or exports data. MEMBERS: receives the names of the members to remove."""
import os
import re
import subprocess
import sys

listed, archive, removed = sys.argv[1:]
with open(listed, encoding='ascii') as file:
    wanted = {line.split()[0] for line in file if line.strip() and not line.startswith('#')}
symbols = subprocess.run([os.environ['NM'], '-g', '--defined-only', archive], check=True, capture_output=True,
                         text=True).stdout
members, functions, member = {}, [], None
for line in symbols.splitlines():
    header = re.match(r'^(?:.*\()?([^()\s]+\.o)\)?:$', line)
    if header:
        name = re.sub(r'^lib\w+-lib-', '', header.group(1))[:-2]
        member = name if name in wanted else None
        if member:
            members[member] = header.group(1)
    elif member and line.split():
        kind, name = line.split()[-2:]
        if name.startswith('___asan_'):  # of a sanitized build (test/fuzz/libraries.sh)
            continue
        if kind not in 'TW':
            sys.exit(f'traps.py: {member} exports data: {name}')
        functions.append(name)
if wanted - members.keys():
    sys.exit(f'static build: a trim no longer applies: {archive} has no {sorted(wanted - members.keys())}')
with open(removed, 'w', encoding='ascii') as file:
    file.write('\n'.join(members.values()) + '\n')

SAY, CALL, ALIGN = {  # the first argument: the text
    'x86_64': ('''
  mov %rdi, %rsi
  xor %edx, %edx
1:
  cmpb $0, (%rsi,%rdx)
  je 2f
  inc %edx
  jmp 1b
2:
  mov $2, %edi
  call write
  call abort''', '''
  lea 1f(%rip), %rdi
  jmp certlatch_trap''', ''),
    'aarch64': ('''
  mov x1, x0
  mov x2, xzr
1:
  ldrb w3, [x1, x2]
  cbz w3, 2f
  add x2, x2, #1
  b 1b
2:
  mov w0, #2
  bl write
  bl abort''', '''
  adr x0, 1f
  b certlatch_trap''', '.balign 4\n'),
}[os.environ['CPU']]

print(f'''.section .text.certlatch_trap,"ax",@progbits
{ALIGN}certlatch_trap:{SAY}''')
for name in dict.fromkeys(functions):
    print(f'''.section .text.{name},"ax",@progbits
{ALIGN}.globl {name}
.type {name},@function
{name}:{CALL}
1:
  .asciz "trap: {name}\\n"''')
print('.section .note.GNU-stack,"",@progbits')
