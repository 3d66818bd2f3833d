/** Daemons ask the same. */
export {
  matchesMap,
  matchesNodeSelector,
  matchesTerm,
  type NodeSelectorTerm,
  wantsNode,
} from '../kit/node-selector.js';
