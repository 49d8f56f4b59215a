"""Safe updates as the server carries them out, below `/tidegate/v1/safe-updates`, and dry runs for plain API users."""

import json

import pytest

from harness import names, people, processes, signed
from harness.deployments import blue_green, percent
from harness.hosting import Hosting, error_of, eventually, variant
from harness.people import document, statement
from harness.scaling import Scaling
from harness.server import Server
from harness.updates import Scaled, becomes, scaled

CONFIG = "[limits]\ninstances = 64\n"
PATH = "/safe-updates"


@pytest.fixture(scope="module")
def server_config():
    return CONFIG


@pytest.fixture
def endpoint(hosting, scaling):
    with scaled(hosting, scaling) as made:
        yield made


class Updates:
    """Tidegate's own operations, as one caller."""

    def __init__(self, server, caller=None):
        self.server, self.credentials = server, caller.credentials if caller else None

    def ask(self, method, path, members=None):
        return signed.own(self.server, method, path, members, self.credentials)

    def done(self, *asked):
        answer, told = self.ask(*asked)
        assert answer.status == 200, answer
        return told

    def start(self, endpoint, **more):
        members = {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.new, "HeadroomPercent": 50}
        return self.done("POST", PATH, members | more)

    def look(self, name):
        return self.done("GET", f"{PATH}/{name}")

    def ended(self, name, status):
        return becomes(lambda: self.look(name), status)


@pytest.fixture(scope="module")
def root(server):
    return Updates(server)


def refused(asked):
    answer, told = asked
    return answer.status, answer.code, told.get("Message") or told.get("message")


# -- the server carries it out -------------------------------------------------------------------------------------


def test_it_is_started_and_watched_to_its_end(root, endpoint):
    before = endpoint.everything()
    with endpoint.watched():
        begun = root.start(endpoint)
        assert (begun["EndpointName"], begun["Goal"]) == (endpoint.name, "Apply")
        assert begun["Plan"]["Verdict"] == "Refused"
        assert begun["StartedBy"].endswith(":root")
        # There is one at a time.
        status, code, _ = refused(
            root.ask("POST", PATH, {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.new})
        )
        assert (status, code) == (409, "ResourceInUse")
        done = root.ended(endpoint.name, "Applied")
    assert (done["Phase"], "Problem" in done) == ("Ended", False)
    assert [one["EndpointName"] for one in root.done("GET", PATH)["SafeUpdates"]].count(endpoint.name) == 1
    endpoint.is_as_before(before, endpoint.new)


def test_a_plan_is_made_without_a_change(root, endpoint):
    before = endpoint.everything()
    plan = root.done("POST", f"{PATH}/plan", {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.new})
    assert (plan["Verdict"], [one["VariantName"] for one in plan["BoundVariants"]]) == ("Refused", ["web"])
    assert endpoint.everything() == before
    assert refused(root.ask("GET", f"{PATH}/{endpoint.name}"))[0] in (400, 404)


def test_traffic_goes_over_in_steps_and_scaling_comes_back(root, hosting, endpoint):
    before, parts = endpoint.everything(), set()
    deployment = blue_green("LINEAR", 3, 1, LinearStepSize=percent(50))

    def ended():
        pending = hosting.describe(endpoint.name).get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        parts.update(one["CurrentWeight"] for one in pending if one["VariantName"] == "web")
        return root.look(endpoint.name)["Status"] == "Applied"

    with endpoint.watched():
        begun = root.start(endpoint, HeadroomPercent=0, DeploymentConfig=deployment)
        assert begun["Plan"]["DeploymentConfig"] == deployment
        eventually(ended, 60)
    # web has two instances and a weight of 0.5: none, the first, and both take their part.
    assert parts >= {0.25, 0.5}, parts
    endpoint.is_as_before(before, endpoint.new)


def test_an_alarm_that_takes_the_update_back_puts_scaling_back(root, scaling, endpoint):
    before, alarm = endpoint.everything(), names.fresh("guard")
    metric = {"Namespace": "tide", "MetricName": alarm, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    scaling.cloudwatch.put_metric_alarm(
        AlarmName=alarm, **metric, Threshold=1, ComparisonOperator="GreaterThanThreshold"
    )
    deployment = blue_green("CANARY", 30, 0, alarms=[alarm], CanarySize=percent(50))

    def ended():
        scaling.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="it goes off")
        return root.look(endpoint.name)["Status"] == "Undone"

    with endpoint.watched():
        root.start(endpoint, DeploymentConfig=deployment)
        eventually(ended, 60)
    assert alarm in root.look(endpoint.name)["Problem"]
    scaling.cloudwatch.delete_alarms(AlarmNames=[alarm])
    endpoint.is_as_before(before, endpoint.old)


def test_a_deployment_config_is_refused_before_anything_is_done(root, endpoint):
    before, members = endpoint.everything(), {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.new}
    for deployment, words in [
        (blue_green("LINEAR", 1, 1), "LinearStepSize is required"),
        (blue_green("LINEAR", 1, 1, LinearStepSize=percent(9)), "between 10 and 50 percent"),
        (blue_green("ALL_AT_ONCE", 0, 0, alarms=["not-there"]), "not-there"),
    ]:
        asked = members | {"DeploymentConfig": deployment}
        assert any(words in note for note in root.done("POST", f"{PATH}/plan", asked)["Notes"]), words
        status, code, text = refused(root.ask("POST", PATH, asked))
        assert (status, code) == (400, "ValidationException")
        assert words in text
    asked = members | {"DeploymentConfig": blue_green("ALL_AT_ONCE", 0, 0), "RetainDeploymentConfig": True}
    assert refused(root.ask("POST", PATH, asked))[:2] == (400, "ValidationException")
    assert endpoint.everything() == before


def allowed_but(*denied):
    return document(statement("Allow", "*"), *([statement("Deny", list(denied))] if denied else []))


@pytest.mark.parametrize("then", ["resume", "undo"])
def test_it_has_the_rights_of_who_asked_and_somebody_else_lends_theirs(server, iam, root, endpoint, then):
    """It stands still before step 7, which Ann may not do, until Bob resumes or undoes it."""
    denied = "application-autoscaling:PutScalingPolicy"
    ann, bob = people.user(server, iam, allowed_but(denied)), people.user(server, iam, allowed_but())
    before = endpoint.everything()
    with endpoint.watched():
        Updates(server, ann).start(endpoint)
        stands = root.ended(endpoint.name, "Paused")
        assert denied in stands["Problem"]
        assert stands["StartedBy"].endswith(f"user/{ann.name}")
        Updates(server, bob).done("POST", f"{PATH}/{endpoint.name}/{then}")
        done = root.ended(endpoint.name, "Applied" if then == "resume" else "Undone")
    assert done["StartedBy"].endswith(f"user/{ann.name}")
    assert done["CarriedOutAs"].endswith(f"user/{bob.name}")
    endpoint.is_as_before(before, endpoint.new if then == "resume" else endpoint.old)


@pytest.mark.parametrize("how", ["the key is switched off", "the right is taken away"])
def test_what_is_taken_from_who_asked_counts_at_once(server, hosting, iam, root, endpoint, how):
    endpoint.new = endpoint.config_of(hosting.model(TIDEGATE_ECHO_STARTUP_MS=2500))
    ann = people.user(server, iam, allowed_but())
    before = endpoint.everything()
    Updates(server, ann).start(endpoint)
    eventually(lambda: root.look(endpoint.name)["Phase"] == "Updating")
    if how == "the key is switched off":
        iam.update_access_key(UserName=ann.name, AccessKeyId=ann.key, Status="Inactive")
    else:
        iam.put_user_policy(UserName=ann.name, PolicyName="p1", PolicyDocument=document(statement("Deny", "*")))
    assert root.ended(endpoint.name, "Paused")["Problem"]
    root.done("POST", f"{PATH}/{endpoint.name}/resume")
    root.ended(endpoint.name, "Applied")
    endpoint.is_as_before(before, endpoint.new)


def test_who_may_not_neither_starts_nor_reads_one(server, iam, root, endpoint):
    name = endpoint.name
    ann = Updates(server, people.user(server, iam, allowed_but("tidegate:*")))
    for asked in [
        ("GET", PATH),
        ("GET", f"{PATH}/{name}"),
        ("POST", PATH, {"EndpointName": name, "EndpointConfigName": endpoint.new}),
        ("POST", f"{PATH}/plan", {"EndpointName": name, "EndpointConfigName": endpoint.new}),
        ("POST", f"{PATH}/{name}/resume"),
        ("POST", f"{PATH}/{name}/undo"),
        ("GET", f"/endpoints/{name}/last-update"),
    ]:
        status, code, text = refused(ann.ask(*asked))
        assert (status, code) == (403, "AccessDenied"), asked
        assert "tidegate:" in text


@pytest.mark.parametrize("phase", ["Raising", "Updating", "Registering"])
def test_a_server_that_is_killed_in_the_middle_of_it_goes_on(phase):
    made = Server(config=CONFIG)
    try:
        made.start()
        hosting = Hosting(made)
        endpoint = Scaled(hosting, Scaling(hosting), TIDEGATE_ECHO_STARTUP_MS=500)
        before = endpoint.everything()
        updates = Updates(made)
        updates.start(endpoint)
        order = ["Deregistering", "Raising", "Updating", "Registering", "Settling", "Ended"]
        eventually(lambda: order.index(updates.look(endpoint.name)["Phase"]) >= order.index(phase), every=0.002)
        made.kill()
        left = made.orphans()
        assert left == [], f"left running:\n{processes.describe(left)}"
        made.start()
        endpoint.hosting = Hosting(made)
        endpoint.scaling = Scaling(endpoint.hosting)
        updates.ended(endpoint.name, "Applied")
        endpoint.is_as_before(before, endpoint.new)
    finally:
        made.close()


# -- what became of the last update --------------------------------------------------------------------------------


def last_update(root, name):
    return root.done("GET", f"/endpoints/{name}/last-update")


def test_what_became_of_the_last_update_stays_readable(root, hosting):
    """A silent rollback reads as success once `FailureReason` is gone: here it does not."""
    name = hosting.echo_endpoint()
    old = hosting.describe(name)["EndpointConfigName"]
    told = last_update(root, name)
    assert (told["EndpointConfigInUse"], "Outcome" in told) == (old, False)
    bad = hosting.config(hosting.model(image="nobody/knows:this"))
    hosting.update(name, bad)
    hosting.settled(name)
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    assert "FailureReason" not in hosting.in_service(name)
    told = last_update(root, name)
    assert (told["EndpointConfigInUse"], told["RequestedEndpointConfigName"]) == (old, bad)
    assert told["Outcome"] == "RolledBack"
    assert "nobody/knows:this" in told["Reason"]
    good = hosting.config(hosting.model())
    hosting.update(name, good)
    hosting.in_service(name)
    told = last_update(root, name)
    assert (told["EndpointConfigInUse"], told["Outcome"], "Reason" in told) == (good, "Applied", False)
    hosting.delete(name)


# -- dry runs ------------------------------------------------------------------------------------------------------

HEADER = "x-tidegate-dry-run"


def dry(server, value="true", signed_too=True, caller=None, service="sagemaker"):
    """A boto3 client whose every call says that it is a dry run; and the bodies that it is answered with."""
    client = caller.client(service) if caller else server.client(service)
    event = f"before-sign.{service}" if signed_too else f"before-send.{service}"
    bodies = []

    def add(request, **_):
        request.headers[HEADER] = value

    client.meta.events.register(event, add)
    client.meta.events.register("before-parse", lambda response_dict, **_: bodies.append(response_dict["body"]))
    return client, bodies


@pytest.fixture
def watched_state(hosting, endpoint):
    """That nothing at all has changed when the test is over."""
    before = endpoint.everything(), hosting.describe(endpoint.name)["LastModifiedTime"]
    yield
    assert (endpoint.everything(), hosting.describe(endpoint.name)["LastModifiedTime"]) == before


@pytest.mark.usefixtures("watched_state")
def test_a_dry_run_answers_as_the_real_call_would_and_changes_nothing(server, hosting, endpoint):
    client, bodies = dry(server)
    name, model = endpoint.name, hosting.model()
    bound = error_of(client.update_endpoint, EndpointName=name, EndpointConfigName=endpoint.new)
    assert bound[:2] == error_of(hosting.update, name, endpoint.new)[:2]
    fine = endpoint.config_of(model, web="ml.m5.large")
    answer = client.update_endpoint(EndpointName=name, EndpointConfigName=fine, RetainAllVariantProperties=True)
    assert answer["EndpointArn"] == names.arn("endpoint", name)
    assert json.loads(bodies[-1])["TidegatePlan"]["Verdict"] == "Accepted"
    too_much = hosting.config(variant(model, "web", 100), variant(model, "batch"))
    code, text, _ = error_of(client.update_endpoint, EndpointName=name, EndpointConfigName=too_much)
    assert code == "ResourceLimitExceeded", text
    missing = error_of(client.update_endpoint, EndpointName=name, EndpointConfigName="not-there")
    assert missing == error_of(hosting.update, name, "not-there")
    client.delete_endpoint(EndpointName=name)
    plan = json.loads(bodies[-1])["TidegatePlan"]
    assert (plan["Verdict"], len(plan["Targets"])) == ("Accepted", 2)


@pytest.mark.usefixtures("watched_state")
def test_a_dry_run_asks_for_the_callers_rights(server, hosting, iam, endpoint):
    ann = people.user(server, iam, allowed_but("sagemaker:UpdateEndpoint", "application-autoscaling:Deregister*"))
    client, _ = dry(server, caller=ann)
    plain = ann.client("sagemaker")
    for call, members in [
        ("update_endpoint", {"EndpointConfigName": endpoint.old}),
        ("delete_endpoint", {}),
    ]:
        told = error_of(getattr(client, call), EndpointName=endpoint.name, **members)
        assert told == error_of(getattr(plain, call), EndpointName=endpoint.name, **members)


@pytest.mark.usefixtures("watched_state")
def test_a_dry_run_that_is_not_signed_is_refused(server, endpoint):
    client, _ = dry(server, signed_too=False)
    code, _, status = error_of(client.delete_endpoint, EndpointName=endpoint.name)
    assert (code, status) != ("ok", 200)
    assert HEADER in error_of(client.delete_endpoint, EndpointName=endpoint.name)[1]


@pytest.mark.usefixtures("watched_state")
@pytest.mark.parametrize("value", ["false", "", "TRUE", "1", "true, true"])
def test_a_dry_run_of_another_value_is_refused(server, endpoint, value):
    client, _ = dry(server, value=value)
    code, text, _ = error_of(client.delete_endpoint, EndpointName=endpoint.name)
    assert code == "ValidationException"
    assert HEADER in text


@pytest.mark.usefixtures("watched_state")
def test_a_dry_run_of_anything_else_is_refused(server, endpoint):
    """So that nobody takes for a dry run what was real."""
    resized = [{"VariantName": "web", "DesiredInstanceCount": 1}]
    for service, call, members in [
        (
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            {"EndpointName": endpoint.name, "DesiredWeightsAndCapacities": resized},
        ),
        ("sagemaker", "describe_endpoint", {"EndpointName": endpoint.name}),
        ("sagemaker", "delete_endpoint_config", {"EndpointConfigName": endpoint.old}),
        ("application-autoscaling", "deregister_scalable_target", endpoint.target()),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": endpoint.name, "Body": b"x"}),
    ]:
        client, _ = dry(server, service=service)
        code, text, status = error_of(getattr(client, call), **members)
        expected = "ValidationError" if service == "sagemaker-runtime" else "ValidationException"
        assert (code, HEADER in text) == (expected, True), (call, status, text)
