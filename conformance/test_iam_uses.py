"""When a key was last used: whatever it was used for, the data plane and S3 as well."""

from harness import names, people
from harness.hosting import error_of, eventually
from harness.people import IAM, allow
from harness.server import REGION


def used(iam, caller):
    """The service that a key was last used for, once that is noted."""
    found = iam.get_access_key_last_used(AccessKeyId=caller.key)["AccessKeyLastUsed"]
    assert found["Region"] in (REGION, "N/A")
    return found["ServiceName"] if "LastUsedDate" in found else None


def test_a_key_that_only_invokes_shows_its_use(server, iam, echo):
    ann = people.user(server, iam, allow("sagemaker:InvokeEndpoint"))
    assert used(iam, ann) is None
    runtime = ann.client("sagemaker-runtime")
    for _ in range(100):
        runtime.invoke_endpoint(EndpointName=echo, Body=b"tide")
    assert eventually(lambda: used(iam, ann)) == "sagemaker"


def test_a_key_that_only_reads_objects_shows_its_use(server, iam):
    root, bucket = server.client("s3", s3={"addressing_style": "path"}), names.fresh("bucket")
    root.create_bucket(Bucket=bucket)
    ann = people.user(server, iam, allow("s3:ListBucket"))
    ann.client("s3", s3={"addressing_style": "path"}).list_objects_v2(Bucket=bucket)
    assert eventually(lambda: used(iam, ann)) == "s3"


def test_a_role_shows_the_use_of_its_sessions(server, iam, echo):
    role = people.role(iam, allow("sagemaker:InvokeEndpoint"))
    session = people.assume(people.user(server, iam, allow("sts:AssumeRole")), role)
    session.client("sagemaker-runtime").invoke_endpoint(EndpointName=echo, Body=b"tide")
    last = eventually(lambda: iam.get_role(RoleName=role)["Role"]["RoleLastUsed"])
    assert last["Region"] == REGION


def test_a_role_that_is_named_is_bounded_as_its_session_is(server, iam):
    """A trust policy that names a role admits its sessions as far as their own policies go."""
    ann = people.user(server, iam, allow("sts:AssumeRole"))
    first = people.role(iam, allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": f"{IAM}:role/{first}"}, "Action": "sts:AssumeRole"}
    second = names.fresh("role")
    iam.create_role(RoleName=second, AssumeRolePolicyDocument=people.document(trust))
    people.assume(people.assume(ann, first), second)
    limited = people.assume(ann, first, Policy=allow("iam:ListUsers"))
    code, text, _ = error_of(people.assume, limited, second)
    assert code == "AccessDenied"
    assert text.endswith("because no session policy allows the sts:AssumeRole action")


def test_an_update_needs_the_config_too(server, iam, hosting, echo):
    arn = hosting.describe(echo)["EndpointArn"]
    ann = people.user(server, iam, allow("sagemaker:UpdateEndpoint", resource=arn))
    config = hosting.config(hosting.model())
    update = ann.client("sagemaker").update_endpoint
    code, text, _ = error_of(update, EndpointName=echo, EndpointConfigName=config)
    assert (code, f":endpoint-config/{config} " in text) == ("AccessDeniedException", True)
    more = allow("sagemaker:UpdateEndpoint", resource=arn.rsplit(":", 1)[0] + ":endpoint-config/*")
    iam.put_user_policy(UserName=ann.name, PolicyName="more", PolicyDocument=more)
    update(EndpointName=echo, EndpointConfigName=config)
    hosting.in_service(echo)
