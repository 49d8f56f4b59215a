"""Policies of each malformed kind, wherever a policy is taken: refused in AWS's words, and nothing kept."""

import json

import pytest

from harness import names
from harness.hosting import error_of
from harness.people import IAM, allow, document, key_of, statement
from harness.server import ACCOUNT

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
VERSION = "Policy document must be version 2012-10-17 or greater."
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
PRINCIPAL = "Policy document should not specify a principal."
TRUSTED = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def taken(server, iam):
    """Every operation that takes a policy of an identity, and what it refuses a malformed one with."""
    user, group, role = (names.fresh(kind) for kind in ("user", "group", "role"))
    iam.create_user(UserName=user)
    iam.create_group(GroupName=group)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(TRUSTED))
    arn = iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    sts = key_of(server, iam, user).client("sts")
    iam.put_user_policy(UserName=user, PolicyName="assume", PolicyDocument=allow("sts:AssumeRole"))
    session = {"RoleArn": f"{IAM}:role/{role}", "RoleSessionName": "work"}
    return {
        "CreatePolicy": lambda text: iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=text),
        "CreatePolicyVersion": lambda text: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text),
        "PutUserPolicy": lambda text: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text),
        "PutGroupPolicy": lambda text: iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=text),
        "PutRolePolicy": lambda text: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=text),
        "AssumeRole": lambda text: sts.assume_role(Policy=text, **session),
    }


def but(**changes):
    """A sound policy with some elements of its statement changed; None takes one away."""
    made = statement("Allow", "s3:ListBucket", "arn:aws:s3:::example_bucket") | changes
    return document({name: value for name, value in made.items() if value is not None})


def conditional(operator, condition):
    return but(Condition={operator: condition})


# The kinds that moto's tests record of AWS, one each (all of them: auth/src/policy/tests/malformed.rs).
MALFORMED = [
    ("no JSON", "{", SYNTAX),
    ("no object", "[]", SYNTAX),
    ("text behind", allow("s3:*") + " x", SYNTAX),
    ("no statement", json.dumps({"Version": "2012-10-17"}), SYNTAX),
    ("a strange element of the policy", allow("s3:*").replace('"Version"', '"Extra": 1, "Version"'), SYNTAX),
    ("an unknown version", allow("s3:*").replace("2012-10-17", "2013-10-17"), SYNTAX),
    ("a strange element of a statement", but(Extra="value"), SYNTAX),
    ("an element in other letters", but(Action=None, action="s3:*"), SYNTAX),
    ("an unknown effect", but(Effect="invalid"), SYNTAX),
    ("an effect in other letters", but(Effect="aLLow"), LEGACY),
    ("a principal", but(Principal="*"), PRINCIPAL),
    ("both forms of an action", but(NotAction="s3:*"), SYNTAX),
    ("both forms of a resource", but(NotResource="*"), SYNTAX),
    ("no actions", but(Action=None), NO_ACTIONS),
    ("an empty list of actions", but(Action=[]), NO_ACTIONS),
    ("no resources", but(Resource=None), NO_RESOURCES),
    ("an action of no service", but(Action="invalid"), VENDOR),
    ("an action of a bad service", but(Action="a a:ListBucket"), "Vendor a a is not valid"),
    ("an action with two colons", but(Action="s3:List:Bucket"), "Actions/Condition can contain only one colon."),
    ("a resource that is no ARN", but(Resource="nothing"), 'Resource nothing must be in ARN format or "*".'),
    (
        "another partition",
        but(Resource="arn:error:s3:::a"),
        'Partition "error" is not valid for resource "arn:error:s3:::a".',
    ),
    (
        "an ARN of AWS alone",
        but(Resource="arn:aws"),
        "Resource vendor must be fully qualified and cannot contain regexes.",
    ),
    (
        "a region of IAM",
        but(Resource="arn:aws:iam:us-east-1::user/a"),
        "IAM resource arn:aws:iam:us-east-1::user/a cannot contain region information.",
    ),
    ("an unfinished variable", but(Resource="arn:aws:s3:::${aws:username"), SYNTAX),
    ("conditions that are a list", but(Condition=[]), SYNTAX),
    ("an unknown operator", conditional("StringEqual", {"aws:username": "a"}), SYNTAX),
    ("an operator in other letters", conditional("stringequals", {"aws:username": "a"}), SYNTAX),
    ("an unknown quantifier", conditional("ForSomeValues:StringEquals", {"aws:TagKeys": "a"}), SYNTAX),
    ("an operator that cannot be absent", conditional("NullIfExists", {"aws:username": "true"}), SYNTAX),
    ("a date that is none", conditional("DateLessThan", {"aws:CurrentTime": "soon"}), LEGACY),
    ("a number that is none", conditional("NumericEquals", {"s3:max-keys": "ten"}), LEGACY),
    ("a network that is none", conditional("IpAddress", {"aws:SourceIp": "1.2.3.4/99"}), LEGACY),
    ("a Sid of other characters", but(Sid="no-dashes"), None),
    ("a Sid twice", document(*[statement("Allow", "s3:*") | {"Sid": "a"}] * 2), None),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_policy_is_refused_wherever_one_is_taken(taken, text, told):
    answers = {name: error_of(call, text) for name, call in taken.items()}
    assert {(code, status) for code, _, status in answers.values()} == {("MalformedPolicyDocument", 400)}, answers
    messages = {message for _, message, _ in answers.values()}
    assert len(messages) == 1
    assert told is None or told in messages.pop()


def test_an_older_version_is_for_inline_policies_only(taken):
    older = allow("s3:*").replace("2012-10-17", "2008-10-17")
    for name in ("CreatePolicy", "CreatePolicyVersion"):
        assert error_of(taken[name], older) == ("MalformedPolicyDocument", VERSION, 400)
    for name in ("PutUserPolicy", "PutGroupPolicy", "PutRolePolicy", "AssumeRole"):
        taken[name](older)


def test_nothing_of_a_refused_policy_is_kept(taken, iam):
    def policies():
        return {one["PolicyName"]: one["DefaultVersionId"] for one in iam.list_policies(Scope="Local")["Policies"]}

    user = names.fresh("user")
    iam.create_user(UserName=user)
    before = policies()
    for _, text, _ in MALFORMED:
        error_of(taken["CreatePolicy"], text)
        error_of(taken["CreatePolicyVersion"], text)
        error_of(iam.put_user_policy, UserName=user, PolicyName="p", PolicyDocument=text)
    assert policies() == before
    assert iam.list_user_policies(UserName=user)["PolicyNames"] == []


# -- trust policies -------------------------------------------------------------------------------------------------


def trusting(**changes):
    made = TRUSTED | changes
    return document({name: value for name, value in made.items() if value is not None})


NO_PRINCIPAL = 'Invalid principal in policy: "AWS":"{}"'
# Texts: docs/decisions/0005-policies.md.
MALFORMED_TRUST = [
    ("{", "This policy contains invalid Json"),
    (trusting(Resource="*"), "Has prohibited field Resource"),
    (trusting(NotResource="*"), "AssumeRole policy must not contain resources."),
    (trusting(Effect="Maybe"), "Invalid effect: Maybe"),
    (trusting(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
    (trusting(Action=None), "Missing required field Action"),
    (trusting(Principal=None), "Missing required field Principal"),
    (trusting(Principal={}), "Missing required field Principal cannot be empty!"),
    (trusting(Principal="*"), 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'),
    (trusting(Principal={"AWS": "somebody"}), NO_PRINCIPAL.format("somebody")),
    (trusting(Principal={"AWS": f"{IAM}:user/*"}), NO_PRINCIPAL.format(f"{IAM}:user/*")),
    (trusting(Principal={"AWS": f"{IAM}:group/a"}), NO_PRINCIPAL.format(f"{IAM}:group/a")),
    (trusting(Principal={"AWS": f"{IAM}:user/nobody"}), NO_PRINCIPAL.format(f"{IAM}:user/nobody")),
    (trusting(Principal={"AWS": f"{IAM}:role/nobody"}), NO_PRINCIPAL.format(f"{IAM}:role/nobody")),
    (trusting(Principal={"Service": ""}), 'Invalid principal in policy: "Service":""'),
    (trusting(Extra=1), "Syntax error in policy."),
    (trusting(Condition={"StringEqual": {"sts:ExternalId": "a"}}), "Syntax error in policy."),
    (json.dumps({"Version": "2012-10-17", "Statement": []}), "Could not parse the policy: Statement is empty!"),
]


@pytest.mark.parametrize(("text", "told"), MALFORMED_TRUST)
def test_a_malformed_trust_policy_is_refused_in_iams_words(iam, text, told):
    role, sound = names.fresh("role"), document(TRUSTED)
    code, message, status = error_of(iam.create_role, RoleName=role, AssumeRolePolicyDocument=text)
    assert (code, told in message, status) == ("MalformedPolicyDocument", True, 400), message
    assert error_of(iam.get_role, RoleName=role)[0] == "NoSuchEntity"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=sound)
    code, message, status = error_of(iam.update_assume_role_policy, RoleName=role, PolicyDocument=text)
    assert (code, told in message, status) == ("MalformedPolicyDocument", True, 400), message
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(sound)


# -- lengths --------------------------------------------------------------------------------------------------------


def padded(characters, **elements):
    """A policy of so many characters that count: white space does not."""
    bare = json.dumps({"Version": "2012-10-17", "Statement": [elements]})
    free = characters - sum(not one.isspace() for one in bare)
    return bare.replace("$", "x" * (free + 1))


def of_identity(characters):
    return padded(characters, Effect="Allow", Action="s3:*", Resource="arn:aws:s3:::$")


def of_trust(characters):
    return padded(characters, Condition={"StringEquals": {"sts:ExternalId": "$"}}, **TRUSTED)


def quota(name, most):
    return "LimitExceeded", f"Cannot exceed quota for {name}: {most}", 409


def test_a_managed_policy_has_6144_characters_at_most(taken):
    for name in ("CreatePolicy", "CreatePolicyVersion"):
        taken[name](of_identity(6144))
        assert error_of(taken[name], of_identity(6145)) == quota("PolicySize", 6144)


@pytest.mark.parametrize(("kind", "most"), [("user", 2048), ("group", 5120), ("role", 10240)])
def test_inline_policies_have_so_many_characters_together(iam, kind, most):
    name = names.fresh(kind)
    named = {f"{kind.capitalize()}Name": name}
    more = {"AssumeRolePolicyDocument": document(TRUSTED)} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**named, **more)
    put = getattr(iam, f"put_{kind}_policy")
    put(PolicyName="first", PolicyDocument=of_identity(most - 1000), **named)
    put(PolicyName="second", PolicyDocument=of_identity(1000), **named)
    over = error_of(put, PolicyName="second", PolicyDocument=of_identity(1001), **named)
    assert over == ("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind} {name}", 409)
    # White space is free, and a policy that is replaced makes room.
    put(PolicyName="second", PolicyDocument=of_identity(1000).replace(" ", "\n" * 50), **named)
    put(PolicyName="first", PolicyDocument=of_identity(500), **named)
    put(PolicyName="second", PolicyDocument=of_identity(most - 500), **named)


def test_a_trust_policy_has_2048_characters_at_most(iam):
    role, over = names.fresh("role"), quota("ACLSizePerRole", 2048)
    assert error_of(iam.create_role, RoleName=role, AssumeRolePolicyDocument=of_trust(2049)) == over
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=of_trust(2048))
    assert error_of(iam.update_assume_role_policy, RoleName=role, PolicyDocument=of_trust(2049)) == over


def test_a_session_policy_has_2048_characters_at_most(taken):
    # Of this one the white space counts: the limit is the parameter's.
    text = of_identity(1800)
    text += " " * (2048 - len(text))
    taken["AssumeRole"](text)
    code, message, status = error_of(taken["AssumeRole"], text + " ")
    assert (code, status) == ("ValidationError", 400)
    assert message.endswith("Member must have length less than or equal to 2048")


# -- what would be circular -----------------------------------------------------------------------------------------


def test_a_group_is_in_no_group(iam):
    one, other = names.fresh("group"), names.fresh("group")
    for name in (one, other):
        iam.create_group(GroupName=name)
    refused = error_of(iam.add_user_to_group, GroupName=one, UserName=other)
    assert refused == ("NoSuchEntity", f"The user with name {other} cannot be found.", 404)


def test_a_role_may_trust_itself_and_others_in_a_ring(server, iam):
    first, second = names.fresh("role"), names.fresh("role")
    own = document(TRUSTED | {"Principal": {"AWS": f"{IAM}:role/{first}"}})
    # Nobody can be trusted who is not there yet.
    code, _, status = error_of(iam.create_role, RoleName=first, AssumeRolePolicyDocument=own)
    assert (code, status) == ("MalformedPolicyDocument", 400)
    iam.create_role(RoleName=first, AssumeRolePolicyDocument=document(TRUSTED))
    user = names.fresh("user")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=allow("sts:AssumeRole"))
    caller = key_of(server, iam, user)

    def assume(caller, role):
        answer = caller.client("sts").assume_role(RoleArn=f"{IAM}:role/{role}", RoleSessionName="work")
        made = answer["Credentials"]
        return type(caller)(server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    session = assume(caller, first)
    iam.update_assume_role_policy(RoleName=first, PolicyDocument=own)
    assert error_of(assume, caller, first)[0] == "AccessDenied"
    # The role's own session may go on from itself, round and round.
    for _ in range(3):
        session = assume(session, first)
    ring = document(TRUSTED | {"Principal": {"AWS": f"{IAM}:role/{first}"}})
    iam.create_role(RoleName=second, AssumeRolePolicyDocument=ring)
    back = document(TRUSTED | {"Principal": {"AWS": f"{IAM}:role/{second}"}})
    iam.update_assume_role_policy(RoleName=first, PolicyDocument=back)
    for role in (second, first, second, first):
        session = assume(session, role)
    assert session.client("sts").get_caller_identity()["Arn"].endswith(f":assumed-role/{first}/work")
    # Roles that trust each other, or themselves, can be deleted like others.
    iam.delete_role(RoleName=first)
    assert "AROA" in json.dumps(iam.get_role(RoleName=second)["Role"]["AssumeRolePolicyDocument"])
    iam.delete_role(RoleName=second)
