// The control plane: one endpoint from its making to its end, what comes back, and how refusals look in JavaScript.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  ListAppsCommand,
  ListTagsCommand,
  SageMakerServiceException,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
  paginateListEndpointConfigs,
  waitUntilEndpointDeleted,
  waitUntilEndpointInService,
} = require("@aws-sdk/client-sagemaker");
const { WAIT, account, fresh, sagemaker } = require("../support.js");

const waiting = { client: sagemaker, ...WAIT };

async function model() {
  const ModelName = fresh("model");
  await sagemaker.send(new CreateModelCommand({ ModelName, PrimaryContainer: { Image: "tidegate/echo" } }));
  return ModelName;
}

async function config(ModelName, more = {}) {
  const EndpointConfigName = fresh("config");
  const variant = { VariantName: "main", ModelName, InstanceType: "ml.m5.large", InitialInstanceCount: 1, ...more };
  await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName, ProductionVariants: [variant] }));
  return EndpointConfigName;
}

test("an endpoint from its making to its end", async () => {
  const EndpointName = fresh("endpoint");
  const first = await config(await model(), { InitialVariantWeight: 0.1 });
  const made = await sagemaker.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName: first }));
  assert.equal(made.EndpointArn, `arn:aws:sagemaker:us-east-1:${account}:endpoint/${EndpointName}`);
  const waited = await waitUntilEndpointInService(waiting, { EndpointName });
  assert.equal(waited.state, "SUCCESS");

  const seen = await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
  assert.equal(seen.EndpointStatus, "InService");
  assert.ok(seen.CreationTime instanceof Date);
  assert.ok(Math.abs(Date.now() - seen.CreationTime) < 300_000, `${seen.CreationTime}`);
  assert.equal(seen.ProductionVariants[0].CurrentWeight, 0.1);

  const count = { VariantName: "main", DesiredInstanceCount: 2 };
  await sagemaker.send(
    new UpdateEndpointWeightsAndCapacitiesCommand({ EndpointName, DesiredWeightsAndCapacities: [count] }),
  );
  await waitUntilEndpointInService(waiting, { EndpointName });

  const second = await config(await model());
  const update = { EndpointName, EndpointConfigName: second, RetainAllVariantProperties: true };
  await sagemaker.send(new UpdateEndpointCommand(update));
  await waitUntilEndpointInService(waiting, { EndpointName });
  const after = await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
  assert.equal(after.EndpointConfigName, second);
  assert.equal(after.ProductionVariants[0].CurrentInstanceCount, 2);
  assert.equal(after.ProductionVariants[0].CurrentWeight, 0.1);

  await sagemaker.send(new DeleteEndpointCommand({ EndpointName }));
  assert.equal((await waitUntilEndpointDeleted(waiting, { EndpointName })).state, "SUCCESS");
});

test("a config comes back as it was given, and tags with it", async () => {
  const ModelName = await model();
  const EndpointConfigName = await config(ModelName, { VolumeSizeInGB: 7, InitialVariantWeight: 2.5 });
  const seen = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
  assert.deepEqual(seen.ProductionVariants, [
    {
      VariantName: "main",
      ModelName,
      InstanceType: "ml.m5.large",
      InitialInstanceCount: 1,
      VolumeSizeInGB: 7,
      InitialVariantWeight: 2.5,
    },
  ]);
  const Tags = [{ Key: "team", Value: "tide + größe" }];
  await sagemaker.send(new AddTagsCommand({ ResourceArn: seen.EndpointConfigArn, Tags }));
  const tags = await sagemaker.send(new ListTagsCommand({ ResourceArn: seen.EndpointConfigArn }));
  assert.deepEqual(tags.Tags, Tags);
});

test("a paginator goes through every page", async () => {
  const ModelName = await model();
  const made = [];
  for (let n = 0; n < 5; n++) made.push(await config(ModelName));
  const found = [];
  let pages = 0;
  for await (const page of paginateListEndpointConfigs({ client: sagemaker, pageSize: 2 }, {})) {
    assert.ok(page.EndpointConfigs.length <= 2);
    found.push(...page.EndpointConfigs.map((one) => one.EndpointConfigName));
    pages++;
  }
  assert.ok(pages >= 3, `${pages} pages`);
  assert.equal(new Set(found).size, found.length, "a config on two pages");
  for (const name of made) assert.ok(found.includes(name), name);
});

// The code, a part of the text, and the call that is refused with them.
const REFUSED = [
  [
    "ValidationException",
    `Could not find endpoint "arn:aws:sagemaker:us-east-1:${account}:endpoint/nope".`,
    new DescribeEndpointCommand({ EndpointName: "nope" }),
  ],
  [
    "ValidationException",
    "1 validation error detected: Value 'under_score' at 'endpointName' failed to satisfy constraint",
    new DeleteEndpointCommand({ EndpointName: "under_score" }),
  ],
  [
    "ValidationException",
    "at 'endpointName' failed to satisfy constraint: Member must not be null",
    new DeleteEndpointCommand({}),
  ],
  ["UnknownOperationException", "ListApps", new ListAppsCommand({})],
];

for (const [code, text, command] of REFUSED) {
  test(`${command.constructor.name} is refused with ${code}: ${text}`, async () => {
    await assert.rejects(sagemaker.send(command), (error) => {
      assert.ok(error instanceof SageMakerServiceException, `${error}`);
      assert.equal(error.name, code);
      assert.ok(error.message.includes(text), error.message);
      assert.equal(error.$fault, "client");
      assert.equal(error.$metadata.httpStatusCode, 400);
      assert.ok(error.$metadata.requestId);
      return true;
    });
  });
}
