/** Terms by which pods and volumes choose nodes (core/v1 NodeSelector): terms are ORed, what is in one is ANDed. */
import type { KubeObject } from '../machinery/object.js';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly Requirement[];
  readonly matchFields?: readonly Requirement[];
}

export function matchesNodeSelector(terms: readonly NodeSelectorTerm[] | undefined, node: KubeObject): boolean {
  return (terms ?? []).some((term) => matchesTerm(term, node));
}

/** A term that says nothing matches nothing. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: KubeObject): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((one) => meets(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined)) &&
    matchFields.every((one) => one.key === 'metadata.name' && meets(one, node.metadata.name))
  );
}

function meets({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !/^-?\d+$/.test(value) || !/^-?\d+$/.test(values[0] ?? '')) return false;
      const [found, bound] = [BigInt(value), BigInt(values[0] as string)];
      return operator === 'Gt' ? found > bound : found < bound;
    }
    default:
      return false;
  }
}

export function matchesMap(map: Readonly<Record<string, string>> | undefined, node: KubeObject): boolean {
  const labels = node.metadata.labels ?? {};
  return Object.entries(map ?? {}).every(([key, value]) => labels[key] === value);
}

/** nodeSelector and the required terms of a pod's node affinity, together. */
export function wantsNode(pod: KubeObject, node: KubeObject): boolean {
  if (!matchesMap(pod.spec?.nodeSelector, node)) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required == null || matchesNodeSelector(required.nodeSelectorTerms, node);
}
