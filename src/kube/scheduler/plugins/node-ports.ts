import type { FilterPlugin } from '../plugin.js';
import { refusal } from '../plugin.js';

const REFUSED = refusal("node(s) didn't have free ports for the requested pod ports");

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  wakesOn: ['node', 'pod-gone'],
  prepare({ hostPorts }) {
    if (hostPorts.length === 0) return null;
    return (node) => (hostPorts.some((port) => node.usesPort(port)) ? REFUSED : null);
  },
};
