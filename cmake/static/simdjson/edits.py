"""simdjson: without its DOM. The program reads with On-Demand only, but the DOM's builder is a virtual function, which
no linker can drop. Whoever calls it all the same is stopped loudly. (16 KB)"""
import sys

from checked_edit import Tree

tree = Tree(sys.argv[1])
tree.replace_regex('simdjson.cpp', r'return stage2::tape_builder::parse_document<(?:true|false)>\(\*this, _doc\);',
                   '(void)_doc; without_dom();', times=12)  # two in each of six implementations
tree.write('simdjson.cpp', '''#include <stdlib.h>
#include <unistd.h>
[[noreturn]] static void without_dom() {
  static const char text[] = "trap: simdjson's DOM\\n";
  if (write(2, text, sizeof text - 1) < 0) {}
  abort();
}
''' + tree.read('simdjson.cpp'))
