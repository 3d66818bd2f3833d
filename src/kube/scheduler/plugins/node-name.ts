import type { FilterPlugin } from '../plugin.js';
import { refusal } from '../plugin.js';

const REFUSED = refusal("node(s) didn't match the requested node name", true);

/** A pod that names its node is not the scheduler's to place; the rule is here for those who ask what would be. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  wakesOn: ['node'],
  prepare({ pod }) {
    const wanted: string = pod.spec?.nodeName ?? '';
    return wanted === '' ? null : ({ name }) => (name === wanted ? null : REFUSED);
  },
};
