"""The files of a Rust library and what they import from each other, read from their text.

A module's names are its child modules, the items that it declares and what its `use` lines bind.
An import is followed through re-exports to the file that declares the item. Paths in expressions
(`crate::threads::lock(..)`, `kernels::MATRIX`) count like `use` lines. What only tests compile
does not count. This is no compiler: names that macros make are not seen.
"""

import re
from pathlib import Path

# What the reader skips: comments, strings, characters (not lifetimes).
SKIPPED = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|b?r(#*)".*?"\1'
    r'|b?"(?:\\.|[^"\\])*"'
    r"|b?'(?:\\[^\n]+?|[^'\\\n])'",
    re.DOTALL,
)
ITEM = re.compile(
    r"\b(?:fn|struct|enum|union|trait|type|const|static(?:\s+mut)?|macro_rules!)\s+([A-Za-z_]\w*)"
)
TEST_ONLY = re.compile(r"#\[cfg\(test\)\]")
VISIBILITY = re.compile(r"\bpub\s*\([^)]*\)")
USE = re.compile(r"\buse\s+([^;]+);")
MODULE = re.compile(r"\bmod\s+([A-Za-z_]\w*)\s*([;{])")
ATTRIBUTE = re.compile(r"#!?\[[^\]]*\]")
PATH = re.compile(r"(?<![\w:])[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)+")


class Module:
    """A module of the crate: a file, or a `mod name { .. }` in one."""

    def __init__(self, path, file):
        self.path = path  # ("engine", "vulkan"); () is the crate
        self.file = file
        self.children = {}
        self.items = set()
        self.uses = []  # Use
        self.paths = []  # (line, segments) in code


class Use:
    def __init__(self, line, path, name):
        self.line = line
        self.path = path  # segments as written; the last may be "*"
        self.name = name  # what it binds; None with "*"


def blank(text, begin, end):
    """The text with that range as spaces; lines stay where they are."""
    return text[:begin] + re.sub(r"[^\n]", " ", text[begin:end]) + text[end:]


def without(pattern, text):
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def closing(text, opening):
    """Where the brace at `opening` is closed."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)


def without_tests(text):
    """Blanks each item behind `#[cfg(test)]`: up to its closing brace or its semicolon."""
    while match := TEST_ONLY.search(text):
        end = re.compile(r"[;{]").search(text, match.end())
        if end is None:
            return text[: match.start()]
        last = end.start() if end.group() == ";" else closing(text, end.start())
        text = blank(text, match.start(), last + 1)
    return text


def expand(tree):
    """The paths of a use tree with the names they bind: of `a::{b, c::*}` a::b and a::c::*."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace < 0:
        path, _, alias = (part.strip() for part in re.sub(r"\s+", " ", tree).partition(" as "))
        segments = [segment.strip() for segment in path.split("::") if segment.strip()]
        if len(segments) > 1 and segments[-1] == "self":
            segments.pop()
        return [(segments, alias or (None if segments[-1] == "*" else segments[-1]))]
    prefix = [part.strip() for part in tree[:brace].split("::") if part.strip()]
    inner, depth, begin, found = tree[brace + 1 : tree.rindex("}")], 0, 0, []
    for place, char in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if inner[begin:place].strip():
                found += expand("::".join(prefix + [inner[begin:place].strip()]))
            begin = place + 1
    return found


def top_level(text):
    """The text outside all braces, for the items a module declares (use trees are gone already)."""
    kept, depth = [], 0
    for char in text:
        depth -= char == "}"
        kept.append(char if depth == 0 or char == "\n" else " ")
        depth += char == "{"
    return "".join(kept)


class Crate:
    """All modules of the crate whose root is `folder`/lib.rs."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.modules = {}
        self.read_file((), self.folder / "lib.rs")

    def read_file(self, path, file):
        text = file.read_text(encoding="utf-8")
        text = without(SKIPPED, text)
        text = without(ATTRIBUTE, without_tests(text))
        self.read_module(path, file, without(VISIBILITY, text))

    def read_module(self, path, file, text):
        """Reads the module from its text; a module within it is read and blanked."""
        module = self.modules[path] = Module(path, file)
        while match := MODULE.search(text):
            name, kind = match.groups()
            module.children[name] = path + (name,)
            last = match.end() - 1
            if kind == "{":
                last = closing(text, last)
                body = blank(blank(text, 0, match.end()), last, len(text))
                self.read_module(path + (name,), file, body)
            elif below := self.file_of(path + (name,)):
                self.read_file(path + (name,), below)
            text = blank(text, match.start(), last + 1)

        def line(match):
            return text.count("\n", 0, match.start()) + 1

        for match in USE.finditer(text):
            module.uses += [Use(line(match), *found) for found in expand(match.group(1))]
        text = without(USE, text)
        for match in PATH.finditer(text):
            segments = [segment.strip() for segment in match.group().split("::")]
            module.paths.append((line(match), segments))
        module.items = set(ITEM.findall(top_level(text)))

    def file_of(self, path):
        plain = self.folder.joinpath(*path).with_suffix(".rs")
        door = self.folder.joinpath(*path, "mod.rs")
        return next((file for file in (plain, door) if file.is_file()), None)

    def is_door(self, module):
        """A file that only declares modules and re-exports."""
        return module.file.name in ("mod.rs", "lib.rs") and not module.items

    def resolve(self, module, segments, seen=frozenset()):
        """The module that declares what `segments` name in `module`; None for other crates."""
        place, rest = module, list(segments)
        if rest and rest[0] == "crate":
            place, rest = self.modules[()], rest[1:]
        while rest and rest[0] in ("super", "self"):
            if rest[0] == "super":
                place = self.modules[place.path[:-1]]
            rest = rest[1:]
        return self.walk(place, rest, seen)

    def walk(self, place, rest, seen):
        if not rest or rest[0] == "*":
            return place
        name = rest[0]
        if (place.path, name) in seen:
            return None
        seen = seen | {(place.path, name)}
        if name in place.children:
            below = self.modules.get(place.children[name])
            return self.walk(below, rest[1:], seen) if below else None
        if name in place.items:
            return place
        for use in place.uses:
            if use.name == name:
                return self.resolve(place, use.path + rest[1:], seen)
        for use in place.uses:
            if use.name is None:
                source = self.resolve(place, use.path[:-1], seen)
                found = source and source is not place and self.walk(source, rest, seen)
                if found:
                    return found
        return None

    def imports(self):
        """{file: {imported file: line of the first import}}, doors left out on both sides."""
        graph = {}
        for module in self.modules.values():
            if self.is_door(module):
                continue
            edges = graph.setdefault(module.file, {})
            named = [(use.line, use.path) for use in module.uses] + module.paths
            for line, segments in sorted(named, key=lambda entry: entry[0]):
                target = self.resolve(module, segments)
                if target and target.file != module.file and not self.is_door(target):
                    edges.setdefault(target.file, line)
        return graph
