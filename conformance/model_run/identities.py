"""Who is there while the run lasts: a user, a group, a role and a policy that IAM's variants speak of.

Operations that take something away have records of their own to do it to, so that the others keep theirs.
"""

import json

from harness.server import ACCOUNT

from . import models

ROLE_OF_SCALING = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"

_STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})
_TRUSTED = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [_TRUSTED]})

# Only what nothing is tied to can be deleted.
_ENDING = ("DeleteUser", "DeleteGroup", "DeleteRole", "DeletePolicy")
_TAKING = ("Delete", "Remove", "Detach")
# Whoever gets a new name would take it from what is made under it, now or then.
_RENAMING = ("UpdateUser", "UpdateGroup")
_SIMULATED = {"PolicyInputList": [DOCUMENT], "ActionNames": ["s3:GetObject"]}


def make(server):
    """Makes the records; gives back what the inputs of IAM have as a matter of course, by their shapes."""
    iam = server.client("iam")
    stay, taken, ended = _tied(iam, _records(iam, "")), _tied(iam, _records(iam, "-taken")), _records(iam, "-ended")
    task = iam.delete_service_linked_role(RoleName=ROLE_OF_SCALING)["DeletionTaskId"]
    usual = {}
    for operation in models.every()["iam"].operations:
        spoken_of = ended if operation.name in _ENDING else taken if operation.name.startswith(_TAKING) else stay
        if operation.name not in _RENAMING:
            usual[operation.input.name] = _known(operation, spoken_of)
    usual["UpdateAssumeRolePolicyRequest"]["PolicyDocument"] = TRUST
    return usual | {
        "CreateServiceLinkedRoleRequest": {"AWSServiceName": _SERVICE},
        "DeleteServiceLinkedRoleRequest": {"RoleName": ROLE_OF_SCALING},
        "GetServiceLinkedRoleDeletionStatusRequest": {"DeletionTaskId": task},
        "SimulateCustomPolicyRequest": _SIMULATED,
        "SimulatePrincipalPolicyRequest": {
            "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/{stay['UserName']}",
            "ActionNames": _SIMULATED["ActionNames"],
        },
        # awsQuery cannot send an empty structure.
        "PolicyIdentifier": {"PolicyArn": stay["PolicyArn"]},
        "OrderedOrganizationPolicyType": {"PolicyInputList": [DOCUMENT]},
        "ContextEntry": {"ContextKeyName": "aws:username", "ContextKeyType": "string", "ContextKeyValues": ["a"]},
    }


def _known(operation, records):
    """The members that name a record, where an input must or usually does have them. What is made gets a new name."""
    makes = operation.name in ("CreateUser", "CreateGroup", "CreateRole", "CreatePolicy")
    names = ("PolicyDocument", "AssumeRolePolicyDocument") if makes else records
    return {
        member.name: records[member.name]
        for member in operation.input.members
        if member.name in names and (member.required or member.name == "UserName")
    }


def _records(iam, suffix):
    """A record of each kind: the values of the members that name them."""
    user, group, role, policy = (f"run-{kind}{suffix}" for kind in ("user", "group", "role", "policy"))
    iam.create_user(UserName=user)
    iam.create_group(GroupName=group)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName=policy, PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    return {
        "UserName": user,
        "GroupName": group,
        "RoleName": role,
        "PolicyName": policy,
        "PolicyArn": arn,
        "VersionId": "v1",
        "PermissionsBoundary": arn,
        "PolicyDocument": DOCUMENT,
        "AssumeRolePolicyDocument": TRUST,
    }


def _tied(iam, records):
    """The same with a key and policies, all tied together."""
    user, group, arn, policy = (records[name] for name in ("UserName", "GroupName", "PolicyArn", "PolicyName"))
    iam.add_user_to_group(UserName=user, GroupName=group)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT, SetAsDefault=True)
    for kind in ("user", "group", "role"):
        holder = {f"{kind.capitalize()}Name": records[f"{kind.capitalize()}Name"]}
        getattr(iam, f"put_{kind}_policy")(PolicyName=policy, PolicyDocument=DOCUMENT, **holder)
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=arn, **holder)
    return records | {"AccessKeyId": iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]}
