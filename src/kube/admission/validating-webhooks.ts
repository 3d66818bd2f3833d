/** Asks all validating webhooks at the same time; all have to allow. */
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { concerns, isExempt, webhooksOf } from './webhook.js';
import type { WebhookReviewer } from './webhook-review.js';

export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook';
  readonly #reviewer: WebhookReviewer;
  readonly #objects: ObjectReader;
  readonly #kinds: Kinds;

  /** @param objects from memory */
  constructor(reviewer: WebhookReviewer, objects: ObjectReader, kinds: Kinds) {
    this.#reviewer = reviewer;
    this.#objects = objects;
    this.#kinds = kinds;
  }

  /** The refusal of the first in the order of configurations, whoever was quickest. */
  async validate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return;
    const hooks = await webhooksOf(this.#objects, 'validatingwebhookconfigurations');
    const verdicts = await Promise.allSettled(
      hooks.map(async (hook) => {
        const kind = await concerns(hook, request, this.#objects, this.#kinds);
        if (kind !== null) await this.#reviewer.review(hook, request, kind);
      }),
    );
    for (const verdict of verdicts) if (verdict.status === 'rejected') throw verdict.reason;
  }
}
