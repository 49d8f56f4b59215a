"""The README's first endpoint and its scaling, run exactly as they are printed there."""

from harness import readme


def test_it_takes_fifteen_lines():
    assert len([line for line in readme.snippets("python")[0].splitlines() if line.strip()]) <= 15


def test_it_works(server):
    ended = readme.run_python(server, blocks=2, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "forecast" in ended.stdout
    assert ended.stderr == ""
    policies = server.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")
    (policy,) = policies["ScalingPolicies"]
    assert (policy["ResourceId"], len(policy["Alarms"])) == ("endpoint/tide/variant/main", 2)
