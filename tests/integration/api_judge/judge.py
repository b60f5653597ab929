"""docs/reference/openapi.json says what there is: every route of the code and no other, and every reply of a running supervisor as
its schemas have it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from jsonschema import Draft202012Validator  # noqa: E402

from control import ControlTest  # noqa: E402
from harness import await_that, main, program  # noqa: E402

DOCUMENT = json.loads((HERE.parents[2] / "docs" / "reference" / "openapi.json").read_text())
ROUTES = os.path.abspath(os.environ.get("CORRAL_ROUTES", "build/release/tests/integration/api_judge/print_routes"))


def resolved(node):
    while "$ref" in node:
        at = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            at = at[name]
        node = at
    return node


def validator(schema):
    """References lead into the whole document."""
    return Draft202012Validator({"$ref": "#/it", "it": schema, "components": DOCUMENT["components"]})


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in ("get", "post"):
            if method in item:
                yield method.upper(), path, item[method]


def schema_of_body(operation):
    return operation["requestBody"]["content"]["application/json"]["schema"]


class Document(unittest.TestCase):
    def test_every_route_and_no_other(self):
        printed = subprocess.run([ROUTES], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(sorted(printed), sorted(f"{method} {path}" for method, path, _ in operations()))
        self.assertEqual(len(set(printed)), len(printed))

    def test_its_schemas_are_schemas_and_its_examples_fit(self):
        for name, schema in DOCUMENT["components"]["schemas"].items():
            with self.subTest(name):
                Draft202012Validator.check_schema(schema)
        found = 0
        stack = [DOCUMENT]
        while stack:
            node = stack.pop()
            if isinstance(node, list):
                stack += node
            elif isinstance(node, dict):
                stack += node.values()
                if "schema" in node and "example" in node:
                    validator(node["schema"]).validate(node["example"])
                    found += 1
        self.assertGreater(found, 5)

    def test_every_schema_is_used(self):
        text = json.dumps(DOCUMENT)
        for kind in ("schemas", "responses"):
            for name in DOCUMENT["components"][kind]:
                self.assertIn(f'"#/components/{kind}/{name}"', text)


class Replies(ControlTest):
    def setUp(self):
        super().setUp()
        self.seen = set()

    def call(self, method, target, route, body=None, expected=200, headers=None):
        """One request whose reply, and whose body if it is good, are as the document has them."""
        operation = DOCUMENT["paths"][route][method.lower()]
        status, _, document = self.http(method, target, body, headers)
        self.assertEqual(status, expected, document)
        responses = operation["responses"]
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        self.assertIsNotNone(response, f"{method} {route} answers {status}, of which the document knows nothing")
        validator(resolved(response)["content"]["application/json"]["schema"]).validate(document)
        if body is not None and not isinstance(body, str):
            fits = validator(schema_of_body(operation)).is_valid(body)
            self.assertEqual(fits, status != 400, (body, document))
        self.seen.add((method, route))
        return document

    def act(self, what, body, expected=200):
        return self.call("POST", f"/v1/{what}", f"/v1/{what}", body, expected)

    def test_what_is_answered_is_what_is_written(self):
        crash = program("exit 1", restart={"when": "always", "delay": "1h", "max_delay": "1h", "limit": None})
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": crash, "slow": program(
            "slow-stop 3600000", stop={"grace": "1h"}), "done": program("exit 0", restart="never")})  # fmt: skip
        self.await_listening(corral)
        await_that("b/0 has crashed", lambda: self.workers()["b/0"]["state"] == "backoff")
        corral.await_out("ready")
        for path in ("/v1/status", "/v1/programs", "/v1/workers", "/healthz"):
            self.call("GET", path, path)
        one = "/v1/workers/{program}/{index}"
        for name in ("a/1", "b/0"):
            self.assertEqual(self.call("GET", f"/v1/workers/{name}", one)["worker"], name)
            self.assertEqual(self.call("GET", f"/v1/workers/{name}/explain", one + "/explain")["worker"], name)
        self.call("GET", "/v1/workers/a/7", one, expected=404)
        self.call("GET", "/v1/workers/a/7/explain", one + "/explain", expected=404)
        self.call("GET", "/v1/events?worker=a&worker=b&event=worker_started&limit=10&after=0&follow=false", "/v1/events")
        self.call("GET", "/v1/events?limit=x", "/v1/events", expected=400)
        self.act("logs/reopen", {})
        self.act("logs/reopen", {"wait": False}, 202)
        self.call("GET", "/readyz", "/readyz", expected=503)
        self.act("workers/stop", {"targets": ["b"]})
        self.call("GET", "/readyz", "/readyz")
        self.metrics()
        self.commands()
        self.act("workers/stop", {"targets": ["slow"], "timeout": "10ms"}, 504)
        self.act("workers/stop", {"targets": ["slow"], "wait": False}, 202)
        self.reloads()
        self.act("shutdown", {"wait": True})
        self.act("workers/start", {"targets": ["a"]}, 503)
        self.call("GET", "/v1/status", "/v1/status")
        os.kill(self.workers()["slow/0"]["pid"], signal.SIGKILL)
        corral.wait()
        self.assertEqual(self.seen, {(method, path) for method, path, _ in operations()})

    def metrics(self):
        for kind in DOCUMENT["paths"]["/metrics"]["get"]["responses"]["200"]["content"]:
            status, headers, text = self.http("GET", "/metrics", headers={"Accept": kind})
            self.assertEqual((status, headers.get_content_type()), (200, kind))
            self.assertIn("corral_", text)
        self.seen.add(("GET", "/metrics"))

    def commands(self):
        self.act("workers/start", {"targets": ["a/*"]})
        self.act("workers/restart", {"targets": ["a"], "rolling": True, "parallel": 2, "pause": "1ms", "timeout": "10m"})
        self.act("workers/restart", {"targets": ["b"]})
        self.act("workers/restart", {"targets": ["b"], "rolling": True, "pause": "1h"}, 500)
        self.act("workers/restart", {"targets": ["nobody"]}, 404)
        self.act("workers/signal", {"targets": ["a"], "signal": "CONT"})
        self.act("workers/signal", {"targets": ["a"], "signal": 18})
        scale = "/v1/programs/{program}/scale"
        self.call("POST", "/v1/programs/a/scale", scale, {"workers": 3})
        self.call("POST", "/v1/programs/a/scale", scale, {"workers": "auto"})
        self.call("POST", "/v1/programs/nobody/scale", scale, {"workers": 3}, 404)
        self.call("POST", "/v1/programs/a/scale", scale, {"workers": 0}, 400)
        for bad in ({}, {"targets": []}, {"targets": ["a"], "more": 1}, {"targets": ["a"], "wait": 1}, {"targets": ["a"], "parallel": 0},
                    {"targets": ["a"], "pause": "long"}, {"targets": ["a"], "timeout": 1}):  # fmt: skip
            self.act("workers/restart", bad, 400)
        self.call("POST", "/v1/workers/restart", "/v1/workers/restart", '{"targets":["a"]}', 415, {"Content-Type": "text/plain"})

    def reloads(self):
        self.assertEqual({change["does"] for change in self.act("reload", {"plan": True})["plan"]}, {"keep"})
        self.act("reload", {})
        self.reconfigure({"a": {"comand": ["x"]}})
        self.act("reload", {}, 422)


if __name__ == "__main__":
    main()
