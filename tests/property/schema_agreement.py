#!/usr/bin/env python3
"""The decoder and the JSON Schema say the same of every document.

Makes documents from the schema's own tree of keys, valid ones and ones with one to three mistakes, asks corral's
decoder and the python3-jsonschema validator, and compares. Rules that a schema cannot state ("beyond") are the
decoder's own affair: there the schema must accept; decode_lines reports them apart. The generator is written by hand and
knows nothing of the decoder: a key that only the schema has fails the test, as does a run without a key, verdict or kind of mistake.
"""
import argparse
import collections
import copy
import json
import random
import re
import subprocess
import sys

import jsonschema
from value_lists import (
    ACCOUNTS, BAD_DURATIONS, BAD_SHARES, BAD_SIZES, CORES, DURATIONS, LISTENS, NUMBERS, PROGRAM_NAMES, SHARES,
    SIGNALS, SIZES, STRINGS, UMASKS, VARIABLES,
)


def ecma_pattern(validator, pattern, instance, schema):
    """JSON Schema's patterns are ECMA-262's, where $ is the very end; Python's also matches before a last newline."""
    if validator.is_type(instance, "string"):
        if not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": ecma_pattern})


class Generator:
    """`wild` is the chance that a value is drawn from the doubtful ones; mistakes in structure come on top."""

    def __init__(self, seed, wild):
        self.random = random.Random(seed)
        self.wild = wild
        self.touched = collections.Counter()

    def pick(self, good, doubtful):
        return self.random.choice(doubtful if self.random.random() < self.wild else good)

    def duration(self):
        return self.pick(DURATIONS, BAD_DURATIONS)

    def positive(self):
        return self.pick(["1s", "0.5s", "1ns", "0.1ms", "10s"], BAD_DURATIONS + ["0", "0s", "0.000ms", "00m"])

    def some(self):
        return self.pick(["64MiB", "1.5GiB", "1B", "4GiB"], BAD_SIZES + ["0", "0B", "0.0kB", 5, None])

    def string(self):
        return self.pick(["a", "${HOME}/x", "{index}", "$$", ""], STRINGS)

    def integer(self, low, high):
        return self.pick([low, high, self.random.randint(low, high), float(low)], NUMBERS + [low - 1, high + 1])

    def number(self, low, high):
        return self.pick([low, high, self.random.uniform(low, high)], NUMBERS + [low - 0.1, high + 0.1])

    def chosen(self, *words):
        return self.pick(words, [words[0].upper(), words[0] + "\n", "", "x"])

    def listed(self, make, least, most):
        return [make() for _ in range(self.random.randint(least, most))]

    def object(self, path, **makers):
        """Some of the keys; those whose name ends in _ are always there (they are required)."""
        made = {}
        for name, make in makers.items():
            key = "$schema" if name == "schema" else name.rstrip("_")
            if name.endswith("_") or self.random.random() < 0.3:
                self.touched[f"{path}/{key}"] += 1
                made[key] = make()
        order = list(made)
        self.random.shuffle(order)
        return {key: made[key] for key in order}

    def boolean(self):
        return self.random.random() < 0.5

    def restart(self, path):
        if self.random.random() < 0.4:
            return self.chosen("always", "on-failure", "never")
        return self.object(
            path, when=lambda: self.chosen("always", "on-failure", "never"),
            success_codes=lambda: self.pick([[0], [0, 3], []], [[0, 0], [1, 1.0], [256], [-1], [0.5], ["0"], [255, 0.0]]),
            delay=lambda: self.pick(["1ms", "2s", "0"], BAD_DURATIONS), factor=lambda: self.number(1, 1000),
            max_delay=lambda: self.pick(["10s", "1m", "0"], BAD_DURATIONS), jitter=lambda: self.number(0, 1),
            healthy_after=self.duration, then=lambda: self.chosen("fail", "shutdown"),
            limit=lambda: None if self.boolean() else self.object(
                path + "/limit", restarts=lambda: self.integer(0, 1000000), within=self.positive))

    def amount(self, sized):
        good = [0, 5, 4096.0, "unlimited"] + (SIZES if sized else [])
        return self.pick(good, NUMBERS + SIZES + BAD_SIZES + ["Unlimited", "infinity", True, None])

    def limit(self, path, name):
        sized = name in ("core", "as", "data", "stack", "fsize", "memlock", "msgqueue")
        if self.random.random() < 0.6:
            return self.amount(sized)
        # Only one of them has its bounds on the reference page, so only that one's path is counted.
        return self.object(f"{path}/{name}", soft_=lambda: self.amount(sized), hard_=lambda: self.amount(sized))

    def limits(self, path):
        names = ["nofile", "nproc", "core", "cpu", "as", "data", "stack", "fsize", "memlock", "msgqueue", "sigpending", "rtprio"]
        return self.object(path, **{name: (lambda name=name: self.limit(path, name)) for name in names})

    def command(self):
        first = self.pick(["python3", "${HOME}/x", "true"], STRINGS)
        return self.pick([[first] + self.listed(self.string, 0, 3)], [[], [first], "python3 x.py", [1], [first, 2], [[first]]])

    def environment(self):
        return {self.pick(["MODE", "DATA", "a.b"], VARIABLES): self.pick([self.string()], [1, True, None, self.string()])
                for _ in range(self.random.randint(0, 3))}

    def cores(self, path):
        if self.random.random() < 0.7:
            return self.pick(["separate", "shared", "0-3,8", "1, 2"], CORES + [0, None, ["0"]])
        return self.object(path, per_worker_=lambda: self.integer(1, 8192))

    def inherit(self):
        return self.pick([True, False, [], ["PATH", "HOME"]], [["A=B"], [""], [1], "PATH", None, ["A\u0000"], ["CORRAL_X"], ["A", "A"]])

    def tasks(self, path):
        flags = {name: self.boolean for name in ("lines", "raw", "ordered", "tag", "shuf")}
        halts = ["soon,fail=3", "now,fail=10%", "now,fail=100%", "soon,fail=999999999"]
        bad_halts = ["soon,fail=0", "fail=3", "now,fail=101%", "now,fail=0%", "later,fail=1", "now,fail=1 ", "soon,fail=", "", 3, None]
        return self.object(
            path, from_=self.string, to_=self.string, state=self.string, quarantine=self.string, **flags, retries=lambda: self.integer(0, 1000),
            retry_errors=lambda: self.integer(0, 1000), timeout=lambda: self.pick(["1s", "0.5s"] + SHARES, BAD_DURATIONS + BAD_SHARES), timeline=self.string, trace=self.string,
            max_memory=self.some, max_payload=self.some, max_age=self.positive, halt=lambda: self.pick(halts, bad_halts),
            limit=lambda: self.integer(1, 4_000_000_000), max_tasks=lambda: self.integer(1, 4_000_000_000))

    def log(self, path):
        rotate = lambda: self.object(  # noqa: E731
            path + "/rotate", size=lambda: self.pick(SIZES, BAD_SIZES + [0, 5, None]), keep=lambda: self.integer(0, 1000), compress=self.boolean,
            daily=self.boolean)
        to = {"to_" if self.random.random() < 0.8 else "to": lambda: self.pick(["file", "file", "file", "inherit", None], ["null", "File", "", 1])}
        return self.object(path, **to, file=self.string, rotate=rotate, format=lambda: self.chosen("plain", "json"),
                           when_full=lambda: self.chosen("block", "drop"), merge_stderr=self.boolean)

    def on_event(self, path):
        events = [["worker_ended"], ["launch_failed", "program_failed"]]
        bad_events = [[], ["x"], ["worker_ended", "worker_ended"], "worker_ended", [1], None]
        return self.object(path, command_=self.command, events=lambda: self.pick(events, bad_events), timeout=self.positive)

    def program(self, path):
        return self.object(
            path, command_=self.command, workers=lambda: self.pick(["auto", 1, 8, 100000, 4.0], ["4", "Auto", ""] + NUMBERS),
            cores=lambda: self.cores(path + "/cores"), restart=lambda: self.restart(path + "/restart"),
            tasks=lambda: self.tasks(path + "/tasks"), log=lambda: self.log(path + "/log"),
            stop=lambda: self.object(path + "/stop", signal=lambda: self.pick(["TERM", "SIGINT", "RTMIN+1"], SIGNALS),
                                     grace=self.duration),
            start_timeout=self.positive, environment=self.environment, inherit_environment=self.inherit,
            directory=lambda: self.pick(["/srv", "${HOME}"], STRINGS), user=lambda: self.pick(["nobody", "1000"], ACCOUNTS + [0]),
            group=lambda: self.pick(["nogroup", "100"], ACCOUNTS + [0]), limits=lambda: self.limits(path + "/limits"),
            nice=lambda: self.integer(-20, 19), umask=lambda: self.pick(["022", "0027"], UMASKS + [22]),
            oom_score_adj=lambda: self.integer(-1000, 1000), no_new_privileges=self.boolean)

    def document(self):
        def programs():
            count = self.pick([1, 1, 2, 3], [0])
            return {self.pick([f"p{i}", f"p.{i}"], PROGRAM_NAMES): self.program("/programs/NAME") for i in range(count)}
        return self.object("", programs_=programs, schema=lambda: self.pick(["./x.json"], ["", "a\u0000", 1]), stay=self.boolean,
                           containment=lambda: self.chosen("auto", "cgroup", "subreaper"), on_event=lambda: self.on_event("/on_event"),
                           reload=lambda: self.object("/reload", rollback=self.boolean),
                           crashes=lambda: self.object("/crashes", folder_=self.string, keep=lambda: self.integer(1, 100000)),
                           control=lambda: self.object("/control", enabled=self.boolean, socket=self.string, token_file_=self.string,
                                                       listen=lambda: self.pick(["127.0.0.1:8080", "[::1]:1"], LISTENS)))


STRANGERS = [None, True, False, 0, -1, 1.5, "", "x", "10s", [], [0], {}, {"x": 1}, [[]], "unlimited", "auto"]


def places(value):
    """Every (container, key) of the document."""
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mutate(document, rng):
    """One mistake; returns its name and the document."""
    where = list(places(document))
    if not where or rng.random() < 0.02:
        return "root replaced", copy.deepcopy(rng.choice(STRANGERS))
    container, key = rng.choice(where)
    kind = rng.choice(["replaced", "removed", "renamed", "added", "wrapped", "swapped"])
    if kind == "removed":
        del container[key]
    elif kind == "renamed" and isinstance(container, dict):
        container[rng.choice([key + "x", key.upper(), key[1:], " " + key])] = container.pop(key)
    elif kind == "added" and isinstance(container, dict):
        container[rng.choice(["extra", "comand", "env", "soft", "when", "name"])] = copy.deepcopy(rng.choice(STRANGERS))
    elif kind == "wrapped":
        container[key] = [container[key]] if rng.random() < 0.5 else {"x": container[key]}
    elif kind == "swapped":
        other, name = rng.choice(where)
        container[key] = copy.deepcopy(other[name])
    else:
        kind = "replaced"
        container[key] = copy.deepcopy(rng.choice(STRANGERS))
    return kind, document


def make(count, seed):
    touched, mistakes, documents = collections.Counter(), collections.Counter(), []
    for number in range(count):
        generator = Generator(f"{seed}/{number}", wild=[0, 0, 0.02, 0.1][number % 4])
        document = generator.document()
        if number % 2:
            for _ in range(generator.random.choice([1, 1, 2, 3])):
                try:
                    kind, document = mutate(document, generator.random)
                except (IndexError, TypeError, KeyError):
                    kind = "none"  # The second mistake met what the first one had torn down.
                mistakes[kind] += 1
        touched += generator.touched
        documents.append(document)
    return documents, touched, mistakes


def expected_keys(schema):
    """The keys of the schema as the generator names them."""
    def walk(node, path):
        if isinstance(node, dict):
            for name, below in node.get("properties", {}).items():
                yield f"{path}/{name}"
                yield from walk(below, f"{path}/{name}")
            for one in node.get("anyOf", []):
                yield from walk(one, path)
            if isinstance(node.get("additionalProperties"), dict):
                yield from walk(node["additionalProperties"], path + "/NAME")
    return set(walk(schema, ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoder", required=True)
    parser.add_argument("--schema", required=True, help="prints the schema")
    parser.add_argument("--documents", type=int, default=6000)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()

    schema = json.loads(subprocess.run([options.schema], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = Validator(schema)
    documents, touched, mistakes = make(options.documents, options.seed)
    lines = [json.dumps(document, ensure_ascii=bool(i % 2)) for i, document in enumerate(documents)]
    output = subprocess.run([options.decoder], input="\n".join(lines) + "\n", check=True, capture_output=True, text=True,
                            encoding="utf-8").stdout.split("\n")[:-1]
    failures = 0
    if len(output) != len(lines):
        sys.exit(f"{len(lines)} documents but {len(output)} verdicts")
    verdicts = collections.Counter()
    for number, (line, verdict) in enumerate(zip(lines, output)):
        word = verdict.split(" ", 1)[0]
        verdicts[word] += 1
        valid = validator.is_valid(json.loads(line))
        if valid != (word != "error"):
            failures += 1
            if failures <= 10:
                why = "" if valid else jsonschema.exceptions.best_match(validator.iter_errors(json.loads(line))).message[:200]
                print(f"seed {options.seed}, document {number}: schema says {valid} {why!r}\n  decoder: {verdict}\n  {line[:600]}")

    missing = expected_keys(schema) - set(touched)
    if missing:
        print(f"the generator never made: {sorted(missing)}")
    print(f"{len(lines)} documents: {dict(verdicts)}; mistakes {dict(mistakes)}; {len(touched)} keys; {failures} disagreements")
    scarce = [word for word in ("ok", "beyond", "error") if verdicts[word] < len(lines) // 100]
    if scarce:
        print(f"too few verdicts of: {scarce}")
    sys.exit(1 if failures or missing or scarce else 0)


if __name__ == "__main__":
    main()
