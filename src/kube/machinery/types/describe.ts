/** Descriptions of types and their members, for OpenAPI and `kubectl explain`. */
import { coreDescriptions } from './descriptions-core.js';
import { metaDescriptions } from './descriptions-meta.js';
import { podDescriptions } from './descriptions-pod.js';
import { workloadDescriptions } from './descriptions-workload.js';

/** Of members that mean the same in every object. */
const COMMON: Readonly<Record<string, string>> = {
  apiVersion: 'Group and version of the schema that the object follows, such as apps/v1; of the core group just v1.',
  kind: 'The type of the object, in CamelCase. It cannot change.',
  metadata: 'What all objects have: name, labels, annotations, owners and the marks that the server sets.',
  spec: 'What is wanted.',
  status: 'What was last observed. The system writes it; it may lag behind.',
  items: 'The objects of the list.',
  conditions: 'The latest observations of the state, one of each type.',
  observedGeneration: 'The metadata.generation that this status has taken into account.',
  lastTransitionTime: 'When the condition last went from one status to another.',
  reason: 'One word in CamelCase for programs: why it is so.',
  message: 'A sentence for people about the latest change.',
};

let texts: ReadonlyMap<string, string> | undefined;

/**
 * Lines of `group.version/Type: text`, each followed by those of its members, which are indented: `  member: text`.
 */
function read(tables: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  let type = '';
  for (const line of tables.join('\n').split('\n')) {
    const at = line.indexOf(': ');
    if (at < 0) continue;
    const head = line.slice(0, at);
    if (!head.startsWith(' ')) type = head;
    found.set(head.startsWith(' ') ? `${type}.${head.trim()}` : head, line.slice(at + 2));
  }
  return found;
}

function all(): ReadonlyMap<string, string> {
  texts ??= read([metaDescriptions, coreDescriptions, podDescriptions, workloadDescriptions]);
  return texts;
}

/** @param ref `core.v1/Pod`; @param member absent for the type itself */
export function describe(ref: string, member?: string): string | undefined {
  if (member === undefined) return all().get(ref);
  return all().get(`${ref}.${member}`) ?? COMMON[member];
}

/** How many types and members have words of their own. */
export function describedCount(): number {
  return all().size;
}

/** Types, and members of types, that have words of their own. */
export function describedNames(): readonly (readonly [ref: string, member?: string])[] {
  return [...all().keys()].map((name) => {
    const dot = name.indexOf('.', name.indexOf('/'));
    return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
  });
}
