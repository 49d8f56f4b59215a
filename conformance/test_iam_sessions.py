"""Sessions, as moto's tests of STS and AWS's documentation have them: through boto3 and through the AWS CLI."""

import datetime
import json

import pytest

from harness import names, tools
from harness.people import IAM, allow, document, statement
from harness.server import ACCOUNT
from harness.tools import Refused

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
STS = f"arn:aws:sts::{ACCOUNT}:assumed-role"


@pytest.fixture(scope="module", params=list(tools.KINDS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def root(kind, server):
    made = tools.made(kind, server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def act(kind, server):
    """Makes callers of keys: an AccessKey of IAM, or Credentials of STS."""
    callers = []

    def make(key):
        parts = (key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"))
        callers.append(tools.made(kind, server, *parts))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()


@pytest.fixture(scope="module")
def user(root, act):
    """A user who may assume roles: the name, and a way to call as this user."""
    name = names.fresh("user")
    root("iam", "CreateUser", UserName=name)
    root("iam", "PutUserPolicy", UserName=name, PolicyName="assume", PolicyDocument=allow("sts:*", "iam:ListUsers"))
    return name, act(root("iam", "CreateAccessKey", UserName=name)["AccessKey"])


def trusting(principal, *actions, **condition):
    made = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", *actions]}
    return document(made | ({"Condition": condition} if condition else {}))


@pytest.fixture
def role(root):
    """Makes roles; what they trust is the account, if nothing is said."""

    def make(trust=None, policy=None, **more):
        name = names.fresh("role")
        trust = trust or trusting({"AWS": ACCOUNT}, "sts:TagSession", "sts:SetSourceIdentity")
        root("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust, **more)
        if policy:
            root("iam", "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=policy)
        return name

    return make


def assume(caller, role, **more):
    return caller("sts", "AssumeRole", RoleArn=f"{IAM}:role/{role}", RoleSessionName="work", **more)


def refused(call, *arguments, **members):
    with pytest.raises(Refused) as told:
        call(*arguments, **members)
    return told.value.code, told.value.message


def lasts(credentials):
    """Seconds from now to the end."""
    end = datetime.datetime.fromisoformat(credentials["Expiration"].replace("Z", "+00:00"))
    return (end - datetime.datetime.now(datetime.UTC)).total_seconds()


def test_everybody_is_told_who_they_are(root, user, act, role):
    name, ann = user
    assert root("sts", "GetCallerIdentity") == {"UserId": ACCOUNT, "Account": ACCOUNT, "Arn": f"{IAM}:root"}
    found = root("iam", "GetUser", UserName=name)["User"]
    assert ann("sts", "GetCallerIdentity") == {"UserId": found["UserId"], "Account": ACCOUNT, "Arn": found["Arn"]}
    target = role(Path="/deep/er/")
    answer = ann("sts", "AssumeRole", RoleArn=f"{IAM}:role/deep/er/{target}", RoleSessionName="a@b.c,=+-")
    made = root("iam", "GetRole", RoleName=target)["Role"]
    # A session's ARN has no path.
    wanted = {"AssumedRoleId": f"{made['RoleId']}:a@b.c,=+-", "Arn": f"{STS}/{target}/a@b.c,=+-"}
    assert answer["AssumedRoleUser"] == wanted
    seen = act(answer["Credentials"])("sts", "GetCallerIdentity")
    assert seen == {"UserId": wanted["AssumedRoleId"], "Account": ACCOUNT, "Arn": wanted["Arn"]}
    key = answer["Credentials"]
    assert (key["AccessKeyId"][:4], len(key["AccessKeyId"]), len(key["SecretAccessKey"])) == ("ASIA", 20, 40)


@pytest.mark.parametrize(
    ("most", "asked", "lasting"), [(3600, None, 3600), (3600, 900, 900), (43200, 43200, 43200), (7200, None, 3600)]
)
def test_a_session_lasts_as_long_as_is_asked_for(user, role, most, asked, lasting):
    _, ann = user
    more = {} if asked is None else {"DurationSeconds": asked}
    credentials = assume(ann, role(MaxSessionDuration=most), **more)["Credentials"]
    assert lasting - 60 < lasts(credentials) <= lasting


def test_a_session_lasts_no_longer_than_it_may(user, role):
    _, ann = user
    target = role()
    over = refused(assume, ann, target, DurationSeconds=3601)
    assert over == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    code, text = refused(assume, ann, target, DurationSeconds=43201)
    assert (code, "'durationSeconds'" in text) == ("ValidationError", True)


def test_session_policies_take_away_and_give_nothing(root, user, role, act):
    _, ann = user
    target = role(policy=allow("iam:ListUsers", "iam:ListRoles"))
    more = {"Policy": allow("iam:ListUsers", "iam:ListGroups")}
    session = act(assume(ann, target, **more)["Credentials"])
    session("iam", "ListUsers")
    start = f"User: {STS}/{target}/work is not authorized to perform:"
    assert refused(session, "iam", "ListRoles") == (
        "AccessDenied",
        f"{start} iam:ListRoles on resource: {IAM}:role/ because no session policy allows the iam:ListRoles action",
    )
    _, text = refused(session, "iam", "ListGroups")
    assert text.endswith("because no identity-based policy allows the iam:ListGroups action")
    # Of several session policies one must allow; a denial of any wins.
    denies = document(statement("Allow", "*"), statement("Deny", "iam:ListUsers"))
    arn = root("iam", "CreatePolicy", PolicyName=names.fresh("policy"), PolicyDocument=denies)["Policy"]["Arn"]
    both = act(assume(ann, target, Policy=more["Policy"], PolicyArns=[{"arn": arn}])["Credentials"])
    both("iam", "ListRoles")
    _, text = refused(both, "iam", "ListUsers")
    assert text.endswith("with an explicit deny in a session policy")
    by_arn = act(assume(ann, target, PolicyArns=[{"arn": READ_ONLY}])["Credentials"])
    by_arn("iam", "ListRoles")


def test_a_trust_policy_may_ask_for_more(user, role):
    name, ann = user
    me = {"AWS": f"{IAM}:user/{name}"}
    outside = role(trusting(me, StringEquals={"sts:ExternalId": "open-sesame"}))
    denied = "because no role trust policy allows the sts:AssumeRole action"
    for more in ({}, {"ExternalId": "open-barley"}):
        code, text = refused(assume, ann, outside, **more)
        assert (code, text.endswith(denied)) == ("AccessDenied", True)
    assume(ann, outside, ExternalId="open-sesame")
    named = role(trusting(me, StringLike={"sts:RoleSessionName": "${aws:username}"}))
    assert refused(assume, ann, named)[0] == "AccessDenied"
    ann("sts", "AssumeRole", RoleArn=f"{IAM}:role/{named}", RoleSessionName=name)


def test_tags_and_source_identity_need_trust_of_their_own(user, role, act):
    name, ann = user
    bare = role(trusting({"AWS": f"{IAM}:user/{name}"}))
    tags = [{"Key": "team", "Value": "tide"}, {"Key": "cost", "Value": "1"}]
    assume(ann, bare)
    _, text = refused(assume, ann, bare, Tags=tags)
    assert text.endswith("because no role trust policy allows the sts:TagSession action")
    _, text = refused(assume, ann, bare, SourceIdentity="ann")
    assert text.endswith("because no role trust policy allows the sts:SetSourceIdentity action")
    of_team = allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/team": "tide", "aws:SourceIdentity": "ann"})
    target = role(policy=of_team, Tags=[{"Key": "team", "Value": "ebb"}])
    assert refused(act(assume(ann, target)["Credentials"]), "iam", "ListUsers")[0] == "AccessDenied"
    answer = assume(ann, target, Tags=tags, TransitiveTagKeys=["team"], SourceIdentity="ann")
    assert answer["SourceIdentity"] == "ann"
    assert 0 < answer["PackedPolicySize"] <= 100
    act(answer["Credentials"])("iam", "ListUsers")


def test_a_chain_hands_on_what_is_transitive(root, user, role, act):
    _, ann = user
    next_role = role(policy=allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/team": "tide"}))
    first = role(policy=allow("sts:AssumeRole", "sts:TagSession", resource=f"{IAM}:role/{next_role}"))
    tags = {"Tags": [{"Key": "team", "Value": "tide"}]}
    for transitive, wanted in (({}, "AccessDenied"), ({"TransitiveTagKeys": ["team"]}, None)):
        session = act(assume(ann, first, **tags, **transitive)["Credentials"])
        last = act(assume(session, next_role)["Credentials"])
        if wanted:
            assert refused(last, "iam", "ListUsers")[0] == wanted
        else:
            last("iam", "ListUsers")
            assert refused(assume, session, next_role, **tags)[0] == "ValidationError"
    root("iam", "UpdateRole", RoleName=next_role, MaxSessionDuration=7200)
    code, text = refused(assume, session, next_role, DurationSeconds=3601)
    assert (code, "1 hour session limit for roles assumed by role chaining" in text) == ("ValidationError", True)


def test_who_may_not_assume_a_role_is_not_told_whether_it_exists(root, user, role):
    name, ann = user
    theirs = role(trusting({"Service": "sagemaker.amazonaws.com"}))
    texts = {refused(assume, ann, one)[1].replace(one, "ROLE") for one in (theirs, "no-such-role")}
    assert texts == {
        f"User: {IAM}:user/{name} is not authorized to perform: sts:AssumeRole on resource: {IAM}:role/ROLE because no "
        "role trust policy allows the sts:AssumeRole action"
    }
    assert refused(assume, root, theirs) == ("AccessDenied", "Roles may not be assumed by root accounts.")


def test_the_account_leaves_it_to_the_callers_policies(root, role, act):
    name = names.fresh("user")
    root("iam", "CreateUser", UserName=name)
    ann = act(root("iam", "CreateAccessKey", UserName=name)["AccessKey"])
    by_account, by_name = role(), role(trusting({"AWS": f"{IAM}:user/{name}"}))
    _, text = refused(assume, ann, by_account)
    assert text.endswith("because no identity-based policy allows the sts:AssumeRole action")
    assume(ann, by_name)
    denied = document(statement("Deny", "sts:AssumeRole"))
    root("iam", "PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=denied)
    _, text = refused(assume, ann, by_name)
    assert text.endswith("with an explicit deny in an identity-based policy")


def test_a_session_of_ones_own(root, user, act):
    name, ann = user
    answer = ann("sts", "GetSessionToken", DurationSeconds=900)
    assert set(answer) == {"Credentials"}
    assert 840 < lasts(answer["Credentials"]) <= 900
    assert 43_100 < lasts(ann("sts", "GetSessionToken")["Credentials"]) <= 43_200
    # Root's lasts an hour at most.
    assert 3_500 < lasts(root("sts", "GetSessionToken", DurationSeconds=7200)["Credentials"]) <= 3_600
    session = act(answer["Credentials"])
    assert session("sts", "GetCallerIdentity")["Arn"] == f"{IAM}:user/{name}"
    again = ("AccessDenied", "Cannot call GetSessionToken with session credentials")
    assert refused(session, "sts", "GetSessionToken") == again
    # Without MFA, which there is not, AWS lets such a session call nothing of IAM.
    assert refused(session, "iam", "ListUsers")[0] == "InvalidClientTokenId"
    for token in ("wrong", answer["Credentials"]["SessionToken"][:-1], None):
        other = act(answer["Credentials"] | {"SessionToken": token})
        assert refused(other, "sts", "GetCallerIdentity")[0] == "InvalidClientTokenId"


def test_there_is_no_mfa(user, role):
    _, ann = user
    device = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann", "TokenCode": "123456"}
    told = ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")
    code, text = refused(assume, ann, role(), **device)
    assert (code, text.strip()) == (told[0], told[1].strip())
    assert refused(ann, "sts", "GetSessionToken", **device)[0] == "AccessDenied"


def test_a_role_shows_when_it_was_last_used(root, user, role, act):
    _, ann = user
    target = role()
    assert root("iam", "GetRole", RoleName=target)["Role"]["RoleLastUsed"] == {}
    act(assume(ann, target)["Credentials"])("sts", "GetCallerIdentity")
    used = root("iam", "GetRole", RoleName=target)["Role"]["RoleLastUsed"]
    assert (used["Region"], set(used)) == ("us-east-1", {"Region", "LastUsedDate"})


# -- simulations ----------------------------------------------------------------------------------------------------


def decisions(answer):
    return {
        (one["EvalActionName"], one["EvalResourceName"]): one["EvalDecision"] for one in answer["EvaluationResults"]
    }


def test_a_principals_policies_are_simulated(root):
    user, group, role = (names.fresh(kind) for kind in ("user", "group", "role"))
    root("iam", "CreateUser", UserName=user)
    root("iam", "CreateGroup", GroupName=group)
    root("iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=trusting({"AWS": ACCOUNT}))
    root("iam", "AddUserToGroup", GroupName=group, UserName=user)
    buckets = allow("s3:*", resource="arn:aws:s3:::open/*")
    root("iam", "PutGroupPolicy", GroupName=group, PolicyName="p", PolicyDocument=buckets)
    no_delete = document(statement("Deny", "s3:DeleteObject"))
    root("iam", "PutUserPolicy", UserName=user, PolicyName="no", PolicyDocument=no_delete)
    objects = ["arn:aws:s3:::open/a", "arn:aws:s3:::shut/a"]
    actions = ["s3:GetObject", "s3:DeleteObject"]
    question = {"ActionNames": actions, "ResourceArns": objects}
    answer = root("iam", "SimulatePrincipalPolicy", PolicySourceArn=f"{IAM}:user/{user}", **question)
    assert decisions(answer) == {
        ("s3:GetObject", objects[0]): "allowed",
        ("s3:GetObject", objects[1]): "implicitDeny",
        ("s3:DeleteObject", objects[0]): "explicitDeny",
        ("s3:DeleteObject", objects[1]): "explicitDeny",
    }
    (found,) = answer["EvaluationResults"][0]["MatchedStatements"]
    assert (found["SourcePolicyId"], found["SourcePolicyType"].lower()) == (f"group_{group}_p", "group")
    # A group alone, and a role that has nothing.
    alone = root("iam", "SimulatePrincipalPolicy", PolicySourceArn=f"{IAM}:group/{group}", **question)
    assert decisions(alone)["s3:DeleteObject", objects[0]] == "allowed"
    nothing = root("iam", "SimulatePrincipalPolicy", PolicySourceArn=f"{IAM}:role/{role}", **question)
    assert set(decisions(nothing).values()) == {"implicitDeny"}
    # More policies, and a boundary, for the question only.
    more = {"PolicyInputList": [allow("s3:*")], "PermissionsBoundaryPolicyInputList": [allow("s3:Get*")]}
    answer = root("iam", "SimulatePrincipalPolicy", PolicySourceArn=f"{IAM}:role/{role}", **question, **more)
    assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["allowed"] * 2 + ["implicitDeny"] * 2
    detail = [one["PermissionsBoundaryDecisionDetail"] for one in answer["EvaluationResults"]]
    assert [one["AllowedByPermissionsBoundary"] for one in detail] == [True, True, False, False]
    unknown = refused(root, "iam", "SimulatePrincipalPolicy", PolicySourceArn=f"{IAM}:user/nobody", **question)
    assert unknown == ("NoSuchEntity", "The user with name nobody cannot be found.")


def test_policies_that_nobody_has_are_simulated(root):
    text = allow("s3:GetObject", NumericLessThan={"s3:max-keys": "10"}, Bool={"aws:SecureTransport": "true"})
    question = {"PolicyInputList": [text], "ActionNames": ["s3:GetObject"]}
    answer = root("iam", "SimulateCustomPolicy", **question)
    assert decisions(answer) == {("s3:GetObject", "*"): "implicitDeny"}
    missing = answer["EvaluationResults"][0]["MissingContextValues"]
    assert sorted(missing) == ["aws:SecureTransport", "s3:max-keys"]

    def entry(name, kind, value):
        return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}

    secure = entry("aws:SecureTransport", "boolean", "true")
    for keys, wanted in (("9", "allowed"), ("10", "implicitDeny")):
        context = [secure, entry("s3:max-keys", "numeric", keys)]
        answer = root("iam", "SimulateCustomPolicy", **question, ContextEntries=context)
        assert decisions(answer) == {("s3:GetObject", "*"): wanted}
    bad = refused(root, "iam", "SimulateCustomPolicy", PolicyInputList=["{"], ActionNames=["s3:GetObject"])
    assert bad == ("InvalidInput", "Invalid Input: Syntax errors in policy.")
    no_action = refused(root, "iam", "SimulateCustomPolicy", PolicyInputList=[text], ActionNames=["GetObject"])
    assert no_action[0] == "InvalidInput"
    denied = json.loads(text)
    denied["Statement"][0]["Effect"] = "Deny"
    both = {"PolicyInputList": [allow("s3:*"), json.dumps(denied)], "ActionNames": ["s3:GetObject"]}
    context = [secure, entry("s3:max-keys", "numeric", "1")]
    answer = root("iam", "SimulateCustomPolicy", **both, ContextEntries=context)
    assert decisions(answer) == {("s3:GetObject", "*"): "explicitDeny"}
    sources = [one["SourcePolicyId"] for one in answer["EvaluationResults"][0]["MatchedStatements"]]
    assert sources == ["PolicyInputList.1", "PolicyInputList.2"]
