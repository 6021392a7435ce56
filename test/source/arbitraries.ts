import fc from "fast-check";
import type { AwsLocation } from "../../shared/source/secret-id.ts";

const LETTERS_AND_DIGITS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];

export const anySuffix = fc.string({
  unit: fc.constantFrom(...LETTERS_AND_DIGITS),
  minLength: 6,
  maxLength: 6,
});

const anyPlainName = fc.string({
  unit: fc.constantFrom(...LETTERS_AND_DIGITS, ..."/_+=.@-!"),
  minLength: 1,
  maxLength: 60,
});

/** Valid names; many of them end like a suffix or equal a built-in property of objects. */
export const anySecretName = fc.oneof(
  anyPlainName,
  fc.tuple(anyPlainName, anySuffix).map(([name, suffix]) => `${name}-${suffix}`),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "-AbCdEf",
    "a".repeat(512),
    "rds!cluster-0f1e2d",
    "arn",
  ),
);

export const anyLocation: fc.Arbitrary<AwsLocation> = fc
  .tuple(
    fc.constantFrom(
      ["aws", "eu-west-1"],
      ["aws", "ap-southeast-2"],
      ["aws-cn", "cn-north-1"],
      ["aws-us-gov", "us-gov-west-1"],
      ["aws-iso", "us-iso-east-1"],
      ["aws-iso-b", "us-isob-east-1"],
      ["aws-iso-e", "eu-isoe-west-1"],
      ["aws-eusc", "eusc-de-east-1"],
    ),
    fc.constantFrom("111122223333", "444455556666"),
  )
  .map(([[partition = "", region = ""], accountId]) => ({ partition, region, accountId }));

export function arnOf(home: AwsLocation, name: string, suffix?: string): string {
  const end = suffix === undefined ? "" : `-${suffix}`;
  return `arn:${home.partition}:secretsmanager:${home.region}:${home.accountId}:secret:${name}${end}`;
}
