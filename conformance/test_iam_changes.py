"""A change of who may what counts from the moment its call is answered: in no window the answer of before is given.

Requests are sent all the while, over many connections and on both planes, the same signed bytes again and again.
Whatever was begun after a change had been answered must be answered by the change; whatever had ended before it was
asked for, must not.
"""

import http.client
import json
import re
import threading
import time
from functools import partial
from urllib.parse import urlencode

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import names, people
from harness.hosting import eventually
from harness.people import IAM, Caller, allow, document, statement
from harness.server import ACCOUNT, REGION

# More connections than the server has threads, for each request.
CONNECTIONS = 3
# There and back again, so often.
ROUNDS = 4
# Answers of each connection that are looked at behind each change.
ANSWERS = 15

OK, DENIED, UNKNOWN = "ok", "AccessDenied", "UnknownKey"
_CODE = re.compile(rb"<Code>(\w+)</Code>")


@pytest.fixture(scope="module")
def bucket(server):
    name = names.fresh("bucket")
    root = server.client("s3", s3={"addressing_style": "path"})
    root.create_bucket(Bucket=name)
    root.put_object(Bucket=name, Key="own", Body=b"tide")
    return name


# -- what is sent ---------------------------------------------------------------------------------------------------


class Sent:
    """A request, signed once and for all."""

    def __init__(self, caller, service, method, path, body=b"", headers=None, signer=SigV4Auth):
        request = AWSRequest(method, caller.server.url + path, headers or {}, body)
        signer(Credentials(caller.key, caller.secret, caller.token), service, REGION).add_auth(request)
        self.method, self.path, self.body, self.headers = method, path, body, dict(request.headers.items())


def invoke(caller, endpoint):
    return Sent(caller, "sagemaker", "POST", f"/endpoints/{endpoint}/invocations", b"tide")


def describe(caller, endpoint):
    headers = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
    return Sent(caller, "sagemaker", "POST", "/", json.dumps({"EndpointName": endpoint}).encode(), headers)


def read(caller, bucket):
    return Sent(caller, "s3", "GET", f"/{bucket}/own", signer=S3SigV4Auth)


def assume(caller, role):
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": f"{IAM}:role/{role}", "RoleSessionName": "work"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Sent(caller, "sts", "POST", "/", urlencode(form).encode(), headers)


def outcome(status, headers, body):
    if status == 200:
        return OK
    found = _CODE.search(body)
    code = headers.get("x-amzn-errortype") or (found[1].decode() if found else json.loads(body)["__type"])
    code = code.rpartition("#")[2]
    if code in ("AccessDenied", "AccessDeniedException"):
        return DENIED
    known = ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken")
    return UNKNOWN if code in known else f"{status} {code}"


class Asking:
    """Sends requests from `with` to its end; every answer is kept with when it was asked for and when it came."""

    def __init__(self, server, *requests):
        self._port = server.port
        self._stop = threading.Event()
        self._samples = [[] for _ in requests * CONNECTIONS]
        pairs = zip(requests * CONNECTIONS, self._samples, strict=True)
        self._threads = [threading.Thread(target=self._ask, args=pair, daemon=True) for pair in pairs]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, request, samples):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                connection.request(request.method, request.path, request.body, request.headers)
                response = connection.getresponse()
                found = outcome(response.status, response.headers, response.read())
            except (OSError, http.client.HTTPException) as lost:
                # A server that refuses before it has read everything still lets its answer arrive.
                found = f"lost: {lost!r}"
                connection.close()
            samples.append((begun, time.monotonic(), found))
        connection.close()

    def after(self, change, wanted):
        """Makes a change; everything that is asked from its answer on must have this outcome."""
        asked = time.monotonic()
        change()
        answered = time.monotonic()
        self._heard_since(answered)
        for samples in self._samples:
            late = {found for begun, _, found in list(samples) if begun > answered}
            assert late == {wanted}, f"asked after the change: {late}, not {wanted}"
        return asked

    def before(self, wanted, since, until):
        for samples in self._samples:
            early = {found for begun, ended, found in list(samples) if begun > since and ended < until}
            assert early <= {wanted}, f"answered before the change: {early}, not {wanted}"

    def _heard_since(self, moment):
        def enough():
            return all(sum(begun > moment for begun, _, _ in samples[-1000:]) >= ANSWERS for samples in self._samples)

        eventually(enough, every=0.005)


def there_and_back(server, requests, give, take, denial=DENIED):
    """Gives and takes away, again and again."""
    with Asking(server, *requests) as asking:
        given = None
        for _ in range(ROUNDS):
            moment = asking.after(give, OK)
            if given is not None:
                asking.before(denial, given, moment)
            settled = time.monotonic()
            moment = asking.after(take, denial)
            asking.before(OK, settled, moment)
            given = time.monotonic()


# -- whom it is about -----------------------------------------------------------------------------------------------


class Person:
    """A user with a key, and the requests that it sends."""

    def __init__(self, server, iam, endpoint, bucket, *policies):
        self.caller = people.user(server, iam, *policies)
        self.name = self.caller.name
        self.requests = [invoke(self.caller, endpoint), describe(self.caller, endpoint), read(self.caller, bucket)]


@pytest.fixture
def person(server, iam, echo, bucket):
    return lambda *policies: Person(server, iam, echo, bucket, *policies)


ALL = allow("sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint", "s3:GetObject")
NOTHING = allow("iam:GetUser")
DENIAL = document(statement("Deny", ["sagemaker:*", "s3:*"]))


def managed(iam, *versions):
    """A managed policy of these versions, the first of which counts."""
    arn = iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=versions[0])["Policy"]["Arn"]
    for text in versions[1:]:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=text)
    return arn


def _inline(iam, person):
    ann, own = person(), {"PolicyName": "own"}
    give = partial(iam.put_user_policy, UserName=ann.name, PolicyDocument=ALL, **own)
    return ann, give, partial(iam.delete_user_policy, UserName=ann.name, **own)


def _attached(iam, person):
    ann, arn = person(), managed(iam, ALL)
    give = partial(iam.attach_user_policy, UserName=ann.name, PolicyArn=arn)
    return ann, give, partial(iam.detach_user_policy, UserName=ann.name, PolicyArn=arn)


def _version(iam, person):
    ann, arn = person(), managed(iam, NOTHING, ALL)
    iam.attach_user_policy(UserName=ann.name, PolicyArn=arn)
    give = partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v2")
    return ann, give, partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v1")


def _denial(iam, person):
    ann = person(ALL)
    give = partial(iam.put_user_policy, UserName=ann.name, PolicyName="no", PolicyDocument=NOTHING)
    return ann, give, partial(iam.put_user_policy, UserName=ann.name, PolicyName="no", PolicyDocument=DENIAL)


def _membership(iam, person):
    ann, group = person(), {"GroupName": names.fresh("group")}
    iam.create_group(**group)
    iam.put_group_policy(PolicyName="p", PolicyDocument=ALL, **group)
    give = partial(iam.add_user_to_group, UserName=ann.name, **group)
    return ann, give, partial(iam.remove_user_from_group, UserName=ann.name, **group)


def _groups_policy(iam, person):
    ann, group = person(), {"GroupName": names.fresh("group")}
    iam.create_group(**group)
    iam.add_user_to_group(UserName=ann.name, **group)
    give = partial(iam.put_group_policy, PolicyName="p", PolicyDocument=ALL, **group)
    return ann, give, partial(iam.delete_group_policy, PolicyName="p", **group)


def _groups_attached(iam, person):
    ann, group, arn = person(), {"GroupName": names.fresh("group")}, managed(iam, ALL)
    iam.create_group(**group)
    iam.add_user_to_group(UserName=ann.name, **group)
    give = partial(iam.attach_group_policy, PolicyArn=arn, **group)
    return ann, give, partial(iam.detach_group_policy, PolicyArn=arn, **group)


def _boundary(iam, person):
    ann, arn = person(ALL), managed(iam, NOTHING)
    give = partial(iam.delete_user_permissions_boundary, UserName=ann.name)
    return ann, give, partial(iam.put_user_permissions_boundary, UserName=ann.name, PermissionsBoundary=arn)


def _boundarys_version(iam, person):
    ann, arn = person(ALL), managed(iam, NOTHING, ALL)
    iam.put_user_permissions_boundary(UserName=ann.name, PermissionsBoundary=arn)
    give = partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v2")
    return ann, give, partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v1")


def _callers_tag(iam, person):
    ann = person(allow("sagemaker:*", "s3:*", StringEquals={"aws:PrincipalTag/team": "tide"}))
    give = partial(iam.tag_user, UserName=ann.name, Tags=[{"Key": "Team", "Value": "tide"}])
    return ann, give, partial(iam.untag_user, UserName=ann.name, TagKeys=["Team"])


def _path(iam, person):
    ann = person(allow("sagemaker:*", "s3:*", ArnLike={"aws:PrincipalArn": f"{IAM}:user/staff/*"}))
    give = partial(iam.update_user, UserName=ann.name, NewPath="/staff/")
    return ann, give, partial(iam.update_user, UserName=ann.name, NewPath="/")


OF_USERS = [
    _inline,
    _attached,
    _version,
    _denial,
    _membership,
    _groups_policy,
    _groups_attached,
    _boundary,
    _boundarys_version,
    _callers_tag,
    _path,
]


@pytest.mark.parametrize("change", OF_USERS, ids=lambda change: change.__name__.strip("_"))
def test_what_a_user_may_changes_at_once(server, iam, person, change):
    ann, give, take = change(iam, person)
    there_and_back(server, ann.requests, give, take)


def test_a_key_is_switched_off_and_on_at_once(server, iam, person):
    ann = person(ALL)
    named = {"UserName": ann.name, "AccessKeyId": ann.caller.key}
    there_and_back(
        server,
        ann.requests,
        lambda: iam.update_access_key(**named, Status="Active"),
        lambda: iam.update_access_key(**named, Status="Inactive"),
        denial=UNKNOWN,
    )


def test_a_key_is_deleted_at_once(server, iam, person):
    ann = person(ALL)
    with Asking(server, *ann.requests) as asking:
        asking.after(lambda: None, OK)
        asking.after(lambda: iam.delete_access_key(UserName=ann.name, AccessKeyId=ann.caller.key), UNKNOWN)


def test_a_users_session_may_what_the_user_may(server, iam, person, echo):
    ann = person(ALL)
    made = ann.caller.client("sts").get_session_token()["Credentials"]
    session = Caller(server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    there_and_back(
        server,
        [invoke(session, echo), describe(session, echo)],
        lambda: iam.put_user_policy(UserName=ann.name, PolicyName="p0", PolicyDocument=ALL),
        lambda: iam.put_user_policy(UserName=ann.name, PolicyName="p0", PolicyDocument=NOTHING),
    )


# -- sessions of roles ----------------------------------------------------------------------------------------------


@pytest.fixture
def role(iam):
    return lambda *policies: people.role(iam, *policies)


def _roles_inline(iam, role):
    name = role(NOTHING)
    give = partial(iam.put_role_policy, RoleName=name, PolicyName="p0", PolicyDocument=ALL)
    return name, {}, give, partial(iam.put_role_policy, RoleName=name, PolicyName="p0", PolicyDocument=NOTHING)


def _roles_attached(iam, role):
    name, arn = role(), managed(iam, ALL)
    give = partial(iam.attach_role_policy, RoleName=name, PolicyArn=arn)
    return name, {}, give, partial(iam.detach_role_policy, RoleName=name, PolicyArn=arn)


def _roles_boundary(iam, role):
    name, arn = role(ALL), managed(iam, NOTHING)
    give = partial(iam.delete_role_permissions_boundary, RoleName=name)
    return name, {}, give, partial(iam.put_role_permissions_boundary, RoleName=name, PermissionsBoundary=arn)


def _revocation(iam, role):
    """What the button of AWS's console writes, for sessions that began before a time to come."""
    name, revoke = role(ALL), {"PolicyName": "AWSRevokeOlderSessions"}
    older = statement("Deny", ["*"], ["*"], DateLessThan={"aws:TokenIssueTime": "2999-01-01T00:00:00.000Z"})
    put = partial(iam.put_role_policy, RoleName=name, PolicyDocument=document(older), **revoke)
    put()
    return name, {}, partial(iam.delete_role_policy, RoleName=name, **revoke), put


def _sessions_policy(iam, role):
    """A managed policy that the session was given when it began."""
    name, arn = role(ALL), managed(iam, NOTHING, ALL)
    give = partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v2")
    take = partial(iam.set_default_policy_version, PolicyArn=arn, VersionId="v1")
    return name, {"PolicyArns": [{"arn": arn}]}, give, take


def _roles_tag(iam, role):
    name = role(allow("sagemaker:*", "s3:*", StringEquals={"aws:PrincipalTag/team": "tide"}))
    give = partial(iam.tag_role, RoleName=name, Tags=[{"Key": "team", "Value": "tide"}])
    return name, {}, give, partial(iam.untag_role, RoleName=name, TagKeys=["team"])


OF_ROLES = [_roles_inline, _roles_attached, _roles_boundary, _revocation, _sessions_policy, _roles_tag]


@pytest.mark.parametrize("change", OF_ROLES, ids=lambda change: change.__name__.strip("_"))
def test_what_a_session_may_changes_at_once(server, iam, person, role, echo, bucket, change):
    name, limits, give, take = change(iam, role)
    session = people.assume(person(allow("sts:AssumeRole")).caller, name, **limits)
    requests = [invoke(session, echo), describe(session, echo), read(session, bucket)]
    there_and_back(server, requests, give, take)


def test_a_session_ends_with_its_role_at_once(server, iam, person, role, echo):
    name = role()
    arn = managed(iam, ALL)
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    session = people.assume(person(allow("sts:AssumeRole")).caller, name)
    with Asking(server, invoke(session, echo), describe(session, echo)) as asking:
        asking.after(lambda: None, OK)
        asking.after(lambda: iam.detach_role_policy(RoleName=name, PolicyArn=arn), DENIED)
        asking.after(lambda: iam.delete_role(RoleName=name), UNKNOWN)


def test_a_trust_policy_counts_at_once(server, iam, person, role):
    ann, name = person(), role()

    def trusting(user):
        return document({"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"})

    mine, another = f"{IAM}:user/{ann.name}", f"{IAM}:user/{person().name}"
    there_and_back(
        server,
        [assume(ann.caller, name)],
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting(mine)),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting(another)),
    )


# -- what is asked for ----------------------------------------------------------------------------------------------


def test_a_tag_of_the_endpoint_counts_at_once(server, hosting, person, echo):
    ann = person(allow("sagemaker:*", StringEquals={"aws:ResourceTag/stage": "open"}))
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{echo}"
    there_and_back(
        server,
        ann.requests[:2],
        lambda: hosting.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "open"}]),
        lambda: hosting.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "shut"}]),
    )
