export { ETCD_VERSION, KEEL_VERSION, STORAGE_VERSION } from '../util/versions.js';
export type * from './api.js';
export type { AuthAnswers } from './auth-apply.js';
export { ON_ITS_OWN } from './auth-gate.js';
export { openClientSnapshot } from './client-snapshot.js';
export {
  ConfigError,
  defaultTuning,
  type InitialMember,
  type MemberConfig,
  type MemberTuning,
  memberDefaults,
  validate,
} from './config.js';
export { refusal, ServerError, type ServerErrorCode } from './errors.js';
export type { MemberFigures } from './figures.js';
export { clusterIdOf, memberIdOf } from './ids.js';
export { Member } from './member.js';
export { openMember } from './open.js';
export { GRANT_COST, putCost, txnCost } from './quota.js';
export { mustBeEmpty, type Restored, type RestoreOptions, restoreMember } from './restore.js';
