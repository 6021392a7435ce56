import { KNOWN } from "../cli/tune/known-numbers.ts";

/**
 * List prices in USD without free tiers, of us-east-1. A script cannot read the price pages of AWS, so each was confirmed
 * by several other pages: aws.amazon.com/sqs/pricing (standard queues, first tier) and aws.amazon.com/s3/pricing (GET,
 * Standard), on 2026-11-29; Lambda as in docs/operate.md.
 */
export const PRICES = {
  sqsRequest: 0.4 / 1_000_000,
  s3Get: 0.4 / 1_000_000,
  lambdaRequest: KNOWN.lambdaRequest.value,
  lambdaGigabyteSecond: KNOWN.lambdaGigabyteSecond.value,
} as const;
