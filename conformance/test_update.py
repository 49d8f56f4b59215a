"""UpdateEndpoint and UpdateEndpointWeightsAndCapacities: what is shown while they run, what is kept, what is lost."""

import pytest

from harness import names, processes
from harness.deployments import blue_green
from harness.hosting import error_of, variant
from harness.load import Load

SLOW_START = {"TIDEGATE_ECHO_STARTUP_MS": 1200}


def resize(hosting, name, *changes):
    return hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=list(changes)
    )


def test_an_update_shows_the_old_fleet_and_the_pending_one(hosting):
    old = hosting.config(variant(hosting.model(), count=1, weight=0.5))
    with hosting.removed_after(hosting.endpoint(old)) as name:
        new = hosting.config(
            variant(hosting.model(**SLOW_START), count=2, weight=0.25, InstanceType="ml.c5.xlarge"),
        )
        before = hosting.describe(name)
        hosting.update(name, new)
        seen = hosting.describe(name)
        assert seen["EndpointStatus"] == "Updating"
        assert seen["EndpointConfigName"] == old
        assert seen["LastModifiedTime"] > before["LastModifiedTime"]
        (live,) = seen["ProductionVariants"]
        assert (live["CurrentInstanceCount"], live["DesiredInstanceCount"], live["CurrentWeight"]) == (1, 1, 0.5)
        pending = seen["PendingDeploymentSummary"]
        assert pending["EndpointConfigName"] == new
        assert pending["StartTime"] >= before["LastModifiedTime"]
        (coming,) = pending["ProductionVariants"]
        assert (coming["VariantName"], coming["InstanceType"]) == ("main", "ml.c5.xlarge")
        assert (coming["CurrentInstanceCount"], coming["DesiredInstanceCount"]) == (0, 2)
        assert (coming["CurrentWeight"], coming["DesiredWeight"]) == (0, 0.25)
        assert {one["Status"] for one in coming["VariantStatus"]} == {"Creating"}

        refused = f'Cannot update in-progress endpoint "{names.arn("endpoint", name)}".'
        for change in (
            lambda: hosting.update(name, old),
            lambda: resize(hosting, name, {"VariantName": "main", "DesiredInstanceCount": 3}),
            lambda: hosting.sagemaker.delete_endpoint(EndpointName=name),
        ):
            assert error_of(change) == ("ValidationException", refused, 400)

        done = hosting.in_service(name)
        assert done["EndpointConfigName"] == new
        assert "PendingDeploymentSummary" not in done
        (live,) = done["ProductionVariants"]
        assert (live["CurrentInstanceCount"], live["DesiredInstanceCount"]) == (2, 2)
        assert (live["CurrentWeight"], live["DesiredWeight"]) == (0.25, 0.25)


def test_no_request_fails_while_an_endpoint_is_updated_and_resized(hosting):
    """Promise T3."""
    with hosting.removed_after(hosting.echo_endpoint(count=2)) as name, Load(hosting, name) as load:
        for count in (1, 3):
            hosting.update(name, hosting.config(variant(hosting.model(), count=count)))
            hosting.in_service(name)
            resize(hosting, name, {"VariantName": "main", "DesiredInstanceCount": 2})
            hosting.in_service(name)
    assert load.failures == []
    assert load.count > 50


@pytest.mark.parametrize(
    ("members", "count", "weight"),
    [
        ({}, 1, 0.75),
        ({"RetainAllVariantProperties": False}, 1, 0.75),
        ({"RetainAllVariantProperties": True}, 2, 0.3),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            2,
            0.75,
        ),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            1,
            0.3,
        ),
    ],
)
def test_properties_are_retained_as_asked(hosting, members, count, weight):
    """Promise S6."""
    model = hosting.model()
    name = hosting.endpoint(hosting.config(variant(model, count=1, weight=1)))
    with hosting.removed_after(name):
        resize(hosting, name, {"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 0.3})
        hosting.in_service(name)
        new = hosting.config(variant(model, count=1, weight=0.75), variant(model, name="extra", count=1, weight=0.5))
        hosting.update(name, new, **members)
        hosting.in_service(name)
        main, extra = hosting.variant_of(name, "main"), hosting.variant_of(name, "extra")
        assert (main["CurrentInstanceCount"], main["CurrentWeight"]) == (count, weight)
        assert (extra["CurrentInstanceCount"], extra["CurrentWeight"]) == (1, 0.5)


def test_counts_and_weights_are_changed_while_it_runs(hosting):
    """Promise S8: what is wanted changes at once, what is there follows."""
    model = hosting.model(**SLOW_START)
    config = hosting.config(variant(model, name="a", weight=1), variant(model, name="b", weight=1))
    with hosting.removed_after(hosting.endpoint(config)) as name:
        answer = resize(
            hosting,
            name,
            {"VariantName": "a", "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 0.1},
        )
        assert answer["EndpointArn"] == names.arn("endpoint", name)
        seen = hosting.describe(name)
        assert seen["EndpointStatus"] == "Updating"
        assert "PendingDeploymentSummary" not in seen
        a = hosting.variant_of(name, "a")
        assert (a["CurrentInstanceCount"], a["DesiredInstanceCount"]) == (1, 2)
        assert hosting.in_service(name)["EndpointConfigName"] == config
        a, b = hosting.variant_of(name, "a"), hosting.variant_of(name, "b")
        assert (a["CurrentInstanceCount"], a["CurrentWeight"]) == (2, 1)
        assert (b["CurrentInstanceCount"], b["CurrentWeight"], b["DesiredWeight"]) == (1, 0.1, 0.1)
        # The config is what it was: it never changes once made.
        stored = hosting.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        assert [one["InitialInstanceCount"] for one in stored] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            [{"VariantName": "ghost", "DesiredWeight": 1}],
            'The variant name(s) "ghost" is/are not present within endpoint configuration "{config}".',
        ),
        (
            [{"VariantName": "main", "DesiredWeight": 1}, {"VariantName": "main", "DesiredWeight": 2}],
            'The variant name "main" was non-unique within the request.',
        ),
        ([{"VariantName": "main", "DesiredInstanceCount": 0}], None),
    ],
)
def test_a_change_of_what_is_not_there_is_refused(hosting, echo, changes, text):
    before = hosting.describe(echo)
    code, said, status = error_of(resize, hosting, echo, *changes)
    assert (code, status) == ("ValidationException", 400)
    assert text is None or said == text.format(config=before["EndpointConfigName"])
    after = hosting.describe(echo)
    assert after["EndpointStatus"] == "InService"
    assert after["ProductionVariants"] == before["ProductionVariants"]


def test_a_failed_update_leaves_the_old_fleet_serving(hosting):
    with hosting.removed_after(hosting.echo_endpoint(count=1)) as name:
        old = hosting.describe(name)["EndpointConfigName"]
        broken = hosting.config(hosting.model(image="nobody/knows:this"))
        with Load(hosting, name, threads=2) as load:
            hosting.update(name, broken)
            seen = hosting.settled(name)
        assert seen["EndpointStatus"] == "InService"
        assert seen["EndpointConfigName"] == old
        assert "[[image]]" in seen["FailureReason"]
        assert "nobody/knows:this" in seen["FailureReason"]
        assert "PendingDeploymentSummary" not in seen
        assert load.failures == []
        assert hosting.invoke(name) == b"tide"
        # The next good update clears the reason.
        hosting.update(name, hosting.config(hosting.model()))
        assert "FailureReason" not in hosting.in_service(name)


def test_an_update_may_change_the_set_of_variants(hosting):
    model = hosting.model()
    first = hosting.config(variant(model, name="old"))
    with hosting.removed_after(hosting.endpoint(first)) as name:
        hosting.update(name, hosting.config(variant(model, name="new-a"), variant(model, name="new-b")))
        seen = hosting.in_service(name)
        assert sorted(one["VariantName"] for one in seen["ProductionVariants"]) == ["new-a", "new-b"]


def test_the_deployment_config_of_an_update_is_told(hosting):
    all_at_once = blue_green("ALL_AT_ONCE", 0, 0)
    with hosting.removed_after(hosting.echo_endpoint()) as name:
        config = hosting.describe(name)["EndpointConfigName"]
        hosting.update(name, config, DeploymentConfig=all_at_once)
        assert hosting.in_service(name)["LastDeploymentConfig"] == all_at_once


def test_instances_of_the_old_fleet_are_gone_after_an_update(hosting, server):
    with hosting.removed_after(hosting.echo_endpoint(count=2)) as name:
        others = processes.of(server.data_dir)
        hosting.update(name, hosting.config(hosting.model()))
        hosting.in_service(name)
        # One instance has taken the place of two: nothing of theirs may run on once the endpoint is `InService`.
        assert len(processes.of(server.data_dir)) < len(others)
