"""The examples of docs/ do what they say: each configuration is accepted, and those that end by themselves are run.

Called by ctest in the project's top folder with the path of corral in CORRAL_BIN.
"""

import glob
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

CORRAL = os.environ["CORRAL_BIN"]
sys.path.insert(0, "docs/examples/mandelbrot")
import picture  # noqa: E402


def corral(*words, **environment):
    return subprocess.run(
        [CORRAL, *words], env=dict(os.environ, **environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


def png_rows(content):
    """(width, height, the unfiltered rows) of a PNG, with every checksum looked at."""
    at, stream, size = 8, b"", None
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", content, at + 8 + length)[0] == zlib.crc32(kind + data), kind
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data)
        if kind == b"IDAT":
            stream += data
        at += 12 + length
    return *size, zlib.decompress(stream)


class Examples(unittest.TestCase):
    def test_every_configuration_is_accepted(self):
        files = sorted(glob.glob("docs/examples/**/corral.json", recursive=True))
        self.assertGreaterEqual(len(files), 4)
        for file in files:
            with self.subTest(file), tempfile.TemporaryDirectory() as folder:
                if "/container/" in file:
                    file = self.as_in_its_image(file, folder)
                done = corral("check", file)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def as_in_its_image(self, file, folder):
        """A copy, with the worker of the user's beside it that the image would have."""
        script, copy = os.path.join(folder, "crunch.py"), os.path.join(folder, "corral.json")
        with open(file, encoding="utf-8") as source, open(copy, "w", encoding="utf-8") as target:
            text = source.read()
            self.assertEqual(text.count('"/app/crunch.py"'), 1)
            target.write(text.replace('"/app/crunch.py"', json.dumps(script)))
        open(script, "w").close()
        return copy

    def test_the_picture_is_the_one_that_a_single_process_renders(self):
        width = 240
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "picture.png")
            done = corral(
                "run", "docs/examples/mandelbrot/corral.json",
                MANDELBROT_WORK=os.path.join(folder, "work"), MANDELBROT_OUTPUT=output, MANDELBROT_WIDTH=str(width),
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(output, "rb") as file:
                got_width, got_height, rows = png_rows(file.read())
        self.assertEqual((got_width, got_height), (width, picture.height_of(width)))
        self.assertEqual(rows, b"".join(b"\0" + picture.render_row(width, row) for row in range(got_height)))

    def test_the_picture_as_tasks_is_the_same(self):
        width = 240
        with tempfile.TemporaryDirectory() as folder:
            tasks = os.path.join(folder, "tasks")
            with open(tasks, "w") as file:
                file.writelines(f"{block}\n" for block in range(picture.block_count(width)))
            done = corral("map", tasks, "--", "/usr/bin/python3", "docs/examples/mandelbrot/task.py",
                          MANDELBROT_WORK=folder, MANDELBROT_WIDTH=str(width))  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            pieces = []
            for block in range(picture.block_count(width)):
                with open(os.path.join(folder, f"block-{block:05}"), "rb") as file:
                    pieces.append(file.read())
        rows = png_rows(picture.assemble(width, pieces))[2]
        self.assertEqual(rows, b"".join(b"\0" + picture.render_row(width, row) for row in range(picture.height_of(width))))

    def test_the_shards_add_up_to_pi(self):
        done = corral("run", "docs/examples/shards/corral.json", STEPS="20000")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        shards = dict(re.findall(r"shard (\d+) of \d+ on cores \S+: ([0-9.]+)", done.stdout))
        self.assertAlmostEqual(sum(map(float, shards.values())), math.pi, places=6, msg=done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
