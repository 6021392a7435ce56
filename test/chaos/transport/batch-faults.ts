import type { Random } from "../random.ts";
import { nameOf, type TransportRequest, type TransportResponse } from "./message.ts";

type Batch = {
  SecretValues?: { ARN: string; Name: string }[];
  Errors?: { SecretId: string; ErrorCode: string; Message: string }[];
};

/** A batch may answer 200 without some of its secrets: an item becomes an error. */
export function failItems(
  request: TransportRequest,
  answer: TransportResponse,
  { random, share, onItem }: { readonly random: Random; readonly share: number; readonly onItem: () => void },
): TransportResponse {
  if (share === 0 || answer.status !== 200 || nameOf(request) !== "BatchGetSecretValue") return answer;
  const { SecretValues = [], Errors = [], ...rest } = JSON.parse(answer.body) as Batch;
  const asked = (JSON.parse(request.body.toString()) as { SecretIdList?: string[] }).SecretIdList ?? [];
  const failed = new Set(SecretValues.filter(() => random.chance(share)));
  for (const _item of failed) onItem();
  const errors = [...failed].map(({ ARN, Name }) => ({
    SecretId: asked.includes(Name) ? Name : ARN,
    ErrorCode: "InternalServiceError",
    Message: "drawn by the chaos run",
  }));
  const body = {
    ...rest,
    SecretValues: SecretValues.filter((item) => !failed.has(item)),
    Errors: [...Errors, ...errors],
  };
  return { ...answer, headers: withoutLength(answer.headers), body: JSON.stringify(body) };
}

function withoutLength(headers: TransportResponse["headers"]): TransportResponse["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-length"));
}
