/** What all built-in kinds have in common, so that their files say only what is special. */
import { schemaOf } from '../machinery/types/index.js';
import type { Kind, Subresource, Verb } from './kind.js';

type Assumed = 'singular' | 'schema' | 'storageDir' | 'hasStatus' | 'hasGeneration';

/** A Kind without what follows from the rest of it. */
export interface KindDefinition extends Omit<Kind, Assumed>, Partial<Pick<Kind, Assumed>> {}

const STATUS: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };
const SCALE: Subresource = {
  name: 'scale',
  exchanges: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: ['get', 'patch', 'update'],
};

/** `core.v1/Pod`, `rbac.v1/Role`: the first label of the group names the table. */
function schemaName(group: string, version: string, kind: string): string {
  return `${group === '' ? 'core' : group.split('.')[0]}.${version}/${kind}`;
}

/** Singular, schema, folder and the subresources status and scale follow from the rest unless they are given. */
export function defineKind(given: KindDefinition): Kind {
  const subresources = [
    ...(given.subresources ?? []),
    ...(given.scale === undefined ? [] : [SCALE]),
    ...(given.hasStatus === true ? [STATUS] : []),
  ];
  return {
    hasStatus: false,
    hasGeneration: false,
    ...given,
    singular: given.singular ?? given.kind.toLowerCase(),
    schema: given.schema ?? schemaOf(schemaName(given.group, given.version, given.kind)),
    storageDir: given.storageDir ?? given.plural,
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

export const CREATE_ONLY: readonly Verb[] = ['create'];
