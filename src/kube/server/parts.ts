/** What a server is made of; app puts it together. */
import type { Credentials } from '../authn/index.js';
import type { Authorizer } from '../authz/authorizer.js';
import type { Kind, Kinds } from '../kinds/kind.js';
import type { UserInfo } from '../machinery/request.js';
import type { ObjectStore, Registry } from '../registry/object-store.js';
import type { Admission } from '../rest/admission.js';
import type { Resources } from '../rest/resource.js';
import type { VirtualHandlers } from '../rest/virtual.js';

export interface ServerParts {
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly registry: Registry;
  /** The store below a kind, for what a resource's rules do not allow anybody else (bindings). */
  storeOf(kind: Kind): ObjectStore;
  /** @throws ApiError 401 */
  authenticate(credentials: Credentials): Promise<UserInfo>;
  readonly authorizer: Authorizer;
  readonly admission: Admission;
  readonly virtual: VirtualHandlers;
  /** Requests for a group and version of somebody else go there; null: none of the aggregated. */
  readonly now: () => number;
}
