"""Which constraints of the model a value breaks, where, and how AWS words it: this run's own reading of the model."""

import dataclasses
import itertools
import re

from . import patterns

INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Rule:
    """One constraint of a shape. `kind` names it in tables; `wordings` are the texts it may be reported with."""

    kind: str
    limit: object = None

    def wordings(self):
        most, least = "Member must have {} less than or equal to {}", "Member must have {} greater than or equal to {}"
        match self.kind:
            case "null":
                return ["Member must not be null"]
            case "too long":
                return [most.format("length", self.limit)]
            case "too short":
                return [least.format("length", self.limit)]
            case "too large":
                return _number(most, self.limit)
            case "too small":
                return _number(least, self.limit)
            case "pattern":
                # AWS prints some patterns with the caret that the published model has dropped (section 0).
                shown = dict.fromkeys(["^" + self.limit.removeprefix("^"), self.limit])
                return [f"Member must satisfy regular expression pattern: {one}" for one in shown]
        raise AssertionError(f"{self.kind} has no fixed wording")

    def words(self, text):
        """Whether AWS could have reported this rule with this text."""
        if self.kind == "enum":
            listed = re.fullmatch(r"Member must satisfy enum value set: \[(.*)\]", text)
            return bool(listed) and sorted(listed[1].split(", ")) == sorted(self.limit)
        if self.kind in ("elements", "keys", "values"):
            return self._words_of_all(text)
        return text in self.wordings()

    def _words_of_all(self, text):
        """Of a list or map of scalars AWS reports the whole, with every rule of its elements."""
        intro = {"elements": "Member", "keys": "Map keys", "values": "Map value"}[self.kind]
        listed = re.fullmatch(rf"{intro} must satisfy constraint: \[(.*)\]", text, re.S)
        if not listed:
            return False
        if any(rule.kind == "enum" for rule in self.limit):
            (enum,) = self.limit
            return enum.words(listed[1].removesuffix(", Member must not be null"))
        alternatives = itertools.product(*(rule.wordings() for rule in self.limit))
        texts = {", ".join(one) for one in alternatives}
        return listed[1].removesuffix(", Member must not be null") in texts


def _number(text, limit):
    return [text.format("value", limit), text.format("value", float(limit))]


@dataclasses.dataclass(frozen=True)
class Violation:
    """A rule that the value at a path breaks."""

    path: str
    value: object
    rule: Rule


def rules(shape):
    """The constraints of one value of this shape, in AWS's order."""
    if shape.enum:
        return [Rule("enum", tuple(shape.enum))]
    if shape.type in ("integer", "long", "float", "double"):
        found = [Rule("too large", shape.max), Rule("too small", shape.min)]
    elif shape.type in ("string", "list", "map", "blob"):
        found = [Rule("too long", shape.max), Rule("too short", shape.min), Rule("pattern", shape.pattern)]
    else:
        found = []
    return [rule for rule in found if rule.limit is not None]


def holds(rule, value):
    if value in ("Infinity", "-Infinity", "NaN") and rule.kind in ("too large", "too small"):
        # JSON has no numbers for these.
        value = float(value)
    match rule.kind:
        case "too long":
            return len(value) <= rule.limit
        case "too short":
            return len(value) >= rule.limit
        case "too large":
            return value <= rule.limit
        case "too small":
            return value >= rule.limit
        case "enum":
            return value in rule.limit
        case "pattern":
            return patterns.matches(rule.limit, value)
    raise AssertionError(rule)


def violations(shape, value, path=()):
    """Everything that is wrong with a value whose JSON types are right."""
    at = ".".join(path)
    found = [Violation(at, value, rule) for rule in rules(shape) if not holds(rule, value)]
    match shape.type:
        case "structure":
            for member in shape.members:
                below = (*path, lower_camel(member.name))
                if value.get(member.name) is not None:
                    found += violations(member.shape, value[member.name], below)
                elif member.required:
                    found.append(Violation(".".join(below), None, Rule("null")))
        case "list":
            found += _of_elements(shape.element, value, path, value, "elements")
        case "map":
            found += _of_elements(shape.key, list(value), path, value, "keys")
            found += _of_elements(shape.value, list(value.values()), path, value, "values")
    return found


def _of_elements(shape, elements, path, whole, kind):
    if not shape.is_scalar:
        return [
            one
            for position, element in enumerate(elements, 1)
            for one in violations(shape, element, (*path, str(position), "member"))
        ]
    if all(holds(rule, element) for element in elements for rule in rules(shape)):
        return []
    return [Violation(".".join(path), whole, Rule(kind, tuple(rules(shape))))]


def lower_camel(name):
    return name[:1].lower() + name[1:]
