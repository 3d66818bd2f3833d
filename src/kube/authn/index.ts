/** Who asks: the front door. */
import type { ObjectReader } from '../kinds/kind.js';
import type { UserInfo } from '../machinery/request.js';
import type { VirtualHandlers } from '../rest/virtual.js';
import type { Credentials } from './authenticator.js';
import { BearerAuthenticator, TokenChain } from './bearer.js';
import { ClientCertificateAuthenticator, FrontProxyAuthenticator } from './certificates.js';
import { AuthenticationChain } from './chain.js';
import { selfSubjectReview, tokenReviewHandler } from './reviews.js';
import { ServiceAccountTokens } from './service-account-tokens.js';
import { TokenFile } from './token-file.js';
import { DEFAULT_ISSUER, TokenIssuer } from './token-issuer.js';
import type { TokenKeys } from './token-keys.js';
import { tokenRequestHandler } from './token-request.js';

export type { Authenticator, Credentials, PeerCertificate } from './authenticator.js';
export { bearerToken, offeredProtocols } from './bearer.js';
export { CertificateAuthorities } from './certificates.js';
export { ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED } from './chain.js';
export { impersonate } from './impersonation.js';
export { userInfoJson } from './reviews.js';
export { DEFAULT_ISSUER, TokenIssuer } from './token-issuer.js';
export { newTokenKey, TokenKeys } from './token-keys.js';

export interface AuthenticationOptions {
  readonly keys: TokenKeys;
  /** Default DEFAULT_ISSUER; it is also this server's audience. */
  readonly issuer?: string;
  /** Default: the issuer alone. */
  readonly audiences?: readonly string[];
  /** Reads accounts, pods, secrets and nodes; live ones. */
  readonly objects: ObjectReader;
  /** Contents of --token-auth-file. */
  readonly tokenFile?: string;
  /** Common names of front proxies; default none named: any that its authority signed. */
  readonly proxyNames?: readonly string[];
  /** Default true. */
  readonly anonymous?: boolean;
  /** ms of the epoch. */
  readonly now?: () => number;
}

export interface Authentication {
  /** @throws ApiError 401 */
  authenticate(credentials: Credentials): Promise<UserInfo>;
  readonly issuer: TokenIssuer;
  /** Of this server: what its tokens are for. */
  readonly audiences: readonly string[];
  /** tokenreviews, selfsubjectreviews and serviceaccounts/token. */
  readonly handlers: VirtualHandlers;
}

export function makeAuthentication(options: AuthenticationOptions): Authentication {
  const { keys, objects, issuer = DEFAULT_ISSUER, now = Date.now } = options;
  const audiences = options.audiences ?? [issuer];
  const tokens = new TokenChain([
    ...(options.tokenFile === undefined ? [] : [new TokenFile(options.tokenFile)]),
    new ServiceAccountTokens({ keys, issuer, objects, now }),
  ]);
  const chain = new AuthenticationChain(
    [
      new FrontProxyAuthenticator(options.proxyNames ?? []),
      new ClientCertificateAuthenticator(),
      new BearerAuthenticator(tokens, audiences),
    ],
    options.anonymous ?? true,
  );
  const tokenIssuer = new TokenIssuer(keys, issuer, now);
  return {
    authenticate: (credentials) => chain.authenticate(credentials),
    issuer: tokenIssuer,
    audiences,
    handlers: new Map([
      ['authentication.k8s.io/tokenreviews', tokenReviewHandler(tokens, audiences)],
      ['authentication.k8s.io/selfsubjectreviews', selfSubjectReview],
      ['/serviceaccounts/token', tokenRequestHandler({ issuer: tokenIssuer, objects, audiences, now })],
    ]),
  };
}
