import type { FilterPlugin } from '../plugin.js';
import { refusal } from '../plugin.js';
import { isTolerated, tolerationsOf } from '../tolerations.js';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const REFUSED = refusal('node(s) were unschedulable', true);

/** A cordoned node takes only those who bear it. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  wakesOn: ['node'],
  prepare({ pod }) {
    if (isTolerated(tolerationsOf(pod), TAINT)) return null;
    return ({ node }) => (node.spec?.unschedulable === true ? REFUSED : null);
  },
};
