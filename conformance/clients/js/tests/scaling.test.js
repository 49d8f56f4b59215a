// Application Auto Scaling, and CloudWatch over JSON, which is this SDK's choice, and CBOR, which is that of others.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const {
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  ObjectNotFoundException,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
  ValidationException,
  paginateDescribeScalingPolicies,
} = require("@aws-sdk/client-application-auto-scaling");
const {
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  waitUntilAlarmExists,
} = require("@aws-sdk/client-cloudwatch");
const { WAIT, autoscaling, cloudwatch, endpoints, fresh } = require("../support.js");

const MINUTE = 60_000;
const TYPES = { json: "application/x-amz-json-1.0", cbor: "application/cbor" };

function targetOf(endpoint) {
  return {
    ServiceNamespace: "sagemaker",
    ResourceId: `endpoint/${endpoint}/variant/main`,
    ScalableDimension: "sagemaker:variant:DesiredInstanceCount",
  };
}

test("a variant is scaled, and then it is not", async () => {
  const target = targetOf(endpoints.echo);
  const { ScalableTargetARN } = await autoscaling.send(
    new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 2 }),
  );
  assert.match(ScalableTargetARN, /^arn:aws:application-autoscaling:us-east-1:\d{12}:scalable-target\/056m[0-9a-f]{32}$/);
  const policy = { ...target, PolicyName: "track" };
  const made = await autoscaling.send(
    new PutScalingPolicyCommand({
      ...policy,
      PolicyType: "TargetTrackingScaling",
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 1000.5,
        PredefinedMetricSpecification: { PredefinedMetricType: "SageMakerVariantInvocationsPerInstance" },
        ScaleInCooldown: 0,
      },
    }),
  );
  const names = made.Alarms.map((one) => one.AlarmName);
  assert.deepEqual(
    names.map((name) => name.replace(/-[0-9a-f-]{36}$/, "")),
    ["High", "Low"].map((side) => `TargetTracking-${target.ResourceId}-Alarm${side}`),
  );
  const { MetricAlarms } = await cloudwatch.json.client.send(new DescribeAlarmsCommand({ AlarmNames: names }));
  assert.deepEqual(MetricAlarms.map((one) => [one.Threshold, one.EvaluationPeriods]), [[1000.5, 3], [900.45, 15]]);
  assert.ok(MetricAlarms[0].StateUpdatedTimestamp instanceof Date);
  assert.deepEqual(MetricAlarms[0].AlarmActions, MetricAlarms[1].AlarmActions);

  await assert.rejects(
    autoscaling.send(
      new PutScheduledActionCommand({
        ...target,
        ScheduledActionName: "never",
        Schedule: "every day",
        ScalableTargetAction: { MinCapacity: 1 },
      }),
    ),
    (error) => error instanceof ValidationException && error.message.startsWith("Invalid schedule"),
  );
  const listed = [];
  for await (const page of paginateDescribeScalingPolicies({ client: autoscaling, pageSize: 1 }, target)) {
    listed.push(...page.ScalingPolicies.map((one) => one.PolicyName));
  }
  assert.deepEqual(listed, ["track"]);

  await autoscaling.send(new DeleteScalingPolicyCommand(policy));
  await autoscaling.send(new DeregisterScalableTargetCommand(target));
  await assert.rejects(autoscaling.send(new DeregisterScalableTargetCommand(target)), ObjectNotFoundException);
  const left = await autoscaling.send(
    new DescribeScalableTargetsCommand({ ServiceNamespace: "sagemaker", ResourceIds: [target.ResourceId] }),
  );
  assert.deepEqual(left.ScalableTargets, []);
});

// Not over CBOR: there this SDK tells the length that the body had before.
test("a request that the SDK compresses is read", async () => {
  const [Namespace, MetricName] = ["Clients", fresh("Many")];
  const MetricData = Array.from({ length: 500 }, (_, number) => ({ MetricName, Value: number }));
  await cloudwatch.json.client.send(new PutMetricDataCommand({ Namespace, MetricData }));
  const start = new Date(Date.now() - 5 * MINUTE);
  const { Datapoints } = await cloudwatch.json.client.send(
    new GetMetricStatisticsCommand({
      Namespace,
      MetricName,
      StartTime: start,
      EndTime: new Date(Date.now() + 5 * MINUTE),
      Period: 60,
      Statistics: ["SampleCount"],
    }),
  );
  assert.equal(Datapoints.reduce((sum, one) => sum + one.SampleCount, 0), 500);
});

for (const protocol of ["json", "cbor"]) {
  const { client, spoken } = cloudwatch[protocol];

  test(`what is measured comes back (${protocol})`, async () => {
    const [Namespace, MetricName] = ["Clients", fresh("Depth")];
    const at = new Date(Math.floor(Date.now() / MINUTE) * MINUTE - 3 * MINUTE);
    const Dimensions = [{ Name: "queue", Value: "a b/1" }];
    const datum = (minutes, more) => ({ MetricName, Dimensions, Timestamp: new Date(+at + minutes * MINUTE), ...more });
    await client.send(
      new PutMetricDataCommand({
        Namespace,
        MetricData: [datum(0, { Value: 1.5 }), datum(1, { Values: [1, 2, 3], Counts: [1, 1, 2], Unit: "None" })],
      }),
    );
    assert.equal(spoken.at(-1), TYPES[protocol]);
    const within = { StartTime: at, EndTime: new Date(+at + 2 * MINUTE) };
    const Metric = { Namespace, MetricName, Dimensions };
    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        ...within,
        ScanBy: "TimestampAscending",
        MetricDataQueries: [
          { Id: "m", MetricStat: { Metric, Period: 60, Stat: "Sum" } },
          { Id: "twice", Expression: "m * 2" },
        ],
      }),
    );
    assert.deepEqual(MetricDataResults.map((one) => [one.Id, one.Values]), [["m", [1.5, 9]], ["twice", [3, 18]]]);
    assert.deepEqual(MetricDataResults[0].Timestamps.map(Number), [+at, +at + MINUTE]);
    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({ ...within, ...Metric, Period: 300, ExtendedStatistics: ["p100"], Statistics: ["SampleCount"] }),
    );
    assert.equal(Datapoints.reduce((sum, one) => sum + one.SampleCount, 0), 5);
    assert.equal(Math.max(...Datapoints.map((one) => one.ExtendedStatistics.p100)), 3);
  });

  test(`an alarm of one's own, its waiter, and errors by their old names (${protocol})`, async () => {
    const AlarmName = fresh("alarm");
    const alarm = {
      AlarmName,
      Namespace: "Clients",
      MetricName: "Never",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
    };
    await client.send(new PutMetricAlarmCommand(alarm));
    const waited = await waitUntilAlarmExists({ client, ...WAIT }, { AlarmNames: [AlarmName] });
    assert.equal(waited.state, "SUCCESS");
    await client.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] }));
    const state = { AlarmName, StateValue: "OK", StateReason: "gone" };
    await assert.rejects(client.send(new SetAlarmStateCommand(state)), (error) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], ["ResourceNotFound", 404]);
      return true;
    });
    await assert.rejects(client.send(new PutMetricDataCommand({ Namespace: "Clients" })), (error) => {
      assert.equal(error.Code, "MissingParameter");
      return true;
    });
  });
}
