"""What moto's own tests hold of IAM, asked of Tidegate: every case through boto3 and through the AWS CLI.

Where moto and AWS are known to differ, AWS's answer is the one that is asked for, and the case says so.
"""

import json

import pytest

from harness import names, tools
from harness.people import IAM, document, statement
from harness.server import ACCOUNT
from harness.tools import Refused

POLICY = document(statement("Allow", "s3:ListBucket", "arn:aws:s3:::example_bucket"))
OTHER = document(statement("Deny", "s3:*"))
TRUST = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
SERVICE_TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
KINDS = ("User", "Group", "Role")


@pytest.fixture(scope="module", params=list(tools.KINDS))
def tool(request, server):
    made = tools.made(request.param, server)
    yield made
    made.close()


@pytest.fixture
def iam(tool):
    return lambda operation, **members: tool("iam", operation, **members)


@pytest.fixture(params=KINDS)
def holder(request, iam):
    """A user, group or role without anything: its kind, and the member that names it."""
    name = create(iam, request.param)
    return request.param, {f"{request.param}Name": name}


def create(iam, kind, **more):
    name = names.fresh(kind.lower())
    if kind == "Role":
        more = {"AssumeRolePolicyDocument": TRUST} | more
    iam(f"Create{kind}", **{f"{kind}Name": name}, **more)
    return name


def managed(iam, text=POLICY, **more):
    """The ARN of a new managed policy."""
    return iam("CreatePolicy", PolicyName=names.fresh("policy"), PolicyDocument=text, **more)["Policy"]["Arn"]


def refused(call, *arguments, **members):
    with pytest.raises(Refused) as told:
        call(*arguments, **members)
    return told.value.code, told.value.message


def missing(kind, name):
    return "NoSuchEntity", f"The {kind.lower()} with name {name} cannot be found."


def has(found, **wanted):
    return {name: found.get(name) for name in wanted} == wanted


# -- users, groups and roles ----------------------------------------------------------------------------------------

PREFIXES = {"User": "AIDA", "Group": "AGPA", "Role": "AROA"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_is_shown_and_is_made_once(iam, kind):
    name = names.fresh("Mixed-Case")
    more = {"AssumeRolePolicyDocument": TRUST} if kind == "Role" else {}
    named = {f"{kind}Name": name}
    assert refused(iam, f"Get{kind}", **named) == missing(kind, name)
    assert refused(iam, f"Delete{kind}", **named) == missing(kind, name)
    one = iam(f"Create{kind}", Path="/a/b/", **named, **more)[kind]
    assert has(one, **named, Path="/a/b/", Arn=f"{IAM}:{kind.lower()}/a/b/{name}")
    assert one[f"{kind}Id"].startswith(PREFIXES[kind])
    assert len(one[f"{kind}Id"]) == 21
    found = iam(f"Get{kind}", **named)[kind]
    assert {member: found[member] for member in one} == one
    # Names are one without regard to case (AWS; moto tells them apart).
    taken = refused(iam, f"Create{kind}", **{f"{kind}Name": name.upper()}, **more)
    assert taken == ("EntityAlreadyExists", f"{kind} with name {name} already exists.")
    other = create(iam, kind)
    listed = iam(f"List{kind}s", PathPrefix="/a/b/")[f"{kind}s"]
    assert name in [each[f"{kind}Name"] for each in listed]
    assert other not in [each[f"{kind}Name"] for each in listed]
    assert {name, other} <= {each[f"{kind}Name"] for each in iam(f"List{kind}s")[f"{kind}s"]}
    assert iam(f"List{kind}s", PathPrefix="/none/")[f"{kind}s"] == []
    iam(f"Delete{kind}", **named)
    assert refused(iam, f"Get{kind}", **named) == missing(kind, name)


def test_an_inline_policy_is_put_replaced_and_deleted(iam, holder):
    kind, named = holder
    assert iam(f"List{kind}Policies", **named)["PolicyNames"] == []
    gone = ("NoSuchEntity", f"The {kind.lower()} policy with name first cannot be found.")
    assert refused(iam, f"Get{kind}Policy", PolicyName="first", **named) == gone
    for text in (OTHER, POLICY):
        iam(f"Put{kind}Policy", PolicyName="first", PolicyDocument=text, **named)
        found = iam(f"Get{kind}Policy", PolicyName="first", **named)
        assert has(found, PolicyName="first", PolicyDocument=json.loads(text), **named)
    iam(f"Put{kind}Policy", PolicyName="second", PolicyDocument=POLICY, **named)
    assert iam(f"List{kind}Policies", **named)["PolicyNames"] == ["first", "second"]
    conflict = ("DeleteConflict", "Cannot delete entity, must delete policies first.")
    assert refused(iam, f"Delete{kind}", **named) == conflict
    iam(f"Delete{kind}Policy", PolicyName="first", **named)
    assert iam(f"List{kind}Policies", **named)["PolicyNames"] == ["second"]
    assert refused(iam, f"Delete{kind}Policy", PolicyName="first", **named) == gone
    nobody = {f"{kind}Name": names.fresh("nobody")}
    put = refused(iam, f"Put{kind}Policy", PolicyName="p", PolicyDocument=POLICY, **nobody)
    assert put == missing(kind, nobody[f"{kind}Name"])


def test_a_managed_policy_is_attached_and_detached(iam, holder):
    kind, named = holder
    arn = managed(iam, Path="/mine/")
    assert iam(f"ListAttached{kind}Policies", **named)["AttachedPolicies"] == []
    for one in (arn, READ_ONLY, arn):
        iam(f"Attach{kind}Policy", PolicyArn=one, **named)
    attached = iam(f"ListAttached{kind}Policies", **named)["AttachedPolicies"]
    assert {one["PolicyArn"]: one["PolicyName"] for one in attached} == {
        arn: arn.rsplit("/", 1)[1],
        READ_ONLY: "IAMReadOnlyAccess",
    }
    mine = iam(f"ListAttached{kind}Policies", PathPrefix="/mine/", **named)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in mine] == [arn]
    assert iam("GetPolicy", PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    in_use = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refused(iam, "DeletePolicy", PolicyArn=arn) == in_use
    conflict = ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    assert refused(iam, f"Delete{kind}", **named) == conflict
    for one in (arn, READ_ONLY):
        iam(f"Detach{kind}Policy", PolicyArn=one, **named)
        again = ("NoSuchEntity", f"Policy {one} was not found.")
        assert refused(iam, f"Detach{kind}Policy", PolicyArn=one, **named) == again
    none = f"{IAM}:policy/none"
    unknown = ("NoSuchEntity", f"Policy {none} does not exist or is not attachable.")
    assert refused(iam, f"Attach{kind}Policy", PolicyArn=none, **named) == unknown
    iam(f"Delete{kind}", **named)
    iam("DeletePolicy", PolicyArn=arn)


def test_eleven_policies_are_too_many(iam, holder):
    kind, named = holder
    arns = [managed(iam) for _ in range(11)]
    for arn in arns[:10]:
        iam(f"Attach{kind}Policy", PolicyArn=arn, **named)
    over = refused(iam, f"Attach{kind}Policy", PolicyArn=arns[10], **named)
    assert over == ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10")


def test_a_user_is_renamed_and_moved(iam):
    name, new = create(iam, "User"), names.fresh("user")
    assert refused(iam, "UpdateUser", UserName=names.fresh("nobody"))[0] == "NoSuchEntity"
    before = iam("GetUser", UserName=name)["User"]
    iam("UpdateUser", UserName=name, NewPath="/new/", NewUserName=new)
    assert has(iam("GetUser", UserName=new)["User"], Path="/new/", UserId=before["UserId"])
    assert refused(iam, "GetUser", UserName=name) == missing("User", name)
    taken = refused(iam, "UpdateUser", UserName=new, NewUserName=create(iam, "User"))
    assert taken[0] == "EntityAlreadyExists"


def test_who_names_nobody_means_oneself(iam, server, request, tool):
    name = create(iam, "User")
    iam("PutUserPolicy", UserName=name, PolicyName="own", PolicyDocument=document(statement("Allow", "iam:*")))
    key = iam("CreateAccessKey", UserName=name)["AccessKey"]
    own = tools.made(request.node.callspec.params["tool"], server, key["AccessKeyId"], key["SecretAccessKey"])
    try:
        assert own("iam", "GetUser")["User"]["UserName"] == name
        second = own("iam", "CreateAccessKey")["AccessKey"]
        assert second["UserName"] == name
        assert len(own("iam", "ListAccessKeys")["AccessKeyMetadata"]) == 2
        own("iam", "UpdateAccessKey", AccessKeyId=second["AccessKeyId"], Status="Inactive")
        own("iam", "DeleteAccessKey", AccessKeyId=second["AccessKeyId"])
        assert len(own("iam", "ListAccessKeys")["AccessKeyMetadata"]) == 1
        assert own("sts", "GetCallerIdentity")["Arn"] == f"{IAM}:user/{name}"
    finally:
        own.close()


def test_a_group_has_users(iam):
    group, user = names.fresh("group"), names.fresh("user")
    member = {"GroupName": group, "UserName": user}
    assert refused(iam, "AddUserToGroup", **member)[0] == "NoSuchEntity"
    iam("CreateGroup", GroupName=group)
    assert refused(iam, "AddUserToGroup", **member) == missing("User", user)
    iam("CreateUser", UserName=user)
    assert iam("ListGroupsForUser", UserName=user)["Groups"] == []
    # Tried on AWS by the authors of Cloud Custodian: whoever is in already, or is not, is no error. moto refuses it.
    iam("RemoveUserFromGroup", **member)
    for _ in range(2):
        iam("AddUserToGroup", **member)
    assert [one["UserName"] for one in iam("GetGroup", GroupName=group)["Users"]] == [user]
    assert [one["GroupName"] for one in iam("ListGroupsForUser", UserName=user)["Groups"]] == [group]
    conflict = ("DeleteConflict", "Cannot delete entity, must remove users from group first.")
    assert refused(iam, "DeleteGroup", GroupName=group) == conflict
    assert refused(iam, "DeleteUser", UserName=user) == conflict
    new = names.fresh("group")
    iam("UpdateGroup", GroupName=group, NewGroupName=new, NewPath="/new/")
    assert has(iam("ListGroupsForUser", UserName=user)["Groups"][0], GroupName=new, Path="/new/")
    iam("RemoveUserFromGroup", GroupName=new, UserName=user)
    iam("DeleteGroup", GroupName=new)
    iam("DeleteUser", UserName=user)


def test_ten_groups_are_a_users_most(iam):
    user, groups = create(iam, "User"), [create(iam, "Group") for _ in range(11)]
    for group in groups[:10]:
        iam("AddUserToGroup", GroupName=group, UserName=user)
    over = refused(iam, "AddUserToGroup", GroupName=groups[10], UserName=user)
    assert over == ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")


# -- keys -----------------------------------------------------------------------------------------------------------


def test_keys_are_made_switched_off_and_deleted(iam):
    user = names.fresh("user")
    assert refused(iam, "CreateAccessKey", UserName=user) == missing("User", user)
    iam("CreateUser", UserName=user)
    assert iam("ListAccessKeys", UserName=user)["AccessKeyMetadata"] == []
    key = iam("CreateAccessKey", UserName=user)["AccessKey"]
    assert (key["AccessKeyId"][:4], len(key["AccessKeyId"]), len(key["SecretAccessKey"])) == ("AKIA", 20, 40)
    assert has(key, UserName=user, Status="Active")
    (shown,) = iam("ListAccessKeys", UserName=user)["AccessKeyMetadata"]
    assert set(shown) == {"UserName", "AccessKeyId", "Status", "CreateDate"}
    named = {"UserName": user, "AccessKeyId": key["AccessKeyId"]}
    for status in ("Inactive", "Active"):
        iam("UpdateAccessKey", **named, Status=status)
        assert iam("ListAccessKeys", UserName=user)["AccessKeyMetadata"][0]["Status"] == status
    unused = iam("GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"])
    assert unused == {"UserName": user, "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
    nobodys = ("NoSuchEntity", f"The Access Key with id {'A' * 20} cannot be found")
    assert refused(iam, "GetAccessKeyLastUsed", AccessKeyId="A" * 20) == nobodys
    assert refused(iam, "UpdateAccessKey", UserName=user, AccessKeyId="A" * 20, Status="Active") == nobodys
    conflict = ("DeleteConflict", "Cannot delete entity, must delete access keys first.")
    assert refused(iam, "DeleteUser", UserName=user) == conflict
    iam("DeleteAccessKey", **named)
    assert iam("ListAccessKeys", UserName=user)["AccessKeyMetadata"] == []
    iam("DeleteUser", UserName=user)


# -- roles ----------------------------------------------------------------------------------------------------------


def test_a_role_has_defaults_and_changes(iam):
    name = create(iam, "Role")
    role = iam("GetRole", RoleName=name)["Role"]
    assert has(role, MaxSessionDuration=3600, AssumeRolePolicyDocument=json.loads(TRUST), RoleLastUsed={})
    assert not {"Description", "Tags", "PermissionsBoundary"} & set(role)
    described = iam("UpdateRoleDescription", RoleName=name, Description="a\té")["Role"]
    assert described["Description"] == "a\té"
    assert iam("UpdateRole", RoleName=name, MaxSessionDuration=7200) == {}
    assert has(iam("GetRole", RoleName=name)["Role"], Description="a\té", MaxSessionDuration=7200)
    # AWS's documentation: what is not given becomes the default.
    iam("UpdateRole", RoleName=name, Description="b")
    assert has(iam("GetRole", RoleName=name)["Role"], Description="b", MaxSessionDuration=3600)
    (listed,) = [one for one in iam("ListRoles")["Roles"] if one["RoleName"] == name]
    assert has(listed, Description="b", MaxSessionDuration=3600)
    iam("UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=SERVICE_TRUST)
    assert iam("GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(SERVICE_TRUST)
    assert refused(iam, "UpdateRole", RoleName="nobody") == missing("Role", "nobody")


def test_a_description_may_be_empty(iam):
    name = create(iam, "Role", Description="")
    assert iam("GetRole", RoleName=name)["Role"].get("Description", "") == ""


@pytest.mark.parametrize("kind", ["User", "Role"])
def test_a_boundary_is_set_shown_and_taken_away(iam, kind):
    arn = managed(iam)
    shown = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    name = create(iam, kind, PermissionsBoundary=arn)
    named = {f"{kind}Name": name}
    assert iam(f"Get{kind}", **named)[kind]["PermissionsBoundary"] == shown
    assert has(iam("GetPolicy", PolicyArn=arn)["Policy"], AttachmentCount=0, PermissionsBoundaryUsageCount=1)
    (listed,) = [one for one in iam(f"List{kind}s")[f"{kind}s"] if one[f"{kind}Name"] == name]
    # AWS's documentation: lists have no boundaries, tags and last use. moto shows the boundary.
    assert not {"PermissionsBoundary", "Tags", "RoleLastUsed"} & set(listed)
    iam(f"Delete{kind}PermissionsBoundary", **named)
    assert "PermissionsBoundary" not in iam(f"Get{kind}", **named)[kind]
    iam(f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=arn)
    assert iam(f"Get{kind}", **named)[kind]["PermissionsBoundary"] == shown
    bad = "arn:aws:iam::123456789:not_a_boundary"
    invalid = ("InvalidInput", f"ARN {bad} is not valid.")
    assert refused(iam, f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=bad) == invalid
    none = f"{IAM}:policy/none"
    unknown = ("NoSuchEntity", f"Policy {none} does not exist or is not attachable.")
    assert refused(iam, f"Put{kind}PermissionsBoundary", **named, PermissionsBoundary=none) == unknown


# -- managed policies -----------------------------------------------------------------------------------------------


def test_a_policy_is_made_shown_and_listed(iam):
    name = names.fresh("policy")
    made = iam("CreatePolicy", PolicyName=name, PolicyDocument=POLICY, Path="/p/", Description="what it is for")[
        "Policy"
    ]
    arn = f"{IAM}:policy/p/{name}"
    wanted = {"Arn": arn, "PolicyName": name, "Path": "/p/", "DefaultVersionId": "v1", "AttachmentCount": 0}
    assert has(made, **wanted, IsAttachable=True, PermissionsBoundaryUsageCount=0)
    assert made["PolicyId"].startswith("ANPA")
    assert has(iam("GetPolicy", PolicyArn=arn)["Policy"], **wanted, Description="what it is for")
    taken = ("EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed.")
    assert refused(iam, "CreatePolicy", PolicyName=name, PolicyDocument=POLICY) == taken

    def listed(**members):
        return {one["Arn"] for one in iam("ListPolicies", **members)["Policies"]}

    assert (arn in listed(Scope="Local"), READ_ONLY in listed(Scope="Local")) == (True, False)
    assert (arn in listed(Scope="AWS"), READ_ONLY in listed(Scope="AWS")) == (False, True)
    assert {arn, READ_ONLY} <= listed()
    assert listed(PathPrefix="/p/", Scope="Local") == {arn}
    user = create(iam, "User")
    assert arn not in listed(OnlyAttached=True)
    iam("AttachUserPolicy", UserName=user, PolicyArn=arn)
    assert arn in listed(OnlyAttached=True)
    assert arn not in listed(PolicyUsageFilter="PermissionsBoundary")
    iam("DetachUserPolicy", UserName=user, PolicyArn=arn)
    iam("DeletePolicy", PolicyArn=arn)
    assert refused(iam, "GetPolicy", PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.")


def test_versions_are_numbered_chosen_and_deleted(iam):
    none = f"{IAM}:policy/none"
    unknown = ("NoSuchEntity", f"Policy {none} was not found.")
    assert refused(iam, "CreatePolicyVersion", PolicyArn=none, PolicyDocument=POLICY) == unknown
    assert refused(iam, "ListPolicyVersions", PolicyArn=none) == unknown
    assert refused(iam, "SetDefaultPolicyVersion", PolicyArn=none, VersionId="v1") == unknown
    arn = managed(iam)
    second = iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=OTHER, SetAsDefault=True)["PolicyVersion"]
    assert has(second, VersionId="v2", IsDefaultVersion=True)
    iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    # Numbers do not come again.
    third = iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)["PolicyVersion"]
    assert has(third, VersionId="v3", IsDefaultVersion=False)
    found = iam("GetPolicyVersion", PolicyArn=arn, VersionId="v3")["PolicyVersion"]
    assert has(found, Document=json.loads(POLICY), IsDefaultVersion=False)
    iam("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v3")
    versions = iam("ListPolicyVersions", PolicyArn=arn)["Versions"]
    assert {one["VersionId"]: one["IsDefaultVersion"] for one in versions} == {"v3": True, "v2": False}
    assert iam("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v3"
    default = ("DeleteConflict", "Cannot delete the default version of a policy.")
    assert refused(iam, "DeletePolicyVersion", PolicyArn=arn, VersionId="v3") == default
    gone = ("NoSuchEntity", f"Policy {arn} version v4 does not exist or is not attachable.")
    for operation in ("GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"):
        assert refused(iam, operation, PolicyArn=arn, VersionId="v4") == gone
    code, text = refused(iam, "SetDefaultPolicyVersion", PolicyArn=arn, VersionId="wrong_version_id")
    assert code == "ValidationError"
    assert "Value 'wrong_version_id' at 'versionId' failed to satisfy constraint" in text
    for _ in range(3):
        iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)
    over = refused(iam, "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)
    assert over[0] == "LimitExceeded"
    several = refused(iam, "DeletePolicy", PolicyArn=arn)
    assert several[0] == "DeleteConflict"


def test_policies_of_aws_can_be_read_and_not_changed(iam):
    policy = iam("GetPolicy", PolicyArn=READ_ONLY)["Policy"]
    assert has(policy, Arn=READ_ONLY, PolicyName="IAMReadOnlyAccess")
    version = iam("GetPolicyVersion", PolicyArn=READ_ONLY, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"]
    for operation, members in [
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": POLICY}),
        ("TagPolicy", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ]:
        assert refused(iam, operation, PolicyArn=READ_ONLY, **members)[0] == "AccessDenied"


def test_who_uses_a_policy_is_told(iam):
    arn = managed(iam)
    users = [create(iam, "User", Path="/in/"), create(iam, "User")]
    group, role = create(iam, "Group"), create(iam, "Role")
    iam("AttachUserPolicy", UserName=users[0], PolicyArn=arn)
    iam("PutUserPermissionsBoundary", UserName=users[1], PermissionsBoundary=arn)
    iam("AttachGroupPolicy", GroupName=group, PolicyArn=arn)
    iam("AttachRolePolicy", RoleName=role, PolicyArn=arn)

    def told(**members):
        found = iam("ListEntitiesForPolicy", PolicyArn=arn, **members)
        kinds = [("PolicyUsers", "User"), ("PolicyGroups", "Group"), ("PolicyRoles", "Role")]
        assert all(one[f"{kind}Id"] for member, kind in kinds for one in found[member])
        return {one[f"{kind}Name"] for member, kind in kinds for one in found[member]}

    assert told() == {*users, group, role}
    assert told(EntityFilter="User") == set(users)
    assert told(EntityFilter="Group") == {group}
    assert told(EntityFilter="Role") == {role}
    assert told(EntityFilter="LocalManagedPolicy") == {*users, group, role}
    assert told(PathPrefix="/in/") == {users[0]}
    assert told(PolicyUsageFilter="PermissionsBoundary") == {users[1]}
    assert told(PolicyUsageFilter="PermissionsPolicy") == {users[0], group, role}


# -- tags -----------------------------------------------------------------------------------------------------------

TAGS = [{"Key": "other", "Value": ""}, {"Key": "some", "Value": "value"}]
DUPLICATE = ("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
BAD_TAGS = [
    ([{"Key": str(number), "Value": ""} for number in range(51)], "have length less than or equal to 50"),
    ([{"Key": "0" * 129, "Value": ""}], "have length less than or equal to 128"),
    ([{"Key": "0", "Value": "0" * 257}], "have length less than or equal to 256"),
    ([{"Key": "NOWAY!", "Value": ""}], r"satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"),
]


@pytest.mark.parametrize("kind", ["User", "Role", "Policy"])
def test_tags_are_set_changed_listed_and_removed(iam, kind):
    if kind == "Policy":
        named = {"PolicyArn": managed(iam, Tags=TAGS)}
    else:
        named = {f"{kind}Name": create(iam, kind, Tags=TAGS)}

    def tags():
        found = iam(f"List{kind}Tags", **named)
        assert found.get("IsTruncated", False) is False
        return sorted(found["Tags"], key=lambda tag: tag["Key"])

    assert tags() == TAGS
    assert sorted(iam(f"Get{kind}", **named)[kind]["Tags"], key=lambda tag: tag["Key"]) == TAGS
    # One key, whatever its case; an empty value is a value.
    iam(f"Tag{kind}", **named, Tags=[{"Key": "Some", "Value": ""}, {"Key": "third", "Value": "3"}])
    assert tags() == [{"Key": "Some", "Value": ""}, TAGS[0], {"Key": "third", "Value": "3"}]
    for pair in ("00", "aA"):
        assert refused(iam, f"Tag{kind}", **named, Tags=[{"Key": key, "Value": ""} for key in pair]) == DUPLICATE
    for bad, told in BAD_TAGS:
        code, text = refused(iam, f"Tag{kind}", **named, Tags=bad)
        assert (code, told in text) == ("ValidationError", True), text
    for bad, told in ([str(number) for number in range(51)], "50"), (["0" * 129], "128"), (["NOWAY!"], "pattern"):
        code, text = refused(iam, f"Untag{kind}", **named, TagKeys=bad)
        assert (code, "'tagKeys'" in text, told in text) == ("ValidationError", True, True), text
    iam(f"Untag{kind}", **named, TagKeys=["some", "nothing"])
    iam(f"Untag{kind}", **named, TagKeys=["third"])
    assert tags() == [TAGS[0]]
    iam(f"Untag{kind}", **named, TagKeys=["other"])
    assert tags() == []
    iam(f"Tag{kind}", **named, Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    over = refused(iam, f"Tag{kind}", **named, Tags=[{"Key": "more", "Value": ""}])
    assert over == ("LimitExceeded", f"Cannot exceed quota for TagsPer{kind}: 50")
    nobody = {"PolicyArn": f"{IAM}:policy/none"} if kind == "Policy" else {f"{kind}Name": "nobody"}
    assert refused(iam, f"Tag{kind}", **nobody, Tags=TAGS)[0] == "NoSuchEntity"
    assert refused(iam, f"Untag{kind}", **nobody, TagKeys=["a"])[0] == "NoSuchEntity"


# -- the account ----------------------------------------------------------------------------------------------------


def test_the_account_is_shown_as_a_whole(iam):
    arn = managed(iam)
    user, group, role = create(iam, "User"), create(iam, "Group"), create(iam, "Role", Description="d", Tags=TAGS)
    iam("AddUserToGroup", GroupName=group, UserName=user)
    for kind, name in (("User", user), ("Group", group), ("Role", role)):
        iam(f"Put{kind}Policy", PolicyName="own", PolicyDocument=POLICY, **{f"{kind}Name": name})
        iam(f"Attach{kind}Policy", PolicyArn=arn, **{f"{kind}Name": name})
    lists = {"User": "UserDetailList", "Group": "GroupDetailList", "Role": "RoleDetailList"}
    for kind, name in (("User", user), ("Group", group), ("Role", role)):
        shown = iam("GetAccountAuthorizationDetails", Filter=[kind])
        assert [member for member in (*lists.values(), "Policies") if shown[member]] == [lists[kind]]
        (one,) = [one for one in shown[lists[kind]] if one[f"{kind}Name"] == name]
        assert one[f"{kind}PolicyList"] == [{"PolicyName": "own", "PolicyDocument": json.loads(POLICY)}]
        assert one["AttachedManagedPolicies"] == [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn}]
    shown = iam("GetAccountAuthorizationDetails")
    assert [one["GroupList"] for one in shown["UserDetailList"] if one["UserName"] == user] == [[group]]
    (found,) = [one for one in shown["RoleDetailList"] if one["RoleName"] == role]
    assert (found["AssumeRolePolicyDocument"], found["InstanceProfileList"]) == (json.loads(TRUST), [])
    assert sorted(found["Tags"], key=lambda tag: tag["Key"]) == TAGS
    policies = iam("GetAccountAuthorizationDetails", Filter=["LocalManagedPolicy"])["Policies"]
    (found,) = [one for one in policies if one["Arn"] == arn]
    assert found["PolicyVersionList"][0]["Document"] == json.loads(POLICY)
    assert found["AttachmentCount"] == 3


def test_the_account_is_counted(iam):
    def counted():
        return iam("GetAccountSummary")["SummaryMap"]

    before = counted()
    quotas = {
        "GroupPolicySizeQuota": 5120,
        "UserPolicySizeQuota": 2048,
        "RolePolicySizeQuota": 10240,
        "PolicySizeQuota": 6144,
        "AssumeRolePolicySizeQuota": 2048,
        "AccessKeysPerUserQuota": 2,
        "GroupsPerUserQuota": 10,
        "VersionsPerPolicyQuota": 5,
        "AttachedPoliciesPerUserQuota": 10,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
    }
    assert has(before, **quotas)
    for kind in KINDS:
        create(iam, kind)
    managed(iam)
    after = counted()
    grown = {one: after[one] - before[one] for one in ("Users", "Groups", "Roles", "Policies")}
    assert grown == dict.fromkeys(grown, 1)


def test_what_has_no_service_linked_role_here_is_refused(iam):
    """moto makes roles for any service; here there is the one that scales."""
    code, text = refused(iam, "CreateServiceLinkedRole", AWSServiceName="other.amazonaws.com")
    assert (code, "other.amazonaws.com" in text) == ("InvalidInput", True)
    code, text = refused(iam, "DeleteServiceLinkedRole", RoleName=create(iam, "Role"))
    assert code == "InvalidInput"
