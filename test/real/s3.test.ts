import { describe } from "vitest";
import { describeS3Contract } from "../contract/s3-contract.ts";
import { addMotoBucket } from "./aws/add-bucket.ts";
import { startMoto } from "./aws/start.ts";

describe("moto answers as S3", () => {
  describeS3Contract({ name: "real", start: startMoto, addBucket: addMotoBucket });
});
