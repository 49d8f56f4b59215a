"""Who may do what, through signed calls of boto3: before and after each change, with no answer of before in between.

Every check after a change is made over many connections, so that each of the server's threads is asked.
"""

import datetime
import json
import subprocess
import threading

import pytest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials

from harness import names, people, signed
from harness.hosting import error_of, eventually
from harness.people import IAM, Caller, allow, assume, document, key_of, outcome, statement
from harness.scaling import DIMENSION, Scaling
from harness.server import ACCOUNT, REGION, binary, clean_environment

ENDPOINTS = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint"
TARGETS = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/*"
INVOKE, DESCRIBE = "sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"


ALLOWED, DENIED, UNKNOWN = {"ok"}, {"AccessDeniedException"}, {"UnrecognizedClientException"}


@pytest.fixture(scope="module")
def iam(server):
    return server.client("iam", region="us-east-1")


@pytest.fixture(scope="module")
def sts(server):
    return server.client("sts")


@pytest.fixture
def person(server, iam):
    """Makes users with a key each."""

    return lambda *policies: people.user(server, iam, *policies)


def both(endpoint):
    return allow(INVOKE, DESCRIBE, resource=f"{ENDPOINTS}/{endpoint}")


# -- users, groups, policies ---------------------------------------------------------------------------------------


def test_each_user_may_what_their_own_policies_say(person, echo):
    ann, bob = person(both(echo)), person()
    assert ann.asked(echo) == ALLOWED
    assert bob.asked(echo) == DENIED
    for client, call, action in [
        ("sagemaker-runtime", "invoke_endpoint", INVOKE),
        ("sagemaker", "describe_endpoint", DESCRIBE),
    ]:
        body = {"Body": b"x"} if action == INVOKE else {}
        code, message, status = error_of(getattr(bob.client(client), call), EndpointName=echo, **body)
        assert (code, status) == ("AccessDeniedException", 400)
        assert message == (
            f"User: {IAM}:user/{bob.name} is not authorized to perform: {action} on resource: "
            f"{ENDPOINTS}/{echo.lower()} because no identity-based policy allows the {action} action"
        )


def test_a_policy_counts_from_its_answer_on(person, iam, echo):
    ann = person()
    for _ in range(10):
        assert ann.asked(echo) == DENIED
        iam.put_user_policy(UserName=ann.name, PolicyName="p", PolicyDocument=both(echo))
        assert ann.asked(echo) == ALLOWED
        iam.delete_user_policy(UserName=ann.name, PolicyName="p")


def test_a_group_gives_and_takes(person, iam, echo):
    ann, group = person(), names.fresh("group")
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=both(echo))
    assert ann.asked(echo) == DENIED
    iam.add_user_to_group(GroupName=group, UserName=ann.name)
    assert ann.asked(echo) == ALLOWED
    iam.remove_user_from_group(GroupName=group, UserName=ann.name)
    assert ann.asked(echo) == DENIED


def test_an_explicit_deny_wins(person, iam, echo):
    ann = person(both(echo))
    iam.put_user_policy(UserName=ann.name, PolicyName="deny", PolicyDocument=document(statement("Deny", "sagemaker:*")))
    assert ann.asked(echo) == DENIED
    _, message, _ = error_of(ann.client("sagemaker").describe_endpoint, EndpointName=echo)
    assert message.endswith(" with an explicit deny in an identity-based policy")
    iam.delete_user_policy(UserName=ann.name, PolicyName="deny")
    assert ann.asked(echo) == ALLOWED


def test_a_boundary_bounds_and_a_new_version_of_it_counts(person, iam, echo):
    ann = person(both(echo))
    arn = iam.create_policy(PolicyName=names.fresh("bound"), PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    assert ann.asked(echo) == ALLOWED
    iam.put_user_permissions_boundary(UserName=ann.name, PermissionsBoundary=arn)
    assert ann.asked(echo) == DENIED
    _, message, _ = error_of(ann.client("sagemaker").describe_endpoint, EndpointName=echo)
    assert message.endswith(f" because no permissions boundary allows the {DESCRIBE} action")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=both(echo), SetAsDefault=True)
    assert ann.asked(echo) == ALLOWED
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert ann.asked(echo) == DENIED
    iam.delete_user_permissions_boundary(UserName=ann.name)
    assert ann.asked(echo) == ALLOWED


def test_names_of_endpoints_have_no_case(person, hosting):
    name = names.fresh("Mixed-Case")
    hosting.endpoint(hosting.config(hosting.model()), name=name)
    assert person(both(name.upper())).asked(name) == ALLOWED


# -- keys ----------------------------------------------------------------------------------------------------------


def test_an_inactive_key_is_nobodys(person, iam, echo):
    ann = person(both(echo))
    ann_s3 = ann.client("s3", s3={"addressing_style": "path"})
    assert ann.asked(echo) == ALLOWED
    iam.update_access_key(UserName=ann.name, AccessKeyId=ann.key, Status="Inactive")
    assert ann.asked(echo) == UNKNOWN
    assert outcome(ann_s3.list_buckets) == "InvalidAccessKeyId"
    iam.update_access_key(UserName=ann.name, AccessKeyId=ann.key, Status="Active")
    assert ann.asked(echo) == ALLOWED
    iam.delete_access_key(UserName=ann.name, AccessKeyId=ann.key)
    assert ann.asked(echo) == UNKNOWN


def test_a_key_is_rotated_under_load(server, person, iam, echo):
    old = person(both(echo))
    current, stop, failures, answered = [old], threading.Event(), [], []

    def drive():
        clients = {}
        while not stop.is_set():
            caller = current[0]
            client = clients.setdefault(caller.key, caller.client("sagemaker-runtime"))
            got = outcome(client.invoke_endpoint, EndpointName=echo, Body=b"tide")
            # One that was under way when its key was switched off may have either answer.
            if got == "ok":
                answered.append(caller.key)
            elif caller is current[0]:
                failures.append(got)

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: len(answered) > 100)
        new = key_of(server, iam, old.name)
        current[0] = new
        eventually(lambda: answered.count(new.key) > 100)
        iam.update_access_key(UserName=old.name, AccessKeyId=old.key, Status="Inactive")
        assert old.asked(echo) == UNKNOWN
        iam.delete_access_key(UserName=old.name, AccessKeyId=old.key)
        seen = len(answered)
        eventually(lambda: len(answered) > seen + 100)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert new.asked(echo) == ALLOWED


# -- sessions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def role(iam, echo):
    return people.role(iam, both(echo))


def test_a_session_has_what_its_role_has_and_its_policy_leaves(person, iam, echo, role):
    ann = person()
    assert outcome(lambda: assume(ann, role)) == "AccessDenied"
    iam.put_user_policy(UserName=ann.name, PolicyName="a", PolicyDocument=allow("sts:AssumeRole"))
    session, narrow = assume(ann, role), assume(ann, role, Policy=allow(DESCRIBE))
    assert ann.asked(echo) == DENIED
    assert session.asked(echo) == ALLOWED
    assert narrow.asked(echo) == ALLOWED | DENIED
    _, message, _ = error_of(narrow.client("sagemaker-runtime").invoke_endpoint, EndpointName=echo, Body=b"x")
    assert message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/work is not authorized to perform: {INVOKE} on resource: "
        f"{ENDPOINTS}/{echo.lower()} because no session policy allows the {INVOKE} action"
    )
    iam.delete_role_policy(RoleName=role, PolicyName="p0")
    assert session.asked(echo) == DENIED


def test_a_session_is_revoked(person, iam, echo, role):
    ann = person(allow("sts:AssumeRole"))
    session = assume(ann, role)
    assert session.asked(echo) == ALLOWED
    # What the console's button writes.
    now = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)).isoformat(timespec="milliseconds")
    older = statement("Deny", "*", DateLessThan={"aws:TokenIssueTime": now.replace("+00:00", "Z")})
    iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(older))
    assert session.asked(echo) == DENIED
    later = eventually(lambda: (lambda fresh: fresh if fresh.asked(echo) == ALLOWED else None)(assume(ann, role)))
    iam.delete_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions")
    iam.delete_role_policy(RoleName=role, PolicyName="p0")
    iam.delete_role(RoleName=role)
    assert later.asked(echo) == UNKNOWN


def test_a_session_needs_its_token(person, echo, role):
    session = assume(person(allow("sts:AssumeRole")), role)
    for token in (None, "wrong"):
        other = Caller(session.server, session.key, session.secret, token)
        assert other.asked(echo) == UNKNOWN
        code = outcome(other.client("s3", s3={"addressing_style": "path"}).list_buckets)
        assert code == "InvalidToken"


# -- what needs more than one permission -----------------------------------------------------------------------------


def test_passing_a_role_and_tagging_are_asked_for(person, iam):
    ann = person(allow("sagemaker:CreateModel"))
    sagemaker, role = ann.client("sagemaker"), f"{IAM}:role/host"
    wanted = {"ModelName": names.fresh("model"), "PrimaryContainer": {"Image": "tidegate/echo"}}
    code, message, _ = error_of(sagemaker.create_model, **wanted, ExecutionRoleArn=role)
    assert (code, "iam:PassRole on resource: " + role in message) == ("AccessDeniedException", True), message
    passing = statement("Allow", "iam:PassRole", role, StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})
    iam.put_user_policy(UserName=ann.name, PolicyName="pass", PolicyDocument=document(passing))
    code, message, _ = error_of(
        sagemaker.create_model, **wanted, ExecutionRoleArn=role, Tags=[{"Key": "Team", "Value": "a"}]
    )
    assert (code, "sagemaker:AddTags" in message) == ("AccessDeniedException", True), message
    team = statement("Allow", "sagemaker:AddTags", "*", StringEquals={"aws:RequestTag/team": "a"})
    iam.put_user_policy(UserName=ann.name, PolicyName="tag", PolicyDocument=document(team))
    code, _, _ = error_of(sagemaker.create_model, **wanted, Tags=[{"Key": "Team", "Value": "b"}])
    assert code == "AccessDeniedException"
    sagemaker.create_model(**wanted, ExecutionRoleArn=role, Tags=[{"Key": "Team", "Value": "a"}])


def test_tags_of_the_resource_decide(person, hosting, echo):
    ann = person(allow(INVOKE, DESCRIBE, StringEquals={"aws:ResourceTag/team": "a"}))
    arn = hosting.describe(echo)["EndpointArn"]
    assert ann.asked(echo) == DENIED
    hosting.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    assert ann.asked(echo) == ALLOWED
    hosting.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert ann.asked(echo) == DENIED


def test_deleting_an_endpoint_needs_leave_to_take_its_scaling_away(person, iam, hosting):
    """S9, whoever configured the scaling."""
    scaling = Scaling(hosting)
    name, target = scaling.echo()
    scaling.track(target, 100, metric="SageMakerVariantInvocationsPerInstance")
    ann = person(allow("sagemaker:DeleteEndpoint"))
    for more in (None, "application-autoscaling:DeleteScalingPolicy"):
        if more:
            iam.put_user_policy(UserName=ann.name, PolicyName="more", PolicyDocument=allow(more, resource=TARGETS))
        code, message, status = error_of(ann.client("sagemaker").delete_endpoint, EndpointName=name)
        assert (code, status) == ("ValidationException", 400)
        assert message == (
            "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity used "
            "to invoke DeleteEndpoint does not have application-autoscaling:DeregisterScalableTarget permission to "
            "deregister the scalable target."
        )
        assert hosting.describe(name)["EndpointStatus"] == "InService"
        of_target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": target["ResourceId"],
            "ScalableDimension": DIMENSION,
        }
        assert len(scaling.autoscaling.describe_scaling_policies(**of_target)["ScalingPolicies"]) == 1
    both_of_them = allow("application-autoscaling:De*", resource=TARGETS)
    iam.put_user_policy(UserName=ann.name, PolicyName="more", PolicyDocument=both_of_them)
    ann.client("sagemaker").delete_endpoint(EndpointName=name)
    found = scaling.autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
    )
    assert found["ScalableTargets"] == []


# -- the other services ----------------------------------------------------------------------------------------------


def test_refusals_have_each_services_form(server, person, echo):
    bob = person()
    cases = [
        ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}, 400),
        ("cloudwatch", "list_metrics", {}, 403),
        ("iam", "list_users", {}, 403),
        ("logs", "describe_log_groups", {}, 400),
    ]
    for service, call, members, wanted in cases:
        code, message, status = error_of(getattr(bob.client(service), call), **members)
        action = "".join(part.capitalize() for part in call.split("_"))
        assert (code.removesuffix("Exception"), status) == ("AccessDenied", wanted), service
        assert f"User: {IAM}:user/{bob.name} is not authorized to perform: {service}:{action}" in message
    assert bob.client("sts").get_caller_identity()["Arn"] == f"{IAM}:user/{bob.name}"
    path = f"/tidegate/v1/endpoints/{echo}/instances"

    class As(SigV4Auth):
        def __init__(self, _, service, region):
            super().__init__(Credentials(bob.key, bob.secret), service, region)

    answer = signed.send(
        server, "GET", path, b"", signed.headers_for(server, "GET", path, service="tidegate", signer=As)
    )
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    assert "tidegate:DescribeInstances" in answer.message


def test_s3_asks_for_buckets_and_objects(server, person, iam):
    root, bucket = server.client("s3", s3={"addressing_style": "path"}), names.fresh("bucket").lower()
    root.create_bucket(Bucket=bucket)
    for key in ("own/a", "own/b", "other/a"):
        root.put_object(Bucket=bucket, Key=key, Body=b"x")
    arn = f"arn:aws:s3:::{bucket}"
    ann = person(
        document(
            statement("Allow", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{arn}/own/*"),
            statement("Allow", "s3:ListBucket", arn, StringLike={"s3:prefix": "own/*"}),
        )
    )
    s3 = ann.client("s3", s3={"addressing_style": "path"})
    s3.put_object(Bucket=bucket, Key="own/c", Body=b"y")
    assert s3.get_object(Bucket=bucket, Key="own/c")["Body"].read() == b"y"
    s3.copy_object(Bucket=bucket, Key="own/d", CopySource=f"{bucket}/own/c")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="own/")["KeyCount"] == 4
    other = {"Bucket": bucket, "Key": "other/a"}
    for call, members in [
        (s3.get_object, other),
        (s3.put_object, other),
        (s3.delete_object, other),
        (s3.copy_object, {"Bucket": bucket, "Key": "own/e", "CopySource": f"{bucket}/other/a"}),
        (s3.copy_object, other | {"CopySource": f"{bucket}/own/a"}),
        (s3.put_object, {"Bucket": bucket, "Key": "own/e", "Tagging": "a=b"}),
        (s3.list_objects_v2, {"Bucket": bucket}),
        (s3.list_objects_v2, {"Bucket": bucket, "Prefix": "other/"}),
        (s3.list_buckets, {}),
        (s3.delete_bucket, {"Bucket": bucket}),
    ]:
        code, _, status = error_of(call, **members)
        assert (code, status) == ("AccessDenied", 403), members
    _, message, _ = error_of(s3.get_object, **other)
    assert message == (
        f"User: {IAM}:user/{ann.name} is not authorized to perform: s3:GetObject on resource: {arn}/other/a because no "
        "identity-based policy allows the s3:GetObject action"
    )
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "own/a"}, {"Key": "other/a"}]})
    assert [one["Key"] for one in gone["Deleted"]] == ["own/a"]
    assert [(one["Key"], one["Code"]) for one in gone["Errors"]] == [("other/a", "AccessDenied")]
    assert root.get_object(**other)["Body"].read() == b"x"
    iam.delete_user_policy(UserName=ann.name, PolicyName="p0")
    assert outcome(lambda: s3.get_object(Bucket=bucket, Key="own/b")) == "AccessDenied"


@pytest.mark.parametrize(("network", "wanted"), [("127.0.0.0/8", ALLOWED), ("10.0.0.0/8", DENIED)])
def test_where_a_request_comes_from_counts(server, person, echo, network, wanted):
    ann = person(allow("*", IpAddress={"aws:SourceIp": network}))
    assert ann.asked(echo) == wanted
    listed = outcome(ann.client("s3", s3={"addressing_style": "path"}).list_buckets)
    assert listed == ("ok" if wanted == ALLOWED else "AccessDenied")


def test_env_prints_another_users_variables(server, person, tmp_path, echo):
    ann = person(both(echo))
    (tmp_path / "own").write_text(f"[ann]\naws_access_key_id = {ann.key}\naws_secret_access_key = {ann.secret}\n")
    environment = clean_environment(AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "own"))
    command = [str(binary()), "env", "--json", "--data-dir", str(server.data_dir), "--profile"]
    printed = subprocess.run([*command, "ann"], env=environment, capture_output=True, check=True)
    variables = json.loads(printed.stdout)["set"]
    assert (variables["AWS_PROFILE"], variables["AWS_SHARED_CREDENTIALS_FILE"]) == ("ann", str(tmp_path / "own"))
    missing = subprocess.run([*command, "nobody"], env=environment, capture_output=True, check=False)
    assert missing.returncode != 0
    assert b"nobody" in missing.stderr
