"""One `tidegate up` of a test's own: started, watched, killed, started again, and never left behind."""

import configparser
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import boto3
from botocore.config import Config

from . import processes

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"

# A release build on a busy machine of two cores is ready in well under a second.
READY_WITHIN_SECONDS = 30
# The server drains what it has, then ends every model server; a model server has its own time to end.
STOPPED_WITHIN_SECONDS = 45
# After a kill nobody ends the model servers but their supervisors, which hear of it at once.
ORPHANS_GONE_WITHIN_SECONDS = 10

READY = re.compile(rb"tidegate is ready at (https?://\S+)")


def binary():
    """The binary under test: TIDEGATE_BINARY, else the release build, else the debug build."""
    named = os.environ.get("TIDEGATE_BINARY")
    places = [pathlib.Path(named)] if named else [ROOT / "target" / kind / "tidegate" for kind in ("release", "debug")]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise FileNotFoundError(f"no tidegate binary at {' or '.join(map(str, places))}: cargo build --release")


def clean_environment(**more):
    """This process's environment without anything that would point a client or a server elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TIDEGATE_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true"} | more


class Server:
    """A server on a data directory of its own. Killed or stopped, it can be started again on the same one."""

    def __init__(self, config=None, arguments=(), environment=None):
        # Short, since a Unix socket's whole path must fit into 108 bytes.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tg-", dir="/tmp"))
        self.data_dir = self.root / "data"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.unexpected = []
        self._logs = []
        self._process = None
        self.config_path = None
        if config is not None:
            self.config_path = self.root / "tidegate.toml"
            self.config_path.write_text(config)

    # -- its life ------------------------------------------------------------------------------------------------

    def command(self, *more):
        config = ["--config", str(self.config_path)] if self.config_path else []
        listen = [] if "--listen" in self.arguments else ["--listen", "127.0.0.1:0"]
        return [str(binary()), "up", "--data-dir", str(self.data_dir), *listen, *config, *self.arguments, *more]

    def start(self):
        number = len(self._logs)
        files = self.root / f"stdout-{number}", self.root / f"stderr-{number}"
        self._logs.append(files)
        environment = clean_environment(**self.environment)
        with files[0].open("wb") as out, files[1].open("wb") as err:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,
            )
        self.url = self._wait_until_ready()
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            ready = READY.search(self._logs[-1][0].read_bytes())
            if ready:
                return ready.group(1).decode()
            if self._process.poll() is not None:
                raise RuntimeError(f"tidegate up ended with {self._process.returncode}:\n{self.log()}")
            time.sleep(0.02)
        raise RuntimeError(f"tidegate up was not ready within {READY_WITHIN_SECONDS} s:\n{self.log()}")

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def kill(self):
        """`kill -9` of the server alone, as a crash or the kernel's memory killer would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def orphans(self):
        """What is left of a dead server's processes after they had their time to end."""
        return processes.wait_until_gone(self.data_dir, ORPHANS_GONE_WITHIN_SECONDS)

    def stop(self):
        """Ends the server as a person would. Gives back its exit status."""
        if self.is_running():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOPPED_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"SIGTERM did not end the server within {STOPPED_WITHIN_SECONDS} s") from None
        return self._process.returncode if self._process else None

    def close(self):
        """Ends what is left and says what should not have been: processes, panics, 5xx answers."""
        faults = []
        if self._process is not None:
            was_running = self.is_running()
            try:
                status = self.stop()
            except AssertionError as slow:
                faults.append(str(slow))
            else:
                if was_running and status != 0:
                    faults.append(f"the server ended with {status} on SIGTERM")
        left = processes.wait_until_gone(self.data_dir, ORPHANS_GONE_WITHIN_SECONDS)
        if left:
            faults.append(f"left running:\n{processes.describe(left)}")
            processes.kill(left)
        if "panicked at" in self.log():
            faults.append("a panic is in the server's log")
        faults.extend(self.unexpected)
        log = self.log()
        shutil.rmtree(self.root, ignore_errors=True)
        assert not faults, "\n".join([*faults, "--- server log", log[-8000:]])

    def log(self):
        return "".join(path.read_text(errors="replace") for pair in self._logs for path in pair if path.exists())

    # -- its clients ---------------------------------------------------------------------------------------------

    @property
    def credentials_file(self):
        return self.data_dir / "credentials"

    def key(self):
        """The root access key and its secret, as a client would read them."""
        parsed = configparser.ConfigParser()
        parsed.read(self.credentials_file)
        return parsed["default"]["aws_access_key_id"], parsed["default"]["aws_secret_access_key"]

    def client(self, service, region=REGION, key=None, secret=None, timeout=90, **config):
        """An unmodified boto3 client. It tries once, so that no failure hides behind a second attempt."""
        own_key, own_secret = self.key()
        session = boto3.Session(key or own_key, secret or own_secret, region_name=region)
        options = {"retries": {"total_max_attempts": 1}, "read_timeout": timeout, "max_pool_connections": 50} | config
        client = session.client(service, endpoint_url=self.url, config=Config(**options))
        client.meta.events.register("response-received", self._note_answer)
        return client

    def _note_answer(self, response_dict=None, **_):
        # Promise T6: the only 5xx are a model server's own, and those arrive as 424.
        status = (response_dict or {}).get("status_code", 0)
        if status >= 500:
            self.unexpected.append(f"answered {status}: {response_dict.get('body')!r}")

    def client_environment(self, **more):
        """The environment that `eval "$(tidegate env)"` makes, for a client in a process of its own."""
        return clean_environment(
            AWS_ENDPOINT_URL=self.url,
            AWS_REGION=REGION,
            AWS_DEFAULT_REGION=REGION,
            AWS_SHARED_CREDENTIALS_FILE=str(self.credentials_file),
            AWS_CONFIG_FILE="/dev/null",
            AWS_PROFILE="default",
            **more,
        )
