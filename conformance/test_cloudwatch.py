"""CloudWatch as its clients speak to it: boto3 in each of the three protocols, and the AWS CLI."""

import datetime
import json
import math
import os
import re

import botocore.model
import pytest
from clients import aws_cli

from harness import names
from harness.hosting import error_of
from harness.server import Server

PROTOCOLS = {"json": "json", "query": "query", "cbor": "smithy-rpc-v2-cbor"}
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture(scope="module", params=PROTOCOLS)
def protocol(request):
    return request.param


@pytest.fixture(scope="module")
def cloudwatch(server, protocol):
    return speaking(server, protocol)


def speaking(server, protocol):
    """A client that speaks one protocol. botocore decides when a client is made, by what it supports itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (PROTOCOLS[protocol],))
        client = server.client("cloudwatch")
    assert client.meta.service_model.resolved_protocol == PROTOCOLS[protocol]
    return client


def minute(ago=0):
    """The beginning of a minute, so many before this one."""
    return datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0) - ago * MINUTE


def alarm(name, namespace, **more):
    whole = {
        "AlarmName": name,
        "MetricName": "Load",
        "Namespace": namespace,
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.5,
        "ComparisonOperator": "GreaterThanThreshold",
        # Keeps its state while there is no data, however long a test takes.
        "TreatMissingData": "ignore",
    }
    return whole | more


def put(cloudwatch, namespace, *data):
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(data))


# -- metrics ------------------------------------------------------------------------------------------------------


def test_values_come_back_as_statistics_and_percentiles(cloudwatch):
    space, at = names.fresh("App"), minute(5)
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    datum = {"MetricName": "Load", "Dimensions": dimensions, "Timestamp": at, "Unit": "Milliseconds"}
    put(cloudwatch, space, datum | {"Values": [1.5, 2.5, 4.0], "Counts": [3, 1, 1]}, datum | {"Value": 8})
    asked = {"Namespace": space, "MetricName": "Load", "StartTime": at, "EndTime": at + 5 * MINUTE, "Period": 60}
    shown = cloudwatch.get_metric_statistics(
        **asked,
        Dimensions=dimensions[::-1],
        Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"],
        ExtendedStatistics=["p50", "p99.9"],
    )
    assert shown["Label"] == "Load"
    (point,) = shown["Datapoints"]
    assert point == {
        "Timestamp": at,
        "SampleCount": 6.0,
        "Sum": 19.0,
        "Average": pytest.approx(19 / 6),
        "Minimum": 1.5,
        "Maximum": 8.0,
        "Unit": "Milliseconds",
        "ExtendedStatistics": {"p50": 1.5, "p99.9": 8.0},
    }
    # Dimensions are exact: without them it is another metric.
    assert cloudwatch.get_metric_statistics(**asked, Statistics=["Sum"])["Datapoints"] == []


def test_a_statistic_set_counts_as_what_it_says(cloudwatch):
    space, at = names.fresh("App"), minute(3)
    values = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 5}
    put(cloudwatch, space, {"MetricName": "Set", "Timestamp": at, "StatisticValues": values})
    shown = cloudwatch.get_metric_statistics(
        Namespace=space,
        MetricName="Set",
        StartTime=at,
        EndTime=at + MINUTE,
        Period=60,
        Statistics=["Average", "Maximum"],
        ExtendedStatistics=["p90"],
    )
    (point,) = shown["Datapoints"]
    assert (point["Average"], point["Maximum"], point["Unit"]) == (2.5, 5.0, "None")
    assert "ExtendedStatistics" not in point


def test_expressions_are_computed_over_pages(cloudwatch):
    space, start = names.fresh("App"), minute(20)
    backlog = [{"MetricName": "Backlog", "Timestamp": start + n * MINUTE, "Value": 12 * n} for n in range(10)]
    workers = [{"MetricName": "Workers", "Timestamp": start + n * MINUTE, "Value": 3} for n in range(0, 10, 2)]
    put(cloudwatch, space, *backlog, *workers)

    def stat(identity, name, **more):
        measured = {"Metric": {"Namespace": space, "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"Id": identity, "MetricStat": measured} | more

    asked = {
        "StartTime": start,
        "EndTime": start + 15 * MINUTE,
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            stat("b", "Backlog"),
            stat("w", "Workers", ReturnData=False),
            {"Id": "each", "Expression": "b / w", "Label": "Backlog per worker"},
            {"Id": "filled", "Expression": "SUM([b, FILL(w, REPEAT)])"},
            stat("missing", "Missing"),
        ],
    }
    whole = cloudwatch.get_metric_data(**asked)
    results = {result["Id"]: result for result in whole["MetricDataResults"]}
    assert list(results) == ["b", "each", "filled", "missing"]
    assert results["b"]["Values"] == [12.0 * n for n in range(10)]
    assert results["b"]["Timestamps"] == [start + n * MINUTE for n in range(10)]
    assert results["each"]["Values"] == [4.0 * n for n in range(0, 10, 2)]
    assert results["each"]["Label"] == "Backlog per worker"
    assert (results["b"]["Label"], results["missing"]["Label"]) == ("Backlog", "Missing")
    assert (results["missing"]["Values"], results["missing"]["StatusCode"]) == ([], "Complete")

    joined = {}
    for page in cloudwatch.get_paginator("get_metric_data").paginate(**asked, PaginationConfig={"PageSize": 4}):
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 4
        for result in page["MetricDataResults"]:
            joined.setdefault(result["Id"], []).extend(result["Values"])
    assert joined == {name: result["Values"] for name, result in results.items()}


def test_a_thousand_datums_go_in_one_compressed_request_and_are_listed(cloudwatch):
    space = names.fresh("App")
    dimensions = [{"Name": "Group", "Value": "g"}]
    put(cloudwatch, space, *({"MetricName": f"m{n:04}", "Value": n, "Dimensions": dimensions} for n in range(1000)))
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=space))
    assert [len(page["Metrics"]) for page in pages] == [500, 500]
    shown = [one for page in pages for one in page["Metrics"]]
    assert shown[7] == {"Namespace": space, "MetricName": "m0007", "Dimensions": dimensions}
    assert [one["MetricName"] for one in shown] == [f"m{n:04}" for n in range(1000)]
    found = cloudwatch.list_metrics(MetricName="m0001", Dimensions=[{"Name": "Group"}], RecentlyActive="PT3H")
    assert space in [one["Namespace"] for one in found["Metrics"]]


DATUM = {"MetricName": "m"}
VALUE, COMBINATION, MISSING = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"
OLD, AHEAD = datetime.timedelta(days=14, seconds=60), datetime.timedelta(hours=2, seconds=60)


@pytest.mark.parametrize(
    "datum, code, text",
    [
        ({"Value": 1e308}, VALUE, "The value 1.0E308 for parameter MetricData.member.1.Value is invalid."),
        ({"Values": [float(n) for n in range(151)]}, VALUE, "Values must not have a size greater than 150"),
        ({"Value": 1, "Values": [1]}, COMBINATION, "are mutually exclusive and you have specified both."),
        ({"Values": [1, 2], "Counts": [1]}, VALUE, "must be of the same size."),
        ({}, MISSING, "must be specified."),
        ({"Value": 1, "Timestamp": -OLD}, VALUE, "must specify a time within the past two weeks."),
        ({"Value": 1, "Timestamp": AHEAD}, VALUE, "two hours in the future."),
        ({"Value": 1, "Unit": "Furlongs"}, "ValidationError", "Member must satisfy enum value set"),
        ({"Value": 1, "StorageResolution": 7}, VALUE, "The value 7 for parameter MetricData.member.1.StorageResol"),
    ],
    ids=lambda given: re.sub(r"\W+", "-", str(given))[:40],
)
def test_bad_data_is_refused_by_awss_code(cloudwatch, datum, code, text):
    if "Timestamp" in datum:
        datum = datum | {"Timestamp": datetime.datetime.now(datetime.UTC) + datum["Timestamp"]}
    found = error_of(cloudwatch.put_metric_data, Namespace="Bad", MetricData=[DATUM | datum])
    assert (found[0], found[2]) == (code, 400), found
    assert text in found[1]
    assert cloudwatch.list_metrics(Namespace="Bad")["Metrics"] == []


@pytest.mark.parametrize("value, written", [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_what_is_no_number_is_refused(cloudwatch, value, written):
    refused = error_of(cloudwatch.put_metric_data, Namespace="Bad", MetricData=[DATUM | {"Value": value}])
    assert refused == (VALUE, f"The value {written} for parameter MetricData.member.1.Value is invalid.", 400)


def test_too_much_at_once_is_refused(cloudwatch):
    code, text, _ = error_of(cloudwatch.put_metric_data, Namespace="Bad", MetricData=[DATUM | {"Value": 1}] * 1001)
    assert (code, text) == (VALUE, "The collection MetricData must not have a size greater than 1000.")
    asked = {"Namespace": "Bad", "MetricName": "m", "Statistics": ["Sum"], "EndTime": minute()}
    code, text, _ = error_of(cloudwatch.get_metric_statistics, **asked, StartTime=minute(1441), Period=60)
    assert code == COMBINATION
    assert text.startswith("You have requested up to 1441 datapoints, which exceeds the limit of 1440.")
    code, _, _ = error_of(cloudwatch.get_metric_statistics, **asked, StartTime=minute(5), Period=7)
    assert code == VALUE
    code, text, _ = error_of(cloudwatch.put_metric_data, Namespace="AWS/EC2", MetricData=[DATUM | {"Value": 1}])
    assert (code, text) == (VALUE, "The value AWS/ for parameter Namespace is invalid.")


def test_a_search_is_refused_by_name(cloudwatch):
    query = {"Id": "s", "Expression": "SEARCH('{App} MetricName=\"m\"', 'Sum', 60)"}
    code, text, status = error_of(
        cloudwatch.get_metric_data, MetricDataQueries=[query], StartTime=minute(5), EndTime=minute()
    )
    assert (code, status) == ("ValidationError", 400)
    assert "SEARCH" in text


# -- alarms -------------------------------------------------------------------------------------------------------


def test_an_alarm_lives_from_its_creation_to_its_end(cloudwatch):
    name, space = names.fresh("alarm"), names.fresh("App")
    tags = [{"Key": "team", "Value": "tide"}]
    cloudwatch.put_metric_alarm(**alarm(name, space, Tags=tags, AlarmActions=["arn:aws:sns:us-east-1:000000000000:t"]))
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=[name])
    answer = cloudwatch.describe_alarms(AlarmNames=[name])
    (shown,) = answer["MetricAlarms"]
    given = alarm(name, space)
    assert {member: shown[member] for member in given} == given
    assert (shown["StateValue"], shown["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert (shown["ActionsEnabled"], shown["OKActions"], shown["Dimensions"]) == (True, [], [])
    assert answer["CompositeAlarms"] == []
    for absent in ["DatapointsToAlarm", "StateReasonData", "Unit", "Metrics"]:
        assert absent not in shown
    arn = shown["AlarmArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags

    data = json.dumps({"by": "hand"})
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="by hand", StateReasonData=data)
    (shown,) = cloudwatch.describe_alarms(AlarmNamePrefix=name, StateValue="OK")["MetricAlarms"]
    assert (shown["StateReason"], shown["StateReasonData"]) == ("by hand", data)
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    (shown,) = cloudwatch.describe_alarms_for_metric(MetricName="Load", Namespace=space)["MetricAlarms"]
    assert (shown["AlarmName"], shown["ActionsEnabled"]) == (name, False)
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "more", "Value": ""}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": ""}]

    cloudwatch.delete_alarms(AlarmNames=[name, "nobody"])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName=name, ScanBy="TimestampAscending", PaginationConfig={"PageSize": 2}
    )
    items = [item for page in pages for item in page["AlarmHistoryItems"]]
    assert [item["HistorySummary"] for item in items] == [
        f'Alarm "{name}" created',
        "Alarm updated from INSUFFICIENT_DATA to OK",
        f'Alarm "{name}" updated',
        f'Alarm "{name}" updated',
        f'Alarm "{name}" deleted',
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateReasonData"] == {"by": "hand"}


def test_alarms_come_in_pages_in_the_order_of_their_names(cloudwatch):
    prefix, space = names.fresh("page"), names.fresh("App")
    made = [f"{prefix}-{n}" for n in range(7)]
    for name in reversed(made):
        cloudwatch.put_metric_alarm(**alarm(name, space))
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 3}
    )
    shown = [[one["AlarmName"] for one in page["MetricAlarms"]] for page in pages]
    assert shown == [made[:3], made[3:6], made[6:]]
    cloudwatch.delete_alarms(AlarmNames=made)


def test_an_alarm_of_metric_math_comes_back(cloudwatch):
    name = names.fresh("math")
    measured = {"Metric": {"Namespace": "App", "MetricName": "m", "Dimensions": []}, "Period": 60, "Stat": "Sum"}
    queries = [
        {"Id": "m", "MetricStat": measured, "ReturnData": False},
        {"Id": "e", "Expression": "FILL(m, 0) * 2", "Label": "Twice", "ReturnData": True},
    ]
    asked = {"EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName=name, Metrics=queries, **asked)
    (shown,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert shown["Metrics"] == queries
    assert "MetricName" not in shown
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_bad_alarms_are_refused_by_awss_code(cloudwatch):
    def refused(**more):
        return error_of(cloudwatch.put_metric_alarm, **alarm("bad", "App", **more))

    text = "The value p101 for parameter ExtendedStatistic is not supported."
    whole = {member: value for member, value in alarm("bad", "App").items() if member != "Statistic"}
    assert error_of(cloudwatch.put_metric_alarm, **whole, ExtendedStatistic="p101") == (VALUE, text, 400)
    assert refused(Period=7) == ("ValidationError", "Period must be 10, 20, 30 or a multiple of 60", 400)
    code, text, _ = refused(TreatMissingData="x")
    assert code == "ValidationError"
    assert text.startswith("The value x is not supported for TreatMissingData parameter.")
    state = {"AlarmName": "nobody", "StateReason": "r"}
    code, _, status = error_of(cloudwatch.set_alarm_state, **state, StateValue="OK")
    assert (code, status) == ("ResourceNotFound", 404)
    code, text, _ = error_of(cloudwatch.set_alarm_state, **state, StateValue="INVALID")
    assert code == "ValidationError"
    assert text == (
        "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: "
        "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
    )
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:nobody"
    code, _, status = error_of(cloudwatch.tag_resource, ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert error_of(cloudwatch.describe_alarms, NextToken="nonsense")[0] == "InvalidNextToken"
    assert cloudwatch.describe_alarms(AlarmNames=["bad"])["MetricAlarms"] == []


# -- a crash ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mortal():
    """A server of the test's own: a restart moves its port."""
    made = Server()
    try:
        yield made.start()
    finally:
        made.close()


def test_what_was_answered_survives_a_kill(mortal):
    client = mortal.client("cloudwatch")
    space, name, at = names.fresh("App"), names.fresh("alarm"), minute(2)
    client.put_metric_alarm(**alarm(name, space))
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    put(client, space, {"MetricName": "Load", "Timestamp": at, "Value": 4.5})
    mortal.kill()
    mortal.start()
    client = mortal.client("cloudwatch")
    asked = {"StartTime": at, "EndTime": at + MINUTE, "Period": 60, "Statistics": ["Sum"]}
    (point,) = client.get_metric_statistics(Namespace=space, MetricName="Load", **asked)["Datapoints"]
    assert (point["Sum"], point["Timestamp"]) == (4.5, at)
    items = client.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert "Alarm updated from INSUFFICIENT_DATA to ALARM" in [item["HistorySummary"] for item in items]
    client.delete_alarms(AlarmNames=[name])


# -- the command line ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[1, 2], ids=["v1", "v2"])
def cli(request):
    found = aws_cli.find(request.param)
    if not found:
        what = f"there is no AWS CLI of version {request.param}"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what}, and CI=true allows no skipping")
        pytest.skip(what)
    return found


def test_the_aws_cli_puts_reads_and_watches(server, cli):
    space, name = names.fresh("App"), names.fresh("alarm")

    def aws(*arguments):
        ended = cli.run(server, "cloudwatch", *arguments, "--output", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout or "null")

    measured = ["--namespace", space, "--metric-name", "Load"]
    at = minute(2)
    when = ["--start-time", at.isoformat(), "--end-time", minute(-1).isoformat(), "--period", "60"]
    aws("put-metric-data", *measured, "--value", "2.5", "--unit", "Count", "--timestamp", at.isoformat())
    (point,) = aws("get-metric-statistics", *measured, *when, "--statistics", "Sum")["Datapoints"]
    assert (point["Sum"], point["Unit"]) == (2.5, "Count")
    assert [one["MetricName"] for one in aws("list-metrics", "--namespace", space)["Metrics"]] == ["Load"]
    rule = ["--statistic", "Sum", "--period", "60", "--evaluation-periods", "1", "--threshold", "1"]
    compared = ["--comparison-operator", "LessThanThreshold", "--treat-missing-data", "ignore"]
    aws("put-metric-alarm", "--alarm-name", name, *measured, *rule, *compared)
    aws("wait", "alarm-exists", "--alarm-names", name)
    aws("set-alarm-state", "--alarm-name", name, "--state-value", "ALARM", "--state-reason", "by hand")
    items = aws("describe-alarm-history", "--alarm-name", name)["AlarmHistoryItems"]
    assert "Alarm updated from INSUFFICIENT_DATA to ALARM" in [item["HistorySummary"] for item in items]
    aws("delete-alarms", "--alarm-names", name)
    assert aws("describe-alarms", "--alarm-names", name)["MetricAlarms"] == []
    ended = cli.run(
        server, "cloudwatch", "set-alarm-state", "--alarm-name", name, "--state-value", "OK", "--state-reason", "r"
    )
    assert ended.returncode == cli.refused
    assert "(ResourceNotFound) when calling the SetAlarmState operation" in ended.stderr
