/** Which part of an object a path may write, and who checks it. Source: kubernetes subresources. */
import type { Kind } from '../kinds/kind.js';
import type { FieldError } from '../machinery/field-error.js';
import { copyJson } from '../machinery/json-value.js';
import type { KubeObject } from '../machinery/object.js';

export interface UpdateStrategy {
  /** The object as this path would have it; owns both arguments' copies. */
  take(sent: KubeObject, old: KubeObject): KubeObject;
  prepare(object: KubeObject, old: KubeObject): void;
  validate(object: KubeObject, old: KubeObject): FieldError[];
  /** Counts metadata.generation when the spec changed. */
  readonly countsGeneration: boolean;
}

/** Sets or drops a member. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) delete object[name];
  else object[name] = value;
}

/** The old object with some of what was sent. */
function oldWith(old: KubeObject, sent: KubeObject, put: (next: KubeObject) => void): KubeObject {
  const next = copyJson(old);
  // Entries of managers travel with every write; who may own what is decided there.
  setMember(next.metadata as Record<string, unknown>, 'managedFields', sent.metadata.managedFields);
  put(next);
  return next;
}

function mainStrategy(kind: Kind): UpdateStrategy {
  return {
    take(sent, old) {
      if (kind.hasStatus) setMember(sent, 'status', copyJson(old.status));
      return sent;
    },
    prepare: (object, old) => kind.prepareForUpdate?.(object, old),
    validate: (object, old) => [...(kind.validate?.(object) ?? []), ...(kind.validateUpdate?.(object, old) ?? [])],
    countsGeneration: true,
  };
}

function statusStrategy(kind: Kind): UpdateStrategy {
  // Of a built-in kind labels and annotations may be changed on this path, of a custom resource only the status.
  const metadataToo = kind.noStrategicPatch !== true;
  return {
    take: (sent, old) =>
      oldWith(old, sent, (next) => {
        setMember(next, 'status', sent.status);
        if (!metadataToo) return;
        for (const name of ['labels', 'annotations'] as const) {
          setMember(next.metadata as Record<string, unknown>, name, sent.metadata[name]);
        }
      }),
    prepare: (object, old) => kind.prepareForStatusUpdate?.(object, old),
    validate: (object, old) => kind.validateStatusUpdate?.(object, old) ?? [],
    countsGeneration: false,
  };
}

/** Replaces members of one part (`spec`, `status`) and nothing else. */
function partStrategy(
  kind: Kind,
  subresource: string,
  part: 'spec' | 'status',
  members: readonly string[],
): UpdateStrategy {
  return {
    take: (sent, old) =>
      oldWith(old, sent, (next) => {
        const target = (next[part] ??= {});
        for (const member of members) setMember(target, member, sent[part]?.[member]);
      }),
    prepare: () => undefined,
    validate: (object, old) => [
      ...(kind.validate?.(object) ?? []),
      ...(kind.validatePartUpdate?.(object, old, subresource) ?? []),
    ],
    countsGeneration: part === 'spec',
  };
}

/** The caller has made the object itself (a binding, an eviction's mark); only the whole is checked. */
function wholeStrategy(kind: Kind): UpdateStrategy {
  return {
    take: (sent) => sent,
    prepare: () => undefined,
    validate: (object) => kind.validate?.(object) ?? [],
    countsGeneration: true,
  };
}

/** By plural and subresource. */
const PARTS: Readonly<Record<string, readonly ['spec' | 'status', readonly string[]]>> = {
  'namespaces/finalize': ['spec', ['finalizers']],
  'pods/ephemeralcontainers': ['spec', ['ephemeralContainers']],
  'certificatesigningrequests/approval': ['status', ['conditions']],
};

export function strategyOf(kind: Kind, subresource: string): UpdateStrategy {
  if (subresource === '' || subresource === 'scale') return mainStrategy(kind);
  if (subresource === 'status') return statusStrategy(kind);
  const part = PARTS[`${kind.plural}/${subresource}`];
  return part === undefined ? wholeStrategy(kind) : partStrategy(kind, subresource, part[0], part[1]);
}
