/** The kind APIService: who answers for a version of a group. */
import { AGE, age, NAME, nameOf, text } from '../kinds/columns.js';
import { defineKind } from '../kinds/define.js';
import type { Kind } from '../kinds/kind.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';

export interface ApiServiceCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}
export interface ApiService extends KubeObject {
  spec: {
    /** Absent: this server answers itself. */
    service?: { namespace?: string; name?: string; port?: number };
    /** Empty or absent for core. */
    group?: string;
    version: string;
    insecureSkipTLSVerify?: boolean;
    /** base64 */
    caBundle?: string;
    groupPriorityMinimum: number;
    versionPriority: number;
  };
  status?: { conditions?: ApiServiceCondition[] };
}

export const apiServiceKind: Kind = defineKind({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: false,
  storageDir: 'apiregistration.k8s.io/apiservices',
  nameRule: 'path-segment',
  description: 'APIService says which server answers for a version of a group.',
  setDefaults(object) {
    const { spec } = object as ApiService;
    if (spec?.service && !spec.service.port) spec.service.port = 443;
  },
  validate: (object) => validateApiService(object as ApiService),
  columns: [
    NAME,
    text('Service', 'The Service that answers, or Local.'),
    text('Available', 'Whether it answers.'),
    AGE,
  ],
  cells(object, now) {
    const { service } = (object as ApiService).spec;
    const where = service ? `${service.namespace}/${service.name}` : 'Local';
    return [nameOf(object), where, availableText(object as ApiService), age(object, now)];
  },
});

export function availableCondition(service: ApiService): ApiServiceCondition | undefined {
  return service.status?.conditions?.find((condition) => condition.type === 'Available');
}

function availableText(service: ApiService): string {
  const condition = availableCondition(service);
  if (condition === undefined) return 'Unknown';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`;
}

function validateApiService(service: ApiService): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = service;
  if (spec === undefined || spec === null) return [required('spec')];
  const wanted = `${spec.version ?? ''}.${spec.group ?? ''}`;
  if (service.metadata.name !== wanted) {
    const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`;
    errors.push(invalid('metadata.name', service.metadata.name ?? '', why));
  }
  const { groupPriorityMinimum: group, versionPriority: version } = spec;
  if (!(group > 0 && group <= 20000)) {
    errors.push(invalid('spec.groupPriorityMinimum', group ?? 0, 'must be positive and less than 20000'));
  }
  if (!(version > 0 && version <= 1000)) {
    errors.push(invalid('spec.versionPriority', version ?? 0, 'must be positive and less than 1000'));
  }
  if (!spec.service) {
    if (spec.caBundle)
      errors.push(
        invalid('spec.caBundle', `${spec.caBundle.length} bytes`, 'local APIServices may not have a caBundle'),
      );
    if (spec.insecureSkipTLSVerify) {
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    }
    return errors;
  }
  if (!spec.service.namespace) errors.push(required('spec.service.namespace'));
  if (!spec.service.name) errors.push(required('spec.service.name'));
  if (spec.caBundle && spec.insecureSkipTLSVerify) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
  return errors;
}
