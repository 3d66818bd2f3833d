/** Wire types of admissionregistration.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const admissionregistrationV1: TypeGroup = {
  name: 'admissionregistration.v1',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.admissionregistration.v1',
  table: `
ApplyConfiguration = 1 expression s
AuditAnnotation = 1 key s!; 2 valueExpression s!
ExpressionWarning = 2 fieldRef s!; 3 warning s!
JSONPatch = 1 expression s
MatchCondition = 1 name s!; 2 expression s!
MatchResources(atomic) = 1 namespaceSelector meta.v1/LabelSelector?; 2 objectSelector meta.v1/LabelSelector?; 3 resourceRules NamedRuleWithOperations*; 4 excludeResourceRules NamedRuleWithOperations*; 7 matchPolicy s?
MutatingAdmissionPolicy = 1 metadata meta.v1/ObjectMeta; 2 spec MutatingAdmissionPolicySpec
MutatingAdmissionPolicyBinding = 1 metadata meta.v1/ObjectMeta; 2 spec MutatingAdmissionPolicyBindingSpec
MutatingAdmissionPolicyBindingSpec = 1 policyName s; 2 paramRef ParamRef?; 3 matchResources MatchResources?
MutatingAdmissionPolicySpec = 1 paramKind ParamKind?; 2 matchConstraints MatchResources?; 3 variables Variable*; 4 mutations Mutation*; 5 failurePolicy s?; 6 matchConditions MatchCondition*@name#name; 7 reinvocationPolicy s
MutatingWebhook = 1 name s!; 2 clientConfig WebhookClientConfig!; 3 rules RuleWithOperations*; 4 failurePolicy s?; 9 matchPolicy s?; 5 namespaceSelector meta.v1/LabelSelector?; 11 objectSelector meta.v1/LabelSelector?; 6 sideEffects s?!; 7 timeoutSeconds i?; 8 admissionReviewVersions s*!; 10 reinvocationPolicy s?; 12 matchConditions MatchCondition*@name#name
MutatingWebhookConfiguration = 1 metadata meta.v1/ObjectMeta; 2 Webhooks>webhooks MutatingWebhook*@name#name
Mutation = 2 patchType s!; 3 applyConfiguration ApplyConfiguration?; 4 jsonPatch JSONPatch?
NamedRuleWithOperations(atomic) = 1 resourceNames s*; 2 ruleWithOperations RuleWithOperations^
ParamKind(atomic) = 1 apiVersion s; 2 kind s
ParamRef(atomic) = 1 name s; 2 namespace s; 3 selector meta.v1/LabelSelector?; 4 parameterNotFoundAction s?
Rule = 1 apiGroups s*; 2 apiVersions s*; 3 resources s*; 4 scope s?
RuleWithOperations = 1 operations s*; 2 rule Rule^
ServiceReference = 1 namespace s!; 2 name s!; 3 path s?; 4 port i?
TypeChecking = 1 expressionWarnings ExpressionWarning*
ValidatingAdmissionPolicy = 1 metadata meta.v1/ObjectMeta; 2 spec ValidatingAdmissionPolicySpec; 3 status ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding = 1 metadata meta.v1/ObjectMeta; 2 spec ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec = 1 policyName s; 2 paramRef ParamRef?; 3 matchResources MatchResources?; 4 validationActions s*#set
ValidatingAdmissionPolicySpec = 1 paramKind ParamKind?; 2 matchConstraints MatchResources?; 3 validations Validation*; 4 failurePolicy s?; 5 auditAnnotations AuditAnnotation*; 6 matchConditions MatchCondition*@name#name; 7 variables Variable*@name#name
ValidatingAdmissionPolicyStatus = 1 observedGeneration l; 2 typeChecking TypeChecking?; 3 conditions meta.v1/Condition*#type
ValidatingWebhook = 1 name s!; 2 clientConfig WebhookClientConfig!; 3 rules RuleWithOperations*; 4 failurePolicy s?; 9 matchPolicy s?; 5 namespaceSelector meta.v1/LabelSelector?; 10 objectSelector meta.v1/LabelSelector?; 6 sideEffects s?!; 7 timeoutSeconds i?; 8 admissionReviewVersions s*!; 11 matchConditions MatchCondition*@name#name
ValidatingWebhookConfiguration = 1 metadata meta.v1/ObjectMeta; 2 Webhooks>webhooks ValidatingWebhook*@name#name
Validation = 1 Expression>expression s!; 2 message s; 3 reason s?; 4 messageExpression s
Variable(atomic) = 1 Name>name s!; 2 Expression>expression s!
WebhookClientConfig = 3 url s?; 1 service ServiceReference?; 2 caBundle y
`,
};
