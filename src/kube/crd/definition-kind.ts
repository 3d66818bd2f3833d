/** The kind CustomResourceDefinition with all that is known of definitions here. */
import { customResourceDefinitionKind } from '../kinds/custom-resource-definition.js';
import type { Kind } from '../kinds/kind.js';
import { CLEANUP_FINALIZER } from '../machinery/metadata-validation.js';
import type { Definition } from './definition.js';
import { validateDefinition, validateDefinitionUpdate } from './definition-validation.js';

export const definitionKind: Kind = {
  ...customResourceDefinitionKind,
  setDefaults: (object) => setDefinitionDefaults(object as Definition),
  prepareForCreate(object) {
    customResourceDefinitionKind.prepareForCreate?.(object);
    // Objects of the definition go first when it is deleted: whoever removes this finalizer has seen to that.
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
  },
  validate: (object) => validateDefinition(object as Definition),
  validateUpdate: (object, old) => validateDefinitionUpdate(object as Definition, old as Definition),
};

/** Names that follow from the kind, and no conversion. Idempotent. */
export function setDefinitionDefaults({ spec }: Definition): void {
  const names = spec?.names;
  if (names?.kind) {
    if (!names.singular) names.singular = names.kind.toLowerCase();
    if (!names.listKind) names.listKind = `${names.kind}List`;
  }
  if (spec && !spec.conversion) spec.conversion = { strategy: 'None' };
}
