import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, required } from '../machinery/field-error.js';
import { checkDns1035Label, checkDnsSubdomain } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import { inRange, mandatory, optional } from './field-rules.js';
import type { Kind } from './kind.js';
import { fill, listOf, unset } from './loose.js';

const GROUP_PRIORITY_MAX = 20000;
const VERSION_PRIORITY_MAX = 1000;
const HTTPS_PORT = 443;

function serviceText(object: KubeObject): string {
  const service = object.spec?.service;
  return service ? `${service.namespace}/${service.name}` : 'Local';
}

function availableText(object: KubeObject): string {
  const condition = listOf(object.status?.conditions).find((c) => c.type === 'Available');
  if (condition === undefined) return 'Unknown';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason})`;
}

function validate(object: KubeObject): FieldError[] {
  const spec = object.spec ?? {};
  const errors: FieldError[] = [];
  const name = `${spec.version ?? ''}.${spec.group ?? ''}`;
  if (nameOf(object) !== name) {
    errors.push(invalid('metadata.name', nameOf(object), `must be \`spec.version+"."+spec.group\`: "${name}"`));
  }
  errors.push(...optional(spec.group, 'spec.group', checkDnsSubdomain));
  errors.push(...mandatory(spec.version, 'spec.version', checkDns1035Label));
  const group = spec.groupPriorityMinimum ?? 0;
  errors.push(...inRange(group, 'spec.groupPriorityMinimum', 1, GROUP_PRIORITY_MAX));
  errors.push(...inRange(spec.versionPriority ?? 0, 'spec.versionPriority', 1, VERSION_PRIORITY_MAX));
  if (!spec.service) {
    if (!unset(spec.caBundle))
      errors.push(
        invalid('spec.caBundle', `${spec.caBundle.length} bytes`, 'local APIServices may not have a caBundle'),
      );
    if (spec.insecureSkipTLSVerify === true) {
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    }
    return errors;
  }
  if (unset(spec.service.namespace)) errors.push(required('spec.service.namespace'));
  if (unset(spec.service.name)) errors.push(required('spec.service.name'));
  errors.push(...inRange(spec.service.port, 'spec.service.port', 1, 65535));
  if (spec.insecureSkipTLSVerify === true && !unset(spec.caBundle)) {
    errors.push(forbiddenField('spec.insecureSkipTLSVerify', 'may not be true if caBundle is present'));
  }
  return errors;
}

export const apiServiceKind: Kind = defineKind({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  description: 'APIService says who serves a group and version of the API: this server, or another behind it.',
  storageDir: 'apiregistration.k8s.io/apiservices',
  // That of the core group is `v1.`
  nameRule: 'path-segment',
  hasStatus: true,
  allowUnconditionalUpdate: false,
  setDefaults(object) {
    if (object.spec?.service) fill(object.spec.service, 'port', HTTPS_PORT);
  },
  prepareForCreate(object) {
    delete object.status;
  },
  validate,
  columns: [NAME, text('Service', 'Who serves it.'), text('Available', 'Whether it is there.'), AGE],
  cells: (object, now) => [nameOf(object), serviceText(object), availableText(object), age(object, now)],
});
