import { RelayError } from "../../relay-error.ts";

/** An object of the bucket that holds the published bindings. */
export type ObjectName = { readonly bucket: string; readonly key: string };

/** 5xx, a broken connection, a timeout, an invalid response: after the relay's own retries. */
export class BindingsStoreUnreachable extends RelayError {
  override readonly name = "BindingsStoreUnreachable";
  readonly code = "BINDINGS_STORE_UNREACHABLE";
  readonly retryable = true;
  constructor(object: ObjectName, at: string) {
    super(
      `S3 gave no valid response for ${uriOf(object)} (${at}). The relay retries later. A function in a VPC without internet access needs a gateway endpoint for S3.`,
    );
  }
}

export class BindingsStoreThrottled extends RelayError {
  override readonly name = "BindingsStoreThrottled";
  readonly code = "BINDINGS_STORE_THROTTLED";
  readonly retryable = true;
  constructor(object: ObjectName) {
    super(`S3 throttled a read of ${uriOf(object)}. The relay retries later.`);
  }
}

/** S3 refused the credentials, and renewed ones too, or there were none. */
export class BindingsStoreCredentialsExpired extends RelayError {
  override readonly name = "BindingsStoreCredentialsExpired";
  readonly code = "BINDINGS_STORE_CREDENTIALS_EXPIRED";
  readonly retryable = true;
  constructor(object: ObjectName) {
    super(
      `The AWS credentials expired while reading ${uriOf(object)}, and renewed credentials were refused or unavailable.`,
    );
  }
}

/** Denied by IAM, by a policy of the bucket or of a VPC endpoint, or by KMS. Without s3:ListBucket, S3 also says this about an absent object. */
export class BindingsStoreDenied extends RelayError {
  override readonly name = "BindingsStoreDenied";
  readonly code = "BINDINGS_STORE_DENIED";
  readonly retryable = false;
  constructor(object: ObjectName) {
    super(
      `The relay has no permission to read ${uriOf(object)}. Allow s3:GetObject on it, s3:ListBucket on its bucket and kms:Decrypt on its key, and check the policies of the bucket and of the VPC endpoint.`,
    );
  }
}

/** The bucket is in another Region. A redirect is never followed. */
export class BindingsStoreRedirected extends RelayError {
  override readonly name = "BindingsStoreRedirected";
  readonly code = "BINDINGS_STORE_REDIRECTED";
  readonly retryable = false;
  constructor({ bucket }: ObjectName, region: string) {
    super(
      `The bucket ${bucket} is not in the relay's Region ${region}. Find its Region with: aws s3api get-bucket-location --bucket ${bucket}. Then use a bucket in ${region}.`,
    );
  }
}

export class BindingsStoreNotFound extends RelayError {
  override readonly name = "BindingsStoreNotFound";
  readonly code = "BINDINGS_STORE_NOT_FOUND";
  readonly retryable = false;
  constructor({ bucket }: ObjectName) {
    super(
      `The bucket ${bucket} does not exist. Correct its name, or deploy the stack again and publish the bindings.`,
    );
  }
}

export class BindingsStoreRejected extends RelayError {
  override readonly name = "BindingsStoreRejected";
  readonly code = "BINDINGS_STORE_REJECTED";
  readonly retryable = false;
  constructor(object: ObjectName, at: string) {
    super(
      `S3 rejected the read of ${uriOf(object)} (${at}). Check the name of the bucket and its encryption key.`,
    );
  }
}

const uriOf = ({ bucket, key }: ObjectName): string => `s3://${bucket}/${key}`;
