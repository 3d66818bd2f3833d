export { readLeases } from './lease-rows.js';
export { LEASE_TTL_MAX, Lessor } from './lessor.js';
export type * from './types.js';
