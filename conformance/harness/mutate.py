"""Damages bytes by a seed: what a fuzz test sends. The same seed damages the same way."""

import copy

EDITS_MAX = 4


def _flip(chance, data, _):
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _replace(chance, data, _):
    data[chance.randrange(len(data))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])


def _cut(chance, data, _):
    del data[chance.randrange(len(data)) :]


def _remove(chance, data, _):
    start = chance.randrange(len(data))
    del data[start : start + chance.randrange(1, 64)]


def _repeat(chance, data, _):
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randrange(1, 64)]
    data[start:start] = piece * chance.choice([1, 2, 100])


def _zero(chance, data, _):
    start = chance.randrange(len(data))
    length = min(chance.randrange(1, 64), len(data) - start)
    data[start : start + length] = bytes(length)


def _insert(chance, data, tokens):
    start = chance.randrange(len(data) + 1)
    data[start:start] = chance.choice(tokens)


def _overwrite(chance, data, tokens):
    token, start = chance.choice(tokens), chance.randrange(len(data))
    data[start : start + len(token)] = token


EDITS = [_flip, _replace, _cut, _remove, _repeat, _zero, _insert, _overwrite]


def mutate(chance, data, tokens):
    """`data` after a few edits; `tokens` are pieces that mean something in its format."""
    made = bytearray(data)
    for _ in range(chance.randint(1, EDITS_MAX)):
        if made:
            chance.choice(EDITS)(chance, made, tokens)
    return bytes(made)


def _places(value):
    """Every place in a tree of lists and dicts, as the container and the key or index in it."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def mutate_tree(chance, value, leaves):
    """A tree of JSON after a few edits that keep it JSON; `leaves` are values that stand where others are wanted."""
    made = copy.deepcopy(value)
    for _ in range(chance.randint(1, EDITS_MAX)):
        places = list(_places(made))
        if not places:
            break
        container, key = chance.choice(places)
        edit = chance.choice(["leaf", "leaf", "leaf", "remove", "repeat", "wrap"])
        if edit == "remove":
            del container[key]
        elif edit == "repeat" and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif edit == "wrap":
            container[key] = chance.choice([[container[key]], {"data": container[key]}])
        else:
            container[key] = copy.deepcopy(chance.choice(leaves))
    return made
