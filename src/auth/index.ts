export type { Identity } from './types.js';
export { NOBODY } from './types.js';
