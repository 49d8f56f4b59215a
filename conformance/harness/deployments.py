"""What a `DeploymentConfig` is made of, in one line each."""


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind, wait, termination, timeout=None, alarms=(), **size):
    """All at once, or in steps of `CanarySize` or `LinearStepSize`; times in seconds of server time."""
    routing = {"Type": kind, "WaitIntervalInSeconds": wait} | size
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}
    return {"BlueGreenUpdatePolicy": policy | _limited(timeout)} | guarded(alarms)


def rolling(batch, wait, back=None, alarms=()):
    """By batches, and back by batches of `back`, or all at once without."""
    policy = {"MaximumBatchSize": batch, "WaitIntervalInSeconds": wait}
    policy |= {"RollbackMaximumBatchSize": back} if back else {}
    return {"RollingUpdatePolicy": policy} | guarded(alarms)


def guarded(alarms):
    """What rolls an update back when one of these alarms goes off."""
    named = [{"AlarmName": alarm} for alarm in alarms]
    return {"AutoRollbackConfiguration": {"Alarms": named}} if named else {}


def _limited(timeout):
    return {"MaximumExecutionTimeoutInSeconds": timeout} if timeout else {}
