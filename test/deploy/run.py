"""Runs tests of this directory.

   run.py [MODULE[.CLASS[.TEST]]...]      all of them, or these; exit status 77: skipped
   run.py --render FILE                   renders all manifests, for test programs with CERTLATCH_RENDERED=FILE
"""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
MODULES = ("admission_test", "apps_test", "manifests_test", "monitoring_test", "server_test", "today_test")


if sys.argv[1:2] == ["--render"]:
    import manifests

    os.environ.pop("CERTLATCH_RENDERED", None)
    pathlib.Path(sys.argv[2]).write_text(json.dumps(manifests.render()))
    sys.exit(0)
result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or MODULES))
for _, reason in result.skipped:
    print(f"SKIPPED: {reason}")
sys.exit(1 if not result.wasSuccessful() or result.testsRun == 0 else 77 if result.skipped else 0)
