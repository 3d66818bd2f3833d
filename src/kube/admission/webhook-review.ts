/** The AdmissionReview that goes to a webhook, and what it answers. Source: admission.k8s.io/v1. */
import { randomUUID } from 'node:crypto';
import { userInfoJson } from '../authn/reviews.js';
import type { Kind } from '../kinds/kind.js';
import { ApiError, badRequest, internalError } from '../machinery/api-error.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { AdmissionRequest } from '../rest/admission.js';
import { converted } from './equivalent.js';
import type { Webhook } from './webhook.js';
import type { ServiceResolver } from './webhook-client.js';
import { WebhookCallError, WebhookClient } from './webhook-client.js';

const API_VERSION = 'admission.k8s.io/v1';
const DEFAULT_TIMEOUT_SECONDS = 10;
const WARNING_MAX = 256;

interface ReviewResponse {
  uid?: string;
  allowed?: boolean;
  patchType?: string;
  /** base64 of a JSON Patch. */
  patch?: string;
  warnings?: string[];
  status?: { code?: number; message?: string; reason?: string; details?: Record<string, unknown> };
}

/** The operations of a patch, or null where the webhook changes nothing (or is to be ignored). */
export type ReviewOutcome = readonly JsonObject[] | null;

export class WebhookReviewer {
  readonly #client: WebhookClient;

  constructor(services?: ServiceResolver) {
    this.#client = new WebhookClient(services);
  }

  stop(): void {
    this.#client.stop();
  }

  /**
   * @param kind as which the webhook is shown the object; the patch is one of that
   * @throws ApiError if the webhook denies, or cannot be asked and has failurePolicy Fail
   */
  async review(hook: Webhook, request: AdmissionRequest, kind: Kind): Promise<ReviewOutcome> {
    if (request.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`);
    }
    try {
      const response = await this.#ask(hook, request, kind);
      for (const warning of response.warnings ?? []) request.warn(warning.slice(0, WARNING_MAX));
      if (response.allowed !== true) throw denied(hook.name, response);
      return patchOf(response);
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      if (hook.failurePolicy === 'Ignore') return null;
      throw internalError(`failed calling webhook ${JSON.stringify(hook.name)}: ${error.message}`);
    }
  }

  async #ask(hook: Webhook, request: AdmissionRequest, kind: Kind): Promise<ReviewResponse> {
    if ((hook.matchConditions ?? []).length > 0) {
      // Their language is not spoken here, and guessing would let pass what must not.
      throw new WebhookCallError('matchConditions are not supported');
    }
    if (hook.admissionReviewVersions !== undefined && !hook.admissionReviewVersions.includes('v1')) {
      throw new WebhookCallError('webhook does not accept v1 AdmissionReview requests');
    }
    const uid = randomUUID();
    const timeout = hook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    const answer = await this.#client.call(hook.clientConfig, timeout, reviewOf(request, kind, uid));
    return checked(answer, uid);
  }
}

function reviewOf(request: AdmissionRequest, seen: Kind, uid: string): unknown {
  const { kind, subresource, namespace, name, operation, object, oldObject, dryRun, options } = request;
  const gvk = (of: Kind) => ({ group: of.group, version: of.version, kind: of.kind });
  const gvr = (of: Kind) => ({ group: of.group, version: of.version, resource: of.plural });
  const shown = (what: KubeObject | null) => what && converted(what, kind, seen);
  const sub = (member: string) => (subresource === '' ? {} : { [member]: subresource });
  return {
    kind: 'AdmissionReview',
    apiVersion: API_VERSION,
    request: {
      uid,
      kind: gvk(seen),
      resource: gvr(seen),
      ...sub('subResource'),
      requestKind: gvk(kind),
      requestResource: gvr(kind),
      ...sub('requestSubResource'),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: userInfoJson(request.user),
      object: shown(object),
      oldObject: shown(oldObject),
      dryRun,
      options: Object.keys(options).length === 0 ? null : options,
    },
  };
}

function invalidAnswer(why: string): WebhookCallError {
  return new WebhookCallError(`received invalid webhook response: ${why}`);
}

function checked(answer: unknown, uid: string): ReviewResponse {
  const review = (answer ?? {}) as { apiVersion?: string; kind?: string; response?: ReviewResponse | null };
  if (review.apiVersion !== API_VERSION || review.kind !== 'AdmissionReview') {
    const [group = '', version = ''] = (review.apiVersion ?? '').split('/');
    const got = `${group}/${version}, Kind=${review.kind ?? ''}`;
    throw invalidAnswer(`expected webhook response of ${API_VERSION}, Kind=AdmissionReview, got ${got}`);
  }
  const { response } = review;
  if (response === undefined || response === null) throw invalidAnswer('webhook response is missing');
  if (response.uid !== uid) {
    throw invalidAnswer(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  }
  const hasPatch = (response.patch ?? '') !== '';
  if (hasPatch && response.patchType !== 'JSONPatch') {
    throw invalidAnswer(
      response.patchType
        ? `webhook returned invalid response.patchType of ${JSON.stringify(response.patchType)}`
        : 'webhook returned response.patch but not response.patchType',
    );
  }
  if (!hasPatch && response.patchType) {
    throw invalidAnswer('webhook returned response.patchType but not response.patch');
  }
  return response;
}

/** 403 unless the webhook says another code of a refusal. */
function denied(name: string, { status }: ReviewResponse): ApiError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = status?.message || status?.reason;
  const code = (status?.code ?? 0) >= 400 ? status!.code! : 403;
  const reason = status?.reason || (code === 403 ? 'Forbidden' : '');
  return new ApiError(code, reason, why ? `${by}: ${why}` : `${by} without explanation`, status?.details);
}

function patchOf({ patch }: ReviewResponse): ReviewOutcome {
  if (!patch) return null;
  let operations: unknown;
  try {
    operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  } catch (error) {
    throw internalError(`invalid character in the webhook's patch: ${(error as Error).message}`);
  }
  if (!Array.isArray(operations)) throw internalError("the webhook's patch is no list of operations");
  return operations.length === 0 ? null : (operations as JsonObject[]);
}
