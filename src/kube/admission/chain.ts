/** The chain of admission: mutating halves in order, later the validating ones; what was done is undone on refusal. */
import type { Undo } from '../kinds/kind.js';
import { serviceUnavailable } from '../machinery/api-error.js';
import type { Admission, AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

export class AdmissionChain implements Admission {
  #plugins: readonly AdmissionPlugin[] | undefined;

  /**
   * @param plugins in the order of their turns. Plug-ins read objects through the resources, which pass through this
   * chain: it is made without them first and given them later (`use`).
   */
  constructor(plugins?: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  use(plugins: readonly AdmissionPlugin[]): void {
    this.#plugins = plugins;
  }

  /** @throws ApiError of the first that refuses */
  admit(request: AdmissionRequest): Promise<void> {
    return this.#run(request, (plugin, guarded) => plugin.admit?.(guarded));
  }

  /** @throws ApiError of the first that refuses */
  validate(request: AdmissionRequest): Promise<void> {
    return this.#run(request, (plugin, guarded) => plugin.validate?.(guarded));
  }

  async #run(
    request: AdmissionRequest,
    turn: (plugin: AdmissionPlugin, request: AdmissionRequest) => Promise<void> | undefined,
  ): Promise<void> {
    // Without its plug-ins it does not know yet whom to refuse.
    if (this.#plugins === undefined) throw serviceUnavailable();
    const undos: Undo[] = [];
    // Not a copy: plug-ins see what others change in the object, and prototypes of requests stay what they are.
    const guarded: AdmissionRequest = Object.assign(Object.create(request) as AdmissionRequest, {
      onFailure: (undo: Undo) => void undos.push(undo),
      warn: (text: string) => request.warn(text),
    });
    try {
      for (const plugin of this.#plugins) await turn(plugin, guarded);
    } catch (error) {
      for (const undo of undos.reverse()) await undo();
      throw error;
    }
    // Let in as far as we are concerned: from now on the caller knows whether the write comes about.
    for (const undo of undos) request.onFailure?.(undo);
  }
}
