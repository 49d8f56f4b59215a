"""Signed requests at a fixed rate, from a process of its own: `python firehose.py`, its plan and its orders on stdin.

They leave when the clock says so and not when the one before has been answered: a server that is slow for a moment has
more of them to do at once, and none fewer to do. Each has a body that no other has, and only that body is a good
answer. Nothing is ever sent twice. It imports the standard library alone, and so takes a fifth of a core.
"""

import asyncio
import base64
import binascii
import collections
import datetime
import hashlib
import hmac
import itertools
import json
import random
import struct
import sys
import time

KIND = "application/octet-stream"
INVOKE, STREAM = "InvokeEndpoint", "InvokeEndpointWithResponseStream"
PATHS = {INVOKE: "invocations", STREAM: "invocations-response-stream"}
# Bytes of a body, and how often.
SIZES, SHARES = (16, 300, 4_000, 64_000), (30, 50, 17, 3)
# One request of so many asks for a stream.
STREAMED = 10

# A server may close what says nothing for 75 s: what was silent for a third of that is left alone, as by AWS's SDKs.
IDLE_SECONDS = 25
# A server answers within 60 s.
PATIENCE_SECONDS = 65
# Beyond it this process would measure itself.
UNANSWERED_MAX = 4_000
# What it is late by is not made up for in a burst.
LATE_SECONDS = 0.25


def say(told):
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()


class Signer:
    """Signature version 4 of a POST without a query. The key is derived once a day."""

    def __init__(self, key, secret, region, host):
        self._key, self._secret, self._region, self._host = key, secret, region, host
        self._derived = None, None

    def _derive(self, day):
        if self._derived[0] != day:
            key = b"AWS4" + self._secret.encode()
            for part in (day, self._region, "sagemaker", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._derived = day, key
        return self._derived[1]

    def request(self, path, body):
        """The whole request, as it is sent."""
        at = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{at[:8]}/{self._region}/sagemaker/aws4_request"
        named = "content-type;host;x-amz-date"
        canonical = (
            f"POST\n{path}\n\ncontent-type:{KIND}\nhost:{self._host}\nx-amz-date:{at}\n\n{named}\n"
            f"{hashlib.sha256(body).hexdigest()}"
        )
        signed = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._derive(at[:8]), signed.encode(), "sha256").hexdigest()
        return (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {KIND}\r\nx-amz-date: {at}\r\n"
            f"authorization: AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={named}, "
            f"Signature={signature}\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body


class Broken(Exception):
    """No whole answer came; why."""


class Connection(asyncio.Protocol):
    """One kept alive, with one request at a time."""

    def __init__(self):
        self.since = time.monotonic()
        self._got, self._answer, self._transport = bytearray(), None, None

    def connection_made(self, transport):
        self._transport = transport

    @property
    def is_open(self):
        return not self._transport.is_closing()

    def close(self):
        self._transport.close()

    async def ask(self, request):
        """The answer's status, headers and body."""
        self.since, self._answer = time.monotonic(), asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer, self.since = None, time.monotonic()

    def give_up(self, now):
        """Ends it if it was silent for too long."""
        if self._answer and now > self.since + PATIENCE_SECONDS:
            self._end(Broken(f"no answer within {PATIENCE_SECONDS} s; {bytes(self._got[:200])!r}"))

    def data_received(self, data):
        self._got += data
        if not self._answer:
            self._transport.close()
            return
        whole = _whole(self._got)
        if whole:
            self._got = bytearray()
            if whole[1].get("connection") == "close":
                self._transport.close()
            if not self._answer.done():
                self._answer.set_result(whole)

    def connection_lost(self, why):
        self._end(Broken(f"the connection was closed: {why}; {bytes(self._got[:200])!r}"))

    def _end(self, why):
        self._transport.close()
        if self._answer and not self._answer.done():
            self._answer.set_exception(why)


def _whole(got):
    """An answer's status, headers and body, once all of it is there."""
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = got[:end].decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = got[end + 4 :]
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    elif len(body) < int(headers["content-length"]):
        body = None
    return None if body is None else (int(first.split()[1]), headers, bytes(body))


def _unchunked(got):
    """What the chunks hold, once the last is there."""
    whole, at = bytearray(), 0
    while True:
        end = got.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(got[at:end], 16)
        at = end + 2 + size + 2
        if len(got) < at:
            return None
        if size == 0:
            return whole
        whole += got[end + 2 : at - 2]


def frames(stream):
    """The frames of an event stream: headers and payload of each. A checksum that is wrong raises."""
    while stream:
        length, size, check = struct.unpack_from(">III", stream)
        frame, stream = stream[:length], stream[length:]
        if binascii.crc32(frame[:8]) != check or binascii.crc32(frame[:-4]) != int.from_bytes(frame[-4:]):
            raise ValueError("a frame's checksum is wrong")
        headers, at = {}, 12
        while at < 12 + size:
            name = frame[at + 1 : at + 1 + frame[at]].decode()
            at += 1 + frame[at]
            (long,) = struct.unpack_from(">xH", frame, at)
            headers[name] = frame[at + 3 : at + 3 + long].decode()
            at += 3 + long
        yield headers, frame[12 + size : -4]


def fault_of(operation, body, status, headers, answer):
    """What is wrong with an answer, if anything is: an error's type and text."""
    if status != 200:
        return headers.get("x-amzn-errortype", "none"), answer.decode(errors="replace")
    if operation == STREAM:
        told = list(frames(answer))
        for one, payload in told:
            if one.get(":message-type") != "event":
                return one.get(":exception-type", "none"), payload.decode(errors="replace")
        answer = b"".join(payload for _, payload in told)
    if answer != body:
        return "WrongBody", f"{len(answer)} bytes instead of {len(body)}: {base64.b64encode(answer[:90]).decode()}"
    return None


class Target:
    """An endpoint, how often it is asked, and what came of it. `asked`: when each request left, and was answered."""

    def __init__(self, name, rate):
        self.name, self.rate = name, rate
        self.paths = {operation: f"/endpoints/{name}/{last}" for operation, last in PATHS.items()}
        self.asked = [], []
        self.variants = collections.Counter()


class Firehose:
    def __init__(self, port, key, secret, region, targets, seed):
        self._port = port
        self._signer = Signer(key, secret, region, f"127.0.0.1:{port}")
        self.targets = {name: Target(name, rate) for name, rate in targets.items()}
        self._dice, self._numbers = random.Random(seed), itertools.count(1)
        self._filling = self._dice.randbytes(max(SIZES))
        self._idle, self._all, self._running = [], set(), set()
        self._stopped = asyncio.Event()
        self._good, self.failures = collections.Counter(), []
        self._opened, self._left_out = 0, 0

    async def run(self):
        """Until `stop`; then what is under way is waited for."""
        sweeping = asyncio.create_task(self._sweep())
        self._began = time.monotonic()
        await asyncio.gather(*(self._pour(target) for target in self.targets.values()))
        self._ended = time.monotonic()
        while self._running:
            await asyncio.wait(self._running)
        sweeping.cancel()
        for connection in self._all:
            connection.close()

    def stop(self):
        self._stopped.set()

    def order(self, line):
        told = json.loads(line)
        self.targets[told["endpoint"]].rate = told["rate"]

    async def _pour(self, target):
        at = time.monotonic()
        while not self._stopped.is_set():
            at = max(at + 1 / target.rate, time.monotonic() - LATE_SECONDS)
            # Even when it is late, others have to have their turn.
            await asyncio.sleep(max(0, at - time.monotonic()))
            if len(self._running) >= UNANSWERED_MAX:
                self._left_out += 1
                continue
            task = asyncio.create_task(self._ask(target))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _ask(self, target):
        number = next(self._numbers)
        operation = INVOKE if number % STREAMED else STREAM
        (size,) = self._dice.choices(SIZES, SHARES)
        body = b"%d of %s;" % (number, target.name.encode()) + self._filling[:size]
        request = self._signer.request(target.paths[operation], body)
        sent = time.monotonic()
        status, headers = 0, {}
        try:
            connection = await self._connection()
            sent = time.monotonic()
            status, headers, answer = await connection.ask(request)
            if connection.is_open:
                self._idle.append(connection)
            fault = fault_of(operation, body, status, headers, answer)
        except (OSError, ValueError, KeyError, struct.error, Broken) as why:
            fault = type(why).__name__, str(why)
        answered = time.monotonic()
        for times, at in zip(target.asked, (sent, answered), strict=True):
            times.append(round(at, 5))
        if fault is None:
            self._good[operation] += 1
            target.variants[headers.get("x-amzn-invoked-production-variant")] += 1
            return
        kind, text = fault
        self.failures.append(
            {"endpoint": target.name, "operation": operation, "sent": sent, "answered": answered}
            | {"status": status, "type": kind, "text": text[:2000]}
        )

    async def _connection(self):
        oldest = time.monotonic() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.since > oldest:
                return connection
            connection.close()
            self._all.discard(connection)
        made = asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        _, connection = await asyncio.wait_for(made, PATIENCE_SECONDS)
        self._all.add(connection)
        self._opened += 1
        return connection

    async def _sweep(self):
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            self._all = {connection for connection in self._all if connection.is_open}
            for connection in self._all:
                connection.give_up(now)

    def report(self):
        return {
            "began": self._began,
            "ended": self._ended,
            "good": self._good,
            "failures": self.failures,
            "asked": {name: target.asked for name, target in self.targets.items()},
            "variants": {name: target.variants for name, target in self.targets.items()},
            "connections": self._opened,
            "left_out": self._left_out,
        }


async def main():
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    firehose = Firehose(**json.loads(await orders.readline()))

    async def obey():
        while line := await orders.readline():
            firehose.order(line)
        firehose.stop()

    obeying = asyncio.create_task(obey())
    await firehose.run()
    await obeying
    say(firehose.report())


if __name__ == "__main__":
    asyncio.run(main())
