/** One request as everything above HTTP sees it. */

/** Who asks. */
export interface UserInfo {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What is asked, as authorisation sees it. */
export interface Attributes {
  readonly user: UserInfo;
  /** `get`, `list`, `impersonate` ...; of a path without a resource the HTTP method in lower case. */
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Empty for none. */
  readonly subresource: string;
  /** Empty for cluster scope, or for all namespaces. */
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  /** Of the request without query. */
  readonly path: string;
}

/** Parsed from method, path and query alone. */
export interface RequestInfo extends Omit<Attributes, 'user'> {
  readonly query: URLSearchParams;
  /** Path after `/proxy/`, or empty. */
  readonly rest: string;
}
