"""The run as a table of operations and classes of variants, for people and for docs/conformance.md."""

from harness.server import ROOT

from .cases import BAD, GOOD

PAGE = ROOT / "docs" / "conformance.md"

_INTRODUCTION = """# Conformance to AWS's models

Written by `python -m model_run --accept` in `conformance/`; CI fails where this page no longer says what the run finds.

For every member of every served operation, at every depth, the run derives good and bad variants from `models/`, sends
them signed, and checks status, envelope, code and wording. {total} variants; {failed} answered otherwise than the
models demand, {broken} of them with a 5xx or not at all. A cell counts variants; `3 (1)`: one of three wrong.

CloudWatch's operations are sent over each of its protocols (CBOR, JSON, queries), as far as the protocol can say a
variant: in a query nothing is null, and every text is a string. DescribeInstances, ExplainScaling and what is about
safe updates are [Tidegate's own](../models/own/tidegate.json).

Good variants pass the model's constraints; the server may still refuse them for another reason (`Could not find …`).
*Read back*: records that were accepted are described with every value as sent.
"""

_NOTES = """
Where the model says nothing, the run takes the side of what is known of AWS's framework (errors of JSON types, recorded
of another service of the same protocol), or admits either way (null in a list, numbers beyond 32 bits). A fraction for
an integer is to be refused here, while AWS's framework has been seen to cut it off.
"""


def render(outcome):
    total = sum(outcome.sent.values())
    failed, broken = len(outcome.failures), sum(failure.is_broken for failure in outcome.failures)
    parts = [_INTRODUCTION.format(total=f"{total:,}", failed=f"{failed:,}", broken=f"{broken:,}")]
    parts.append(_section("Variants to be let through", GOOD, outcome))
    parts.append(_section("Variants to be refused", BAD, outcome))
    return "\n".join(parts) + _NOTES


def _section(title, kinds, outcome):
    failed = {}
    for failure in outcome.failures:
        key = failure.case.row, failure.case.kind
        failed[key] = failed.get(key, 0) + 1

    def cell(row, kind):
        sent, wrong = outcome.sent[row, kind], failed.get((row, kind), 0)
        return f"{sent} ({wrong})" if wrong else str(sent or "")

    rows = [row for row in sorted(outcome.rows()) if any(outcome.sent[row, kind] for kind in kinds)]
    lines = [["operation", *kinds], ["---", *("--:" for _ in kinds)]]
    lines += [[row, *(cell(row, kind) for kind in kinds)] for row in rows]
    sums = [sum(outcome.sent[row, kind] for row in rows) for kind in kinds]
    lines.append(["**all**", *(f"**{one}**" for one in sums)])
    return f"## {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
