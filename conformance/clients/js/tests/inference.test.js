// InvokeEndpoint and its response streams: bytes, headers, errors of both kinds.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  ModelError,
  ModelStreamError,
  ValidationError,
} = require("@aws-sdk/client-sagemaker-runtime");
const { account, bytes, endpoints, runtime, text } = require("../support.js");

function invoke(EndpointName, Body, more = {}) {
  return runtime.send(new InvokeEndpointCommand({ EndpointName, Body, ...more }));
}

async function stream(EndpointName, asked, more = {}) {
  const input = { EndpointName, Body: bytes(asked), ...more };
  return runtime.send(new InvokeEndpointWithResponseStreamCommand(input));
}

test("a body goes through as it is, with its type and attributes", async () => {
  const body = Uint8Array.from({ length: 256 }, (_, n) => n);
  const more = { ContentType: "application/x-tide", CustomAttributes: "trace=7" };
  const answer = await invoke(endpoints.echo, body, more);
  assert.deepEqual(Uint8Array.from(answer.Body), body);
  assert.equal(answer.ContentType, "application/x-tide");
  assert.equal(answer.CustomAttributes, "trace=7");
  assert.equal(answer.InvokedProductionVariant, "main");
});

test("an endpoint that is not there is a ValidationError", async () => {
  await assert.rejects(invoke("nope", bytes("x")), (error) => {
    assert.ok(error instanceof ValidationError, `${error}`);
    assert.equal(error.message, `Endpoint nope of account ${account} not found.`);
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
});

test("a model server's failure is a ModelError with what it said", async () => {
  await assert.rejects(invoke(endpoints.failing, bytes("x")), (error) => {
    assert.ok(error instanceof ModelError, `${error}`);
    assert.equal(error.$metadata.httpStatusCode, 424);
    assert.equal(error.OriginalStatusCode, 500);
    assert.ok(error.OriginalMessage.includes("TIDEGATE_ECHO_FAILURE_RATE"), error.OriginalMessage);
    assert.ok(error.LogStreamArn.endsWith(`:log-group:/aws/sagemaker/Endpoints/${endpoints.failing}`));
    return true;
  });
});

test("a stream brings every part, in order", async () => {
  const answer = await stream(endpoints.speaker, "say high and low", { CustomAttributes: "trace=8" });
  assert.equal(answer.ContentType, "text/plain");
  assert.equal(answer.CustomAttributes, "trace=8");
  assert.equal(answer.InvokedProductionVariant, "main");
  let whole = "";
  for await (const event of answer.Body) whole += text(event.PayloadPart.Bytes);
  assert.equal(whole, "highandlow");
});

test("a part of a stream is there before the next is made", async () => {
  const answer = await stream(endpoints.speaker, "wait");
  let whole = "";
  for await (const event of answer.Body) {
    whole += text(event.PayloadPart.Bytes);
    if (whole === "first") await invoke(endpoints.speaker, bytes("go"));
  }
  assert.equal(whole, "firstsecond");
});

test("a stream that breaks off brings what was said, then a ModelStreamError", async () => {
  const answer = await stream(endpoints.speaker, "break high and");
  let whole = "";
  await assert.rejects(
    async () => {
      for await (const event of answer.Body) whole += text(event.PayloadPart.Bytes);
    },
    (error) => {
      assert.ok(error instanceof ModelStreamError, `${error}`);
      assert.equal(error.ErrorCode, "StreamBroken");
      return true;
    },
  );
  assert.equal(whole, "highand");
});

test("a stream that cannot begin is refused like any call", async () => {
  await assert.rejects(stream("nope", "say x"), (error) => {
    assert.ok(error instanceof ValidationError, `${error}`);
    return true;
  });
});
