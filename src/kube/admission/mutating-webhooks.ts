/** Asks the mutating webhooks one after another, and again those that want it when a later one changed the object. */
import { isDeepStrictEqual } from 'node:util';
import type { Kind, ObjectReader } from '../kinds/kind.js';
import { ApiError, internalError } from '../machinery/api-error.js';
import { conform, UnfitError } from '../machinery/conform.js';
import { applyJsonPatch } from '../machinery/json-patch.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import type { Webhook } from './webhook.js';
import { concerns, isExempt, webhooksOf } from './webhook.js';
import type { WebhookReviewer } from './webhook-review.js';

export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook';
  readonly #reviewer: WebhookReviewer;
  readonly #objects: ObjectReader;
  readonly #again: readonly AdmissionPlugin[];

  /**
   * @param objects from memory
   * @param again plug-ins before this one, which are run once more on what webhooks have changed: a container that
   * was added needs its token, its limits ...
   */
  constructor(reviewer: WebhookReviewer, objects: ObjectReader, again: readonly AdmissionPlugin[]) {
    this.#reviewer = reviewer;
    this.#objects = objects;
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
      if (!(await concerns(hook, request, this.#objects))) continue;
      if (await this.#run(hook, request)) {
        changed = true;
        for (const earlier of asked) stale.add(earlier);
      }
      asked.push(hook);
    }
    if (!changed) return;
    if (await this.#runAgain(request)) for (const hook of asked) stale.add(hook);
    for (const hook of asked) {
      if (hook.reinvocationPolicy !== 'IfNeeded' || !stale.has(hook)) continue;
      if (await concerns(hook, request, this.#objects)) await this.#run(hook, request);
    }
  }

  /** @returns whether the object was changed */
  async #run(hook: Webhook, request: AdmissionRequest): Promise<boolean> {
    const patch = await this.#reviewer.review(hook, request);
    const { object } = request;
    if (patch === null || object === null) return false;
    const before = object as unknown as JsonObject;
    const after = patched(request.kind, before, patch);
    if (isDeepStrictEqual(before, after)) return false;
    replace(object, after);
    return true;
  }

  async #runAgain(request: AdmissionRequest): Promise<boolean> {
    const before = structuredClone(request.object);
    for (const plugin of this.#again) await plugin.admit?.(request);
    return !isDeepStrictEqual(before, request.object);
  }
}

/** What a webhook adds is read as what a client sends: members that the schema does not name are dropped. */
function patched(kind: Kind, before: JsonObject, patch: readonly JsonObject[]): JsonObject {
  try {
    const after = applyJsonPatch(before, patch);
    return after.kind === kind.kind ? (conform(kind.schema, after).value as JsonObject) : after;
  } catch (error) {
    if (error instanceof ApiError || error instanceof UnfitError) throw internalError(error.message);
    throw error;
  }
}

/** Others hold the object itself, so it takes the new members. */
function replace(object: KubeObject, members: JsonObject): void {
  for (const member of Object.keys(object)) delete object[member];
  Object.assign(object, members);
}
