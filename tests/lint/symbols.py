"""What the compiled core asks of the outside: the C++ runtime, arithmetic and memory; no system call, clock or lock.

symbols.py --nm NM ARCHIVE
"""

import re
import subprocess
import sys

from house import report

# By plain name, as the linker sees it.
ALLOWED = re.compile("|".join([
    r"_ZN6corral", r"_ZNK6corral", r"_ZTVN6corral", r"_ZTIN6corral", r"_ZTSN6corral",  # our own, of common/base
    r"_Zn[wa]m", r"_Zd[la]Pv", r"__cxa_(begin_catch|end_catch|rethrow|throw|allocate_exception|free_exception|guard_\w+|atexit)",
    r"__gxx_personality_v0", r"_Unwind_Resume", r"__stack_chk_fail", r"__dso_handle", r"_GLOBAL_OFFSET_TABLE_", r"DW\.ref",
    r"_ZSt\d+__throw_", r"_ZSt24__throw_out_of_range_fmt", r"_ZSt18_Rb_tree", r"_ZSt\d+_Rb_tree", r"_ZSt20__throw",
    r"_ZNSt7__cxx1112basic_string", r"_ZNKSt7__cxx1112basic_string", r"_ZNSs", r"_ZSt7nothrow",
    r"_ZNSt(9|12|13|11|16|14)(bad|logic|runtime|length|out|exception)", r"_ZTI", r"_ZTV", r"_ZNKSt9exception", r"_ZNSt9exception",
    r"_ZSt9terminatev", r"_ZNSt8__detail", r"_ZSt10from_chars", r"_ZSt8to_chars", r"_ZSt(10|8)(from|to)_chars", r"_ZSt16__",
    r"(mem(cpy|move|set|cmp|chr)|strlen|strcmp)$",
    r"(pow|exp2?|log2?|ceil|floor|round|trunc|fmod|lround|llround|nearbyint|rint|fmin|fmax|sqrt)f?$",
    r"__assert_fail$",
]))
# Ours, and yet not for core: they ask the system.
FORBIDDEN = re.compile(r"_ZN6corral(2io|5shell|7process|4disk|3cli|6config|7control)")


def undefined(nm, archive):
    """{symbol: objects that want it}, without those that the archive itself defines."""
    listed = subprocess.run([nm, "--format=posix", archive], capture_output=True, text=True, check=True).stdout
    wanted, defined, member = {}, set(), "?"
    for line in listed.splitlines():
        if line.endswith(":"):
            member = line.rpartition("[")[2].rstrip("]:")
            continue
        fields = line.split()
        if len(fields) >= 2 and fields[1] == "U":
            wanted.setdefault(fields[0], set()).add(member)
        elif len(fields) >= 2:
            defined.add(fields[0])
    return {symbol: members for symbol, members in wanted.items() if symbol not in defined}


def problems_of(wanted):
    for symbol, members in sorted(wanted.items()):
        if not ALLOWED.match(symbol) or FORBIDDEN.match(symbol):
            yield f"core wants {symbol} (in {', '.join(sorted(members))}); core decides and asks nothing of the system"


def main():
    _, option, nm, archive = sys.argv
    assert option == "--nm"
    wanted = undefined(nm, archive)
    if not wanted:
        return report([f"{archive} wants nothing at all, which cannot be: is it the archive of core?"], "")
    return report(list(problems_of(wanted)), f"core asks for {len(wanted)} symbols, none of the system's")


if __name__ == "__main__":
    sys.exit(main())
