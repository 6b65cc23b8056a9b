"""Runs one test of this directory, or lists them all.

   run.py --list
   run.py MODULE.CLASS.TEST      exit status 77: skipped
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
MODULES = ("admission_test", "manifests_test", "today_test")


def names(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from names(each)
        else:
            yield each.id()


if sys.argv[1] == "--list":
    for name in names(unittest.defaultTestLoader.loadTestsFromNames(MODULES)):
        print(name)
    sys.exit(0)
result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:]))
for _, reason in result.skipped:
    print(f"SKIPPED: {reason}")
sys.exit(1 if not result.wasSuccessful() or result.testsRun == 0 else 77 if result.skipped else 0)
