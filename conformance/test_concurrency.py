"""Many callers at once: each decision is made once, and nobody is told something that is not so."""

import concurrent.futures

import pytest
from botocore.exceptions import ClientError

from harness import names
from harness.hosting import QUICK, variant

CALLERS = 12


def at_once(*calls):
    """Runs the calls side by side. Gives back how many succeeded, and the messages of the others."""

    def outcome(call):
        try:
            call()
        except ClientError as refused:
            error = refused.response["Error"]
            assert error["Code"] == "ValidationException", error
            return error["Message"]
        return None

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        told = list(pool.map(outcome, calls))
    return told.count(None), {message for message in told if message}


@pytest.mark.parametrize("kind", ["model", "endpoint-config", "endpoint"])
def test_one_of_many_creates_what_all_want(hosting, kind):
    name, model = names.fresh("wanted"), hosting.model()
    config = hosting.config(model)
    create = {
        "model": lambda: hosting.model(name=name),
        "endpoint-config": lambda: hosting.config(model, name=name),
        "endpoint": lambda: hosting.begin(config, name=name),
    }[kind]
    done, refused = at_once(*[create] * CALLERS)
    what = "endpoint configuration" if kind == "endpoint-config" else kind
    assert done == 1
    assert refused == {f'Cannot create already existing {what} "{names.arn(kind, name)}".'}
    if kind == "endpoint":
        hosting.in_service(name)
        hosting.delete(name)


def test_one_of_many_changes_an_endpoint(hosting):
    name = hosting.echo_endpoint()
    configs = [hosting.config(hosting.model(TIDEGATE_ECHO_STARTUP_MS=500)) for _ in range(CALLERS)]
    done, refused = at_once(*[lambda config=config: hosting.update(name, config) for config in configs])
    assert done == 1
    assert refused == {f'Cannot update in-progress endpoint "{names.arn("endpoint", name)}".'}
    assert hosting.in_service(name)["EndpointConfigName"] in configs
    hosting.delete(name)


@pytest.mark.parametrize("attempt", range(5))
def test_a_deletion_and_an_update_exclude_each_other(hosting, attempt):
    name = hosting.echo_endpoint()
    config = hosting.config(variant(hosting.model()))
    deleted = []
    done, refused = at_once(
        lambda: hosting.update(name, config),
        lambda: deleted.append(hosting.sagemaker.delete_endpoint(EndpointName=name)),
    )
    assert (done, len(refused)) == (1, 1)
    arn = names.arn("endpoint", name)
    assert refused <= {f'Cannot update in-progress endpoint "{arn}".', f'Could not find endpoint "{arn}".'}
    # Whichever won is carried through.
    if not deleted:
        assert hosting.in_service(name)["EndpointConfigName"] == config
        hosting.sagemaker.delete_endpoint(EndpointName=name)
    hosting.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICK)


def test_tags_of_many_callers_are_all_kept(hosting):
    arn = names.arn("model", hosting.model())
    tag = [{"Key": f"caller-{n}", "Value": str(n)} for n in range(CALLERS)]
    done, _ = at_once(*[lambda one=one: hosting.sagemaker.add_tags(ResourceArn=arn, Tags=[one]) for one in tag])
    assert done == CALLERS
    kept = hosting.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert sorted(one["Key"] for one in kept) == sorted(one["Key"] for one in tag)
