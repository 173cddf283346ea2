#!/usr/bin/env python3
"""Writes a C program that calls every function of the header as a hostile caller would.

    hostile.py HEADER >PROGRAM.c

Reads functions, structs and enums from the header. What it must be told of them stands in
hostile_tables.py: a function, a parameter or a field of an option struct that no table has ends it
with an error, so that what is new in the header is tested too. Every call is made with NULL, with
misaligned pointers, with every struct_size and tail, with numbers at their limits, with flags and
enumerators that are none, and with paths of every kind; tests/c/hostile.h checks what comes back.
"""

import fnmatch
import itertools
import re
import sys

sys.dont_write_bytecode = True
from hostile_tables import (
    ELSEWHERE, FILLED, FLAGS, FUNCTIONS, KNOWN_FLAGS, NULL, NUMBERS, NUMBERS_OF, OK, OPEN, OPTION,
    OUTPUTS, ROOM, ROOM_OF, STRUCTS, VALUES,
)


def fail(text):
    sys.exit(f"hostile.py: {text}: add it to tests/c/hostile_tables.py")


class Header:
    """What a header declares."""

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
        self.enums = {name: re.findall(r"(\w+) = (-?\d+)", body) for body, name in
                      re.findall(r"typedef enum \w+ \{(.*?)\} (\w+);", text, re.DOTALL)}
        self.structs = {name: self.fields(body) for body, name in
                        re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, re.DOTALL)}
        self.handles = re.findall(r"typedef struct (\w+) \w+;", text)
        text = re.sub(r"typedef \w+ \w+ \{.*?\} \w+;", "", text, flags=re.DOTALL)
        self.functions = {}
        for returned, name, parameters in re.findall(
                r"([\w ]+?[ *]+)(vkd_\w+)\(([^)]*)\);", text):
            self.functions[name] = (returned.strip(), self.parameters(parameters))
        counted = len(re.findall(r"\bvkd_\w+\(", text))
        if counted != len(self.functions) or not counted:
            fail(f"{counted} functions, but {len(self.functions)} declarations are understood")

    @staticmethod
    def fields(body):
        return [re.match(r".*?(\w+)(\[\w+\])?$", line.strip()).group(1)
                for line in body.split(";") if line.strip()]

    @staticmethod
    def parameters(text):
        found = []
        for one in text.split(","):
            one = " ".join(one.split())
            if one != "void":
                kind, name = re.match(r"(.*?)(\w+)$", one).groups()
                found.append((kind.strip(), name))
        return found


def compare(what, known, header):
    for name in sorted(set(header) - set(known)):
        fail(f"{what} {name} is new")
    for name in sorted(set(known) - set(header)):
        fail(f"{what} {name} is gone")


class Writer:
    """The calls of one function."""

    def __init__(self, header, name):
        self.header, self.name, self.told = header, name, FUNCTIONS[name]
        self.returned, self.parameters = header.functions[name]
        self.lines, self.areas = [], {}
        for kind, parameter in self.parameters:
            if self.is_pointer(kind) and (parameter.startswith("out_") or self.struct(kind)):
                self.areas[parameter] = len(self.areas)

    @staticmethod
    def is_pointer(kind):
        return kind.endswith("*")

    def struct(self, kind):
        """The name of the struct, not a handle, that the parameter points to."""
        match = re.fullmatch(r"(?:const )?struct (\w+) \*", kind)
        return match and match.group(1) in self.header.structs and match.group(1)

    def value(self, kind, parameter):
        """What a call that works passes."""
        if parameter in self.told.values:
            return self.told.values[parameter]
        struct = self.struct(kind)
        if struct:
            if parameter.startswith("out_"):
                if struct not in OUTPUTS:
                    fail(f"the output struct {struct} is new")
                return f"output_struct({self.areas[parameter]}, sizeof(struct {struct}))"
            return f"&{parameter}"
        if parameter.startswith("out_"):
            room = "sizeof(void *)" if kind.endswith("**") and "struct" in kind else \
                ROOM_OF.get((self.name, parameter), ROOM.get(parameter))
            return f"output({self.areas[parameter]}, {room})" if room else \
                fail(f"the output {parameter} of {self.name} is new")
        if parameter not in VALUES:
            fail(f"the parameter {parameter} of {self.name} is new")
        return VALUES[parameter]

    def write(self):
        self.put(f"/* {self.name} */")
        self.put(f"static void test_{self.name}(void) {{")
        if self.parameters:
            fields = "".join(f"{kind} {name}; " for kind, name in self.parameters)
            self.put(f"struct {{ {fields}}} a;")
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            self.put(f"struct {struct} {parameter};")
        self.case("as it should be", "", OK if self.has_status() else None)
        if not self.has_status():
            self.without_status()
        else:
            self.nulls()
            self.misaligned()
            self.numbers()
            self.sizes()
            self.fields()
            for kind, parameter in self.parameters:
                if kind == "const char *":
                    self.paths(f"{parameter} ", f"a.{parameter}", self.told.roles)
            for name, change, status in self.told.more:
                self.case(name, change, status)
        self.put("}")
        return "\n".join(self.lines)

    def put(self, line):
        self.lines.append(line)

    def has_status(self):
        return self.returned == "int32_t"

    def inputs(self):
        return [(kind, name) for kind, name in self.parameters
                if self.struct(kind) and not name.startswith("out_")]

    def prepare(self, but=""):
        """Arguments that work; of handles to be freed none is made for the parameter `but`."""
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            self.put(f"memset(&{parameter}, 0, sizeof {parameter});")
            self.put(f"{parameter}.struct_size = sizeof {parameter};")
            if struct in FILLED:
                self.put(FILLED[struct].replace("@", parameter) + ";")
        for kind, parameter in self.parameters:
            if parameter != but:
                self.put(f"a.{parameter} = {self.value(kind, parameter)};")

    def call(self):
        arguments = ", ".join(f"a.{name}" for _, name in self.parameters)
        call = f"{self.name}({arguments})"
        for kind, parameter in self.parameters:
            match = re.fullmatch(r"struct vkd_(\w+) \*\*", kind)
            if match:
                return f"settle_{match.group(1)}({call}, a.{parameter})"
        return call

    def status_of(self, name, status):
        for pattern, instead in ELSEWHERE:
            if fnmatch.fnmatchcase(f"{self.name}, {name}", pattern):
                return instead
        return status

    def case(self, name, change, status, but=""):
        if self.has_status() and (status := self.status_of(name, status)) is None:
            return
        self.put(f'if (begin("{self.name}", "{name}")) {{')
        self.prepare(but)
        if change:
            self.put(change + ";")
        self.put("ready();")
        if self.has_status():
            self.put(f"check({self.call()}, S({', '.join(status)}));")
        elif self.returned == "void":
            self.put(f"{self.call()}; alarm(0); ++cases;")
        else:
            self.put(f'if (!{self.call()}) {{ say("nothing"); }} alarm(0); ++cases;')
        self.put("}")

    def without_status(self):
        for kind, parameter in self.parameters:
            if self.is_pointer(kind):
                for times in ("once", "again"):
                    self.case(f"{parameter} NULL {times}", f"a.{parameter} = NULL", None, parameter)
            else:
                for number in ["INT32_MIN", "INT32_MAX", "-5000", "1"]:
                    self.case(f"{parameter} {number}", f"a.{parameter} = {number}", None)

    def nulls(self):
        """Every combination."""
        pointers = [name for kind, name in self.parameters if self.is_pointer(kind)]
        for count in range(1, len(pointers) + 1):
            for chosen in itertools.combinations(pointers, count):
                required = set(chosen) - self.told.null
                status = NULL if required else OK
                change = "; ".join(f"a.{name} = NULL" for name in chosen)
                # Outputs that are not there have no canaries.
                gone = "".join(f"; begins[{self.areas[name]}] = AREA" for name in chosen
                               if name in self.areas)
                self.case(f"{' and '.join(chosen)} NULL", change + gone, status)

    def misaligned(self):
        for kind, parameter in self.parameters:
            if not self.is_pointer(kind) or kind == "const char *" or self.struct(kind):
                continue
            self.case(f"{parameter} misaligned", f"a.{parameter} = off(a.{parameter})", OPTION)

    def numbers(self):
        for kind, parameter in self.parameters:
            if self.is_pointer(kind):
                continue
            values = NUMBERS_OF.get((self.name, parameter), NUMBERS.get(parameter))
            if values is None:
                fail(f"the number {parameter} of {self.name} is new")
            for value, status in values:
                self.case(f"{parameter} {value}", f"a.{parameter} = {value}", status)

    def sizes(self):
        """Every struct_size from 0 to 4,096, and some beyond, with every tail."""
        for kind, parameter in self.parameters:
            struct = self.struct(kind)
            if not struct:
                continue
            is_output, area = parameter.startswith("out_"), self.areas[parameter]
            if not is_output and struct not in STRUCTS:
                fail(f"the option struct {struct} is new")
            sizes = OUTPUTS[struct] if is_output else STRUCTS[struct][0]
            listed = ", ".join(map(str, sizes))
            self.put(f"{{ static const uint32_t sizes[] = {{{listed}, 0}};")
            self.put(f'if (sizeof(struct {struct}) != {sizes[-1]}) say("{struct} has another size '
                     'than tests/c/hostile_tables.py knows");')
            self.put("for (uint32_t step = 0; step <= 4099; ++step) {")
            self.put("uint32_t size = step < 4098 ? step : step == 4098 ? 65536 : UINT32_MAX;")
            self.put(f"for (int tail = 0; tail < {1 if is_output else 'TAILS'}; ++tail) {{")
            self.put("char text[100];")
            self.put(f'snprintf(text, sizeof text, "{parameter}.struct_size %u, %s", size, '
                     "tail_names[tail]);")
            self.put(f'if (!begin("{self.name}", text)) continue;')
            self.prepare()
            status = OK
            if is_output:
                self.put(f"a.{parameter} = output_struct({area}, size);")
            else:
                if self.told.cheap:
                    change, status = self.told.cheap
                    self.put("if (size != sizes[0] && size != 4096 && size != 127) {")
                    self.put(change + "; }")
                self.put(f"a.{parameter} = input_struct({area}, &{parameter}, sizeof {parameter}, "
                         "size, (enum tail)tail);")
            self.put("ready();")
            self.put(f"int32_t status = {self.call()};")
            accepted = f"S({', '.join(dict.fromkeys(OK + status))})"
            self.put(f"check(status, struct_status(size, sizes, (enum tail)tail, {accepted}));")
            if is_output:
                self.put(f"check_struct({area}, size, sizeof(struct {struct}), status);")
            self.put("} } }")

    def fields(self):
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            _, told = STRUCTS[struct]
            compare(f"in {struct}, the field", ["struct_size", *told], self.header.structs[struct])
            for field, cases in told.items():
                for case in self.flags(struct) if cases == "flags" else cases:
                    if case[0] == "paths":
                        self.paths(f"{parameter}.{case[1]} ", f"{parameter}.{case[1]}", case[2])
                        continue
                    name, change, status = case
                    self.case(f"{parameter}.{name}", change.replace("@", parameter), status)

    def flags(self, struct):
        values = dict(self.header.enums["vkd_flags"])
        known = [int(values[name]) for name in KNOWN_FLAGS[struct]]
        for bit in range(32):
            if 1 << bit not in known:
                yield (f"flag {bit}", f"@.flags |= 1u << {bit}", FLAGS)
        yield ("all flags", "@.flags = UINT32_MAX", FLAGS)

    def paths(self, label, place, roles):
        for role in roles:
            over = role == "OVER"
            name = label + ("overwrite " if over else "")
            status = self.status_of(name + "x", [])
            if status is None:
                continue
            self.put("for (size_t i = 0; i < num_paths; ++i) {")
            self.put("char text[200]; struct path *path = &paths[i];")
            self.put(f'snprintf(text, sizeof text, "{name}%s", path->name);')
            self.put(f'if (!begins_path(path, {role}) || !begin("{self.name}", text)) {{ '
                     "ends_path(path); continue; }")
            self.prepare()
            self.put(f"{place} = path->path;")
            if over:
                self.put(f"{place.split('.')[0]}.flags |= VKD_OVERWRITE;")
            allowed = f"S({', '.join(status)})" if status else \
                f"path->allowed[{role}] ? path->allowed[{role}] : usual"
            self.put("ready();")
            self.put(f"check({self.call()}, {allowed}); ends_path(path); }}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        header = Header(file.read())
    compare("the function", FUNCTIONS, header.functions)
    taken = {s for s in header.structs if any(
        re.search(rf"struct {s} \*", kind) for _, parameters in header.functions.values()
        for kind, _ in parameters)}
    compare("the struct", [*STRUCTS, *OUTPUTS], header.structs)
    if taken != set(header.structs):
        fail(f"no function takes {sorted(set(header.structs) - taken)}")
    print("/* Written by tests/c/hostile.py. */\n#define _GNU_SOURCE\n#include \"hostile.h\"")
    print("static void *off(const void *from) { return (char *)from + 1; }")
    print("static const char *long_text(void) { static char text[1000001]; "
          "memset(text, 'x', 1000000); return text; }")
    numbers = ", ".join(name for name, _ in header.enums["vkd_status"])
    print("static int is_status(int32_t status) {")
    print(f"static const int32_t all[] = {{{numbers}}};")
    print("for (size_t i = 0; i < sizeof all / sizeof *all; ++i) if (all[i] == status) return 1;")
    print("return 0; }")
    patterns = "".join(f'"{pattern}", ' for pattern in OPEN)
    print("static int is_open(const char *name) {")
    print(f"static const char *const all[] = {{{patterns}NULL}};")
    print("for (size_t i = 0; all[i]; ++i) if (fnmatch(all[i], name, 0) == 0) return 1;")
    print("return 0; }")
    for name in header.functions:
        print(Writer(header, name).write())
    print("static const struct { const char *name; void (*test)(void); } tests[] = {")
    for name in header.functions:
        print(f'{{"{name}", test_{name}}},')
    print('{"threads", test_threads}};')
    print(MAIN)


MAIN = r"""
int main(int argc, char **argv) {
    size_t count = sizeof tests / sizeof *tests;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; ++i) puts(tests[i].name);
        return 0;
    }
    if (argc != 3) return 2;
    folder = argv[1];
    if (chdir(folder)) return 2;
    __sanitizer_set_death_callback(died);
    signal(SIGALRM, hangs);
    snprintf(at_work, sizeof at_work, "fixtures");
    make_areas();
    make_fixtures();
    make_paths();
    for (size_t i = 0; i < count; ++i) if (strcmp(tests[i].name, argv[2]) == 0) tests[i].test();
    free_fixtures();
    for (size_t i = 0; i < num_paths; ++i) free((char *)paths[i].path);
    printf("%s: %d cases, %d failures, %d left out\n", argv[2], cases, failures, skipped);
    return failures != 0;
}
"""

main()
