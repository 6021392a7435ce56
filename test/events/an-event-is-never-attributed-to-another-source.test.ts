import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParsedEvent } from "../../shared/events/parsed-event.ts";
import { referencesMayMatch } from "../../shared/source/references-may-match.ts";
import type { AwsLocation, SecretReference } from "../../shared/source/secret-id.ts";
import { runs } from "../harness/property-runs.ts";
import { anyLocation, anySecretName, anySuffix, arnOf } from "../source/arbitraries.ts";
import { parseInvocation } from "./parse-invocation.ts";
import { sample, sampleFiles } from "./samples.ts";

type Json = { [key: string]: unknown };
type Path = readonly string[];

const location: AwsLocation = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const accepted = sampleFiles().filter((file) => !file.includes("/") && onlyEvent(sample(file)) !== undefined);

const changeablePaths = new Map(
  accepted.map((file) => {
    const original = sample(file) as Json;
    return [file, pathsOf(original).filter((path) => !isOnlyIdOrItsHome(original, path))];
  }),
);

/** Random values, and the hardest cases: the valid ids and words of other events. */
const anyReplacement = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  anySecretName,
  fc
    .tuple(anyLocation, anySecretName, anySuffix)
    .map(([location, name, suffix]) => arnOf(location, name, suffix)),
  fc.constantFrom(
    "AWSCURRENT",
    "AWSPENDING",
    "CreateSecret",
    "RotationSucceeded",
    "444455556666",
    "us-east-1",
  ),
);

describe("an event is never attributed to another source", () => {
  it("has samples to change", () => expect(accepted.length).toBeGreaterThan(20));

  it("names its own source or none, for any other field that is removed or replaced", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...accepted),
        fc.nat(),
        fc.option(anyReplacement),
        (file, pick, replacement) => {
          const original = sample(file) as Json;
          const paths = changeablePaths.get(file) ?? [];
          const path = paths[pick % paths.length] ?? [];
          const changed = structuredClone(original);
          replaceAt(changed, path, replacement === null ? undefined : replacement);
          for (const source of sourcesIn(changed)) {
            expect(referencesMayMatch(source, ownSource(original), location)).toBe(true);
          }
        },
      ),
      { numRuns: runs(1_000) },
    );
  });

  it("accepts a native event only if ARN and name agree", () => {
    fc.assert(
      fc.property(
        anyLocation,
        anySecretName,
        anySecretName,
        anySuffix,
        (location, inArn, inDetail, suffix) => {
          const event = native(location, arnOf(location, inArn, suffix), inDetail);
          const code = onlyEvent(event) as { code?: string } | undefined;
          expect(code?.code).toBe(inArn === inDetail ? undefined : "CONTRADICTING_IDS");
        },
      ),
      {
        examples: [
          [location, "prod/db", "prod/db-AbCdEf", "AbCdEf"],
          [location, "prod/db-AbCdEf", "prod/db", "GhIjKl"],
          [location, "__proto__", "__proto__", "AbCdEf"],
        ],
      },
    );
  });

  it("finds any legal name and suffix in a native event, and gives a bare name the event's location", () => {
    fc.assert(
      fc.property(anyLocation, anySecretName, anySuffix, (location, name, suffix) => {
        const arn = arnOf(location, name, suffix);
        expect(sourcesIn(native(location, arn, name))).toEqual([
          { id: arn, names: [name], location, suffix },
        ]);
        expect(sourcesIn(native(location, undefined, name))).toEqual([{ id: name, names: [name], location }]);
      }),
    );
  });

  it("rejects a call whose response is about another source than its request", () => {
    const anyRequest = fc.constantFrom("name", "partial", "full");
    fc.assert(
      fc.property(
        anyRequest,
        anySecretName,
        anySecretName,
        anySuffix,
        (spelling, asked, answered, suffix) => {
          const requests = {
            name: asked,
            partial: arnOf(location, asked),
            full: arnOf(location, asked, suffix),
          };
          const event = call(requests[spelling], arnOf(location, answered, suffix));
          for (const source of sourcesIn(event)) expect(source.names).toEqual([answered]);
          // Only a partial ARN has a second reading, which can match the source in the response.
          const mayAgree =
            asked === answered || (spelling === "partial" && asked === `${answered}-${suffix}`);
          expect(sourcesIn(event)).toHaveLength(mayAgree ? 1 : 0);
        },
      ),
      {
        examples: [
          ["full", "prod/db", "prod/other", "AbCdEf"],
          ["partial", "prod/db-AbCdEf", "prod/db", "AbCdEf"],
        ],
      },
    );
  });

  it.each(["arn", "aRN", "ARN"])("reads %s of the response, and rejects two that differ", (spelling) => {
    const arn = arnOf(location, "prod/db", "AbCdEf");
    const event = call(undefined, undefined, { [spelling]: arn });
    const torn = call(undefined, undefined, { [spelling]: arn, Arn: arnOf(location, "prod/db", "GhIjKl") });
    expect(sourcesIn(event)).toMatchObject([{ id: arn }]);
    expect(onlyEvent(torn)).toMatchObject({ kind: "rejected", code: "CONTRADICTING_IDS" });
  });

  it("reads name in the one call that has it, and secretId in all others", () => {
    const event = call("prod/db", undefined, {});
    const detail = event.detail as Json;
    const named = { ...detail, requestParameters: { secretId: "prod/db", name: "prod/other" } };
    expect(sourcesIn({ ...event, detail: named })).toMatchObject([{ id: "prod/db" }]);
    const created = { ...detail, eventName: "CreateSecret", requestParameters: { name: "prod/new" } };
    expect(sourcesIn({ ...event, detail: created })).toMatchObject([{ id: "prod/new", location }]);
  });

  describe("an ARN that contradicts the envelope is rejected", () => {
    const elsewhere: { it: string; other: AwsLocation }[] = [
      { it: "partition", other: { ...location, partition: "aws-cn" } },
      { it: "Region", other: { ...location, region: "eu-central-1" } },
      { it: "account", other: { ...location, accountId: "444455556666" } },
    ];
    const code = "CONTRADICTING_LOCATION";

    it.each(elsewhere)("by its $it, in a native event, a call and a rotation", ({ other }) => {
      const arn = arnOf(other, "prod/db", "AbCdEf");
      const rotation = sample("rotation-succeeded.json") as Json;
      const detail = { ...(rotation.detail as Json), additionalEventData: { SecretId: arn } };
      for (const event of [native(location, arn, "prod/db"), call(undefined, arn), { ...rotation, detail }]) {
        expect(onlyEvent(event)).toMatchObject({ kind: "rejected", code });
      }
      expect(onlyEvent(call(arn, undefined))).toMatchObject({ code });
    });

    it.each([
      { it: "envelope", change: { region: "us-east-1" } },
      { it: "detail of CloudTrail", change: { detail: { awsRegion: "us-east-1" } } },
      { it: "detail of CloudTrail, by account", change: { detail: { recipientAccountId: "444455556666" } } },
    ])("when only the $it differs", ({ change }) => {
      const event = call(undefined, arnOf(location, "prod/db", "AbCdEf"));
      const detail = { ...(event.detail as Json), ...(change as Json & { detail?: Json }).detail };
      expect(onlyEvent({ ...event, ...change, detail })).toMatchObject({ code });
    });

    it("but not by its account when the caller of that account made the call", () => {
      const arn = arnOf({ ...location, accountId: "444455556666" }, "prod/db", "AbCdEf");
      const event = call(undefined, arn);
      const by = (accountId: string) => {
        const detail = { ...(event.detail as Json), userIdentity: { accountId } };
        return onlyEvent({ ...event, detail });
      };
      expect(by(location.accountId)).toMatchObject({ kind: "change", change: { source: { id: arn } } });
      expect(by("777788889999")).toMatchObject({ code });
    });
  });

  describe("a native event is rejected when its resources", () => {
    const arn = arnOf(location, "prod/db", "AbCdEf");
    it.each([
      { it: "are another service's", resources: ["arn:aws:s3:::bucket"] },
      { it: "have no suffix", resources: [arnOf(location, "prod/db")] },
      { it: "are a name", resources: ["prod/db"] },
      { it: "are empty text", resources: [""] },
      { it: "are null", resources: [null] },
      { it: "are a number", resources: [7] },
      { it: "are not a list", resources: arn },
      { it: "are followed by one that is no secret", resources: [arn, "arn:aws:s3:::bucket"] },
      { it: "are too many", resources: Array(101).fill(arn) },
    ])("$it", ({ resources }) => {
      const event = { ...native(location, arn, "prod/db"), resources };
      expect(onlyEvent(event)).toMatchObject({ kind: "rejected", code: "MALFORMED_ID" });
    });

    it("are two secrets", () => {
      const resources = [arn, arnOf(location, "prod/other", "AbCdEf")];
      const event = { ...native(location, arn, "prod/db"), resources };
      expect(onlyEvent(event)).toMatchObject({ kind: "rejected", code: "CONTRADICTING_IDS" });
    });
  });

  it("does not attribute the name in the request to the account in the response", () => {
    const elsewhere = { ...location, accountId: "444455556666" };
    const event = call("prod/db", arnOf(elsewhere, "prod/db", "AbCdEf"));
    const userIdentity = { accountId: location.accountId };
    const byCaller = { ...event, detail: { ...(event.detail as Json), userIdentity } };
    expect(onlyEvent(byCaller)).toMatchObject({ kind: "rejected", code: "CONTRADICTING_IDS" });
    expect(onlyEvent(event)).toMatchObject({ kind: "rejected", code: "CONTRADICTING_LOCATION" });
  });
});

function native({ accountId, region }: AwsLocation, arn: string | undefined, name: string): Json {
  return {
    "detail-type": "Secret Label Updated",
    source: "aws.secretsmanager",
    account: accountId,
    region,
    resources: arn === undefined ? [] : [arn],
    detail: { name, labelUpdated: "AWSCURRENT" },
  };
}

function call(secretId: string | undefined, arn: string | undefined, responseElements: Json = { arn }): Json {
  const detail = { eventName: "PutSecretValue", requestParameters: { secretId }, responseElements };
  return {
    "detail-type": "AWS API Call via CloudTrail",
    source: "aws.secretsmanager",
    account: location.accountId,
    region: location.region,
    detail: { ...detail, recipientAccountId: location.accountId, awsRegion: location.region },
  };
}

function onlyEvent(input: unknown): ParsedEvent | undefined {
  const answer = parseInvocation(input);
  return answer.kind === "events" ? answer.events[0] : undefined;
}

function sourcesIn(input: unknown): readonly SecretReference[] {
  const event = onlyEvent(input);
  if (event?.kind === "change") return [event.change.source];
  return event?.kind === "signal" ? [event.source] : [];
}

function ownSource(original: unknown): SecretReference {
  const [source] = sourcesIn(original);
  if (source === undefined) throw new Error("the sample must name a source");
  return source;
}

/** Every path in the event, down to its leaves; an array's index is a key like any other. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))
      : [];
  return path.length === 0 ? inner : [path, ...inner];
}

/**
 * Replacing the only id of an event makes an event of another source, and so does replacing the only
 * location of a bare name. Those fields stay unchanged; all others can change.
 */
function isOnlyIdOrItsHome(original: Json, path: Path): boolean {
  const without = structuredClone(original);
  replaceAt(without, path, undefined);
  const code = (onlyEvent(without) as { code?: string } | undefined)?.code;
  const lostItsId = [
    "NO_ID",
    "UNKNOWN_HOME",
    "UNKNOWN_SHAPE",
    "BODY_NOT_JSON",
    "MALFORMED_RECORD",
    "NO_RECORDS",
  ];
  return code !== undefined && lostItsId.includes(code);
}

function replaceAt(root: Json, path: Path, value: unknown): void {
  const last = path.at(-1) ?? "";
  const parent = path.slice(0, -1).reduce<Json>((object, key) => object[key] as Json, root);
  if (value === undefined) delete parent[last];
  else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
}
