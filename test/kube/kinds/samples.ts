/** Objects as people write them, for the tests of kinds. */
import { builtinKindList } from '../../../src/kube/kinds/index.js';
import type { Kind } from '../../../src/kube/kinds/kind.js';
import type { FieldError } from '../../../src/kube/machinery/field-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { apiVersionOf } from '../../../src/kube/machinery/object.js';

const kinds = builtinKindList();

/** By kind, or `autoscaling/v1 HorizontalPodAutoscaler` where there are two. */
export function kindOf(name: string): Kind {
  const [first, second] = name.split(' ');
  const found = kinds.find((kind) =>
    second === undefined ? kind.kind === first : kind.kind === second && apiVersionOf(kind) === first,
  );
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

export function make(kind: Kind, body: Record<string, any> = {}): KubeObject {
  const { metadata, ...rest } = structuredClone(body);
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: 'web', ...(kind.namespaced ? { namespace: 'default' } : {}), uid: 'u-1', ...metadata },
    ...rest,
  };
}

/** As the server has it after a create: defaults and preparation. */
export function created(name: string, body: Record<string, any> = {}): KubeObject {
  const kind = kindOf(name);
  const object = make(kind, body);
  if (kind.hasStatus && kind.keepsStatusOnCreate !== true) delete object.status;
  kind.setDefaults?.(object);
  kind.prepareForCreate?.(object);
  kind.setDefaults?.(object);
  return object;
}

/** As stored with a status that somebody reported. */
export function stored(name: string, body: Record<string, any> = {}): KubeObject {
  const kind = kindOf(name);
  const object = make(kind, body);
  kind.setDefaults?.(object);
  return object;
}

export function texts(errors: readonly FieldError[]): string[] {
  return errors.map((e) => `${e.field}: ${e.message}`);
}

/** What a create would be refused with. */
export function refusals(name: string, body: Record<string, any>): string[] {
  const kind = kindOf(name);
  const object = created(name, body);
  return texts([...(kind.validate?.(object) ?? []), ...(kind.validateCreate?.(object) ?? [])]);
}

/** What an update from `old` to `next` would be refused with. */
export function updateRefusals(name: string, old: Record<string, any>, next: Record<string, any>): string[] {
  const kind = kindOf(name);
  const before = created(name, old);
  const object = make(kind, next);
  if (kind.hasStatus) object.status = structuredClone(before.status);
  kind.setDefaults?.(object);
  kind.prepareForUpdate?.(object, before);
  kind.setDefaults?.(object);
  return texts([...(kind.validate?.(object) ?? []), ...(kind.validateUpdate?.(object, before) ?? [])]);
}

/** A deep copy with members set by dotted path; undefined removes. Numbers are indexes. */
export function withMembers(body: Record<string, any>, members: Record<string, unknown>): Record<string, any> {
  const copy = structuredClone(body);
  for (const [path, value] of Object.entries(members)) {
    const steps = path.split('.');
    const last = steps.pop() as string;
    let target: any = copy;
    for (const step of steps) target = target[step] ??= {};
    if (value === undefined) delete target[last];
    else target[last] = structuredClone(value);
  }
  return copy;
}

export const CONTAINER = { name: 'c', image: 'nginx:1.25' };
export const TEMPLATE = { metadata: { labels: { app: 'web' } }, spec: { containers: [CONTAINER] } };
export const SELECTOR = { matchLabels: { app: 'web' } };
export const POD = { spec: { containers: [CONTAINER] } };
export const WORKLOAD = { spec: { selector: SELECTOR, template: TEMPLATE } };
export const STATEFUL = { spec: { ...WORKLOAD.spec, serviceName: 'web' } };
export const JOB_TEMPLATE = { spec: { restartPolicy: 'Never', containers: [CONTAINER] } };
export const JOB = { spec: { template: JOB_TEMPLATE } };
export const CRON_JOB = { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: JOB_TEMPLATE } } } };
export const SERVICE = { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } };
export const INGRESS = {
  spec: {
    rules: [
      {
        host: 'example.com',
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      },
    ],
  },
};
export const CLAIM = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
export const VOLUME = {
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } },
};
export const HPA = {
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5 },
};
export const ROLE = { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] };
export const BINDING = {
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
  subjects: [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }],
};
export const WEBHOOKS = {
  webhooks: [
    {
      name: 'a.example.com',
      clientConfig: { service: { namespace: 'd', name: 'hook' } },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
};
export const REQUEST = {
  spec: {
    request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\n').toString('base64'),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  },
};
