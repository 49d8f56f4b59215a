"""Writes event_stream.json: frames, and what botocore reads in them: the oracle of the event-stream codec.

Run it with any Python that has botocore: python3 generate.py. Nothing is sent. The frames are put together here, so
that neither of the two codecs judges itself.
"""

import base64
import binascii
import json
import pathlib
import struct

import botocore.eventstream
import botocore.exceptions
import botocore.parsers
import botocore.session

UUID = bytes(range(16))

# Type, encoded value, the value as it stands in the recording.
EVERY_TYPE = [
    ("bool", b"\x00", True),
    ("bool", b"\x01", False),
    ("byte", b"\x02" + struct.pack("!b", -7), -7),
    ("short", b"\x03" + struct.pack("!h", -30000), -30000),
    ("integer", b"\x04" + struct.pack("!i", -2_000_000_000), -2_000_000_000),
    ("long", b"\x05" + struct.pack("!q", -(2**62)), -(2**62)),
    ("bytes", b"\x06" + struct.pack("!H", 3) + b"\x00\xff\x7f", base64.b64encode(b"\x00\xff\x7f").decode()),
    ("string", b"\x07" + struct.pack("!H", 7) + "gezeié".encode(), "gezeié"),
    ("timestamp", b"\x08" + struct.pack("!q", 1_795_427_766_250), 1_795_427_766_250),
    ("uuid", b"\x09" + UUID, base64.b64encode(UUID).decode()),
]


def header(name, encoded):
    return struct.pack("!B", len(name)) + name.encode() + encoded


def text(name, value):
    return header(name, b"\x07" + struct.pack("!H", len(value)) + value.encode())


def frame(headers, payload, total=None, headers_length=None):
    """A frame; wrong lengths on request, with checksums that are right for them."""
    total = 16 + len(headers) + len(payload) if total is None else total
    prelude = struct.pack("!II", total, len(headers) if headers_length is None else headers_length)
    body = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + payload
    return body + struct.pack("!I", binascii.crc32(body))


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]


def plain(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def read(data):
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(data)
    try:
        return [
            {
                "headers": [[name, plain(value)] for name, value in message.headers.items()],
                "payload": plain(message.payload),
            }
            for message in buffer
        ]
    except (botocore.eventstream.ParserError, UnicodeDecodeError, KeyError, struct.error) as error:
        return type(error).__name__


def frames():
    every_header = b"".join(header(f"h{at}", encoded) for at, (_, encoded, _) in enumerate(EVERY_TYPE))
    one = frame(text("name", "value"), b"payload")
    cases = {
        "nothing in it": frame(b"", b""),
        "a payload alone": frame(b"", b"payload"),
        "every type": frame(every_header, b"\x00\x01\xff"),
        "two frames": one + frame(b"", b"second"),
        "an unfinished frame": one + one[:-1],
        "a flipped prelude": flip(one, 1),
        "a flipped prelude checksum": flip(one, 9),
        "a flipped header": flip(one, 14),
        "a flipped payload": flip(one, 30),
        "a flipped checksum": flip(one, len(one) - 1),
        "a name twice": frame(text("a", "1") + text("a", "2"), b""),
        "a type that does not exist": frame(header("a", b"\x0a"), b""),
        "a text that is not UTF-8": frame(header("a", b"\x07\x00\x01\xff"), b""),
        "headers beyond the limit": frame(b"", b"", total=2**18, headers_length=2**17 + 1),
        "a payload beyond the limit": frame(b"", b"", total=2**25),
    }
    types = [[kind, value] for kind, _, value in EVERY_TYPE]
    assert [value for _, value in read(cases["every type"])[0]["headers"]] == [value for _, value in types]
    return types, [{"name": name, "bytes": plain(data), "botocore": read(data)} for name, data in cases.items()]


class Raw:
    """A body that comes in two pieces, cut where nothing ends."""

    def __init__(self, data):
        self.data = data

    def stream(self):
        return iter([self.data[:21], self.data[21:]])


def response_stream(*parts):
    model = botocore.session.get_session().get_service_model("sagemaker-runtime")
    operation = model.operation_model("InvokeEndpointWithResponseStream")
    parser = botocore.parsers.create_parser("rest-json")
    stream = botocore.eventstream.EventStream(
        Raw(b"".join(parts)),
        operation.get_event_stream_output(),
        parser._event_stream_parser,
        operation.name,
    )
    seen = []
    try:
        for event in stream:
            ((name, members),) = event.items()
            seen.append({"event": name, "members": {key: plain(value) for key, value in members.items()}})
    except botocore.exceptions.EventStreamError as error:
        seen.append({"error": error.response["Error"]})
    return {"bytes": plain(b"".join(parts)), "botocore": seen}


def event(kind, name, media_type, message_type, payload):
    headers = text(kind, name) + text(":content-type", media_type) + text(":message-type", message_type)
    return frame(headers, payload)


def part(payload):
    return event(":event-type", "PayloadPart", "application/octet-stream", "event", payload)


def failure(name, body):
    payload = json.dumps(body, separators=(",", ":")).encode()
    return event(":exception-type", name, "application/json", "exception", payload)


def main():
    types, cases = frames()
    broken = failure("ModelStreamError", {"ErrorCode": "StreamBroken", "Message": "The stream broke"})
    internal = failure("InternalStreamFailure", {"Message": "Something broke"})
    recording = {
        "botocore": botocore.__version__,
        "every_type": types,
        "frames": cases,
        "streams": [
            response_stream(part(b"one "), part(b"\x00\xfftwo")),
            response_stream(part(b"one "), broken),
            response_stream(internal),
        ],
    }
    path = pathlib.Path(__file__).with_name("event_stream.json")
    path.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n")


main()
