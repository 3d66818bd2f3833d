/**
 * What a namespace that is being deleted says of what is left in it. Told by whoever empties it: the namespace controller,
 * or the server itself where no controllers run. Source: kubernetes namespaces, conditions of deletion.
 */

export interface Condition {
  type: string;
  status: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export interface Remaining {
  /** By resource (`pods.`, `deployments.apps`), how many objects there are still. */
  readonly counts: Map<string, number>;
  /** By finalizer, in how many of them it stands. */
  readonly finalizers: Map<string, number>;
  readonly errors: string[];
  /** Group versions whose resources are not known. */
  readonly undiscovered: readonly string[];
  /** The longest grace that an object has, s. */
  grace: number;
}

/** @param old those in the status: a time moves with its condition's status only */
export function namespaceConditions(remaining: Remaining, old: readonly Condition[], now: number): Condition[] {
  const { counts, finalizers, errors, undiscovered } = remaining;
  const texts = (map: Map<string, number>, words: (name: string, count: number) => string) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => words(name, count));
  const instances = texts(counts, (resource, count) => `${resource} has ${count} resource instances`);
  const held = texts(finalizers, (finalizer, count) => `${finalizer} in ${count} resource instances`);
  const wanted: readonly (readonly [type: string, bad: boolean, reason: string, message: string])[] = [
    undiscovered.length > 0
      ? [
          'NamespaceDeletionDiscoveryFailure',
          true,
          'DiscoveryFailed',
          `Discovery failed for some groups, ${undiscovered.length} failing: ${undiscovered.join(', ')}`,
        ]
      : ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    errors.length > 0
      ? [
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${errors.length} remaining: ${errors.join(', ')}`,
        ]
      : [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ],
    instances.length > 0
      ? [
          'NamespaceContentRemaining',
          true,
          'SomeResourcesRemain',
          `Some resources are remaining: ${instances.join(', ')}`,
        ]
      : ['NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'],
    held.length > 0
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
        ]
      : ['NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
  ];
  return wanted.map(([type, bad, reason, message]) => {
    const status = bad ? 'True' : 'False';
    const before = old.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    const lastTransitionTime = since ?? new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
    return { type, status, lastTransitionTime, reason, message };
  });
}
