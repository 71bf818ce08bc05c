#!/usr/bin/env python3
"""Fails when a source file breaks an arrow of the layout or steps into a trap of g++ 12.

Usage: layering.py [REPOSITORY]        judges agent/, checks/ and tests/ there
       layering.py --bites             judges fixtures/, where every rule must strike exactly where
                                       a line says `strikes: RULE`
It reads text, not a syntax tree: comments and literals are blanked out first, then each rule is a
few lines. Every complaint is `file:line: [rule] reason`.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Folders whose files judge and decide: values in, values out.
PURE = ("checks/", "fencing/", "osc/", "cutover/")
NOT_PURE = ("checks/queries/", "fencing/drivers/", "osc/drivers/", "cutover/drivers/")
# Standard headers that reach a clock, a thread or the outside world.
IMPURE_HEADERS = {"condition_variable", "cstdio", "filesystem", "fstream", "future", "iostream",
                  "mutex", "random", "thread"}
IMPURE_WORDS = {
    r"::now\s*\(": "reads a clock; time enters as data (observation.at)",
    r"\bstd::(jthread|thread)\b": "starts a thread",
    r"\bspdlog\b": "writes a log; a judgement returns its reasons",
    r"\bmysql\.h\b|\bmysql_\w+\s*\(|\bMYSQL\b": "speaks to a server",
    r"\bboost\b": "uses Boost; pure code has the standard library only",
}


def is_pure(path):
    return path.startswith(PURE) and not path.startswith(NOT_PURE)


def blanked(text):
    """The text with comments and the insides of literals as spaces; lines stay where they are.
    The names of included files stay too."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"'
                         r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if match[0][0] == '"' and re.match(r"\s*#\s*include", text[line_start:match.start()]):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return pattern.sub(blank, text)


def closing(text, start):
    """Where the bracket that opens at `start` closes."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth, opens, closes = 0, text[start], pairs[text[start]]
    for place in range(start, len(text)):
        if text[place] == opens:
            depth += 1
        elif text[place] == closes:
            depth -= 1
            if depth == 0:
                return place
    return len(text)


def includes(text):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M):
        yield match.start(2), match[1] == "<", match[2]


def pure_faults(path, text):
    if not is_pure(path):
        return
    for place, in_brackets, name in includes(text):
        standard = in_brackets and re.fullmatch(r"[a-z_]+", name) and name not in IMPURE_HEADERS
        own = name.startswith(("checks/", path.split("/")[0] + "/")) and \
            not name.startswith(NOT_PURE)
        if not standard and not own:
            yield place, "pure", (f"a pure file includes {name}; it may include the standard "
                                  "library without clocks, threads and I/O, and checks/")
    for pattern, reason in IMPURE_WORDS.items():
        for match in re.finditer(pattern, text):
            yield match.start(), "pure", f"a pure file {reason}"


def arrow_faults(path, text):
    for place, _, name in includes(text):
        in_app = path.startswith("agent/app/") or path == "agent/main.cpp"
        if path.startswith("agent/rt/") and name.startswith(PURE):
            yield place, "rt", f"agent/rt includes {name}; it knows nothing of replication"
        if name.startswith("agent/app/") and not in_app:
            yield place, "app", f"includes {name}; only agent/app and main may know the application"
        wire = re.fullmatch(r"agent/rt/sql/[^/]+\.cpp", path) or path == "agent/main.cpp"
        if re.search(r"(^|/)(mysql|mysqld_error|errmsg|mariadb_\w+)\.h$", name) and not wire:
            yield place, "mysql", f"includes {name}; only agent/rt/sql/*.cpp speaks libmariadb"


def condition_faults(path, text):
    reason = ("g++ 12 miscompiles co_await inside a condition; name the result first, then test "
              "the name")
    for match in re.finditer(r"\b(if|while|switch)\b\s*(?:constexpr\s*)?\(", text):
        opening = match.end() - 1
        condition = text[opening:closing(text, opening)]
        # `if (auto x = co_await f(); x)` names it first: only the part after the last `;` decides.
        if "co_await" in condition[condition.rfind(";") + 1:]:
            yield match.start(), "condition", reason
    for match in re.finditer(r"\bfor\s*\(", text):
        opening = match.end() - 1
        if "co_await" in text[opening:closing(text, opening)]:
            yield match.start(), "condition", reason
    for match in re.finditer(r"(\?|&&|\|\||(?<!:):(?!:))[\s(!]*co_await\b", text):
        before = text[:match.start()].rstrip()
        if match[1] == ":" and "?" not in re.split(r"[;{}]", before)[-1]:
            continue  # a label of a switch, or the range of a loop
        if re.search(r"&&|\|\|", match[1]) and inside_condition(text, match.start()):
            continue  # told already
        yield match.start(), "conditional", ("g++ 12 miscompiles co_await inside a conditional "
                                             "expression; write if and else")


def inside_condition(text, place):
    opened = [m.end() - 1 for m in re.finditer(r"\b(?:if|while|switch|for)\s*\(", text[:place])]
    return any(closing(text, opening) > place for opening in opened[-3:])


def bodies(text):
    """Each outermost block that is not a namespace: where it starts and ends."""
    place = 0
    while (place := text.find("{", place)) != -1:
        statement = re.split(r"[;{}]", text[:place])[-1]
        if re.search(r"\bnamespace\b|\bextern\b", statement):
            place += 1
            continue
        end = closing(text, place)
        yield place, end
        place = end


# `name = [captures]`, and a lambda with captures whose result is an awaitable.
CAPTURING = r"=\s*\[[^\]\s][^\]]*\]"
AWAITABLE_LAMBDA = (r"\[[^\]\s][^\]]*\]\s*\([^()]*\)\s*(mutable\s*)?(noexcept\s*)?"
                    r"->\s*[\w:]*awaitable\b")


def lambda_faults(path, text):
    for start, end in bodies(text):
        block = text[start:end]
        if "co_await" not in block:
            continue
        for match in re.finditer(CAPTURING + r"\s*([({]|mutable\b)", block):
            inner = block.find("{", match.start())
            if "co_await" in block[inner:closing(block, inner)]:
                reason = "a lambda with captures is a coroutine; its captures die before it"
            else:
                reason = ("a coroutine holds a lambda with captures; g++ 12 may corrupt or destroy "
                          "it twice: make it outside, as a named type or by a named function")
            if held_in_coroutine(text, start, start + match.start()):
                yield start + match.start(), "lambda", reason
    for match in re.finditer(AWAITABLE_LAMBDA, text):
        yield match.start(), "lambda", ("a lambda with captures is a coroutine; its captures die "
                                        "before it")


def held_in_coroutine(text, start, place):
    """Whether a function around `place` awaits; `start` is where the outermost block opens."""
    around = []
    for index in range(start, place):
        if text[index] == "{":
            around.append(index)
        elif text[index] == "}":
            around.pop()
    return any("co_await" in text[opening:closing(text, opening)]
               for opening in around if not opens_class(text, opening))


def opens_class(text, opening):
    statement = re.split(r"[;{}]", text[:opening])[-1]
    return "(" not in statement and bool(re.search(r"\b(class|struct)\b", statement))


RULES = (pure_faults, arrow_faults, condition_faults, lambda_faults)


def faults(root):
    """All complaints about the files under `root`, sorted: (path, line, rule, reason)."""
    found = []
    for folder in ("agent", "checks", "fencing", "osc", "cutover", "tests"):
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            path = file.relative_to(root).as_posix()
            if path.startswith("tests/layering/"):
                continue
            text = blanked(file.read_text(encoding="utf-8"))
            for rule in RULES:
                if path.startswith("tests/") and rule in (pure_faults, arrow_faults):
                    continue  # tests look behind every curtain
                for place, name, reason in rule(path, text):
                    found.append((path, text.count("\n", 0, place) + 1, name, reason))
    return sorted(set(found))


def expected_strikes(root):
    for file in sorted(root.rglob("*.[ch]pp")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for name in re.findall(r"strikes: (\w+)", line):
                yield file.relative_to(root).as_posix(), number, name


def bites():
    """Every rule strikes in fixtures/ where a line says so, and nowhere else."""
    root = HERE / "fixtures"
    wanted = set(expected_strikes(root))
    struck = {(path, line, name) for path, line, name, _ in faults(root)}
    for path, line, name in sorted(wanted - struck):
        print(f"fixtures/{path}:{line}: [{name}] should have been found")
    for path, line, name in sorted(struck - wanted):
        print(f"fixtures/{path}:{line}: [{name}] found without a reason")
    rules = {"pure", "rt", "app", "mysql", "condition", "conditional", "lambda"}
    missing = rules - {name for _, _, name in wanted}
    if missing:
        print(f"no fixture for {', '.join(sorted(missing))}")
    return not missing and wanted == struck


def main(words):
    if words == ["--bites"]:
        return 0 if bites() else 1
    root = Path(words[0]) if words else HERE.parent.parent
    if not (root / "agent").is_dir():
        print(f"layering.py: no agent/ under {root}", file=sys.stderr)
        return 2
    found = faults(root)
    for path, line, name, reason in found:
        print(f"{path}:{line}: [{name}] {reason}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
