/** What others need to check our service-account tokens (OpenID Connect discovery). */
import type { Exchange } from '../exchange.js';
import { respond } from '../respond.js';

export interface TokenKeysSource {
  jwks(): Promise<object>;
  readonly algorithm: string;
}

export class TokenPages {
  readonly #keys: TokenKeysSource;
  readonly #issuer: string;

  constructor(keys: TokenKeysSource, issuer: string) {
    this.#keys = keys;
    this.#issuer = issuer;
  }

  async handle(exchange: Exchange, path: string): Promise<boolean> {
    switch (path) {
      case '/.well-known/openid-configuration':
        respond(exchange, 200, {
          issuer: this.#issuer,
          jwks_uri: `${this.#issuer.replace(/\/$/, '')}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [this.#keys.algorithm],
        });
        return true;
      case '/openid/v1/jwks':
        respond(exchange, 200, await this.#keys.jwks(), undefined, { 'Content-Type': 'application/jwk-set+json' });
        return true;
      default:
        return false;
    }
  }
}
