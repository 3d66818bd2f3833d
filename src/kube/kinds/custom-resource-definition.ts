import { CREATED_AT, created, NAME, nameOf } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import { fill, fillText, listOf, unset, within } from './loose.js';

/** The names as wished for; whether they are free, and the rest of its life, is looked after by kube/crd. */
export const customResourceDefinitionKind: Kind = defineKind({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  description: 'CustomResourceDefinition adds a kind of your own to the API.',
  storageDir: 'apiextensions.k8s.io/customresourcedefinitions',
  hasStatus: true,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  setDefaults(object) {
    const spec = within(object, 'spec');
    fillText(spec, 'scope', 'Namespaced');
    const names = within(spec, 'names');
    if (!unset(names.kind)) {
      fillText(names, 'singular', names.kind.toLowerCase());
      fillText(names, 'listKind', `${names.kind}List`);
    }
    fillText(within(spec, 'conversion'), 'strategy', 'None');
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) fill(service, 'port', 443);
  },
  prepareForCreate(object) {
    const stored = listOf(object.spec?.versions).filter((version) => version.storage === true);
    object.status = {
      conditions: [],
      acceptedNames: { plural: '', kind: '' },
      storedVersions: stored.map((version) => version.name),
    };
  },
  prepareForUpdate(object, old) {
    const stored = listOf(object.spec?.versions).find((version) => version.storage === true)?.name;
    const known = listOf(old.status?.storedVersions);
    if (stored === undefined || known.includes(stored)) return;
    object.status = { ...object.status, storedVersions: [...known, stored] };
  },
  columns: [NAME, CREATED_AT],
  cells: (object) => [nameOf(object), created(object)],
});
