/** Who may: the front door. */
export type { Authorizer, Decision } from './authorizer.js';
export { bootstrapRbac } from './bootstrap.js';
export { RbacEscalation } from './escalation.js';
export { forbiddenFor, mustBeAllowed } from './forbidden.js';
export { PRIVILEGED_GROUP, RbacAuthorizer } from './rbac.js';
export { type RbacSource, WatchedRbac } from './rbac-source.js';
export { authorizationReviews } from './reviews.js';
