/** A field of the `spec`; `[]` stands for an entry of a list. */
export type EsoField = {
  readonly path: string;
  /** What an API server stores if the manifest leaves the field out. */
  readonly defaults: readonly string[];
};

// Every field that External Secrets Operator 0.9 to 2.9 has in its custom resource definitions of v1 or v1beta1, and
// after `=` each default of a release.

/** The fields of an ExternalSecret. */
export const EXTERNAL_SECRET_FIELDS = fieldsIn(`
  dataFrom[].extract.conversionStrategy = Default
  dataFrom[].extract.decodingStrategy = None
  dataFrom[].extract.key
  dataFrom[].extract.metadataPolicy = None
  dataFrom[].extract.nullBytePolicy = Ignore
  dataFrom[].extract.property
  dataFrom[].extract.version
  dataFrom[].find.conversionStrategy = Default
  dataFrom[].find.decodingStrategy = None
  dataFrom[].find.name.regexp
  dataFrom[].find.nullBytePolicy = Ignore
  dataFrom[].find.path
  dataFrom[].find.tags
  dataFrom[].rewrite[].merge.conflictPolicy = Error
  dataFrom[].rewrite[].merge.into = ""
  dataFrom[].rewrite[].merge.priorityPolicy = Strict
  dataFrom[].rewrite[].merge.priority[]
  dataFrom[].rewrite[].merge.strategy = Extract
  dataFrom[].rewrite[].regexp.source
  dataFrom[].rewrite[].regexp.target
  dataFrom[].rewrite[].transform.template
  dataFrom[].sourceRef.generatorRef.apiVersion = generators.external-secrets.io/v1alpha1
  dataFrom[].sourceRef.generatorRef.kind
  dataFrom[].sourceRef.generatorRef.name
  dataFrom[].sourceRef.storeRef.kind
  dataFrom[].sourceRef.storeRef.name
  data[].remoteRef.conversionStrategy = Default
  data[].remoteRef.decodingStrategy = None
  data[].remoteRef.key
  data[].remoteRef.metadataPolicy = None
  data[].remoteRef.nullBytePolicy = Ignore
  data[].remoteRef.property
  data[].remoteRef.version
  data[].secretKey
  data[].sourceRef.generatorRef.apiVersion = generators.external-secrets.io/v1alpha1
  data[].sourceRef.generatorRef.kind
  data[].sourceRef.generatorRef.name
  data[].sourceRef.storeRef.kind
  data[].sourceRef.storeRef.name
  refreshInterval = 1h = 1h0m0s
  refreshPolicy
  secretStoreRef.kind
  secretStoreRef.name
  syncWindows.kind
  syncWindows.windows[].duration
  syncWindows.windows[].schedule
  target.creationPolicy = Owner
  target.deletionPolicy = Retain
  target.immutable
  target.manifest.apiVersion
  target.manifest.kind
  target.name
  target.template.data
  target.template.engineVersion = v2
  target.template.mergePolicy = Replace
  target.template.metadata.annotations
  target.template.metadata.finalizers[]
  target.template.metadata.labels
  target.template.templateFrom[].configMap.items[].key
  target.template.templateFrom[].configMap.items[].templateAs = Values
  target.template.templateFrom[].configMap.name
  target.template.templateFrom[].literal
  target.template.templateFrom[].secret.items[].key
  target.template.templateFrom[].secret.items[].templateAs = Values
  target.template.templateFrom[].secret.name
  target.template.templateFrom[].target = Data
  target.template.templateFrom[].valuesDecodingStrategy = None
  target.template.type
`);

/** The fields of a SecretStore or ClusterSecretStore, of providers only those of AWS. */
export const AWS_STORE_FIELDS = fieldsIn(`
  conditions[].namespaceRegexes[]
  conditions[].namespaceSelector.matchExpressions[].key
  conditions[].namespaceSelector.matchExpressions[].operator
  conditions[].namespaceSelector.matchExpressions[].values[]
  conditions[].namespaceSelector.matchLabels
  conditions[].namespaces[]
  controller
  provider.aws.additionalRoles[]
  provider.aws.auth.jwt.serviceAccountRef.audiences[]
  provider.aws.auth.jwt.serviceAccountRef.name
  provider.aws.auth.jwt.serviceAccountRef.namespace
  provider.aws.auth.secretRef.accessKeyIDSecretRef.key
  provider.aws.auth.secretRef.accessKeyIDSecretRef.name
  provider.aws.auth.secretRef.accessKeyIDSecretRef.namespace
  provider.aws.auth.secretRef.secretAccessKeySecretRef.key
  provider.aws.auth.secretRef.secretAccessKeySecretRef.name
  provider.aws.auth.secretRef.secretAccessKeySecretRef.namespace
  provider.aws.auth.secretRef.sessionTokenSecretRef.key
  provider.aws.auth.secretRef.sessionTokenSecretRef.name
  provider.aws.auth.secretRef.sessionTokenSecretRef.namespace
  provider.aws.customSessionTags
  provider.aws.externalID
  provider.aws.prefix
  provider.aws.region
  provider.aws.role
  provider.aws.secretsManager.forceDeleteWithoutRecovery
  provider.aws.secretsManager.recoveryWindowInDays
  provider.aws.service
  provider.aws.sessionTagsPolicy = None
  provider.aws.sessionTags[].key
  provider.aws.sessionTags[].value
  provider.aws.transitiveTagKeys[]
  refreshInterval
  retrySettings.maxRetries
  retrySettings.retryInterval
`);

function fieldsIn(lines: string): EsoField[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => {
      const [path = "", ...defaults] = line.trim().split(" = ");
      return { path, defaults: defaults.map((text) => (text === '""' ? "" : text)) };
    });
}
