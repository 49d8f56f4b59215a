"""The run as a test: every variant answered as the models demand, and docs/conformance.md saying so."""

import os

import pytest

from . import cases, members, models, table
from .run import run

# Failures of one operation that are printed; one cause often fails hundreds.
SHOWN_MAX = 25


@pytest.fixture(scope="module")
def outcome(server):
    return run(server)


def _rows():
    for model in models.every().values():
        yield from (model.row(operation.name) for operation in model.operations)
        yield f"{model.service_id}: not served"


@pytest.mark.parametrize("row", sorted(set(_rows())))
def test_every_variant_is_answered_as_the_model_demands(outcome, row):
    assert row in outcome.rows(), "no variant was sent"
    failures = [str(one) for one in outcome.failures if one.case.row == row]
    shown = "\n".join(failures[:SHOWN_MAX])
    assert not failures, f"{len(failures)} variants answered otherwise, of them:\n{shown}"


def test_the_server_lives_and_has_not_panicked(outcome, server):
    assert server.is_running()
    assert "panicked at" not in server.log()


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        (service, operation)
        for service in ("sagemaker", "application-autoscaling", "cloudwatch json", "cloudwatch smithy-rpc-v2-cbor")
        for operation in models.every()[service].operations
    ],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_every_member_has_good_and_bad_variants(service, operation):
    made = members.cases(models.every()[service], operation)
    tried = {(case.kind in cases.GOOD, case.about.split(" ")[0]) for case in made}
    paths = [".".join(site.path) for site in members.sites(operation.input)]
    left_out = [path for path in paths if not {(True, path), (False, path)} <= tried]
    assert paths or not operation.input.members
    assert not left_out


def test_the_page_says_what_was_found(outcome):
    page = table.render(outcome)
    if os.environ.get("TIDEGATE_ACCEPT") == "1":
        table.PAGE.write_text(page)
    current = table.PAGE.read_text() if table.PAGE.exists() else ""
    assert page == current, "docs/conformance.md is stale: TIDEGATE_ACCEPT=1, or `python -m model_run --accept`"
