"""The seed, AWS's "Update or delete endpoints that use automatic scaling", as a test for each sentence.

Each test has its sentence for a name, and where a sentence leaves room, its docstring says what is held. Everything
goes through boto3 and the program itself, signed with real keys.
"""

import contextlib

import pytest

from harness import names, people
from harness.hosting import QUICK, error_of, eventually, variant
from harness.people import allow, document, statement
from harness.program import REFUSED, Program
from harness.scaling import DIMENSION, INVOCATIONS, MINUTE, OWN, minute_of
from harness.server import ACCOUNT, REGION

OTHER_TYPE = {"InstanceType": "ml.c5.xlarge"}
TARGETS = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/*"
DELETE, CONFIGURE = "sagemaker:DeleteEndpoint", "application-autoscaling:*"
UNSCALE = ("application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget")
MAY_NOT = (
    "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity used to "
    "invoke DeleteEndpoint does not have application-autoscaling:DeregisterScalableTarget permission to deregister "
    "the scalable target."
)


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 48\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


@pytest.fixture(scope="module")
def model(hosting):
    return hosting.model()


@pytest.fixture
def program(server, tmp_path):
    return Program(server, tmp_path)


@pytest.fixture
def scaled(hosting, scaling, model):
    """An endpoint whose variant `web` is a target with a policy, and `batch` is none: its name, and the target."""
    name = hosting.endpoint(hosting.config(variant(model, "web"), variant(model, "batch")))
    target = scaling.register(name, 1, 4, "web")
    scaling.track(target, 1000, metric=INVOCATIONS)
    with hosting.removed_after(name):
        yield name, target


@pytest.fixture(scope="module")
def retyped(hosting, model):
    """The same variants, `web` on another instance type."""
    return hosting.config(variant(model, "web", **OTHER_TYPE), variant(model, "batch"))


def everything(hosting, scaling, name):
    """An endpoint and all that scales it, as it is told."""
    space = {"ServiceNamespace": "sagemaker"}
    variants = [one["VariantName"] for one in hosting.describe(name)["ProductionVariants"]]
    ids = [f"endpoint/{name}/variant/{one}" for one in variants]
    policies = [
        policy
        for one in ids
        for policy in scaling.autoscaling.describe_scaling_policies(**space, ResourceId=one)["ScalingPolicies"]
    ]
    alarms = [alarm["AlarmName"] for policy in policies for alarm in policy["Alarms"]]
    # No names at all would ask for every alarm.
    found = scaling.cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"] if alarms else []
    endpoint = hosting.describe(name)
    endpoint.pop("ResponseMetadata")
    targets = scaling.autoscaling.describe_scalable_targets(**space, ResourceIds=ids)["ScalableTargets"]
    return endpoint, targets, policies, sorted(one["AlarmArn"] for one in found)


def deregister(scaling, target, policy="track"):
    """The seed's way: the policies first, then the target."""
    scaling.autoscaling.delete_scaling_policy(**target, PolicyName=policy)
    scaling.autoscaling.deregister_scalable_target(**target)


def resize(hosting, name, **counts):
    changes = [{"VariantName": one, "DesiredInstanceCount": count} for one, count in counts.items()]
    hosting.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=changes)


def counts(hosting, name):
    return {one["VariantName"]: one["CurrentInstanceCount"] for one in hosting.describe(name)["ProductionVariants"]}


def calls_for_more(scaling, target, value=25):
    """A policy that wants 10 of a metric for each instance, and has seen `value` in its last minutes."""
    metric = names.fresh("Depth")
    scaling.track(target, 10, "more", {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"})
    scaling.feed(metric, *[value] * 60, start=minute_of(scaling.now()) - 3 * MINUTE)


# -- Update endpoints that use automatic scaling -------------------------------------------------------------------


def test_an_update_checks_whether_any_of_the_models_are_targets(hosting, scaling, scaled, retyped):
    """The same update is refused while `web` is a target, and done once it is none."""
    name, target = scaled
    assert error_of(hosting.update, name, retyped)[0] == "ValidationException"
    deregister(scaling, target)
    hosting.update(name, retyped)
    assert hosting.in_service(name)["EndpointConfigName"] == retyped


@pytest.mark.parametrize("retain", [False, True])
def test_if_it_would_change_the_instance_type_of_a_target_the_update_fails(hosting, scaling, scaled, retyped, retain):
    """And nothing changes, not the endpoint, not a target, a policy or an alarm."""
    name, _ = scaled
    before = everything(hosting, scaling, name)
    assert [len(part) for part in before[1:]] == [1, 1, 2]
    error_of(hosting.update, name, retyped, RetainAllVariantProperties=retain)
    assert everything(hosting, scaling, name) == before


def test_there_is_a_warning_that_the_model_must_be_deregistered_before_the_update(
    hosting, scaling, scaled, retyped, program
):
    """Where AWS's console warns, `--plan` does: it names the variant and what to call, and does nothing."""
    name, _ = scaled
    before = everything(hosting, scaling, name)
    planned = program.update(name, "--endpoint-config", retyped, "--plan")
    assert planned.returncode == REFUSED, planned.stderr
    for told in ("web", "must be deregistered", "DeleteScalingPolicy", "DeregisterScalableTarget", "UpdateEndpoint"):
        assert told in planned.stdout
    assert everything(hosting, scaling, name) == before


def test_if_you_call_updateendpoint_the_call_fails(hosting, scaled, retyped):
    name, _ = scaled
    code, text, status = error_of(hosting.update, name, retyped)
    assert (code, status) == ("ValidationException", 400)
    assert text == (
        'The variant(s) "[web]" must be deregistered as scalable targets with AWS Auto Scaling before they can be '
        "removed or have their instance type modified. Call DeleteScalingPolicy and DeregisterScalableTarget for "
        f"endpoint/{name}/variant/web first."
    )


def test_before_the_update_delete_the_policies_then_deregister_the_variant(hosting, scaling, scaled, retyped):
    """Policies alone are not enough: it is the target that is in the way."""
    name, target = scaled
    scaling.autoscaling.delete_scaling_policy(**target, PolicyName="track")
    assert [len(part) for part in everything(hosting, scaling, name)[1:]] == [1, 0, 0]
    assert error_of(hosting.update, name, retyped)[0] == "ValidationException"
    scaling.autoscaling.deregister_scalable_target(**target)
    assert everything(hosting, scaling, name)[1:] == ([], [], [])
    hosting.update(name, retyped)
    assert hosting.in_service(name)["EndpointConfigName"] == retyped


def test_after_the_update_register_the_variant_and_attach_a_policy(hosting, scaling, scaled, retyped):
    """And the updated variant scales by it."""
    name, target = scaled
    deregister(scaling, target)
    hosting.update(name, retyped)
    hosting.in_service(name)
    scaling.register(name, 1, 2, "web")
    calls_for_more(scaling, target)
    eventually(lambda: counts(hosting, name)["web"] == 2)


def test_there_is_one_exception_a_change_of_the_model_is_allowed(hosting, scaling, scaled):
    name, _ = scaled
    _, *before = everything(hosting, scaling, name)
    other = hosting.model(TIDEGATE_ECHO_DELAY_MS=1)
    wanted = hosting.config(variant(other, "web"), variant(other, "batch"))
    hosting.update(name, wanted)
    assert hosting.in_service(name)["EndpointConfigName"] == wanted
    _, *after = everything(hosting, scaling, name)
    assert after == before


def test_ensure_that_the_model_does_not_significantly_affect_scaling(hosting, scaled, program):
    """Nobody can know that beforehand: the plan of such an update reminds of it, by the variant's name."""
    name, _ = scaled
    other = hosting.model()
    wanted = hosting.config(variant(other, "web"), variant(other, "batch"))
    planned = program.update(name, "--endpoint-config", wanted, "--plan")
    told = " ".join(planned.stdout.split())
    assert planned.returncode == 0, planned.stderr
    assert "what scales web was tuned for the old model" in told
    # `batch` has another model too, and nothing that scales it.
    assert "what scales batch" not in told


# -- To update an endpoint that has automatic scaling applied ------------------------------------------------------


def test_step_1_deregister_it_by_calling_deregisterscalabletarget(hosting, scaling, scaled):
    """What hangs on the target goes with it, and the endpoint serves on as it did."""
    name, target = scaled
    before, *_ = everything(hosting, scaling, name)
    scaling.autoscaling.put_scheduled_action(
        **target, ScheduledActionName="later", Schedule="rate(30 days)", ScalableTargetAction={"MinCapacity": 2}
    )
    scaling.autoscaling.deregister_scalable_target(**target)
    assert everything(hosting, scaling, name) == (before, [], [], [])
    assert scaling.autoscaling.describe_scheduled_actions(**target)["ScheduledActions"] == []


def test_step_2_automatic_scaling_is_blocked_while_the_update_is_in_progress(hosting, scaling, scaled):
    """And goes on when it is over."""
    name, target = scaled
    slow = hosting.model(TIDEGATE_ECHO_STARTUP_MS=4000)
    wanted = hosting.config(variant(slow, "web"), variant(slow, "batch"))
    hosting.update(name, wanted)
    calls_for_more(scaling, target)
    (reason,) = eventually(lambda: scaling.not_scaled(target))
    assert reason == {"Code": "TargetServicePutResourceAsUnscalable"}
    seen = hosting.describe(name)
    assert (seen["EndpointStatus"], counts(hosting, name)["web"]) == ("Updating", 1)
    eventually(lambda: counts(hosting, name)["web"] > 1, 60)
    assert hosting.in_service(name)["EndpointConfigName"] == wanted


@pytest.mark.parametrize("registered", [True, False])
def test_step_2_increase_the_number_of_instances_by_updateendpointweightsandcapacities(
    hosting, scaling, scaled, registered
):
    name, target = scaled
    if not registered:
        deregister(scaling, target)
    resize(hosting, name, web=3)
    hosting.in_service(name)
    assert counts(hosting, name) == {"web": 3, "batch": 1}


def test_step_3_call_describeendpoint_until_the_status_is_inservice(hosting, scaled):
    """The counts that were asked for are there as soon as it says so, and not before."""
    name, _ = scaled
    resize(hosting, name, web=2, batch=2)
    while True:
        seen = hosting.describe(name)
        current = [one["CurrentInstanceCount"] for one in seen["ProductionVariants"]]
        if seen["EndpointStatus"] == "InService":
            assert current == [2, 2]
            break
        assert seen["EndpointStatus"] == "Updating"
        assert [one["DesiredInstanceCount"] for one in seen["ProductionVariants"]] == [2, 2]


@pytest.fixture
def rich(hosting, model):
    """A config that says more than it must."""
    return hosting.config(
        variant(model, "web", 2, 0.75, ModelDataDownloadTimeoutInSeconds=90, VolumeSizeInGB=8),
        variant(model, "batch", 1, 0.25, ContainerStartupHealthCheckTimeoutInSeconds=120, EnableSSMAccess=False),
        KmsKeyId="alias/tide",
        Tags=[{"Key": "team", "Value": "tide"}],
    )


def values_of(hosting, config):
    """All that DescribeEndpointConfig says of a config that is not its own name or time."""
    told = hosting.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    for own in ("EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata"):
        told.pop(own)
    return told


def test_step_4_call_describeendpointconfig_to_get_the_values_of_the_current_config(hosting, model, rich):
    with hosting.removed_after(hosting.endpoint(rich)) as name:
        told = values_of(hosting, hosting.describe(name)["EndpointConfigName"])
    web, batch = told["ProductionVariants"]
    assert web == variant(model, "web", 2, 0.75, ModelDataDownloadTimeoutInSeconds=90, VolumeSizeInGB=8)
    assert (batch["InitialInstanceCount"], batch["InitialVariantWeight"], batch["EnableSSMAccess"]) == (1, 0.25, False)
    assert batch["ContainerStartupHealthCheckTimeoutInSeconds"] == 120
    assert told["KmsKeyId"] == "alias/tide"


def test_step_5_create_a_config_with_all_other_values_from_the_response(hosting, rich):
    """What is told is what CreateEndpointConfig takes, to the last member."""
    told = values_of(hosting, rich)
    again = names.fresh("config")
    hosting.sagemaker.create_endpoint_config(EndpointConfigName=again, **told)
    assert values_of(hosting, again) == told


def test_step_5_the_same_variant_name_keeps_the_existing_count_and_weight(hosting, model):
    """Another name is another variant, and begins with what the new config says."""
    old = hosting.config(variant(model, "web", 1, 1), variant(model, "batch", 1, 1))
    with hosting.removed_after(hosting.endpoint(old)) as name:
        weights = [{"VariantName": one, "DesiredInstanceCount": 2, "DesiredWeight": 0.5} for one in ("web", "batch")]
        hosting.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=weights)
        hosting.in_service(name)
        new = hosting.config(variant(model, "web", 1, 0.25), variant(model, "nightly", 1, 0.25))
        hosting.update(name, new, RetainAllVariantProperties=True)
        seen = hosting.in_service(name)["ProductionVariants"]
    kept = {one["VariantName"]: (one["DesiredInstanceCount"], one["DesiredWeight"]) for one in seen}
    assert kept == {"web": (2, 0.5), "nightly": (1, 0.25)}


def test_step_6_update_the_endpoint_with_the_config_you_created(hosting, scaled):
    name, _ = scaled
    told = values_of(hosting, hosting.describe(name)["EndpointConfigName"])
    again = names.fresh("config")
    hosting.sagemaker.create_endpoint_config(EndpointConfigName=again, **told)
    hosting.update(name, again)
    assert hosting.in_service(name)["EndpointConfigName"] == again


@pytest.mark.parametrize(("retain", "count"), [(True, 3), (False, 2), (None, 2)])
def test_step_6_retainallvariantproperties_keeps_the_desired_count_whatever_initialinstancecount_is(
    hosting, scaled, model, retain, count
):
    name, _ = scaled
    resize(hosting, name, web=3)
    hosting.in_service(name)
    wanted = hosting.config(variant(model, "web", 2), variant(model, "batch"))
    hosting.update(name, wanted, **({} if retain is None else {"RetainAllVariantProperties": retain}))
    hosting.in_service(name)
    assert counts(hosting, name)["web"] == count


def test_step_7_re_enable_automatic_scaling_by_calling_registerscalabletarget(hosting, scaling, scaled, retyped):
    """A schedule is what shows soonest that it is on again."""
    name, target = scaled
    deregister(scaling, target)
    hosting.update(name, retyped, RetainAllVariantProperties=True)
    hosting.in_service(name)
    scaling.register(name, 1, 4, "web")
    at = (scaling.now() + MINUTE).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.autoscaling.put_scheduled_action(
        **target, ScheduledActionName="soon", Schedule=at, ScalableTargetAction={"MinCapacity": 2}
    )
    eventually(lambda: counts(hosting, name)["web"] == 2)


OF_THE_MODEL, OF_COUNTS = {"ModelName": "other"}, {"InitialInstanceCount": 2, "InitialVariantWeight": 0.5}


@pytest.mark.parametrize(
    ("web", "batch", "required"),
    [
        (OTHER_TYPE, {}, True),
        (OTHER_TYPE | OF_THE_MODEL, {}, True),
        (None, {}, True),
        ({}, {}, False),
        (OF_THE_MODEL, {}, False),
        (OF_COUNTS, OF_COUNTS, False),
        # `batch` has no automatic scaling configured.
        ({}, OTHER_TYPE, False),
        ({}, None, False),
    ],
)
def test_steps_1_and_7_are_required_only_for_another_instance_type_or_a_removed_variant(
    hosting, scaled, model, program, web, batch, required
):
    """By what UpdateEndpoint does, and by what the plan says before."""
    name, _ = scaled
    other = hosting.model()
    made = [
        variant(model, one)
        | ({"ModelName": other} if "ModelName" in change else {})
        | {member: value for member, value in change.items() if member != "ModelName"}
        for one, change in (("web", web), ("batch", batch))
        if change is not None
    ]
    wanted = hosting.config(*made)
    planned = program.update(name, "--endpoint-config", wanted, "--plan", "--json")
    assert planned.returncode == (REFUSED if required else 0), planned.stderr
    if required:
        assert error_of(hosting.update, name, wanted)[0] == "ValidationException"
    else:
        hosting.update(name, wanted)
        assert hosting.in_service(name)["EndpointConfigName"] == wanted


# -- Delete endpoints configured for automatic scaling -------------------------------------------------------------


@pytest.fixture
def to_delete(hosting, scaling, model):
    """As `scaled`; what is not deleted by the test is afterwards."""
    name = hosting.endpoint(hosting.config(variant(model, "web")))
    target = scaling.register(name, 1, 4, "web")
    scaling.track(target, 1000, metric=INVOCATIONS)
    yield name, target
    with contextlib.suppress(hosting.sagemaker.exceptions.ClientError):
        hosting.delete(name)


def gone(hosting, scaling, name, target):
    """That nothing is left of an endpoint and of its scaling."""
    hosting.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICK)
    of_target = {"ServiceNamespace": "sagemaker", "ResourceId": target["ResourceId"], "ScalableDimension": DIMENSION}
    left = scaling.cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{target['ResourceId']}")["MetricAlarms"]
    policies = scaling.autoscaling.describe_scaling_policies(**of_target)["ScalingPolicies"]
    return (scaling.target(target), policies, left) == (None, [], [])


def test_deleting_an_endpoint_checks_whether_any_of_the_models_are_targets(
    server, hosting, scaling, iam, to_delete, model
):
    """One who may only delete endpoints deletes the one without targets, and not the other."""
    name, _ = to_delete
    ann = people.user(server, iam, allow(DELETE)).client("sagemaker")
    plain = hosting.endpoint(hosting.config(variant(model, "web")))
    ann.delete_endpoint(EndpointName=plain)
    assert error_of(ann.delete_endpoint, EndpointName=name) == ("ValidationException", MAY_NOT, 400)


def test_if_you_have_permission_it_deregisters_those_models_without_notifying_you(
    server, hosting, scaling, iam, to_delete
):
    """No answer, no activity and no alarm tells of it."""
    name, target = to_delete
    ann = people.user(server, iam, document(statement("Allow", DELETE), statement("Allow", list(UNSCALE), TARGETS)))
    answer = ann.client("sagemaker").delete_endpoint(EndpointName=name)
    assert set(answer) == {"ResponseMetadata"}
    assert gone(hosting, scaling, name, target)
    assert scaling.activities(target, IncludeNotScaledActivities=True) == []


def without(server, iam, how):
    """Somebody who may delete endpoints and lacks what it takes to take scaling away, in one way or another."""
    may, all_of_it = statement("Allow", DELETE), statement("Allow", CONFIGURE)
    if how == "neither action":
        return people.user(server, iam, document(may))
    if how in UNSCALE:
        return people.user(server, iam, document(may, statement("Allow", how, TARGETS)))
    if how == "an explicit deny":
        return people.user(server, iam, document(may, all_of_it, statement("Deny", UNSCALE[1])))
    lender = people.user(server, iam, allow("sts:AssumeRole"))
    if how == "a role session":
        return people.assume(lender, people.role(iam, document(may)))
    # The role may, the session it was lent for may not.
    return people.assume(lender, people.role(iam, document(may, all_of_it)), Policy=allow(DELETE))


WAYS = ["neither action", *UNSCALE, "an explicit deny", "a role session", "a session policy"]


@pytest.mark.parametrize("how", WAYS)
def test_without_the_permission_you_must_delete_policies_and_deregister_targets_before_deleting(
    server, hosting, scaling, iam, to_delete, how
):
    name, target = to_delete
    sagemaker = without(server, iam, how).client("sagemaker")
    before = everything(hosting, scaling, name)
    assert error_of(sagemaker.delete_endpoint, EndpointName=name) == ("ValidationException", MAY_NOT, 400)
    # Nothing at all is gone.
    assert everything(hosting, scaling, name) == before
    if how == UNSCALE[1]:
        # That one may deregister, and lacks DeleteScalingPolicy only for as long as there is a policy.
        scaling.autoscaling.delete_scaling_policy(**target, PolicyName="track")
    else:
        deregister(scaling, target)
    sagemaker.delete_endpoint(EndpointName=name)
    assert gone(hosting, scaling, name, target)


def test_you_may_not_be_able_to_delete_an_endpoint_if_another_user_configured_scaling(
    server, hosting, scaling, iam, model
):
    """It is the caller's permission that counts: not even who configured it may delete without it."""
    name = hosting.endpoint(hosting.config(variant(model, "web")))
    ann = people.user(server, iam, allow(CONFIGURE, DELETE, "iam:CreateServiceLinkedRole", "cloudwatch:*"))
    bob = people.user(server, iam, allow(DELETE))
    target = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/web"}
    target["ScalableDimension"] = DIMENSION
    configured = ann.client("application-autoscaling")
    configured.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    tracked = {"TargetValue": 1000, "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}}
    configured.put_scaling_policy(
        **target,
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracked,
    )
    refused = ("ValidationException", MAY_NOT, 400)
    assert error_of(bob.client("sagemaker").delete_endpoint, EndpointName=name) == refused
    iam.put_user_policy(UserName=ann.name, PolicyName="now", PolicyDocument=document(statement("Deny", list(UNSCALE))))
    assert error_of(ann.client("sagemaker").delete_endpoint, EndpointName=name) == refused
    # Bob is given leave, and what Ann configured goes with the endpoint.
    iam.put_user_policy(UserName=bob.name, PolicyName="now", PolicyDocument=allow(*UNSCALE, resource=TARGETS))
    bob.client("sagemaker").delete_endpoint(EndpointName=name)
    assert gone(hosting, scaling, name, target)
