/** The kind CustomResourceDefinition itself. */
import { CREATED_AT, created, NAME, nameOf } from '../kinds/columns.js';
import { defineKind } from '../kinds/define.js';
import type { Kind } from '../kinds/kind.js';
import { CLEANUP_FINALIZER } from '../machinery/metadata-validation.js';
import type { Definition } from './definition.js';
import { GROUP } from './definition.js';
import { validateDefinition, validateDefinitionUpdate } from './definition-validation.js';

export const definitionKind: Kind = defineKind({
  group: GROUP,
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: true,
  storageDir: 'apiextensions.k8s.io/customresourcedefinitions',
  description: 'CustomResourceDefinition adds a resource of its own shape to this API.',
  setDefaults: (object) => setDefinitionDefaults(object as Definition),
  prepareForCreate(object) {
    const definition = object as Definition;
    // Objects of the definition go first when it is deleted: whoever removes this finalizer has seen to that.
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
    definition.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
    rememberStoredVersion(definition);
  },
  prepareForUpdate: (object) => rememberStoredVersion(object as Definition),
  validate: (object) => validateDefinition(object as Definition),
  validateUpdate: (object, old) => validateDefinitionUpdate(object as Definition, old as Definition),
  columns: [NAME, CREATED_AT],
  cells: (object) => [nameOf(object), created(object)],
});

/** Names that follow from the kind, and no conversion. Idempotent. */
export function setDefinitionDefaults({ spec }: Definition): void {
  const names = spec?.names;
  if (names?.kind) {
    if (!names.singular) names.singular = names.kind.toLowerCase();
    if (!names.listKind) names.listKind = `${names.kind}List`;
  }
  if (spec && !spec.conversion) spec.conversion = { strategy: 'None' };
}

/** A version that ever was the one to store in may have objects in the store until somebody says otherwise. */
function rememberStoredVersion(definition: Definition): void {
  const storage = definition.spec?.versions?.find((version) => version.storage);
  if (storage === undefined) return;
  const status = (definition.status ??= {});
  const stored = status.storedVersions ?? [];
  if (!stored.includes(storage.name)) status.storedVersions = [...stored, storage.name];
}
