import { Problem } from "../api/client";

/**
 * The latest answer to a question that keeps changing.
 *
 * A newer question drops the older one's answer; the old value stays in sight until the new one is there, so
 * that nothing on the page jumps or flickers.
 */
export class Resource<T> {
  value = $state.raw<T | null>(null);
  /** True while a question that the reader changed is open; quiet reloads do not set it. */
  pending = $state(false);
  problem = $state.raw<Problem | null>(null);
  #open: AbortController | null = null;

  async load(ask: (signal: AbortSignal) => Promise<T>, { quiet = false } = {}): Promise<T | null> {
    this.#open?.abort();
    const open = (this.#open = new AbortController());
    if (!quiet) this.pending = true;
    try {
      const value = await ask(open.signal);
      if (open.signal.aborted) return null;
      this.value = value;
      this.problem = null;
      return value;
    } catch (error) {
      if (open.signal.aborted) return null;
      this.problem =
        error instanceof Problem ? error : new Problem(-1, "Something broke", String(error));
      return null;
    } finally {
      if (this.#open === open) this.pending = false;
    }
  }
}
