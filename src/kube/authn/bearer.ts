/** Where a request carries a token. Sources: RFC 6750 §2.1; kubernetes authentication (tokens in WebSocket subprotocols). */
import { unauthorized } from '../machinery/api-error.js';
import type { UserInfo } from '../machinery/request.js';
import type { Authenticator, Credentials } from './authenticator.js';
import type { Headers } from './headers.js';
import { firstOf, valuesOf } from './headers.js';

const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** Tells whose a token is; null and the throwing of a 401 are as with an Authenticator. */
export interface TokenAuthenticator {
  /** @param audiences who the token must be meant for: one of these */
  token(token: string, audiences: readonly string[]): Promise<TokenUser | null>;
}
export interface TokenUser {
  readonly user: UserInfo;
  /** Those of the asked audiences that it is good for. */
  readonly audiences: readonly string[];
}

/** The token of `Authorization: Bearer`, or else of a WebSocket's subprotocols; empty if there is none. */
export function bearerToken(headers: Headers): string {
  const [scheme, token = ''] = firstOf(headers, 'authorization').trim().split(' ');
  if (scheme?.toLowerCase() === 'bearer') return token;
  if (firstOf(headers, 'upgrade').toLowerCase() !== 'websocket') return '';
  const protocols = subprotocols(headers);
  const carrier = protocols.find((protocol) => protocol.startsWith(PROTOCOL_PREFIX));
  // A token alone leaves nothing to be negotiated, so a server that answered it would repeat the token.
  if (carrier === undefined || protocols.length < 2) return '';
  const encoded = carrier.slice(PROTOCOL_PREFIX.length);
  return /^[A-Za-z0-9_-]+$/.test(encoded) ? Buffer.from(encoded, 'base64url').toString('utf8') : '';
}

/** The subprotocols that a client offers, without those that carry a token: only these may be chosen. */
export function offeredProtocols(headers: Headers): string[] {
  return subprotocols(headers).filter((protocol) => !protocol.startsWith(PROTOCOL_PREFIX));
}

function subprotocols(headers: Headers): string[] {
  return valuesOf(headers, 'sec-websocket-protocol')
    .flatMap((value) => value.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/** Asks one authority of tokens after another. */
export class TokenChain implements TokenAuthenticator {
  readonly #authorities: readonly TokenAuthenticator[];

  constructor(authorities: readonly TokenAuthenticator[]) {
    this.#authorities = authorities;
  }

  async token(token: string, audiences: readonly string[]): Promise<TokenUser | null> {
    let refused: unknown;
    for (const authority of this.#authorities) {
      try {
        const user = await authority.token(token, audiences);
        if (user !== null) return user;
      } catch (error) {
        refused ??= error; // another may still accept it
      }
    }
    if (refused !== undefined) throw refused;
    return null;
  }
}

export class BearerAuthenticator implements Authenticator {
  readonly #tokens: TokenAuthenticator;
  readonly #audiences: readonly string[];

  /** @param audiences of this server */
  constructor(tokens: TokenAuthenticator, audiences: readonly string[]) {
    this.#tokens = tokens;
    this.#audiences = audiences;
  }

  async authenticate({ headers }: Credentials): Promise<UserInfo | null> {
    const token = bearerToken(headers);
    if (token === '') return null;
    const accepted = await this.#tokens.token(token, this.#audiences);
    // Who shows a token wants to be somebody: a token that nobody knows is not the same as none.
    if (accepted === null) throw unauthorized();
    return accepted.user;
  }
}
