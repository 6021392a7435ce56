import { CreateClusterCommand, DescribeClusterCommand } from "@aws-sdk/client-eks";
import { describe } from "vitest";
import { describeAwsContract } from "../contract/aws-contract.ts";
import { awsClients } from "../harness/aws-clients.ts";
import { startMoto } from "./aws/start.ts";

describe("moto answers as AWS", () => {
  describeAwsContract({
    name: "real",
    start: startMoto,
    async addCluster(backend, name) {
      const { eks, destroy } = awsClients(backend);
      await eks.send(
        new CreateClusterCommand({
          name,
          roleArn: `arn:aws:iam::${backend.accountId}:role/cluster`,
          resourcesVpcConfig: {},
        }),
      );
      const { cluster } = await eks.send(new DescribeClusterCommand({ name }));
      destroy();
      return {
        endpoint: cluster?.endpoint ?? "",
        certificateAuthorityData: cluster?.certificateAuthority?.data ?? "",
      };
    },
  });
});
