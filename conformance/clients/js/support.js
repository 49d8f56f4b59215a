// Clients of the server under test. The environment names it, as `eval "$(tidegate env)"` does; nothing else is set but
// that a client tries once, so that no failure hides behind a second attempt.
"use strict";

const { ApplicationAutoScalingClient } = require("@aws-sdk/client-application-auto-scaling");
const { CloudWatchClient } = require("@aws-sdk/client-cloudwatch");
const { AwsSmithyRpcV2CborProtocol } = require("@aws-sdk/core/protocols");
const { S3Client } = require("@aws-sdk/client-s3");
const { SageMakerClient } = require("@aws-sdk/client-sagemaker");
const { SageMakerRuntimeClient } = require("@aws-sdk/client-sagemaker-runtime");
const { STSClient } = require("@aws-sdk/client-sts");

const ONCE = { maxAttempts: 1 };
// AWS's waiters look every 30 seconds, because an endpoint takes minutes there.
const WAIT = { minDelay: 1, maxDelay: 1, maxWaitTime: 120 };

let made = 0;

// What a client says that its requests are, one after the other, as they leave.
function listen(client) {
  const spoken = [];
  client.middlewareStack.add(
    (next) => (args) => {
      spoken.push(args.request.headers["content-type"]);
      return next(args);
    },
    { step: "finalizeRequest" },
  );
  return { client, spoken };
}

module.exports = {
  WAIT,
  account: "000000000000",
  sagemaker: new SageMakerClient(ONCE),
  runtime: new SageMakerRuntimeClient(ONCE),
  s3: new S3Client(ONCE),
  autoscaling: new ApplicationAutoScalingClient(ONCE),
  cloudwatch: {
    json: listen(new CloudWatchClient(ONCE)),
    cbor: listen(new CloudWatchClient({ ...ONCE, protocol: AwsSmithyRpcV2CborProtocol })),
  },
  sts: new STSClient(ONCE),
  STSClient,
  // Endpoints that the fixtures made.
  endpoints: JSON.parse(process.env.TIDEGATE_TEST_ENDPOINTS),
  bytes: (text) => new TextEncoder().encode(text),
  text: (bytes) => new TextDecoder().decode(bytes),
  // A name that nothing else on the server has.
  fresh: (kind) => `js-${process.pid}-${kind}-${++made}`,
};
