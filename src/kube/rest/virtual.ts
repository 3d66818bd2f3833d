/** Kinds that store nothing: a create is answered by the object with its status filled in (201). */
import type { KubeObject } from '../machinery/object.js';
import type { UserInfo } from '../machinery/request.js';

export interface VirtualRequest {
  readonly user: UserInfo;
  /** Of the path; empty for cluster scope. */
  readonly namespace: string;
  /** Of the parent, where the handler is a subresource (`serviceaccounts/token`); else empty. */
  readonly name: string;
}

/** Owns `object` and may answer it changed. Refusals are ApiErrors. */
export type VirtualHandler = (object: KubeObject, request: VirtualRequest) => Promise<KubeObject>;

/** By group, a slash and the resource: `authorization.k8s.io/subjectaccessreviews`, `/serviceaccounts/token`. */
export type VirtualHandlers = ReadonlyMap<string, VirtualHandler>;
