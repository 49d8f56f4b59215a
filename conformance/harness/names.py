"""Names and ARNs."""

import itertools

from .server import ACCOUNT, REGION

_numbers = itertools.count(1)


def fresh(prefix):
    """A name that nothing else of this run has."""
    return f"{prefix}-{next(_numbers)}"


def arn(kind, name):
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
