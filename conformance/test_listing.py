"""Lists: filters, order, and pages that neither skip nor repeat."""

import datetime
import time

import pytest

from harness.hosting import ECHO, error_of

ROLE = "arn:aws:iam::000000000000:role/host"
COUNT = 25


@pytest.fixture(scope="module")
def models(sagemaker):
    """The names of 25 models in the order of their creation; some in the order of the alphabet, some not."""
    created = [f"tide-{(n * 7) % COUNT:02}" for n in range(COUNT)]
    for name in created:
        sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": ECHO}, ExecutionRoleArn=ROLE)
        # Times of creation have milliseconds, and those of two models may be the same; here they must not.
        time.sleep(0.002)
    sagemaker.create_model(ModelName="other", PrimaryContainer={"Image": ECHO}, ExecutionRoleArn=ROLE)
    return created


def listed(sagemaker, **members):
    return [model["ModelName"] for model in sagemaker.list_models(**members)["Models"]]


def walk(sagemaker, **members):
    """The names on each page."""
    pages, token = [], {}
    while True:
        page = sagemaker.list_models(**members, **token)
        pages.append([model["ModelName"] for model in page["Models"]])
        if "NextToken" not in page:
            return pages
        token = {"NextToken": page["NextToken"]}


def test_the_newest_come_first_ten_at_a_time(sagemaker, models):
    assert listed(sagemaker) == ["other", *reversed(models)][:10]


@pytest.mark.parametrize("size", [1, 4, 5, 24, 25, 100])
@pytest.mark.parametrize(
    ("order", "members"),
    [
        (lambda created: list(reversed(created)), {}),
        (lambda created: created, {"SortOrder": "Ascending"}),
        (sorted, {"SortBy": "Name", "SortOrder": "Ascending"}),
        (lambda created: sorted(created, reverse=True), {"SortBy": "Name", "SortOrder": "Descending"}),
    ],
)
def test_pages_neither_skip_nor_repeat(sagemaker, models, size, order, members):
    pages = walk(sagemaker, MaxResults=size, NameContains="tide-", **members)
    assert [name for page in pages for name in page] == order(models)
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= size


def test_a_page_stays_in_place_while_others_come_and_go(sagemaker, models):
    first = sagemaker.list_models(MaxResults=10, NameContains="tide-")
    sagemaker.create_model(ModelName="tide-new", PrimaryContainer={"Image": ECHO}, ExecutionRoleArn=ROLE)
    second = sagemaker.list_models(MaxResults=10, NameContains="tide-", NextToken=first["NextToken"])
    sagemaker.delete_model(ModelName="tide-new")
    seen = [model["ModelName"] for page in (first, second) for model in page["Models"]]
    assert seen == list(reversed(models))[:20]


def test_names_are_found_by_a_part(sagemaker, models):
    assert sorted(listed(sagemaker, NameContains="ide-1")) == [f"tide-1{n}" for n in range(10)]
    assert listed(sagemaker, NameContains="nothing") == []


def test_times_bound_a_list(sagemaker, models):
    times = {model["ModelName"]: model["CreationTime"] for model in sagemaker.list_models(MaxResults=100)["Models"]}
    middle = times[models[12]]
    instant = datetime.timedelta(milliseconds=1)
    after = listed(sagemaker, NameContains="tide-", MaxResults=100, CreationTimeAfter=middle)
    before = listed(sagemaker, NameContains="tide-", MaxResults=100, CreationTimeBefore=middle)
    assert set(after) >= {name for name in models if times[name] > middle}
    assert set(before) == {name for name in models if times[name] < middle}
    late = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    assert listed(sagemaker, CreationTimeAfter=late) == []
    assert listed(sagemaker, CreationTimeBefore=times[models[0]] - instant) == []


def test_a_summary_names_what_it_stands_for(sagemaker, models):
    (model,) = sagemaker.list_models(NameContains="tide-07")["Models"]
    assert model["ModelArn"] == sagemaker.describe_model(ModelName="tide-07")["ModelArn"]
    assert model["CreationTime"] == sagemaker.describe_model(ModelName="tide-07")["CreationTime"]


def test_endpoint_configs_are_listed_the_same_way(hosting, sagemaker):
    model = hosting.model(name="configured")
    created = [hosting.config(model, name=f"flood-{n:02}") for n in range(12)]
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains="flood", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 5}
    )
    assert [one["EndpointConfigName"] for page in pages for one in page["EndpointConfigs"]] == created


def test_endpoints_are_listed_by_status_and_time_of_change(hosting, sagemaker):
    config = hosting.config(hosting.model())
    works = hosting.endpoint(config, name="ebb-works")
    fails = hosting.begin(hosting.config(hosting.model(image="unknown.example/image:1")), name="ebb-fails")
    hosting.settled(fails)

    def ebb(**members):
        return [one["EndpointName"] for one in sagemaker.list_endpoints(NameContains="ebb", **members)["Endpoints"]]

    assert ebb(StatusEquals="InService") == [works]
    assert ebb(StatusEquals="Failed") == [fails]
    assert ebb(StatusEquals="Deleting") == []
    assert ebb(SortBy="Name", SortOrder="Ascending") == [fails, works]
    assert ebb(SortBy="Status", SortOrder="Ascending") in ([fails, works],)
    changed = hosting.describe(fails)["LastModifiedTime"]
    assert works not in ebb(LastModifiedTimeAfter=changed)
    assert fails not in ebb(LastModifiedTimeBefore=changed)
    (summary,) = sagemaker.list_endpoints(NameContains="ebb-works")["Endpoints"]
    described = hosting.describe(works)
    assert summary == {name: described[name] for name in summary}
    hosting.delete(works)
    hosting.delete(fails)


@pytest.mark.parametrize(
    "members",
    [{"MaxResults": 101}, {"SortBy": "Colour"}, {"NameContains": "no_underscores"}, {"NextToken": "made up"}],
)
def test_what_cannot_be_listed_is_refused(sagemaker, members):
    code, _, status = error_of(sagemaker.list_models, **members)
    assert (code, status) == ("ValidationException", 400)


def test_a_token_of_another_list_is_refused(hosting, sagemaker, models):
    token = sagemaker.list_models(MaxResults=1)["NextToken"]
    code, _, status = error_of(sagemaker.list_endpoints, NextToken=token)
    assert (code, status) == ("ValidationException", 400)
