"""The lints find what they are for: each rule is broken once, on purpose."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import docs
import events
import includes
import symbols
import text

CMAKE = """
corral_module(base    common/base)
corral_module(wire    common/wire            USES base)
corral_module(worker  worker/cpp             USES base wire)
corral_module(core    supervisor/core        USES base)
corral_module(config  supervisor/config      USES core PRIVATE nlohmann_json::nlohmann_json)
corral_module(process supervisor/shell/process USES core PRIVATE fmt::fmt)
corral_module(shell   supervisor/shell       USES process config)
corral_module(cli     supervisor/cli         USES shell)
"""


class Includes(unittest.TestCase):
    graph = includes.rooms(CMAKE)

    def problems(self, path, *lines):
        return list(includes.check_file(path, "\n".join(lines) + "\n", self.graph))

    def allows(self, path, *lines):
        self.assertEqual(self.problems(path, *lines), [])

    def refuses(self, path, *lines):
        self.assertNotEqual(self.problems(path, *lines), [])

    def test_the_graph_is_transitive(self):
        self.assertEqual(self.graph["supervisor/config"][1], {"supervisor/core", "common/base"})
        self.assertIn("supervisor/core", self.graph["supervisor/cli"][1])

    def test_own_room_and_those_below(self):
        self.allows("supervisor/core/a.cpp", '#include "supervisor/core/a.hpp"', '#include "common/base/ids.hpp"', "#include <vector>")
        self.refuses("common/base/a.cpp", '#include "supervisor/core/a.hpp"')
        self.refuses("supervisor/core/a.cpp", '#include "supervisor/config/a.hpp"')
        self.refuses("supervisor/config/a.cpp", '#include "supervisor/shell/pump.hpp"')
        self.refuses("supervisor/config/a.cpp", '#include "a.hpp"')
        self.refuses("supervisor/attic/a.cpp", "#include <vector>")

    def test_the_worker_knows_no_supervisor(self):
        self.allows("worker/cpp/a.cpp", '#include "worker/cpp/a.hpp"', '#include "common/wire/a.hpp"', "#include <sys/socket.h>")
        self.refuses("worker/cpp/a.cpp", '#include "supervisor/core/a.hpp"')
        self.refuses("worker/cpp/a.cpp", "#include <fmt/format.h>")
        self.refuses("supervisor/shell/a.cpp", '#include "worker/cpp/worker.hpp"')
        self.refuses("common/wire/a.cpp", '#include "worker/cpp/worker.hpp"')

    def test_what_is_installed_stands_alone(self):
        self.allows("worker/cpp/worker.hpp", "#include <string>")
        for line in ('#include "common/wire/frame.hpp"', "#include <unistd.h>", "#include <fmt/format.h>"):
            self.refuses("worker/cpp/worker.hpp", line)
        self.allows("worker/examples/a.cpp", "#include <corral/worker.hpp>", "#include <vector>")
        self.refuses("worker/examples/a.cpp", '#include "worker/cpp/worker.hpp"')
        self.refuses("supervisor/cli/a.cpp", "#include <corral/worker.hpp>")

    def test_nothing_includes_tests(self):
        self.refuses("supervisor/shell/a.cpp", '#include "tests/support/a.hpp"')

    def test_main_only_composes(self):
        self.allows("supervisor/main.cpp", '#include "supervisor/cli/cli.hpp"')
        self.refuses("supervisor/main.cpp", '#include "supervisor/core/supervisor.hpp"')

    def test_libraries_have_their_rooms(self):
        self.allows("supervisor/config/a.cpp", "#include <nlohmann/json.hpp>")
        self.refuses("supervisor/config/a.hpp", "#include <nlohmann/json.hpp>")
        self.allows("supervisor/shell/pump.cpp", "#include <boost/asio/io_context.hpp>")
        self.refuses("supervisor/shell/process/a.cpp", "#include <boost/asio/io_context.hpp>")
        self.refuses("supervisor/cli/a.cpp", "#include <boost/asio.hpp>", "#include <boost/asio/io_context.hpp>")
        self.allows("supervisor/shell/process/a.cpp", "#include <boost/process/v2/process.hpp>")
        self.refuses("supervisor/shell/a.cpp", "#include <boost/process/v2/process.hpp>")
        self.refuses("supervisor/core/a.cpp", "#include <fmt/format.h>")
        self.refuses("supervisor/shell/a.cpp", "#include <somebody/else.hpp>")

    def test_core_is_pure(self):
        for line in ("#include <thread>", "#include <random>", "#include <fstream>", "#include <unistd.h>",
                     "auto now = std::chrono::steady_clock::now();", 'const char* home = std::getenv("HOME");',
                     "const auto at = MonotonicClock::now();", 'std::printf("x");'):
            self.refuses("supervisor/core/a.cpp", line)
        self.allows("supervisor/core/a.cpp", "// now() is what nobody calls here: std::getenv()", "#include <csignal>")
        self.allows("supervisor/shell/a.cpp", "#include <thread>", "#include <unistd.h>")

    def test_the_list_itself_is_held_to_the_house(self):
        def wrong(line):
            return list(includes.check_graph(includes.rooms(CMAKE + line)))
        self.assertEqual(wrong(""), [])
        self.assertNotEqual(wrong("corral_module(wire2 common/wire2 USES core)\n"), [])
        self.assertNotEqual(wrong("corral_module(wire2 common/wire2 USES worker)\n"), [])
        self.assertNotEqual(wrong("corral_module(worker2 worker/cpp2 USES core)\n"), [])
        self.assertNotEqual(wrong("corral_module(shell2 supervisor/shell2 USES worker)\n"), [])
        bad_core = CMAKE.replace("supervisor/core        USES base", "supervisor/core USES base config2")
        bad_core += "corral_module(config2 supervisor/config2)\n"
        self.assertNotEqual(list(includes.check_graph(includes.rooms(bad_core))), [])


class Symbols(unittest.TestCase):
    def test_the_system_is_refused(self):
        for symbol in ("clock_gettime", "getenv", "write", "open", "kill", "pthread_create", "pthread_mutex_lock", "printf", "time",
                       "_ZNSt6chrono3_V212steady_clock3nowEv", "_ZNSt13random_device9_M_getvalEv", "_ZSt4cout", "syscall",
                       "_ZNSt6thread4joinEv", "memfd_create", "powercap", "_ZN6corral5shell4PumpE", "rand", "strerror"):
            self.assertEqual(len(list(symbols.problems_of({symbol: {"a.o"}}))), 1, symbol)

    def test_the_runtime_is_allowed(self):
        for symbol in ("_Znwm", "_ZdlPvm", "memcpy", "pow", "_Unwind_Resume", "_ZSt20__throw_length_errorPKc", "__cxa_throw",
                       "_ZN6corral12check_failedEPKcS1_i", "_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base"):
            self.assertEqual(list(symbols.problems_of({symbol: {"a.o"}})), [], symbol)


class Text(unittest.TestCase):
    def test_long_files(self):
        self.assertIsNone(text.check_size("a.cpp", 300))
        self.assertIsNotNone(text.check_size("a.cpp", 301))
        self.assertIsNone(text.check_size("a.cpp", 301, {"a.cpp": "why"}))
        self.assertIsNotNone(text.check_size("a.cpp", 300, {"a.cpp": "why"}))

    def test_words(self):
        for line in ("// TO" "DO: later", "x = 1;  // FIX" "ME", "see /wo" "rk/main", "blank at the end ", "<" * 7 + " HEAD"):
            self.assertNotEqual(list(text.check_text("a.cpp", line + "\n")), [], line)
        self.assertEqual(list(text.check_text("a.cpp", "// TO" "DO(#12): later\n")), [])
        self.assertNotEqual(list(text.check_text("a.cpp", "no line break")), [])

    def test_headers(self):
        self.assertEqual(list(text.check_header("a.hpp", "// Why.\n#pragma once\n")), [])
        self.assertNotEqual(list(text.check_header("a.hpp", "#pragma once\n")), [])
        self.assertNotEqual(list(text.check_header("a.hpp", "// Why.\n")), [])


class Events(unittest.TestCase):
    def test_what_is_said_by_name(self):
        text = 'say(Weight::notable, "a_b", text);\n hooks_.say(client == nullptr, "c",\n x); return Said{w, "d_e", t}; push({true, "f_g", text});'
        self.assertEqual(events.said(text), {"a_b", "c", "d_e", "f_g"})
        self.assertEqual(events.said('fmt::format("{}", "not_said"); say(weight, event, std::move(text));'), set())

    def test_all_are_listed_and_explained(self):
        source = [("a.cpp", 'say(w, "known", t); say(w, "unknown", t);')]
        self.assertEqual(list(events.missing(source, {"known", "unknown"}, "`known` `unknown`")), [])
        self.assertEqual(len(list(events.missing(source, {"known"}, "`known`"))), 1)
        self.assertEqual(len(list(events.missing(source, {"known", "unknown"}, "`known`"))), 1)


class Docs(unittest.TestCase):
    def test_links(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "b.md").write_text("# A heading, `here`\n")
            good = "[x](b.md) [y](b.md#a-heading-here) [z](https://example.org/none) `[no](link)`\n```\n[no](link)\n```\n"
            self.assertEqual(list(docs.check_links("a.md", good.replace("`[no](link)`", ""), root)), [])
            self.assertEqual(len(list(docs.check_links("a.md", "[x](c.md) [y](b.md#nothing)\n", root))), 2)

    def test_commands(self):
        self.assertEqual(list(docs.check_commands("a.md", "run `./dev test`", {"test"})), [])
        self.assertEqual(len(list(docs.check_commands("a.md", "run ./dev dance", {"test"}))), 1)

    def test_decisions(self):
        good = ["docs/decisions/0001-pure-core.md", "docs/decisions/0002-b.md", "docs/decisions/README.md"]
        self.assertEqual(list(docs.check_decisions(good)), [])
        self.assertEqual(len(list(docs.check_decisions([*good, "docs/decisions/0001-b.md"]))), 1)
        self.assertEqual(len(list(docs.check_decisions([*good, "docs/decisions/why.md"]))), 1)


if __name__ == "__main__":
    unittest.main()
