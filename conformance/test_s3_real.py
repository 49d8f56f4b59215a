"""Models from a real S3 that the configuration names; another Tidegate plays it."""

import pytest

from harness import archives
from harness.hosting import Hosting, error_of, variant
from harness.server import Server

CONFIG = """
[[s3]]
bucket = "prod-*"
endpoint = "{endpoint}"
region = "eu-west-1"
profile = "prod"

[[s3]]
bucket = "open-*"
endpoint = "{endpoint}"
anonymous = true
"""


@pytest.fixture(scope="module")
def real():
    """Where the models are, in another region and with another key."""
    made = Server(arguments=["--region", "eu-west-1"])
    try:
        s3 = made.start().client("s3", region="eu-west-1")
        for bucket in ("prod-models", "open-models"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            for key in ("model.tar.gz", "a folder/modèle+1.tar.gz"):
                s3.put_object(Bucket=bucket, Key=key, Body=archives.tar_gz({"weights": b"there"}))
            s3.put_object(Bucket=bucket, Key="hostile.tar.gz", Body=archives.HOSTILE["escapes its folder"][0])
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    """The file that AWS's tools keep keys in; empty at first."""
    return tmp_path_factory.mktemp("aws") / "credentials"


@pytest.fixture(scope="module")
def server(real, profiles):
    made = Server(
        config=CONFIG.format(endpoint=real.url),
        # Whatever is logged at the most, a secret is not.
        environment={
            "AWS_SHARED_CREDENTIALS_FILE": str(profiles),
            "AWS_CONFIG_FILE": "/dev/null",
            "TIDEGATE_LOG": "trace",
        },
    )
    try:
        yield made.start()
    finally:
        made.close()


def write_profile(profiles, key, secret):
    profiles.write_text(f"[prod]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


def outcome(hosting: Hosting, url):
    """What becomes of an endpoint whose model is there: its answer, or why it failed."""
    name = hosting.begin(hosting.config(variant(hosting.model(data=url))))
    with hosting.removed_after(name):
        seen = hosting.settled(name)
        return hosting.invoke(name) if seen["EndpointStatus"] == "InService" else seen["FailureReason"]


def test_a_model_of_a_real_bucket_is_hosted_with_the_profiles_key(hosting, server, real, profiles):
    key, secret = real.key()
    write_profile(profiles, key, secret)
    for name in ("model.tar.gz", "a folder/modèle+1.tar.gz"):
        assert outcome(hosting, f"s3://prod-models/{name}") == b"tide"
    # The profile is read anew for each download.
    write_profile(profiles, key, "wrong" * 8)
    assert "SignatureDoesNotMatch" in outcome(hosting, "s3://prod-models/model.tar.gz")
    profiles.write_text("")
    assert 'no profile "prod"' in outcome(hosting, "s3://prod-models/model.tar.gz")
    write_profile(profiles, key, secret)
    assert secret not in server.log()
    assert "wrong" not in server.log()


def test_each_failure_is_told(hosting, real, profiles):
    write_profile(profiles, *real.key())
    for url, told in [
        ("s3://prod-models/absent.tar.gz", 'no object "absent.tar.gz"'),
        ("s3://prod-absent/model.tar.gz", 'no bucket "prod-absent"'),
        ("s3://prod-models/hostile.tar.gz", "escaped"),
        # Nobody is let in there without a key.
        ("s3://open-models/model.tar.gz", "AccessDenied"),
        ("https://localhost:1/model.tar.gz?X-Amz-Signature=hidden", "Connection refused"),
    ]:
        reason = outcome(hosting, url)
        assert told in reason, reason
        assert "hidden" not in reason


def test_other_buckets_are_the_embedded_ones(hosting, server):
    server.client("s3").put_object(Bucket="models", Key="m.tar.gz", Body=archives.tar_gz({"weights": b"here"}))
    assert outcome(hosting, "s3://models/m.tar.gz") == b"tide"
    assert error_of(server.client("s3").head_bucket, Bucket="prod-models")[2] == 404


def test_an_entry_that_cannot_be_used_stops_the_start():
    for config, named in [
        ('bucket = "a"\nendpoint = "http://s3.example"', "https://"),
        ('bucket = "a["', "a["),
        ('bucket = "a"\nprofile = "p"\nanonymous = true', "anonymous"),
        ('bucket = "a"\nsecret = "x"', "unknown field `secret`"),
    ]:
        made = Server(config=f"[[s3]]\n{config}\n")
        try:
            with pytest.raises(RuntimeError) as refused:
                made.start()
            assert named in str(refused.value)
        finally:
            made.close()
