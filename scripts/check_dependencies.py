"""Checks every dependency's licence, and that it comes from the Rust registry, by the lists in deny.toml.

Reads `cargo metadata` on standard input. One line for each finding; the exit status says whether there were any.
"""

import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGISTRY = "registry+"


def tokens(expression):
    # Old manifests write `MIT/Apache-2.0` for OR.
    spaced = re.sub(r"([()])", r" \1 ", expression.replace("/", " OR "))
    found = []
    for word in spaced.split():
        if found and found[-1].endswith("WITH"):
            found[-1] += f" {word}"
        elif word == "WITH":
            found[-1] += " WITH"
        else:
            found.append(word)
    return found


def permitted(expression, allowed):
    """Whether an SPDX expression can be met with the licences in `allowed`. AND binds more closely than OR."""
    rest = tokens(expression)

    def one():
        word = rest.pop(0)
        if word != "(":
            return word in allowed
        met = either()
        assert rest.pop(0) == ")", f"unbalanced: {expression}"
        return met

    def both():
        met = one()
        while rest and rest[0] == "AND":
            rest.pop(0)
            met = one() and met
        return met

    def either():
        met = both()
        while rest and rest[0] == "OR":
            rest.pop(0)
            met = both() or met
        return met

    met = either()
    assert not rest, f"not understood: {expression}"
    return met


def findings(metadata, deny):
    allowed = set(deny["licenses"]["allow"])
    banned = {ban["name"]: ban["reason"] for ban in deny["bans"]["deny"]}
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        licence, source = package["license"], package["source"]
        if not licence or not permitted(licence, allowed):
            yield f"{name}: its licence is {licence or 'not told'}, which deny.toml does not allow"
        if source is not None and not source.startswith(REGISTRY):
            yield f"{name}: comes from {source}, not from the registry"
        if package["name"] in banned:
            yield f"{name}: {banned[package['name']]}"


def main():
    deny = tomllib.loads((ROOT / "deny.toml").read_text())
    metadata = json.load(sys.stdin)
    found = list(findings(metadata, deny))
    for line in found:
        print(line)
    print(f"{len(metadata['packages'])} packages, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
