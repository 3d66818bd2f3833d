/** Who asks: the first authenticator that knows. */
import { unauthorized } from '../machinery/api-error.js';
import type { UserInfo } from '../machinery/request.js';
import type { Authenticator, Credentials } from './authenticator.js';

export const ANONYMOUS = 'system:anonymous';
export const UNAUTHENTICATED = 'system:unauthenticated';
export const AUTHENTICATED = 'system:authenticated';

const anonymousUser: UserInfo = { username: ANONYMOUS, uid: '', groups: [UNAUTHENTICATED], extra: {} };

export class AuthenticationChain {
  readonly #authenticators: readonly Authenticator[];
  readonly #anonymous: boolean;

  /** @param anonymous are requests without credentials let in, as `system:anonymous`? */
  constructor(authenticators: readonly Authenticator[], anonymous: boolean) {
    this.#authenticators = authenticators;
    this.#anonymous = anonymous;
  }

  /**
   * One that refuses does not stop the others, but then nobody is anonymous: 401 unless another accepts.
   * @throws ApiError
   */
  async authenticate(credentials: Credentials): Promise<UserInfo> {
    let refused: unknown;
    for (const authenticator of this.#authenticators) {
      try {
        const user = await authenticator.authenticate(credentials);
        if (user !== null) return withAuthenticated(user);
      } catch (error) {
        refused ??= error;
      }
    }
    if (refused !== undefined) throw refused;
    if (!this.#anonymous) throw unauthorized();
    return anonymousUser;
  }
}

/** A user who has shown who they are is in the group of all who have. */
export function withAuthenticated(user: UserInfo): UserInfo {
  const { groups, username } = user;
  if (username === ANONYMOUS || groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED)) return user;
  return { ...user, groups: [...groups, AUTHENTICATED] };
}
