import type { UserInfo } from '../machinery/request.js';

export interface Authenticator {
  /**
   * Null: nothing here that I recognise, ask the next one. An ApiError (401) rejects: recognised, and not valid.
   * @param headers lower-case names
   */
  authenticate(request: Credentials): Promise<UserInfo | null>;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The verified certificate of the TLS peer, or null. */
  readonly certificate: { readonly commonName: string; readonly organizations: readonly string[] } | null;
}
