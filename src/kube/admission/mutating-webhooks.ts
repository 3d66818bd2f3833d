/** Asks the mutating webhooks one after another, and again those that want it when a later one changed the object. */
import { isDeepStrictEqual } from 'node:util';
import type { Kind, Kinds, ObjectReader } from '../kinds/kind.js';
import { ApiError, internalError } from '../machinery/api-error.js';
import { conform, UnfitError } from '../machinery/conform.js';
import { applyJsonPatch } from '../machinery/json-patch.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { converted, replaceMembers } from './equivalent.js';
import type { Webhook } from './webhook.js';
import { concerns, isExempt, webhooksOf } from './webhook.js';
import type { WebhookReviewer } from './webhook-review.js';

export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook';
  readonly #reviewer: WebhookReviewer;
  readonly #objects: ObjectReader;
  readonly #kinds: Kinds;
  readonly #again: readonly AdmissionPlugin[];

  /**
   * @param objects from memory
   * @param again plug-ins before this one, which are run once more on what webhooks have changed: a container that
   * was added needs its token, its limits ...
   */
  constructor(reviewer: WebhookReviewer, objects: ObjectReader, kinds: Kinds, again: readonly AdmissionPlugin[]) {
    this.#reviewer = reviewer;
    this.#objects = objects;
    this.#kinds = kinds;
    this.#again = again;
  }

  async admit(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return;
    const hooks = await webhooksOf(this.#objects, 'mutatingwebhookconfigurations');
    if (hooks.length === 0) return;
    /** Those asked before the last change that was not theirs. */
    const stale = new Set<Webhook>();
    const asked: Webhook[] = [];
    let changed = false;
    for (const hook of hooks) {
      const kind = await concerns(hook, request, this.#objects, this.#kinds);
      if (kind === null) continue;
      if (await this.#run(hook, request, kind)) {
        changed = true;
        for (const earlier of asked) stale.add(earlier);
      }
      asked.push(hook);
    }
    if (!changed) return;
    if (await this.#runAgain(request)) for (const hook of asked) stale.add(hook);
    for (const hook of asked) {
      if (hook.reinvocationPolicy !== 'IfNeeded' || !stale.has(hook)) continue;
      const kind = await concerns(hook, request, this.#objects, this.#kinds);
      if (kind !== null) await this.#run(hook, request, kind);
    }
  }

  /** @returns whether the object was changed */
  async #run(hook: Webhook, request: AdmissionRequest, kind: Kind): Promise<boolean> {
    const patch = await this.#reviewer.review(hook, request, kind);
    const { object } = request;
    if (patch === null || object === null) return false;
    const after = patched(kind, converted(object, request.kind, kind), patch);
    const back = converted(after, kind, request.kind);
    if (isDeepStrictEqual(object, back)) return false;
    replaceMembers(object, back);
    return true;
  }

  async #runAgain(request: AdmissionRequest): Promise<boolean> {
    const before = structuredClone(request.object);
    for (const plugin of this.#again) await plugin.admit?.(request);
    return !isDeepStrictEqual(before, request.object);
  }
}

/** What a webhook adds is read as what a client sends: members that the schema does not name are dropped. */
function patched(kind: Kind, before: KubeObject, patch: readonly JsonObject[]): KubeObject {
  try {
    const after = applyJsonPatch(before as unknown as JsonObject, patch);
    return (after.kind === kind.kind ? conform(kind.schema, after).value : after) as unknown as KubeObject;
  } catch (error) {
    if (error instanceof ApiError || error instanceof UnfitError) throw internalError(error.message);
    throw error;
  }
}
