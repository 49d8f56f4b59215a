"""Users, roles and their policies, made through IAM, and clients that sign as them: real keys and real signatures."""

import concurrent.futures
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from . import names
from .server import ACCOUNT, REGION

IAM = f"arn:aws:iam::{ACCOUNT}"
# More than the server has threads, so that each of them gets some.
CONNECTIONS = 8


def statement(effect, action, resource="*", **condition):
    made = {"Effect": effect, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", **condition):
    return document(statement("Allow", list(actions), resource, **condition))


class Caller:
    """Somebody with a key, and clients that sign with it."""

    def __init__(self, server, key, secret, token=None):
        self.server, self.key, self.secret, self.token = server, key, secret, token
        self.session = boto3.Session(key, secret, token, region_name=REGION)

    def client(self, service, **config):
        options = {"retries": {"total_max_attempts": 1}, "max_pool_connections": 50} | config
        return self.session.client(service, endpoint_url=self.server.url, config=Config(**options))

    def asked(self, endpoint):
        """What both planes answer, over many connections: one set of outcomes, `ok` or an error's code."""
        planes = [
            lambda: self.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"tide"),
            lambda: self.client("sagemaker").describe_endpoint(EndpointName=endpoint),
        ]
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            return set(pool.map(outcome, planes * CONNECTIONS))

    @property
    def credentials(self):
        return self.key, self.secret, self.token

    def environment(self, **more):
        """For a client in a process of its own, as `Server.client_environment` makes it for the root user."""
        made = self.server.client_environment(AWS_ACCESS_KEY_ID=self.key, AWS_SECRET_ACCESS_KEY=self.secret, **more)
        # A profile that is named would win over the key.
        del made["AWS_PROFILE"], made["AWS_SHARED_CREDENTIALS_FILE"]
        return made | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})


def outcome(call, **members):
    """`ok`, or the code of the error."""
    try:
        call(**members)
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    return "ok"


def key_of(server, iam, name):
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Caller(server, key["AccessKeyId"], key["SecretAccessKey"])


def user(server, iam, *policies):
    """A new user with these inline policies and a key."""
    name = names.fresh("user")
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    caller = key_of(server, iam, name)
    caller.name = name
    return caller


def role(iam, *policies):
    """The name of a new role with these inline policies, which the account trusts."""
    name = names.fresh("role")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"{IAM}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    for number, policy in enumerate(policies):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    return name


def assume(caller, role, **more):
    """A session of a role, begun by a caller who may."""
    made = caller.client("sts").assume_role(RoleArn=f"{IAM}:role/{role}", RoleSessionName="work", **more)["Credentials"]
    return Caller(caller.server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
