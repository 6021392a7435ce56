// Named exports in a separate file: with an import() of the whole package, a bundler keeps every operation of EKS.
export { DescribeClusterCommand, EKSClient } from "@aws-sdk/client-eks";
