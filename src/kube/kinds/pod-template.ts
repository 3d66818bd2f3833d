import { labelsText, NAME, nameOf, text, workloadCells } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import { setTemplateDefaults } from './pod-defaults.js';
import { validatePodTemplate } from './pod-validation.js';

export const podTemplateKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  description: 'PodTemplate is a description of pods, kept by itself.',
  hasGeneration: true,
  setDefaults(object) {
    setTemplateDefaults(object.template);
  },
  validate: (object) => validatePodTemplate(object.template, 'template'),
  columns: [
    NAME,
    text('Containers', 'Names of the containers of a pod.'),
    text('Images', 'Images of the containers of a pod.'),
    text('Pod Labels', 'Labels of a pod.'),
  ],
  cells: (object) => [
    nameOf(object),
    ...workloadCells(object.template?.spec),
    labelsText(object.template?.metadata?.labels),
  ],
});
