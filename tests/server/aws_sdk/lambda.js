/*
 * lambda.js URL - AWS's SDK for JavaScript against `thaw serve` with the catalog
 * of aws_sdk.sh. Each check is one line, "ok - ..." or "not ok - ...".
 */
import assert from "node:assert/strict";
import * as lambda from "@aws-sdk/client-lambda";

const { InvokeCommand } = lambda;
const endpoint = process.argv[2];
const account = "arn:aws:lambda:us-east-1:000000000000:function:";
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const settings = { endpoint, credentials, region: "us-east-1" };
const client = new lambda.LambdaClient(settings);
const impatient = new lambda.LambdaClient({ ...settings, maxAttempts: 1 });

const invoke = (FunctionName, Payload, more = {}, by = client) =>
	by.send(new InvokeCommand({ FunctionName, Payload, ...more }));
const text = (answer) => answer.Payload.transformToString();
const json = (answer) => JSON.parse(text(answer));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/* The error that @promise is rejected with, of that class and status. */
async function refusal(promise, type, status) {
	const error = await promise.then(
		() => assert.fail("it was not refused"),
		(reason) => reason,
	);

	assert.equal(error.name, type);
	if (lambda[type])
		assert.ok(error instanceof lambda[type]);
	assert.equal(error.$metadata.httpStatusCode, status);
	assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
	return error;
}

const checks = {
	"a reply": async () => {
		const answer = await invoke("hello", '{"name":"Ada"}');

		assert.deepEqual(json(answer), { message: "Hello, Ada!" });
		assert.equal(answer.StatusCode, 200);
		assert.equal(answer.ExecutedVersion, "$LATEST");
		assert.equal(answer.FunctionError, undefined);
		assert.equal(answer.LogResult, undefined);
		assert.equal(answer.$metadata.attempts, 1);
	},
	"no payload": async () =>
		assert.match(text(await invoke("show")), /\nsize=2\n/),
	"a name with a version, and an ARN": async () => {
		for (const name of ["hello:1", account + "hello", account + "hello:1"])
			assert.equal((await invoke(name, "{}")).StatusCode, 200);
	},
	"a qualifier": async () => {
		const answer = await invoke("hello", "{}", { Qualifier: "1" });

		assert.equal(answer.ExecutedVersion, "1");
	},
	"a megabyte there and back": async () => {
		const payload = JSON.stringify("\u00e4".repeat(524288));

		assert.equal(text(await invoke("echo", payload)), payload);
	},
	"client context": async () => {
		const context = '{"custom":{"k":"v"}}';
		const answer = await invoke("show", "{}", {
			ClientContext: Buffer.from(context).toString("base64"),
		});

		assert.ok(text(answer).includes(`client-context=${context}\n`));
	},
	"a trace, and no type of bytes": async () => {
		const by = new lambda.LambdaClient(settings);

		by.middlewareStack.add(
			(next) => (call) => {
				call.request.headers["X-Amzn-Trace-Id"] = "Root=1-2-3";
				return next(call);
			},
			{ step: "build" },
		);
		const shown = text(await invoke("show", "{}", {}, by));

		assert.match(shown, /\nx-amzn-trace-id=Root=1-2-3\n/);
		assert.match(shown, /\ntype=application\/json\n/);
	},
	"an event": async () => {
		const answer = await invoke("say", '"by the SDK"', {
			InvocationType: "Event",
		});

		assert.equal(answer.StatusCode, 202);
		assert.equal(answer.Payload?.length ?? 0, 0);
		assert.equal(answer.FunctionError, undefined);
	},
	"a dry run": async () => {
		const answer = await invoke("crash", "{}", {
			InvocationType: "DryRun",
		});

		assert.equal(answer.StatusCode, 204);
	},
	"the tail of the log": async () => {
		const answer = await invoke("say", '"words"', { LogType: "Tail" });
		const log = Buffer.from(answer.LogResult, "base64").toString();
		const id = answer.$metadata.requestId;

		assert.ok(log.startsWith(`START RequestId: ${id} Version: $LATEST\n`));
		assert.match(log, /"words"\n.*that was all\nEND RequestId: /s);
		assert.match(log, /\nREPORT .*Restore Duration: [0-9.]+ ms\n$/);
	},
	"an error that the function reports": async () => {
		const answer = await invoke("fail", "{}");

		assert.equal(answer.StatusCode, 200);
		assert.equal(answer.FunctionError, "Handled");
		assert.deepEqual(json(answer), {
			errorMessage: 'as it was "told" to',
			errorType: "Test.Failed",
		});
		assert.equal(answer.$metadata.attempts, 1);
	},
	"a crash": async () => {
		const answer = await invoke("crash", "{}");

		assert.equal(answer.FunctionError, "Unhandled");
		assert.equal(json(answer).errorType, "Runtime.Fault");
	},
	"a timeout": async () => {
		const answer = await invoke("hang", "{}");

		assert.equal(answer.FunctionError, "Unhandled");
		assert.equal(json(answer).errorType, "Sandbox.Timedout");
	},
	"no such function": async () => {
		const error = await refusal(
			invoke("none", "{}"),
			"ResourceNotFoundException",
			404,
		);

		assert.equal(error.message, `Function not found: ${account}none`);
		assert.equal(error.Type, "User");
		assert.equal(error.$metadata.attempts, 1);
	},
	"no such version": () =>
		refusal(
			invoke("hello:7", "{}"),
			"ResourceNotFoundException",
			404,
		),
	"a payload that is not JSON": async () => {
		const error = await refusal(
			invoke("echo", "{"),
			"InvalidRequestContentException",
			400,
		);

		assert.match(error.message, /not JSON at byte 1 of 1/);
	},
	"client context that is not base64": () =>
		refusal(
			invoke("echo", "{}", { ClientContext: "{" }),
			"InvalidRequestContentException",
			400,
		),
	"a payload that is too large": () =>
		refusal(
			invoke("echo", JSON.stringify("x".repeat(4 * 1048576))),
			"RequestTooLargeException",
			413,
		),
	"a name that is none": () =>
		refusal(
			invoke("a b", "{}"),
			"InvalidParameterValueException",
			400,
		),
	"throttled, after all its attempts": async () => {
		const nap = invoke("nap", "4000", {}, impatient);

		await sleep(300);
		const error = await refusal(
			invoke("nap", "1"),
			"TooManyRequestsException",
			429,
		);

		assert.equal(error.$metadata.attempts, 3);
		assert.equal(
			error.Reason,
			"ReservedFunctionConcurrentInvocationLimitExceeded",
		);
		assert.equal(error.retryAfterSeconds, "1");
		assert.deepEqual(json(await nap), { slept: 4000 });
	},
	"throttled, then served": async () => {
		const nap = invoke("nap", "700", {}, impatient);

		await sleep(200);
		const answer = await invoke("nap", "1");

		assert.ok(answer.$metadata.attempts > 1);
		assert.deepEqual(json(answer), { slept: 1 });
		await nap;
	},
	"operations that thaw does not have": async () => {
		for (const command of [
			new lambda.DeleteFunctionCommand({ FunctionName: "hello" }),
			new lambda.PublishVersionCommand({ FunctionName: "hello" }),
			new lambda.InvokeWithResponseStreamCommand({
				FunctionName: "hello",
			}),
			new lambda.ListEventSourceMappingsCommand({}),
		]) {
			const error = await refusal(
				client.send(command),
				"NotImplementedException",
				501,
			);

			assert.equal(error.$metadata.attempts, 1);
			assert.match(error.message, /^thaw has no operation /);
		}
	},
	"100 invocations at a time": async () => {
		const answers = await Promise.all(
			Array.from({ length: 100 }, (_, i) => invoke("warm", `${i}`)),
		);

		assert.ok(answers.every((answer) => answer.StatusCode === 200));
	},
	"all functions, by pages": async () => {
		const names = [];
		let pages = 0;

		for await (const page of lambda.paginateListFunctions(
			{ client, pageSize: 5 },
			{},
		)) {
			pages++;
			names.push(...page.Functions.map((one) => one.FunctionName));
		}
		assert.equal(pages, 3);
		assert.deepEqual(names, [...names].sort());
		assert.equal(new Set(names).size, 12);
	},
	"a function": async () => {
		const answer = await client.send(
			new lambda.GetFunctionCommand({ FunctionName: "nap" }),
		);
		const it = answer.Configuration;

		assert.equal(it.FunctionArn, account + "nap");
		assert.equal(it.State, "Active");
		assert.equal(it.Timeout, 10);
		assert.equal(it.MemorySize, 16);
		assert.deepEqual(it.Environment.Variables, { PILLOW: "soft" });
		assert.deepEqual(answer.Tags, { team: "night" });
		assert.equal(answer.Concurrency.ReservedConcurrentExecutions, 1);
		assert.ok(Date.parse(it.LastModified) > Date.now() - 3600000);
	},
	"its other sides": async () => {
		const FunctionName = "nap";
		const configuration = await client.send(
			new lambda.GetFunctionConfigurationCommand({ FunctionName }),
		);
		const versions = await client.send(
			new lambda.ListVersionsByFunctionCommand({ FunctionName }),
		);
		const aliases = await client.send(
			new lambda.ListAliasesCommand({ FunctionName }),
		);
		const concurrency = await client.send(
			new lambda.GetFunctionConcurrencyCommand({ FunctionName }),
		);
		const tags = await client.send(
			new lambda.ListTagsCommand({ Resource: account + FunctionName }),
		);

		assert.equal(configuration.FunctionName, FunctionName);
		assert.deepEqual(
			versions.Versions.map((one) => one.Version),
			["$LATEST", "1"],
		);
		assert.deepEqual(aliases.Aliases, []);
		assert.equal(concurrency.ReservedConcurrentExecutions, 1);
		assert.deepEqual(tags.Tags, { team: "night" });
	},
	"provisioned concurrency": async () => {
		const of = (FunctionName) =>
			client.send(
				new lambda.GetProvisionedConcurrencyConfigCommand({
					FunctionName,
					Qualifier: "1",
				}),
			);
		const warm = await of("warm");

		assert.equal(warm.Status, "READY");
		assert.equal(warm.RequestedProvisionedConcurrentExecutions, 2);
		await refusal(
			of("nap"),
			"ProvisionedConcurrencyConfigNotFoundException",
			404,
		);
	},
	"the account": async () => {
		const answer = await client.send(
			new lambda.GetAccountSettingsCommand({}),
		);

		assert.equal(answer.AccountUsage.FunctionCount, 12);
	},
	"waiting for a function": async () => {
		const wait = { client, maxWaitTime: 10, minDelay: 1 };
		const which = { FunctionName: "hello" };

		for (const waiter of [
			"waitUntilFunctionActive",
			"waitUntilFunctionActiveV2",
			"waitUntilFunctionExists",
			"waitUntilFunctionUpdated",
			"waitUntilFunctionUpdatedV2",
			"waitUntilPublishedVersionActive",
		]) {
			const { state } = await lambda[waiter](wait, which);

			assert.equal(state, "SUCCESS", waiter);
		}
	},
	"waiting for a function that has failed": async () => {
		await assert.rejects(
			lambda.waitUntilFunctionActiveV2(
				{ client, maxWaitTime: 10, minDelay: 1 },
				{ FunctionName: "broken" },
			),
			/FAILURE/,
		);
		const answer = await client.send(
			new lambda.GetFunctionConfigurationCommand({
				FunctionName: "broken",
			}),
		);

		assert.equal(answer.State, "Failed");
		assert.equal(answer.StateReasonCode, "InvalidImage");
		assert.equal(answer.LastUpdateStatus, "Failed");
	},
};

for (const [name, check] of Object.entries(checks)) {
	try {
		await check();
		console.log(`ok - ${name}`);
	} catch (error) {
		const what = `${error.message ?? error}`.replaceAll("\n", " ");

		console.log(`not ok - ${name}: ${what}`);
	}
}
