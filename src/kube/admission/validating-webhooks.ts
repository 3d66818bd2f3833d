/** Asks all validating webhooks at the same time; all have to allow. */
import type { ObjectReader } from '../kinds/kind.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import { concerns, isExempt, webhooksOf } from './webhook.js';
import type { WebhookReviewer } from './webhook-review.js';

export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook';
  readonly #reviewer: WebhookReviewer;
  readonly #objects: ObjectReader;

  /** @param objects from memory */
  constructor(reviewer: WebhookReviewer, objects: ObjectReader) {
    this.#reviewer = reviewer;
    this.#objects = objects;
  }

  /** The refusal of the first in the order of configurations, whoever was quickest. */
  async validate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return;
    const hooks = await webhooksOf(this.#objects, 'validatingwebhookconfigurations');
    const verdicts = await Promise.allSettled(
      hooks.map(async (hook) => {
        if (await concerns(hook, request, this.#objects)) await this.#reviewer.review(hook, request);
      }),
    );
    for (const verdict of verdicts) if (verdict.status === 'rejected') throw verdict.reason;
  }
}
