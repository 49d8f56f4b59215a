"""Ten thousand users: made, listed in pages, looked up and deleted, each in its time, whatever their number."""

import http.client
import re
import threading
import time
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import names, people
from harness.people import allow
from harness.server import REGION

USERS = 10_000
# A write is answered after its sync, and those that wait together share one.
CONNECTIONS = 32
# What a user may take: a thousand bytes of its own, kept as a record and in the tables. Four are far from it.
KIB_PER_USER_MAX = 4
# How much longer the last of them may take than the first: a tree is a little deeper then.
SLOWER_MAX = 3


def name_of(number):
    return f"user-{number:05}"


class Caller:
    """Calls of IAM in plain forms, over one connection: a client library's own work would be most of the time."""

    def __init__(self, server):
        self._credentials = Credentials(*server.key())
        self._url = server.url
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def __call__(self, operation, **members):
        body = urlencode({"Action": operation, "Version": "2010-05-08"} | members).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", self._url + "/", headers, body)
        SigV4Auth(self._credentials, "iam", REGION).add_auth(request)
        self._connection.request("POST", "/", body, dict(request.headers.items()))
        response = self._connection.getresponse()
        answer = response.read().decode()
        assert response.status == 200, answer
        return answer

    def close(self):
        self._connection.close()


def each(server, numbers, call):
    """Makes a call for each of these users over many connections. Gives back how long that took, in seconds."""
    faults, lock, left = [], threading.Lock(), iter(numbers)

    def work():
        caller = Caller(server)
        try:
            while not faults:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                call(caller, number)
        except (AssertionError, OSError, http.client.HTTPException) as fault:
            faults.append(fault)
        finally:
            caller.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]
    return time.monotonic() - begun


def in_tenths(server, call):
    """The same for all users, a tenth of them after the other, the last of which take no longer than the first."""
    tenth = USERS // 10
    took = [each(server, range(start, start + tenth), call) for start in range(0, USERS, tenth)]
    assert min(took[-3:]) < SLOWER_MAX * min(took[:3]), f"slower and slower: {took}"


def pages(caller, size):
    """All names, page after page, and how long each page took."""
    found, took, more = [], [], {}
    while True:
        begun = time.monotonic()
        answer = caller("ListUsers", MaxItems=size, **more)
        took.append(time.monotonic() - begun)
        found += re.findall("<UserName>([^<]+)<", answer)
        marker = re.search("<Marker>([^<]+)<", answer)
        assert ("<IsTruncated>true<" in answer) == bool(marker)
        if not marker:
            return found, took
        more = {"Marker": marker[1]}


def memory_kib(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])


@pytest.fixture(scope="module")
def crowd(server):
    """The server with its users; gives how much memory they took, in KiB."""
    before = memory_kib(server)
    in_tenths(server, lambda caller, number: caller("CreateUser", UserName=name_of(number)))
    return memory_kib(server) - before


def test_users_take_as_much_as_they_are(crowd):
    assert crowd < USERS * KIB_PER_USER_MAX, f"{crowd} KiB for {USERS} users"


@pytest.mark.parametrize("size", [100, 1000])
def test_pages_show_every_user_once_and_take_as_long_as_each_other(server, crowd, size):
    caller = Caller(server)
    found, took = pages(caller, size)
    caller.close()
    assert found == [name_of(number) for number in range(USERS)]
    assert len(took) == USERS // size
    # The quickest of some, since this machine has other things to do.
    third = len(took) // 3
    assert min(took[-third:]) < SLOWER_MAX * min(took[:third]), f"later pages take longer: {took}"


def test_boto3_lists_them_in_its_own_pages(server, crowd):
    found = server.client("iam").get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1000})
    assert sum(len(page["Users"]) for page in found) == USERS


def test_each_is_found_by_name_and_by_key(server, crowd):
    in_tenths(server, lambda caller, number: caller("GetUser", UserName=name_of(number)))
    iam = server.client("iam")
    arn = iam.create_policy(PolicyName=names.fresh("policy"), PolicyDocument=allow("iam:GetUser"))["Policy"]["Arn"]
    for number in (0, USERS // 2, USERS - 1):
        iam.attach_user_policy(UserName=name_of(number), PolicyArn=arn)
        own = people.key_of(server, iam, name_of(number))
        assert own.client("iam").get_user()["User"]["UserName"] == name_of(number)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 3
    assert iam.get_account_summary()["SummaryMap"]["Users"] == USERS
    shown = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1000})
    assert sum(len(page["UserDetailList"]) for page in shown) == USERS


def test_they_are_there_after_a_kill(server, crowd):
    server.kill()
    server.start()
    caller = Caller(server)
    assert pages(caller, 1000)[0] == [name_of(number) for number in range(USERS)]
    caller.close()


def test_they_go_as_they_came(server, crowd):
    iam = server.client("iam")
    for number in (0, USERS // 2, USERS - 1):
        for policy in iam.list_attached_user_policies(UserName=name_of(number))["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name_of(number), PolicyArn=policy["PolicyArn"])
        for key in iam.list_access_keys(UserName=name_of(number))["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name_of(number), AccessKeyId=key["AccessKeyId"])
    in_tenths(server, lambda caller, number: caller("DeleteUser", UserName=name_of(number)))
    assert iam.list_users()["Users"] == []
