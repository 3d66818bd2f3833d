/** Who asks, and the auth revision at which that was found out. Revision 0: nobody was named. */
export interface Identity {
  readonly username: string;
  readonly revision: number;
}

/** A request without a token and without a certificate's name. */
export const NOBODY: Identity = Object.freeze({ username: '', revision: 0 });

export const ROOT = 'root';

/** Why a request is refused, as a value. server/errors.ts has a code for each, rpc/errors.ts etcd's text. */
export type AuthRefusal =
  | 'root-user-missing'
  | 'root-role-missing'
  | 'user-empty'
  | 'user-exists'
  | 'user-not-found'
  | 'role-empty'
  | 'role-exists'
  | 'role-not-found'
  | 'role-not-granted'
  | 'permission-not-granted'
  | 'permission-not-given'
  | 'auth-failed'
  | 'no-password-user'
  | 'permission-denied'
  | 'old-revision'
  | 'not-enabled'
  | 'invalid-management'
  | 'invalid-token';

/** What a token provider must hear of the rules. */
export interface TokenEvents {
  /** The user is gone, or has another password, or lost a role: what was given to it holds no more. */
  userInvalidated(name: string): void;
  authDisabled(): void;
}
