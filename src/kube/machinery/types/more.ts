/**
 * Tables of what `scripts/kube-types.mjs` does not bring: groups that no client sends as protobuf (their members have
 * no numbers) and messages that stand nowhere by themselves.
 */
import type { TypeGroup } from './type-group.js';

export const metaMore: TypeGroup = {
  name: 'meta.v1',
  group: 'meta.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.apimachinery.pkg.apis.meta.v1',
  table: `
FieldSelectorRequirement = 1 key s!; 2 operator s!; 3 values s*
ShardInfo = 1 selector s!
PartialObjectMetadata = 1 metadata ObjectMeta
`,
};

export const nodeV1: TypeGroup = {
  name: 'node.v1',
  group: 'node.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.node.v1',
  table: `
Overhead = 1 podFixed {s,resource/Quantity}
RuntimeClass = 1 metadata meta.v1/ObjectMeta; 2 handler s!; 3 overhead Overhead?; 4 scheduling Scheduling?
Scheduling = 1 nodeSelector {s,s}#atomic; 2 tolerations core.v1/Toleration*
`,
};

export const metricsV1beta1: TypeGroup = {
  name: 'metrics.v1beta1',
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  openapi: 'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  table: `
ContainerMetrics = 1 name s!; 2 usage {s,resource/Quantity}!
NodeMetrics = 1 metadata meta.v1/ObjectMeta; 2 timestamp meta.v1/Time!; 3 window meta.v1/Duration!; 4 usage {s,resource/Quantity}!
PodMetrics = 1 metadata meta.v1/ObjectMeta; 2 timestamp meta.v1/Time!; 3 window meta.v1/Duration!; 4 containers ContainerMetrics*!
`,
};

export const admissionV1: TypeGroup = {
  name: 'admission.v1',
  group: 'admission.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.admission.v1',
  table: `
GroupVersionKind = group s!; version s!; kind s!
GroupVersionResource = group s!; version s!; resource s!
AdmissionRequest = uid s!; kind GroupVersionKind!; resource GroupVersionResource!; subResource s; requestKind GroupVersionKind?; requestResource GroupVersionResource?; requestSubResource s; name s; namespace s; operation s!; userInfo authentication.v1/UserInfo!; object runtime/RawExtension; oldObject runtime/RawExtension; dryRun b?; options runtime/RawExtension
AdmissionResponse = uid s!; allowed b!; status meta.v1/Status?; patch y; patchType s?; auditAnnotations {s,s}; warnings s*
AdmissionReview = request AdmissionRequest?; response AdmissionResponse?
`,
};

export const apiextensionsV1: TypeGroup = {
  name: 'apiextensions.v1',
  group: 'apiextensions.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  table: `
ConversionRequest = uid s!; desiredAPIVersion s!; objects runtime/RawExtension*!
ConversionResponse = uid s!; convertedObjects runtime/RawExtension*!; result meta.v1/Status!
ConversionReview = request ConversionRequest?; response ConversionResponse?
CustomResourceColumnDefinition = name s!; type s!; format s; description s; priority i; jsonPath s!
CustomResourceConversion = strategy s!; webhook WebhookConversion?
CustomResourceDefinition = metadata meta.v1/ObjectMeta; spec CustomResourceDefinitionSpec!; status CustomResourceDefinitionStatus
CustomResourceDefinitionCondition = type s!; status s!; lastTransitionTime meta.v1/Time; reason s; message s; observedGeneration l
CustomResourceDefinitionNames = plural s!; singular s; shortNames s*; kind s!; listKind s; categories s*
CustomResourceDefinitionSpec = group s!; names CustomResourceDefinitionNames!; scope s!; versions CustomResourceDefinitionVersion*!; conversion CustomResourceConversion?; preserveUnknownFields b
CustomResourceDefinitionStatus = conditions CustomResourceDefinitionCondition*#type; acceptedNames CustomResourceDefinitionNames; storedVersions s*; observedGeneration l
CustomResourceDefinitionVersion = name s!; served b!; storage b!; deprecated b; deprecationWarning s?; schema CustomResourceValidation?; subresources CustomResourceSubresources?; additionalPrinterColumns CustomResourceColumnDefinition*; selectableFields SelectableField*
CustomResourceSubresourceScale = specReplicasPath s!; statusReplicasPath s!; labelSelectorPath s?
CustomResourceSubresourceStatus = -
CustomResourceSubresources = status CustomResourceSubresourceStatus?; scale CustomResourceSubresourceScale?
CustomResourceValidation = openAPIV3Schema JSONSchemaProps?
ExternalDocumentation = description s; url s
JSONSchemaProps = id s; $schema s; $ref s?; description s; type s; format s; title s; default runtime/JSON?; maximum d?; exclusiveMaximum b; minimum d?; exclusiveMinimum b; maxLength l?; minLength l?; pattern s; maxItems l?; minItems l?; uniqueItems b; multipleOf d?; enum runtime/JSON*; maxProperties l?; minProperties l?; required s*; items runtime/JSONSchemaPropsOrArray?; allOf JSONSchemaProps*; oneOf JSONSchemaProps*; anyOf JSONSchemaProps*; not JSONSchemaProps?; properties {s,JSONSchemaProps}; additionalProperties runtime/JSONSchemaPropsOrBool?; patternProperties {s,JSONSchemaProps}; dependencies {s,runtime/JSON}; additionalItems runtime/JSONSchemaPropsOrBool?; definitions {s,JSONSchemaProps}; externalDocs ExternalDocumentation?; example runtime/JSON?; nullable b; x-kubernetes-preserve-unknown-fields b?; x-kubernetes-embedded-resource b; x-kubernetes-int-or-string b; x-kubernetes-list-map-keys s*; x-kubernetes-list-type s?; x-kubernetes-map-type s?; x-kubernetes-validations ValidationRule*#rule
SelectableField = jsonPath s!
ServiceReference = namespace s!; name s!; path s?; port i?
ValidationRule = rule s!; message s; messageExpression s; reason s?; fieldPath s; optionalOldSelf b?
WebhookClientConfig = url s?; service ServiceReference?; caBundle y
WebhookConversion = clientConfig WebhookClientConfig?; conversionReviewVersions s*!
`,
};

export const apiregistrationV1: TypeGroup = {
  name: 'apiregistration.v1',
  group: 'apiregistration.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  table: `
APIService = metadata meta.v1/ObjectMeta; spec APIServiceSpec; status APIServiceStatus
APIServiceCondition = type s!; status s!; lastTransitionTime meta.v1/Time; reason s; message s
APIServiceSpec = service ServiceReference?; group s; version s; insecureSkipTLSVerify b; caBundle y; groupPriorityMinimum i!; versionPriority i!
APIServiceStatus = conditions APIServiceCondition*@type#type
ServiceReference = namespace s; name s; port i?
`,
};
