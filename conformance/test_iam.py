"""IAM and STS as boto3 speaks to them: users, groups, roles, policies and sessions, and what a change changes."""

import json

import boto3
import pytest
from botocore.config import Config

from harness import names
from harness.hosting import error_of
from harness.server import ACCOUNT, REGION

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
SCALING_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


@pytest.fixture
def user(iam):
    """A user with a key: the name, and a way to make clients of it."""
    name = names.fresh("user")
    iam.create_user(UserName=name)
    return name


def client_of(server, service, credentials):
    """A client with keys of its own: an AccessKey of IAM, or Credentials of STS."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=server.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def statement(action, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def user_arn(name, path="/"):
    return f"arn:aws:iam::{ACCOUNT}:user{path}{name}"


def test_a_user_and_what_it_has_come_back(iam, user):
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(statement("s3:*")))
    iam.attach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    iam.tag_user(UserName=user, Tags=[{"Key": "Team", "Value": "tide"}])
    got = iam.get_user(UserName=user)["User"]
    assert (got["Arn"], got["Path"]) == (user_arn(user), "/")
    assert got["Tags"] == [{"Key": "Team", "Value": "tide"}]
    # botocore decodes what IAM encodes.
    policy = iam.get_user_policy(UserName=user, PolicyName="own")["PolicyDocument"]
    assert policy == json.loads(document(statement("s3:*")))
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    assert attached == [{"PolicyName": "IAMReadOnlyAccess", "PolicyArn": READ_ONLY}]
    conflict = error_of(iam.delete_user, UserName=user)
    assert conflict == ("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
    iam.detach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    iam.delete_user_policy(UserName=user, PolicyName="own")
    iam.delete_user(UserName=user)
    missing = error_of(iam.get_user, UserName=user)
    assert missing == ("NoSuchEntity", f"The user with name {user} cannot be found.", 404)


def test_paginators_show_everything_once(iam):
    path = f"/{names.fresh('page')}/"
    made = {f"{names.fresh('user')}" for _ in range(7)}
    for name in made:
        iam.create_user(UserName=name, Path=path)
    for size in (1, 3, 1000):
        pages = iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": size})
        shown = [one["UserName"] for page in pages for one in page["Users"]]
        assert sorted(shown) == sorted(made)
    policies = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 2})
    arns = [one["Arn"] for page in policies for one in page["Policies"]]
    assert READ_ONLY in arns
    assert len(arns) == len(set(arns))


def test_waiters_find_what_exists(iam, user):
    iam.get_waiter("user_exists").wait(UserName=user, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    made = iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=document(statement("s3:*")))
    arn = made["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    role = names.fresh("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    iam.get_waiter("role_exists").wait(RoleName=role, WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_keys_are_shown_once_and_are_two(server, iam, user):
    first = iam.create_access_key(UserName=user)["AccessKey"]
    second = iam.create_access_key(UserName=user)["AccessKey"]
    over = error_of(iam.create_access_key, UserName=user)
    assert over == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409)
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert {one["AccessKeyId"] for one in listed} == {first["AccessKeyId"], second["AccessKeyId"]}
    who = client_of(server, "sts", first).get_caller_identity()
    assert (who["Arn"], who["Account"]) == (user_arn(user), ACCOUNT)
    used = iam.get_access_key_last_used(AccessKeyId=first["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == (user, "sts")
    iam.update_access_key(UserName=user, AccessKeyId=first["AccessKeyId"], Status="Inactive")
    code, _, status = error_of(client_of(server, "sts", first).get_caller_identity)
    assert (code, status) == ("InvalidClientTokenId", 403)


def test_a_managed_policy_counts_in_its_default_version(server, iam, user):
    own = client_of(server, "iam", iam.create_access_key(UserName=user)["AccessKey"])
    name = names.fresh("policy")
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(statement("s3:*")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    assert error_of(own.list_users)[0] == "AccessDenied"
    for _ in range(4):
        version = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=document(statement("iam:List*")), SetAsDefault=True
        )
    assert version["PolicyVersion"]["VersionId"] == "v5"
    own.list_users()
    code, text, status = error_of(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document(statement("s3:*")))
    assert (code, status) == ("LimitExceeded", 409)
    assert text.startswith("A managed policy can have up to 5 versions.")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert error_of(own.list_users)[0] == "AccessDenied"
    in_use = error_of(iam.delete_policy, PolicyArn=arn)
    assert in_use == ("DeleteConflict", "Cannot delete a policy attached to entities.", 409)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Syntax errors in policy."),
        (document(statement("s3:*")).replace("2012", "2008"), None),
        (document({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (document({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
        (document(statement("s3:*", Condition={"Nonsense": {"aws:username": "a"}})), "Syntax errors in policy."),
    ],
)
def test_malformed_policies_are_refused_in_awss_words(iam, text, told):
    code, message, status = error_of(iam.create_policy, PolicyName=names.fresh("policy"), PolicyDocument=text)
    assert (code, status) == ("MalformedPolicyDocument", 400)
    assert told in (None, message)


def test_a_policy_of_6145_characters_is_one_too_long(iam):
    def padded(characters):
        bare = document(statement("s3:*", "arn:aws:s3:::"))
        free = sum(not character.isspace() for character in bare)
        return document(statement("s3:*", "arn:aws:s3:::" + "x" * (characters - free)))

    iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=padded(6144))
    over = error_of(iam.create_policy, PolicyName=names.fresh("policy"), PolicyDocument=padded(6145))
    assert over == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)


def test_a_session_has_what_role_and_session_policy_both_allow(server, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    sts = client_of(server, "sts", key)
    role = names.fresh("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": user_arn(user)}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    whole = sts.assume_role(RoleArn=arn, RoleSessionName="whole")
    assert whole["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/whole"
    client_of(server, "iam", whole["Credentials"]).list_roles()
    policy = document(statement("iam:ListUsers"))
    part = sts.assume_role(RoleArn=arn, RoleSessionName="part", Policy=policy, DurationSeconds=900)
    limited = client_of(server, "iam", part["Credentials"])
    limited.list_users()
    code, text, status = error_of(limited.list_roles)
    assert (code, status) == ("AccessDenied", 403)
    assert text.endswith("because no session policy allows the iam:ListRoles action")
    # Without the token, the key of a session is nobody's.
    bare = {name: part["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey")}
    assert error_of(client_of(server, "sts", bare).get_caller_identity)[0] == "InvalidClientTokenId"
    iam.detach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    iam.delete_role(RoleName=role)
    assert error_of(client_of(server, "sts", whole["Credentials"]).get_caller_identity)[2] == 403


def test_sessions_are_revoked_as_the_console_of_aws_does_it(server, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    role = names.fresh("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": user_arn(user)}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    session = client_of(server, "sts", key).assume_role(RoleArn=arn, RoleSessionName="old")["Credentials"]
    client_of(server, "iam", session).list_users()
    older = {"DateLessThan": {"aws:TokenIssueTime": "2999-01-01T00:00:00.000Z"}}
    revoke = document(statement("*", effect="Deny", Condition=older))
    iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=revoke)
    code, text, _ = error_of(client_of(server, "iam", session).list_users)
    assert code == "AccessDenied"
    assert text.endswith("with an explicit deny in an identity-based policy")


def test_a_users_session_is_the_user(server, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    session = client_of(server, "sts", key).get_session_token()["Credentials"]
    sts = client_of(server, "sts", session)
    assert sts.get_caller_identity()["Arn"] == user_arn(user)
    again = error_of(sts.get_session_token)
    assert again == ("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)


def test_a_simulation_says_what_a_call_would_be_answered(server, iam, user):
    own = client_of(server, "iam", iam.create_access_key(UserName=user)["AccessKey"])
    policy = document(statement("iam:List*"), statement("iam:ListRoles", effect="Deny"))
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=user_arn(user), ActionNames=["iam:ListUsers", "iam:ListRoles", "iam:GetUser"]
    )
    decisions = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
    assert decisions == {"iam:ListUsers": "allowed", "iam:ListRoles": "explicitDeny", "iam:GetUser": "implicitDeny"}
    own.list_users()
    assert error_of(own.list_roles)[0] == error_of(own.get_user)[0] == "AccessDenied"


def test_the_role_of_scaling_is_made_and_goes_as_on_aws(server, iam):
    made = iam.create_service_linked_role(AWSServiceName=SCALING_SERVICE)["Role"]
    assert (made["RoleName"], made["Path"]) == (SCALING_ROLE, f"/aws-service-role/{SCALING_SERVICE}/")
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": SCALING_SERVICE}
    code, _, status = error_of(iam.delete_role, RoleName=SCALING_ROLE)
    assert (code, status) == ("UnmodifiableEntity", 400)
    task = iam.delete_service_linked_role(RoleName=SCALING_ROLE)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert error_of(iam.get_role, RoleName=SCALING_ROLE)[0] == "NoSuchEntity"


def test_registering_a_target_makes_the_role_of_scaling(server, hosting, iam):
    endpoint = hosting.echo_endpoint()
    resource = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = server.client("application-autoscaling")
    scaling.register_scalable_target(MinCapacity=1, MaxCapacity=2, **resource)
    role = iam.get_role(RoleName=SCALING_ROLE)["Role"]
    target = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"][0]
    assert target["RoleARN"] == role["Arn"]
    task = iam.delete_service_linked_role(RoleName=SCALING_ROLE)["DeletionTaskId"]
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert status["Status"] == "FAILED"
    assert status["Reason"]["RoleUsageList"][0]["Resources"] == [target["ScalableTargetARN"]]
    scaling.deregister_scalable_target(**resource)
    iam.delete_service_linked_role(RoleName=SCALING_ROLE)
    assert error_of(iam.get_role, RoleName=SCALING_ROLE)[0] == "NoSuchEntity"


def test_everything_is_there_after_a_kill(server, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(statement("iam:ListUsers")))
    session = client_of(server, "sts", key).get_session_token()["Credentials"]
    group, role, policy = (names.fresh(kind) for kind in ("group", "role", "policy"))
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": user_arn(user)}))
    iam.create_policy(PolicyName=policy, PolicyDocument=document(statement("s3:*")))
    iam.create_service_linked_role(AWSServiceName=SCALING_SERVICE)
    task = iam.delete_service_linked_role(RoleName=SCALING_ROLE)["DeletionTaskId"]

    def everything(client):
        pages = client.get_paginator("get_account_authorization_details").paginate()
        shown = [{k: v for k, v in page.items() if k != "ResponseMetadata"} for page in pages]
        return shown, client.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]

    before = everything(iam)
    server.kill()
    server.start()
    assert everything(server.client("iam")) == before
    client_of(server, "iam", key).list_users()
    assert client_of(server, "sts", session).get_caller_identity()["Arn"] == user_arn(user)
