"""Workers for corral: write a function, and `corral map` runs it on every core.

    import corral

    @corral.task
    def work(item):
        return item["n"] ** 2

    if __name__ == "__main__":
        corral.serve()

`corral map tasks.jsonl -- python3 worker.py` feeds it; without corral the same script filters standard input to
standard output, one line of JSON for each. Only the standard library is needed.
"""

from ._serve import cancelled, progress, serve, task

__version__ = "0.1.0"
__all__ = ["cancelled", "progress", "serve", "task"]
