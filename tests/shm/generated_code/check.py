#!/usr/bin/env python3
"""Takes the generated code of ring and board apart: one plain load per shared word.

    check.py --objdump PROGRAM --shipped OBJECT… --planted OBJECT

Every path of every function is executed symbolically, loops of known length to their end, others a few turns: a path is
cut at its eighth undecided jump and judged up to there; how many paths a function has and how many were cut is printed.
What a function is given is private (its object, its copy); what it reaches through a pointer out of that object is shared.
Reported are: a shared word that is loaded twice on one path (what was checked must be what is used), an access that is
not a plain 8-byte mov, a lock prefix, an exchange, a fence, a call (what it reads cannot be seen), a slot whose stamp
is not loaded before its payload or not stored behind it, and a function that does not touch as many words as its record
has. The functions of the planted object each make one of these mistakes and must be reported, or this check is blind.
"""

import argparse
import re
import subprocess
import sys

MASK = (1 << 64) - 1
MAX_FORKS = 7
MAX_STEPS = 20_000
ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")

# Function -> what it must show: words of its slot or row, stamp included; `again`: offsets that are looked at again by
# design (a board's version); `row`: the first argument itself points to shared memory; `ends_in`: the function that it may
# jump to at its end, which touches no shared word.
KILL_WORDS = "_ZNK6sluice3shm12OperatorTrip4View"  # shm/operator_trip.cpp: OperatorTrip::View::
HOSTILE = "_ZNK6sluice3shm6Region7hostileEv"       # Region::hostile(): a flag of this process
SHIPPED = {
    "read_peek_line": {"loads": 8},
    "read_peek_intent": {"loads": 24},
    "read_checked_intent": {"loads": 24},
    "read_drain_line": {"loads": 8},
    "read_tool": {"loads": 24},
    "read_board": {"loads": 1, "beside": 31, "again": {0}, "row": True},
    "read_checked_header": {"loads": 34, "row": True},
    f"{KILL_WORDS}4wordEj": {"loads": 1},
    f"{KILL_WORDS}3anyEj": {"loads": 1, "ends_in": HOSTILE},
    "write_push_line": {"stores": 8},
    "write_push_intent": {"stores": 24},
    "write_stage_line": {"stores": 7},
    "write_publish_line": {"stores": 1},
    "write_release_line": {"stores": 1},
    "write_board": {"stores": 1, "beside": 31, "row": True},
}
PLANTED = {
    "planted_check_then_copy": "loaded twice",
    "planted_second_load": "loaded twice",
    "planted_memcpy": "not a plain 8-byte mov",
    "planted_block_move": "touched by 'rep movs'",
    "planted_copy_by_call": "calls memcpy",
    "planted_half_word": "not a plain 8-byte mov",
    "planted_stamp_last_read": "loaded before its stamp",
    "planted_stamp_first_written": "stored behind its stamp",
    "planted_locked_store": "lock",
    "planted_exchange_store": "xchg",
    "planted_fence": "mfence",
}

REGISTERS = {}  # name -> (64-bit name, bytes)
for wide, names in {"rax": "eax ax al", "rbx": "ebx bx bl", "rcx": "ecx cx cl", "rdx": "edx dx dl", "rsi": "esi si sil",
                    "rdi": "edi di dil", "rbp": "ebp bp bpl", "rsp": "esp sp spl"}.items():
    for name, size in zip([wide, *names.split()], (8, 4, 2, 1)):
        REGISTERS[name] = (wide, size)
for number in range(8, 16):
    for suffix, size in (("", 8), ("d", 4), ("w", 2), ("b", 1)):
        REGISTERS[f"r{number}{suffix}"] = (f"r{number}", size)

SIZES = {"BYTE": 1, "WORD": 2, "DWORD": 4, "QWORD": 8, "XMMWORD": 16, "YMMWORD": 32, "ZMMWORD": 64}
MOVES = {"mov", "movabs", "movdqa", "movdqu", "movaps", "movups", "movq", "movd", "movzx", "movsx", "movsxd"}
SILENT = {"nop", "endbr64", "data16", "cs"}


# --- values: sums of atoms with factors, and a constant, modulo 2^64 ---------------------------------------------------

def constant(number):
    return ((), number & MASK)


def atom(*what):
    return (((what, 1),), 0)


def add(a, b, factor=1):
    terms = dict(a[0])
    for what, times in b[0]:
        terms[what] = (terms.get(what, 0) + times * factor) & MASK
    return (tuple(sorted(((w, t) for w, t in terms.items() if t), key=repr)), (a[1] + b[1] * factor) & MASK)


def scale(a, factor):
    return add(constant(0), a, factor & MASK)


def number_of(a):
    return a[1] if not a[0] else None


def operation(name, *values):
    """A canonical atom: the same operation on the same values is the same value."""
    ordered = sorted(values, key=repr) if name in ("and", "or", "xor", "imul") else values
    return atom(name, *ordered)


class Finding(Exception):
    pass


class Instruction:
    def __init__(self, address, mnemonic, operands):
        self.address, self.mnemonic, self.operands, self.target = address, mnemonic, operands, None


def disassemble(objdump, path):
    """Function name -> its instructions in order."""
    text = subprocess.run([objdump, "-dr", "--no-show-raw-insn", "-M", "intel", path], check=True, capture_output=True,
                          text=True).stdout
    functions, current = {}, None
    for line in text.splitlines():
        head = re.match(r"[0-9a-f]+ <([^>]+)>:$", line)
        if head:
            current = functions.setdefault(head.group(1), [])
            continue
        relocation = re.match(r"\s+[0-9a-f]+: R_X86_64_\w+\s+([^\s]+)", line)
        if relocation and current:
            current[-1].target = re.sub(r"[-+]0x[0-9a-f]+$", "", relocation.group(1))
            continue
        body = re.match(r"\s*([0-9a-f]+):\t(.*)$", line)
        if body and current is not None:
            code = body.group(2).split("#")[0].strip()
            mnemonic, _, rest = code.partition(" ")
            operands = [o.strip() for o in rest.strip().split(",")] if rest.strip() else []
            current.append(Instruction(int(body.group(1), 16), mnemonic, operands))
    return functions


# --- one path ----------------------------------------------------------------------------------------------------------

class Path:
    def __init__(self, shared_arguments):
        self.registers = {name: atom("argument", name) for name in ARGUMENTS}
        self.registers["rsp"] = atom("argument", "rsp")
        self.memory = {}     # private words by their address
        self.flags = None    # (a, b): as after cmp a, b
        self.events = []     # ("load"|"store", base, offset), ("oddly", how, 0)
        self.fresh = 0
        self.forks = 0
        self.at = 0
        self.shared_arguments = shared_arguments

    def copy(self):
        other = Path.__new__(Path)
        other.__dict__.update(self.__dict__)
        other.registers, other.memory = dict(self.registers), dict(self.memory)
        other.events = list(self.events)
        return other

    def unknown(self):
        self.fresh += 1
        return atom("unknown", self.fresh)

    def is_shared(self, address):
        """Reached through a pointer out of private memory, or through an argument that is a row."""
        atoms = [what for what, _ in address[0]]
        if any(what[0] == "argument" and what[1] not in self.shared_arguments for what in atoms):
            return False
        return any(what[0] in ("private", "argument") for what in atoms)

    def address_of(self, operand):
        total = constant(0)
        for sign, part in re.findall(r"([+-]?)([^+-]+)", operand[operand.index("[") + 1:operand.index("]")]):
            register, _, factor = part.partition("*")
            if register in REGISTERS:
                value = scale(self.read_register(register), int(factor or "1", 0))
            else:
                value = constant(int(part, 0))
            total = add(total, value, -1 & MASK if sign == "-" else 1)
        return total

    def access(self, kind, operand, size, mnemonic):
        """Notes an access to shared memory; returns its address if it is one, else None."""
        address = self.address_of(operand)
        if not self.is_shared(address):
            return None
        if mnemonic != "mov" or size != 8:
            self.events.append(("oddly", f"'{mnemonic}' of {size} bytes", 0))
        offset = address[1] - (1 << 64) if address[1] >> 63 else address[1]
        for word in range(offset & ~7, offset + size, 8):
            self.events.append((kind, address[0], word))
        return address

    def read_register(self, name):
        wide, size = REGISTERS[name]
        value = self.registers.setdefault(wide, atom("argument", wide))
        if size == 8:
            return value
        known = number_of(value)
        return constant(known & ((1 << 8 * size) - 1)) if known is not None else operation(f"low{size}", value)

    def write_register(self, name, value):
        wide, size = REGISTERS[name]
        known = number_of(value)
        if size == 8:
            self.registers[wide] = value
        elif size == 4:  # the upper half becomes zero
            self.registers[wide] = constant(known & 0xffffffff) if known is not None else operation("low4", value)
        else:
            self.registers[wide] = self.unknown()

    def read(self, operand, mnemonic):
        if operand in REGISTERS:
            return self.read_register(operand)
        if "[" in operand:
            size = size_of(operand)
            if self.access("load", operand, size, mnemonic) is not None:
                return self.unknown()
            key = (self.address_of(operand), size)
            if key not in self.memory:
                # A word nobody stored: what its owner put there, the same at every look.
                self.memory[key] = atom("private", *key) if size == 8 else self.unknown()
            return self.memory[key]
        try:
            return constant(int(operand, 0))
        except ValueError:
            return self.registers.get(operand, self.unknown())  # a vector register

    def write(self, operand, value, mnemonic):
        if operand in REGISTERS:
            self.write_register(operand, value)
        elif "[" in operand:
            size = size_of(operand)
            if self.access("store", operand, size, mnemonic) is not None:
                return
            address = self.address_of(operand)
            for other in list(self.memory):  # whatever overlaps is no longer what it was
                apart = add(other[0], address, -1 & MASK)
                if not apart[0] and (apart[1] < size or (-apart[1] & MASK) < other[1]):
                    del self.memory[other]
            self.memory[(address, size)] = value
            if size == 16:
                self.memory[(address, 8)] = self.unknown()
                self.memory[(add(address, constant(8)), 8)] = self.unknown()
        else:
            self.registers[operand] = value


def size_of(operand):
    match = re.match(r"(\w+) PTR", operand)
    return SIZES[match.group(1)] if match else 8


def decided(condition, flags):
    """True or False when the flags tell, None when both ways are possible."""
    if flags is None:
        return None
    a, b = flags
    difference = number_of(add(a, b, -1 & MASK))
    if difference is None:
        return None
    if condition in ("e", "z"):
        return difference == 0
    if condition in ("ne", "nz"):
        return difference != 0
    x, y = number_of(a), number_of(b)
    if x is None or y is None:
        return None
    signed = [v - (1 << 64) if v >> 63 else v for v in (x, y)]
    return {"b": x < y, "c": x < y, "ae": x >= y, "nc": x >= y, "be": x <= y, "a": x > y, "l": signed[0] < signed[1],
            "ge": signed[0] >= signed[1], "le": signed[0] <= signed[1], "g": signed[0] > signed[1],
            "s": (x - y) >> 63 & 1 == 1, "ns": (x - y) >> 63 & 1 == 0}.get(condition)


def arithmetic(path, name, operands):
    target = operands[0]
    a = path.read(target, name)
    b = path.read(operands[1], name) if len(operands) > 1 else None
    if name == "imul":
        a, b = (path.read(operands[1], name), path.read(operands[2], name)) if len(operands) == 3 else (a, b)
    if name == "add":
        result = add(a, b)
    elif name == "sub":
        path.flags = (a, b)
        path.write(target, add(a, b, -1 & MASK), name)
        return
    elif name in ("inc", "dec"):
        result = add(a, constant(1 if name == "inc" else -1))
    elif name == "neg":
        result = scale(a, -1)
    elif name == "xor" and operands[0] == operands[1]:
        result = constant(0)
    elif name in ("shl", "sal") and b is not None and number_of(b) is not None:
        result = scale(a, 1 << number_of(b))
    elif name == "imul" and None not in (number_of(a), number_of(b)):
        result = constant(number_of(a) * number_of(b))
    elif name == "imul" and number_of(b) is not None:
        result = scale(a, number_of(b))
    elif name == "and" and None not in (number_of(a), number_of(b)):
        result = constant(number_of(a) & number_of(b))
    else:
        result = operation(name, *([a] if b is None else [a, b]))
    path.flags = (result, constant(0))
    path.write(target, result, name)


def move_block(path, operands):
    """rep movs, as compilers copy private objects: of shared words it is an odd access, word by word."""
    count = number_of(path.read_register("rcx"))
    if not operands[0].startswith("movs QWORD") or count is None or count > MAX_STEPS:
        raise Finding("'rep': a plain move is enough")
    for _ in range(count):
        path.write("QWORD PTR [rdi]", path.read("QWORD PTR [rsi]", "rep movs"), "rep movs")
        for register in ("rdi", "rsi"):
            path.write_register(register, add(path.read_register(register), constant(8)))
    path.write_register("rcx", constant(0))


def step(path, instruction):
    """Executes one instruction other than a jump."""
    name, operands = instruction.mnemonic, instruction.operands
    if name in ("lock", "xchg") and not (name == "xchg" and operands[0] == operands[1]):
        raise Finding(f"'{name}': a plain move is enough")
    if name == "rep":
        move_block(path, operands)
        return
    if name.startswith(("mfence", "lfence", "sfence", "cmpxchg", "xadd", "rep")):
        raise Finding(f"'{name}': a plain move is enough")
    if name in SILENT or name.startswith("prefetch") or name == "xchg":
        return
    if name == "call":
        raise Finding(f"calls {instruction.target or operands[0]}: what it reads cannot be seen")
    if name == "push":
        path.registers["rsp"] = add(path.registers["rsp"], constant(-8))
        path.memory[(path.registers["rsp"], 8)] = path.read(operands[0], "mov")
    elif name in ("pop", "leave"):
        if name == "leave":
            path.registers["rsp"] = path.registers["rbp"]
        path.write("rbp" if name == "leave" else operands[0], path.memory.get((path.registers["rsp"], 8),
                                                                              path.unknown()), "mov")
        path.registers["rsp"] = add(path.registers["rsp"], constant(8))
    elif name == "lea":
        path.write(operands[0], path.address_of(operands[1]), name)
    elif name in MOVES:
        path.write(operands[0], path.read(operands[1], name), name)
    elif name in ("cmp", "test"):
        a, b = path.read(operands[0], name), path.read(operands[1], name)
        path.flags = (a, b) if name == "cmp" else (a if operands[0] == operands[1] else operation("and", a, b),
                                                   constant(0))
    elif name in ("add", "sub", "and", "or", "xor", "shl", "sal", "shr", "sar", "imul", "neg", "not", "inc", "dec"):
        arithmetic(path, name, operands)
    else:  # set…, cmov…, vector arithmetic: reads its sources, changes its target to something
        for operand in operands[1:]:
            path.read(operand, name)
        if operands:
            if "[" in operands[0]:
                path.read(operands[0], name)
            path.write(operands[0], path.unknown(), name)
        if not name.startswith(("set", "cmov")):
            path.flags = None


def paths_of(instructions, shared_arguments, ends_in):
    """Yields of every path its events and whether it was cut, after MAX_FORKS undecided jumps."""
    index = {instruction.address: i for i, instruction in enumerate(instructions)}
    waiting = [Path(shared_arguments)]
    while waiting:
        path = waiting.pop()
        for _ in range(MAX_STEPS):
            instruction = instructions[path.at]
            name = instruction.mnemonic
            if name == "ret" or (name == "jmp" and instruction.target is not None and instruction.target == ends_in):
                yield path.events, False
                break
            path.at += 1
            if not name.startswith("j"):
                step(path, instruction)
                continue
            if instruction.target is not None or int(instruction.operands[0].split()[0], 16) not in index:
                raise Finding(f"calls {instruction.target or instruction.operands[0]}: what it reads cannot be seen")
            target = index[int(instruction.operands[0].split()[0], 16)]
            taken = True if name == "jmp" else decided(name[1:], path.flags)
            if taken is None:
                path.forks += 1
                if path.forks > MAX_FORKS:
                    yield path.events, True
                    break
                other = path.copy()
                other.at = target
                waiting.append(other)
            elif taken:
                path.at = target
        else:
            raise Finding(f"no end after {MAX_STEPS} instructions")


# --- what must hold on every path ----------------------------------------------------------------------------------------

def slots_of(events, kind):
    """Base -> offsets in order."""
    slots = {}
    for what, base, offset in events:
        if what == kind:
            slots.setdefault(base, []).append(offset)
    return slots


def findings_on(events, again):
    for offsets in slots_of(events, "load").values():
        twice = {o for o in offsets if offsets.count(o) > 1} - again
        if twice:
            yield f"the shared word at offset {min(twice)} is loaded twice on one path"
        if 0 in offsets and len(set(offsets)) > 1 and offsets[0] != 0:
            yield f"the word at offset {offsets[0]} is loaded before its stamp"
    for base, offsets in slots_of(events, "store").items():
        if is_slot(base) and 0 in offsets and offsets[-1] != 0:
            yield f"the word at offset {offsets[-1]} is stored behind its stamp"
    for how in (how for what, how, _ in events if what == "oddly"):
        yield f"a shared word is touched by {how}: not a plain 8-byte mov"


def is_slot(base):
    """A computed place in an array, not a struct of words behind one pointer."""
    return len(base) > 1


def findings_in(instructions, wants):
    """All that is wrong with a function, each once; how many paths it has; how many of them were cut."""
    found = {}
    paths = cut_paths = 0
    row = wants.get("row", False)
    most = {"loads": 0, "stores": 0, "beside": 0}  # beside: words of the copy that a row's version selects
    try:
        for events, cut in paths_of(instructions, {"rdi"} if row else set(), wants.get("ends_in")):
            paths += 1
            cut_paths += cut
            found.update(dict.fromkeys(findings_on(events, wants.get("again", set()))))
            for kind in ("load", "store"):
                for base, offsets in slots_of(events, kind).items():
                    counted = "beside" if row and is_slot(base) else kind + "s"
                    most[counted] = max(most[counted], len(set(offsets)))
            stores = [base for what, base, _ in events if what == "store"]
            if row and stores and is_slot(stores[-1]):
                found["the version is not stored last"] = None
    except Finding as finding:
        found[str(finding)] = None
    for counted in most.keys() & wants.keys():
        if most[counted] != wants[counted]:
            found[f"{most[counted]} {counted} seen, {wants[counted]} expected: another function than was meant, or this "
                  "check does not see what it should"] = None
    return list(found), paths, cut_paths


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objdump", required=True)
    parser.add_argument("--shipped", required=True, nargs="+")
    parser.add_argument("--planted", required=True)
    arguments = parser.parse_args()
    failures = 0

    shipped = {}
    for path in arguments.shipped:
        shipped.update(disassemble(arguments.objdump, path))
    for name, wants in SHIPPED.items():
        found, paths, cut = findings_in(shipped[name], wants) if name in shipped else (["is not in the object"], 0, 0)
        print(f"{'FAILED' if found else 'ok':<7} {name}, {paths} paths, {cut} of them cut{': ' if found else ''}"
              + "; ".join(found))
        failures += bool(found)

    planted = disassemble(arguments.objdump, arguments.planted)
    for name, expected in PLANTED.items():
        found, _, _ = findings_in(planted[name], {}) if name in planted else (["is not in the object"], 0, 0)
        seen = any(expected in text for text in found)
        print(f"{'ok' if seen else 'FAILED':<7} {name}: {'reported' if seen else 'NOT reported'}: {'; '.join(found)}")
        failures += not seen
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
