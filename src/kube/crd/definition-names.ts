/** Which names a definition gets: in one group nobody else may have them. */
import type { Kind } from '../kinds/kind.js';
import type { Definition, DefinitionCondition, Names } from './definition.js';
import { isTrue } from './definition.js';

/** Names of resources and names of kinds are looked up apart. */
interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** @param kinds built in, or otherwise served, but not made of definitions @param definitions all of them */
export function namesTakenBeside(
  definition: Definition,
  kinds: Iterable<Kind>,
  definitions: Iterable<Definition>,
): Taken {
  const resources = new Set<string>();
  const kindNames = new Set<string>();
  const take = (names: Partial<Names>): void => {
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names.kind, names.listKind]) if (name) kindNames.add(name);
  };
  const { group } = definition.spec;
  for (const kind of kinds) {
    if (kind.group !== group) continue;
    const { plural, singular, kind: name, listKind = `${kind.kind}List`, shortNames } = kind;
    take({
      plural,
      singular,
      kind: name,
      listKind,
      ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
    });
  }
  for (const other of definitions) {
    if (other.spec.group !== group || other.metadata.name === definition.metadata.name) continue;
    take(other.status?.acceptedNames ?? {});
  }
  return { resources, kinds: kindNames };
}

/** The first name that is taken, as a condition tells it; undefined when all are free. */
function conflictOf(names: Names, taken: Taken): { reason: string; message: string } | undefined {
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
  if (taken.resources.has(names.plural)) return { reason: 'PluralConflict', message: inUse(names.plural) };
  if (names.singular && taken.resources.has(names.singular)) {
    return { reason: 'SingularConflict', message: inUse(names.singular) };
  }
  const short = (names.shortNames ?? []).filter((name) => taken.resources.has(name));
  if (short.length > 0) return { reason: 'ShortNamesConflict', message: inUse(short[0]!) };
  if (taken.kinds.has(names.kind)) return { reason: 'KindConflict', message: inUse(names.kind) };
  if (names.listKind && taken.kinds.has(names.listKind)) {
    return { reason: 'ListKindConflict', message: inUse(names.listKind) };
  }
  return undefined;
}

export interface NamesDecision {
  readonly acceptedNames: Partial<Names>;
  readonly conditions: readonly Omit<DefinitionCondition, 'lastTransitionTime'>[];
}

/** What the status of the definition should say of its names. Once established it stays so. */
export function decideNames(definition: Definition, taken: Taken): NamesDecision {
  const { names } = definition.spec;
  const conflict = conflictOf(names, taken);
  const established = isTrue(definition, 'Established');
  if (conflict === undefined) {
    return {
      acceptedNames: names,
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
        {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        },
      ],
    };
  }
  const refused = { type: 'NamesAccepted', status: 'False', ...conflict } as const;
  const acceptedNames = definition.status?.acceptedNames ?? { plural: '', kind: '' };
  if (established) return { acceptedNames, conditions: [refused] };
  const waiting = {
    type: 'Established',
    status: 'False',
    reason: 'NotAccepted',
    message: 'not all names are accepted',
  } as const;
  return { acceptedNames, conditions: [refused, waiting] };
}
