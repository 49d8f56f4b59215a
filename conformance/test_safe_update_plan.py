"""`tidegate endpoint update --plan`: what it says is what then happens, and it says it of any server."""

import itertools
import json

import pytest

from harness import moto, names, people
from harness.hosting import error_of, variant
from harness.people import document, statement
from harness.program import ACCEPTED, REFUSED, Program
from harness.scaling import INVOCATIONS
from harness.updates import OTHER_TYPE, Scaled, scaled, side_by_side


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 200\n"


def planned(program, name, config, *flags):
    """What the plan says, and the status it ends with."""
    ended = program.update(name, "--endpoint-config", config, "--plan", "--json", *flags)
    assert ended.returncode in (ACCEPTED, REFUSED), f"{ended.returncode}: {ended.stdout}\n{ended.stderr}"
    return json.loads(ended.stdout), ended.returncode


# -- the matrix ----------------------------------------------------------------------------------------------------

# By variant, what the new config has another of; `None` is a variant that it lacks.
CHANGES = {
    "nothing": {},
    "the model": {"web": {"ModelName": "other"}},
    "the type": {"web": {"InstanceType": OTHER_TYPE}},
    "the type of what stays as it is": {"batch": {"InstanceType": OTHER_TYPE}, "plain": None},
    "the type of one that is not registered": {"plain": {"InstanceType": OTHER_TYPE}},
    "one less": {"web": None},
    "one less that is not registered": {"plain": None},
    "one more": {"nightly": {}},
    "a name": {"web": None, "web-2": {}},
    "counts and weights": {"web": {"InitialInstanceCount": 3, "InitialVariantWeight": 0.25}},
    "all of it": {"web": {"InstanceType": OTHER_TYPE, "ModelName": "other"}, "batch": None, "nightly": {}},
}
# The registered variants that a change is in conflict with.
BOUND = {
    "the type": ["web"],
    "the type of what stays as it is": ["batch"],
    "one less": ["web"],
    "a name": ["web"],
    "all of it": ["web", "batch"],
}
# The program's flags, and the members of UpdateEndpoint that come to the same.
WEIGHTS, COUNTS = ({"VariantPropertyType": f"Desired{one}"} for one in ("Weight", "InstanceCount"))
FLAGS = {
    (): {"RetainAllVariantProperties": True},
    ("--reset-weights",): {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": [WEIGHTS]},
    ("--reset-counts",): {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": [COUNTS]},
    ("--reset-counts", "--reset-weights"): {"RetainAllVariantProperties": False},
}
WHO = {
    "root": None,
    "may not deregister": document(
        statement("Allow", "*"), statement("Deny", "application-autoscaling:DeregisterScalableTarget")
    ),
    "may not update": document(statement("Allow", "*"), statement("Deny", "sagemaker:UpdateEndpoint")),
}
CASES = [
    *itertools.product(CHANGES, FLAGS, ["root"]),
    *itertools.product(["the model", "the type"], [()], list(WHO)[1:]),
]


class Three(Scaled):
    """As `Scaled`, with a third variant that is not registered, and all of them scaled away from their config."""

    def __init__(self, hosting, scaling, model):
        self.hosting, self.scaling = hosting, scaling
        self.all = {one: variant(model, one, weight=1) for one in ("web", "batch", "plain")}
        self.old = hosting.config(*self.all.values())
        self.name = hosting.begin(self.old)
        self.settled()
        resized = [{"VariantName": one, "DesiredInstanceCount": 2, "DesiredWeight": 0.5} for one in self.all]
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=resized
        )
        self.settled()
        for one in ("web", "batch"):
            target = scaling.register(self.name, 1, 4, one)
            scaling.track(target, 100_000, metric=INVOCATIONS)

    def changed(self, change, other):
        made = dict(self.all)
        for one, members in CHANGES[change].items():
            base = made.pop(one, self.all["web"] | {"VariantName": one})
            if members is not None:
                made[one] = base | members | ({"ModelName": other} if "ModelName" in members else {})
        return self.hosting.config(*made.values())


def test_its_verdict_is_what_updateendpoint_then_does(server, hosting, scaling, tmp_path):
    """Over all changes and flags, and for those who may not: the verdict, its words, the counts that it foretells."""
    iam, model, other = server.client("iam"), hosting.model(), hosting.model()
    callers = {who: people.user(server, iam, policy) if policy else None for who, policy in WHO.items()}

    def run(change, flags, who):
        endpoint = Three(hosting, scaling, model)
        name, caller = endpoint.name, callers[who]
        config = endpoint.changed(change, other)
        program = Program(server, tmp_path / names.fresh("state"), caller=caller)
        plan, status = planned(program, name, config, *flags)
        assert plan["EndpointName"] == name
        before = hosting.describe(name)
        assert before["EndpointConfigName"] == endpoint.old
        sagemaker = caller.client("sagemaker") if caller else hosting.sagemaker
        update = {"EndpointName": name, "EndpointConfigName": config} | FLAGS[flags]
        if plan["Verdict"] == "Refused":
            assert status == REFUSED
            code, text, _ = error_of(sagemaker.update_endpoint, **update)
            assert plan["Message"] == text
            assert code in ("ValidationException", "AccessDeniedException")
            assert {one["VariantName"] for one in plan["BoundVariants"]} == set(BOUND.get(change, ()))
        else:
            sagemaker.update_endpoint(**update)
            after = endpoint.settled()
            assert after["EndpointConfigName"] == config
            assert plan["BoundVariants"] == []
            foretold = {one["VariantName"]: one["After"] for one in plan["Capacity"] if one["After"]}
            assert {one["VariantName"]: one["DesiredInstanceCount"] for one in after["ProductionVariants"]} == foretold
            lost = any(foretold.get(one, 2) < 2 for one in ("web", "batch"))
            assert plan["Verdict"] == ("LosesScaling" if lost else "Accepted")
            assert status == (REFUSED if lost else ACCEPTED)
        endpoint.settled()
        hosting.sagemaker.delete_endpoint(EndpointName=name)
        return plan["Verdict"]

    seen = side_by_side(run, CASES)
    # Each verdict has been met.
    assert set(seen.values()) == {"Accepted", "LosesScaling", "Refused"}
    for change, flags, who in CASES:
        refused = change in BOUND or who == "may not update"
        assert (seen[change, flags, who] == "Refused") == refused, (change, flags, who)


def test_a_plan_changes_nothing_and_leaves_nothing(server, hosting, scaling, tmp_path):
    with scaled(hosting, scaling) as endpoint:
        before = endpoint.everything(), hosting.describe(endpoint.name)["LastModifiedTime"]
        program = Program(server, tmp_path)
        for flags in ([], ["--json"]):
            ended = program.update(endpoint.name, "--endpoint-config", endpoint.new, "--plan", *flags)
            assert ended.returncode == REFUSED, ended.stderr
        assert (endpoint.everything(), hosting.describe(endpoint.name)["LastModifiedTime"]) == before
        assert not program.journal.exists() or list(program.journal.glob("*.json")) == []


def test_people_read_what_programs_read(server, hosting, scaling, tmp_path):
    """The page has the verdict, each step with its calls, and the counts before, during and after."""
    with scaled(hosting, scaling) as endpoint:
        program = Program(server, tmp_path)
        wanted = ["--endpoint-config", endpoint.new, "--headroom", "50%", "--plan"]
        page = " ".join(program.update(endpoint.name, *wanted).stdout.split())
        plan = json.loads(program.update(endpoint.name, *wanted, "--json").stdout)
    assert [step["Number"] for step in plan["Steps"]] == list(range(1, 8))
    for step in plan["Steps"]:
        assert " ".join(step["Title"].split()) in page
        for call in step["Calls"]:
            assert call["Operation"] in page
    assert plan["Message"].split(" Call ")[0] in page
    counts = {one["VariantName"]: (one["Before"], one["During"], one["After"]) for one in plan["Capacity"]}
    assert counts == {"web": (2, 3, 2), "batch": (1, 2, 1)}


# -- deletions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        (document(statement("Allow", "*")), set()),
        (
            document(statement("Allow", "*"), statement("Deny", "application-autoscaling:DeregisterScalableTarget")),
            {"application-autoscaling:DeregisterScalableTarget"},
        ),
        (
            document(statement("Allow", "*"), statement("Deny", "application-autoscaling:DeleteScalingPolicy")),
            {"application-autoscaling:DeleteScalingPolicy"},
        ),
        (
            document(statement("Allow", "*"), statement("Deny", "sagemaker:DeleteEndpoint")),
            {"sagemaker:DeleteEndpoint"},
        ),
    ],
)
def test_the_plan_of_a_deletion_is_what_deleteendpoint_then_does(server, hosting, scaling, tmp_path, policy, missing):
    ann = people.user(server, server.client("iam"), policy)
    endpoint = Scaled(hosting, scaling)
    before = endpoint.everything()
    ended = Program(server, tmp_path, caller=ann).run("endpoint", "delete", endpoint.name, "--plan", "--json")
    plan = json.loads(ended.stdout)
    assert ended.returncode == (REFUSED if missing else ACCEPTED), ended.stderr
    assert endpoint.everything() == before
    assert {one["VariantName"] for one in plan["Targets"]} == {"web", "batch"}
    told = {one["Action"] for one in plan["Permissions"] if one["State"] == "Missing"}
    assert told == missing
    delete = ann.client("sagemaker").delete_endpoint
    if missing:
        assert plan["Verdict"] == "Refused"
        assert error_of(delete, EndpointName=endpoint.name)[1] == plan["Message"]
        assert endpoint.everything() == before
        endpoint.end()
    else:
        assert plan["Verdict"] == "Accepted"
        delete(EndpointName=endpoint.name)


# -- what became of the last update --------------------------------------------------------------------------------


def test_the_config_that_serves_is_not_deleted_after_a_silent_rollback(server, hosting, tmp_path):
    """`InService` without a `FailureReason` reads as success on AWS: people then delete the config that serves."""
    program, name = Program(server, tmp_path), hosting.echo_endpoint()
    serving = hosting.describe(name)["EndpointConfigName"]
    bad = hosting.config(hosting.model(image="nobody/knows:this"))
    hosting.update(name, bad)
    hosting.settled(name)
    resized = [{"VariantName": "main", "DesiredInstanceCount": 2}]
    hosting.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=resized)
    assert "FailureReason" not in hosting.in_service(name)

    told = " ".join(program.run("endpoint", "describe", name).stdout.split())
    assert "rolled back" in told
    assert bad in told
    kept = program.run("endpoint-config", "delete", serving)
    assert kept.returncode == REFUSED, kept.stderr
    assert name in kept.stderr
    assert "rolled back" in kept.stderr
    hosting.sagemaker.describe_endpoint_config(EndpointConfigName=serving)
    # The one that failed, and, by an extra word, the one that serves.
    for arguments in ([bad], [serving, "--in-use-too"]):
        gone = program.run("endpoint-config", "delete", *arguments)
        assert gone.returncode == 0, gone.stderr
        assert error_of(hosting.sagemaker.describe_endpoint_config, EndpointConfigName=arguments[0])[2] == 400
    assert hosting.invoke(name) == b"tide"
    hosting.delete(name)


# -- a server that is not ours -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def others():
    with moto.running() as made:
        yield made


@pytest.fixture(scope="module")
def of_others(others):
    """An endpoint of moto's with a variant that is registered and has a policy, and one that is not."""
    sagemaker, autoscaling = others.client("sagemaker"), others.client("application-autoscaling")
    for model in ("first", "second"):
        role = "arn:aws:iam::123456789012:role/host"
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=role, PrimaryContainer={"Image": "any"})
    web, batch = variant("first", "web", weight=1), variant("first", "batch", weight=1)
    configs = {
        "now": [web, batch],
        "model": [web | {"ModelName": "second"}, batch],
        "type": [web | {"InstanceType": OTHER_TYPE}, batch],
        "less": [batch],
        "free": [web],
    }
    for name, variants in configs.items():
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="tide", EndpointConfigName="now")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/tide/variant/web",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    tracked = {"TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}}
    autoscaling.put_scaling_policy(
        **target, PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracked
    )
    autoscaling.put_scheduled_action(
        **target, ScheduledActionName="n", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 1}
    )
    return sagemaker, autoscaling


@pytest.mark.parametrize(
    ("config", "verdict", "bound"),
    [
        ("model", "Accepted", []),
        ("type", "Refused", [("web", "InstanceType")]),
        ("less", "Refused", [("web", "Removed")]),
        ("free", "Accepted", []),
    ],
)
def test_motos_server_is_planned_for_as_ours_is(others, of_others, tmp_path, config, verdict, bound):
    sagemaker, autoscaling = of_others
    before = (
        sagemaker.describe_endpoint(EndpointName="tide"),
        autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"),
    )
    plan, status = planned(Program(others, tmp_path), "tide", config)
    assert (plan["Verdict"], status) == (verdict, ACCEPTED if verdict == "Accepted" else REFUSED)
    assert [(one["VariantName"], one["Change"]) for one in plan["BoundVariants"]] == bound
    assert (plan["FromEndpointConfigName"], plan["ToEndpointConfigName"]) == ("now", config)
    after = (
        sagemaker.describe_endpoint(EndpointName="tide"),
        autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker"),
    )
    for seen in (*before, *after):
        seen.pop("ResponseMetadata")
    assert after == before


def test_a_config_that_moto_lacks_is_said(others, of_others, tmp_path):
    ended = Program(others, tmp_path).update("tide", "--endpoint-config", "not-there", "--plan")
    assert ended.returncode == 1
    assert "not-there" in ended.stderr
