/** What a write passes through between decoding and the store. The plug-ins are in kube/admission. */
import type { Kind, Undo } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { UserInfo } from '../machinery/request.js';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** A write on its way into the store. */
export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The options object as JSON (CreateOptions, UpdateOptions, DeleteOptions ...). */
  readonly options: Readonly<Record<string, unknown>>;
  /** Mutating plug-ins change it in place. Null on DELETE. */
  readonly object: KubeObject | null;
  /** Null on CREATE. Not to be changed. */
  readonly oldObject: KubeObject | null;
  /** Warning headers of the answer. */
  warn(text: string): void;
  /**
   * What a plug-in did beside the object (a quota it charged), undone in reverse order if the write that was let in does
   * not come about: a later refusal, a conflict that is tried again, an error of the store.
   */
  onFailure?(undo: Undo): void;
}

/** One plug-in; either half may be missing. Refusals are thrown as ApiError. */
export interface AdmissionPlugin {
  readonly name: string;
  admit?(request: AdmissionRequest): Promise<void>;
  validate?(request: AdmissionRequest): Promise<void>;
}

/** The whole chain: mutating plug-ins in order, then (after validation by the kind) the validating ones. */
export interface Admission {
  admit(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}
