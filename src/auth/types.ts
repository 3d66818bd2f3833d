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
  /** The user is gone, or has another password: what was given to it holds no more. */
  userInvalidated(name: string): void;
  authDisabled(): void;
}

/** What makes and knows tokens: simple ones or JSON web tokens. */
export interface TokenProvider extends TokenEvents {
  /** The index that this member must have applied before it can know the token; null: it is no token at all. */
  indexOf(token: string): number | null;
  /**
   * Whose token it is, and of which auth revision; null: nobody's.
   * @param revision the present one, which a simple token stands for
   */
  identify(token: string, revision: number): Identity | null;
  /** What Authenticate puts into the log: a part of the token that every member is to know, or ''. */
  prefix(): string;
  /**
   * An Authenticate is applied.
   * @param wanted the call waits at this member
   * @returns the token, where it is wanted; null: this member cannot make one
   */
  assign(username: string, prefix: string, index: number, revision: number, wanted: boolean): string | null;
  /** @param now ms, monotonic */
  tick(now: number): void;
}
