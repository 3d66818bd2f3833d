import type { Undo } from '../kinds/kind.js';

/** What was done beside the object on the way to a write, to be undone if the write does not come about. */
export class UndoList {
  #undos: Undo[] = [];

  readonly add = (undo: Undo | undefined): void => {
    if (undo !== undefined) this.#undos.push(undo);
  };

  /** The write came about. */
  keep(): void {
    this.#undos = [];
  }

  /** In reverse order. What cannot be undone is left to whoever repairs it; the other ones are undone all the same. */
  async run(): Promise<void> {
    for (const undo of this.#undos.splice(0).reverse()) {
      try {
        await undo();
      } catch {
        // The refusal that brought us here is what the client must hear.
      }
    }
  }
}
