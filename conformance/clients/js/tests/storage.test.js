// The embedded S3 with JavaScript's own checksums and streams, and STS.
"use strict";

const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const { test } = require("node:test");
const {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
} = require("@aws-sdk/client-s3");
const { GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
const { STSClient, account, fresh, s3, sts } = require("../support.js");

test("a caller is told who it is", async () => {
  const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}));
  assert.deepEqual({ Account, Arn, UserId }, { Account: account, Arn: `arn:aws:iam::${account}:root`, UserId: account });
});

test("a wrong secret is told as such", async () => {
  const right = await sts.config.credentials();
  const wrong = new STSClient({ maxAttempts: 1, credentials: { ...right, secretAccessKey: "wrong" } });
  await assert.rejects(wrong.send(new GetCallerIdentityCommand({})), (error) => {
    assert.equal(error.name, "SignatureDoesNotMatch");
    assert.equal(error.$metadata.httpStatusCode, 403);
    return true;
  });
});

test("objects from a bucket's making to its end", async () => {
  const Bucket = fresh("bucket");
  await s3.send(new CreateBucketCommand({ Bucket }));
  const keys = ["a/plain", "a/with space & ü", "b/模型"];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, Metadata: { who: "me" } }));
  await s3.send(
    new CopyObjectCommand({ Bucket, Key: "a/copy", CopySource: encodeURI(`${Bucket}/a/with space & ü`) }),
  );
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a/copy" }));
  assert.equal(await got.Body.transformToString(), "a/with space & ü");
  assert.deepEqual(got.Metadata, { who: "me" });

  const found = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket, Prefix: "a/" })) {
    found.push(...page.Contents.map((one) => one.Key));
  }
  assert.deepEqual(found, ["a/copy", "a/plain", "a/with space & ü"]);

  const Objects = [...keys, "a/copy"].map((Key) => ({ Key }));
  const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(deleted.Deleted.length, 4);
  assert.equal(deleted.Errors, undefined);
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test("a large body comes back whole, and in ranges", async () => {
  const where = { Bucket: "models", Key: fresh("big") };
  const body = Buffer.alloc(9 * 1024 * 1024, Buffer.from(Uint8Array.from({ length: 251 }, (_, n) => n)));
  await s3.send(new PutObjectCommand({ ...where, Body: body, ChecksumAlgorithm: "SHA256" }));
  const head = await s3.send(new HeadObjectCommand(where));
  assert.equal(head.ContentLength, body.length);
  assert.ok(head.LastModified instanceof Date);
  const sum = (bytes) => createHash("sha256").update(bytes).digest("hex");
  const whole = await (await s3.send(new GetObjectCommand(where))).Body.transformToByteArray();
  assert.equal(sum(whole), sum(body));
  const part = await s3.send(new GetObjectCommand({ ...where, Range: "bytes=251-501" }));
  assert.deepEqual(Buffer.from(await part.Body.transformToByteArray()), body.subarray(251, 502));
  assert.equal(part.$metadata.httpStatusCode, 206);
});

test("what is not there has its own error", async () => {
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket: "models", Key: "nope" })), NoSuchKey);
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket: "nope-nope", Key: "x" })), (error) => {
    assert.equal(error.name, "NoSuchBucket");
    return true;
  });
});
