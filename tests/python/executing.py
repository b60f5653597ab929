"""What the tests of corral.Executor stand on."""

import gc
import os
import sys
import tempfile
import time
import unittest

from harness import CEILING, PACKAGE

sys.path.insert(0, str(PACKAGE))
import corral  # noqa: E402
from corral import _pool  # noqa: E402


class ExecutorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def tearDown(self):
        gc.collect()
        for pool in list(_pool.pools):
            if pool._thread.is_alive():
                pool.abort()
                pool.join()

    def executor(self, *args, **options):
        executor = corral.Executor(*(args or (2,)), **options)
        self.addCleanup(executor.shutdown, cancel_futures=True)
        return executor

    def path(self, name):
        return os.path.join(self.folder, name)

    def await_that(self, condition):
        until = time.monotonic() + CEILING
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.002)
