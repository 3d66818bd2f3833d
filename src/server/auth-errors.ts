import type { AuthRefusal } from '../auth/index.js';
import type { ServerError, ServerErrorCode } from './errors.js';
import { refusal } from './errors.js';

const CODES: Readonly<Record<AuthRefusal, ServerErrorCode>> = {
  'root-user-missing': 'ERR_ROOT_USER_NOT_EXIST',
  'root-role-missing': 'ERR_ROOT_ROLE_NOT_EXIST',
  'user-empty': 'ERR_USER_EMPTY',
  'user-exists': 'ERR_USER_EXIST',
  'user-not-found': 'ERR_USER_NOT_FOUND',
  'role-empty': 'ERR_ROLE_EMPTY',
  'role-exists': 'ERR_ROLE_EXIST',
  'role-not-found': 'ERR_ROLE_NOT_FOUND',
  'role-not-granted': 'ERR_ROLE_NOT_GRANTED',
  'permission-not-granted': 'ERR_PERMISSION_NOT_GRANTED',
  'permission-not-given': 'ERR_PERMISSION_NOT_GIVEN',
  'auth-failed': 'ERR_AUTH_FAILED',
  'no-password-user': 'ERR_NO_PASSWORD_USER',
  'permission-denied': 'ERR_PERMISSION_DENIED',
  'old-revision': 'ERR_AUTH_OLD_REVISION',
  'not-enabled': 'ERR_AUTH_NOT_ENABLED',
  'invalid-management': 'ERR_INVALID_AUTH_MGMT',
  'invalid-token': 'ERR_INVALID_AUTH_TOKEN',
};

export function authRefusal(why: AuthRefusal): ServerError {
  return refusal(CODES[why]);
}
