"""Shadow variants get copies of requests and nobody hears them (reference/sagemaker-hosting.md, sections 1.0 and 5).

A minute of the server lasts a second here.
"""

import pytest
from botocore.exceptions import ClientError

from harness import names
from harness.hosting import error_of, eventually, variant
from harness.program import REFUSED, Program
from harness.scaling import MINUTE, minute_of

ONE_OF_EACH = (
    "If you specify ShadowProductionVariants, you can only specify one variant for ProductionVariants and one variant "
    "for ShadowProductionVariants."
)


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


def shadowed(hosting, production=None, shadow=None, **more):
    """A config of `main` and its shadow `candidate`; each is given by what it has beside its model."""
    model = hosting.model()
    given = {"model": model, "name": "candidate"} | (shadow or {})
    main = variant(**({"model": model} | (production or {})))
    return hosting.config(main, ShadowProductionVariants=[variant(**given)], **more)


def shadow_of(seen):
    (found,) = seen["ShadowProductionVariants"]
    return found


def counts(one):
    return one["VariantName"], one["CurrentInstanceCount"], one["DesiredInstanceCount"]


class Counted:
    """What is counted of an endpoint's variants from a moment on."""

    def __init__(self, scaling, endpoint):
        self.scaling, self.endpoint = scaling, endpoint
        self.start = minute_of(scaling.now())

    def points(self, variant, metric, statistic="Sum"):
        dimensions = {"EndpointName": self.endpoint, "VariantName": variant}
        end = self.scaling.now() + MINUTE
        return self.scaling.datapoints(self.start, end, metric, statistic, 60, "AWS/SageMaker", **dimensions)

    def sum(self, variant, metric):
        return sum(self.points(variant, metric).values())

    def wait(self, variant, requests):
        """Waits until so many requests have been counted, and a minute more in which no others are."""
        eventually(lambda: self.sum(variant, "Invocations") >= requests or None)
        end = self.scaling.now() + 2 * MINUTE
        eventually(lambda: self.scaling.now() > end or None)
        assert self.sum(variant, "Invocations") == requests


def test_a_shadow_is_deployed_shown_changed_and_taken_away(hosting):
    config = shadowed(hosting, {"count": 2, "weight": 4}, {"count": 1, "InstanceType": "ml.c5.xlarge"})
    described = hosting.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert described["ShadowProductionVariants"][0]["InitialVariantWeight"] == 1
    with hosting.removed_after(hosting.begin(config)) as name:
        seen = hosting.describe(name)
        if seen["EndpointStatus"] == "Creating":
            assert "ShadowProductionVariants" not in seen
            pending = shadow_of(seen["PendingDeploymentSummary"])
            assert (pending["InstanceType"], pending["DesiredInstanceCount"]) == ("ml.c5.xlarge", 1)
        seen = hosting.in_service(name)
        assert [counts(one) for one in seen["ProductionVariants"]] == [("main", 2, 2)]
        shadow = shadow_of(seen)
        assert counts(shadow) == ("candidate", 1, 1)
        assert (shadow["CurrentWeight"], shadow["DesiredWeight"]) == (1, 1)
        assert shadow["DeployedImages"][0]["SpecifiedImage"] == "tidegate/echo"

        change = {"VariantName": "candidate", "DesiredInstanceCount": 2, "DesiredWeight": 3}
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[change]
        )
        shadow = shadow_of(hosting.in_service(name))
        assert (counts(shadow), shadow["CurrentWeight"]) == (("candidate", 2, 2), 3)

        hosting.update(name, shadowed(hosting, {"count": 1}), RetainAllVariantProperties=True)
        seen = hosting.in_service(name)
        shadow = shadow_of(seen)
        assert (counts(shadow), shadow["CurrentWeight"]) == (("candidate", 2, 2), 3)
        assert [counts(one) for one in seen["ProductionVariants"]] == [("main", 2, 2)]

        hosting.update(name, hosting.config(variant(hosting.model())))
        assert "ShadowProductionVariants" not in hosting.in_service(name)
        assert hosting.invoke(name, b"alone") == b"alone"


def test_clients_hear_production_and_the_shadow_is_counted_apart(hosting, scaling):
    sick = hosting.model(TIDEGATE_ECHO_FAILURE_RATE=1, TIDEGATE_ECHO_DELAY_MS=50)
    with hosting.removed_after(hosting.endpoint(shadowed(hosting, shadow={"model": sick}))) as name:
        counted = Counted(scaling, name)
        for target in ({}, {"TargetVariant": "main"}):
            for _ in range(10):
                answer = hosting.runtime.invoke_endpoint(EndpointName=name, Body=b"tide", **target)
                assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"tide", "main")
        stream = hosting.runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=b"flow")["Body"]
        assert b"".join(part["PayloadPart"]["Bytes"] for part in stream) == b"flow"
        for variant_name, failed in (("main", 0), ("candidate", 21)):
            counted.wait(variant_name, 21)
            assert counted.sum(variant_name, "Invocation5XXErrors") == failed
            assert counted.sum(variant_name, "InvocationModelErrors") == failed
        assert min(counted.points("candidate", "ModelLatency", "Minimum").values()) >= 50_000


def test_weights_say_how_much_is_copied(hosting, scaling):
    requests = 120
    with hosting.removed_after(hosting.endpoint(shadowed(hosting, {"weight": 4}, {"weight": 1}))) as name:
        for weight, fewest, most in ((1, 10, 60), (0, 0, 0), (9, requests, requests)):
            if weight != 1:
                change = {"VariantName": "candidate", "DesiredWeight": weight}
                hosting.sagemaker.update_endpoint_weights_and_capacities(
                    EndpointName=name, DesiredWeightsAndCapacities=[change]
                )
                hosting.in_service(name)
            # Nothing of what came before counts any more.
            begin = minute_of(scaling.now()) + MINUTE
            eventually(lambda begin=begin: scaling.now() > begin or None)
            counted = Counted(scaling, name)
            for _ in range(requests):
                hosting.invoke(name)
            counted.wait("main", requests)
            assert fewest <= counted.sum("candidate", "Invocations") <= most


def test_nobody_may_ask_for_the_shadow(hosting):
    with hosting.removed_after(hosting.endpoint(shadowed(hosting))) as name:
        refused = error_of(hosting.invoke, name, TargetVariant="candidate")
        text = f"Variant candidate of endpoint {name} of account 000000000000 not found."
        assert refused == ("ValidationError", text, 400)


def test_a_registered_shadow_is_scaled_and_guarded_like_any_variant(hosting, scaling):
    with hosting.removed_after(hosting.endpoint(shadowed(hosting))) as name:
        target = scaling.register(name, 2, 4, variant="candidate")
        eventually(lambda: counts(shadow_of(hosting.describe(name))) == ("candidate", 2, 2) or None)
        hosting.in_service(name)
        scaling.track(target, 100.0, metric="SageMakerVariantInvocationsPerInstance")
        model = hosting.model()
        other_type = shadowed(hosting, shadow={"InstanceType": "ml.c5.xlarge"})
        for lacking in (other_type, hosting.config(variant(model))):
            code, text, status = error_of(hosting.update, name, lacking)
            assert (code, status) == ("ValidationException", 400)
            assert text.startswith('The variant(s) "[candidate]" must be deregistered as scalable targets')
        assert hosting.describe(name)["EndpointStatus"] == "InService"
        hosting.update(name, shadowed(hosting, shadow={"model": model}), RetainAllVariantProperties=True)
        assert counts(shadow_of(hosting.in_service(name))) == ("candidate", 2, 2)
    assert scaling.target(target) is None


def test_a_safe_update_gives_a_scaled_shadow_another_type_and_its_scaling_back(server, hosting, scaling, tmp_path):
    program = Program(server, tmp_path)
    with hosting.removed_after(hosting.endpoint(shadowed(hosting))) as name:
        target = scaling.register(name, 2, 4, variant="candidate")
        scaling.track(target, 100.0, metric="SageMakerVariantInvocationsPerInstance")
        eventually(lambda: counts(shadow_of(hosting.describe(name))) == ("candidate", 2, 2) or None)
        hosting.in_service(name)
        wanted = shadowed(hosting, shadow={"InstanceType": "ml.c5.xlarge"})
        planned = program.update(name, "--endpoint-config", wanted, "--plan")
        assert planned.returncode == REFUSED
        assert "candidate" in planned.stdout
        done = program.update(name, "--endpoint-config", wanted)
        assert done.returncode == 0, done.stderr
        seen = hosting.in_service(name)
        assert (seen["EndpointConfigName"], counts(shadow_of(seen))) == (wanted, ("candidate", 2, 2))
        assert (scaling.target(target)["MinCapacity"], scaling.target(target)["MaxCapacity"]) == (2, 4)
        for command in (("endpoint", "describe", name), ("endpoint", "ls"), ("explain", f"{name}/candidate")):
            shown = program.run(*command)
            assert shown.returncode == 0, shown.stderr
            assert "candidate" in shown.stdout, command


def test_the_shadow_is_scaled_by_its_own_copies(hosting, scaling):
    with hosting.removed_after(hosting.endpoint(shadowed(hosting))) as name:
        target = scaling.register(name, 1, 2, variant="candidate")
        scaling.track(target, 1.0, metric="SageMakerVariantInvocationsPerInstance")

        def scaled():
            for _ in range(20):
                hosting.invoke(name)
            return hosting.describe(name)["ShadowProductionVariants"][0]["CurrentInstanceCount"] == 2

        eventually(scaled, 60)
        seen = hosting.in_service(name)
        assert [counts(one) for one in seen["ProductionVariants"]] == [("main", 1, 1)]


def test_a_shadow_that_does_not_start_fails_the_endpoint_and_an_update_rolls_back(hosting):
    broken = shadowed(hosting, shadow={"model": hosting.model(image="nobody/knows:this")})
    with hosting.removed_after(hosting.begin(broken)) as name:
        seen = hosting.settled(name)
        assert seen["EndpointStatus"] == "Failed"
        assert "nobody/knows:this" in seen["FailureReason"]
    with hosting.removed_after(hosting.endpoint(shadowed(hosting))) as name:
        before = hosting.describe(name)["EndpointConfigName"]
        hosting.update(name, broken)
        seen = hosting.settled(name)
        assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", before)
        assert counts(shadow_of(seen)) == ("candidate", 1, 1)
        assert hosting.invoke(name, b"still") == b"still"


def test_what_is_wrong_with_a_shadow_is_refused(hosting):
    model = hosting.model()
    main, candidate = variant(model), variant(model, name="candidate")
    other = variant(model, name="other")
    missing = f'Could not find model "{names.arn("model", "gone")}".'
    cases = [
        ([main, other], [candidate], ONE_OF_EACH),
        ([main], [candidate, other], ONE_OF_EACH),
        ([main], [main], 'The variant name "main" was non-unique within the request.'),
        ([main], [candidate | {"ModelName": "gone"}], missing),
        ([main], [candidate | {"InstanceType": "ml.none"}], "'shadowProductionVariants.1.member.instanceType'"),
    ]
    for production, shadow, text in cases:
        with pytest.raises(ClientError) as refused:
            hosting.config(*production, ShadowProductionVariants=shadow)
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException", error
        assert text in error["Message"], error
    serverless = {"VariantName": "candidate", "ModelName": model}
    serverless["ServerlessConfig"] = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    config = hosting.config(main, ShadowProductionVariants=[serverless])
    refused = error_of(hosting.begin, config)
    text = "Tidegate does not support ShadowProductionVariants[0].ServerlessConfig yet."
    assert refused == ("ValidationException", text, 400)
