"""What attempts are written with. Each is told in one line: its name, a tab, and `ok` or the name of the error."""

import errno
import os
import sys


def attempt(name, deed):
    try:
        told = deed()
        print(f"{name}\t{'ok' if told is None else told}", flush=True)
    except OSError as error:
        print(f"{name}\t{errno.errorcode.get(error.errno, error)}", flush=True)
    except Exception as error:
        print(f"{name}\t{type(error).__name__}: {error}", flush=True)


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    with open(path, "wb") as file:
        file.write(b"x")


def listed(path):
    os.listdir(path)
