// A process that stands in for Lambda's: it loads a built function, invokes it with each input that its parent sends,
// and answers with what came of it and what it took. Plain JavaScript, so that no compiler is in its memory.
const { handler } = await import(process.argv[2]);

process.on("message", async ({ input, remainingMs }) => {
  const endsAt = Date.now() + remainingMs;
  const context = {
    functionName: "reconcile",
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION}:111122223333:function:reconcile`,
    memoryLimitInMB: "256",
    awsRequestId: "00000000-0000-4000-8000-000000000000",
    getRemainingTimeInMillis: () => endsAt - Date.now(),
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const outcome = await handler(input, context).then(
    (answer) => ({ answer }),
    ({ name, message, stack }) => ({ error: { name, message, stack } }),
  );
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  process.send({ ...outcome, ms, cpuMs, maxRssMB: process.resourceUsage().maxRSS / 1024 });
});
process.on("disconnect", () => process.exit());
process.send("ready");
