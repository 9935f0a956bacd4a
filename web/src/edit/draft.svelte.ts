import { Problem } from "../api/client";
import type { Link } from "../api/types";
import { shownField, type Wrong } from "./check";
import { formOf, patchOf, type LinkForm, type Patch } from "./form";

/** A link that is being edited, and what is wrong with it. */
export class Draft {
  form: LinkForm = $state()!;
  wrong = $state.raw<Wrong | null>(null);
  readonly #before: LinkForm;
  readonly patch: Patch = $derived.by(() => patchOf(this.form, this.#before));
  readonly changed = $derived(Object.keys(this.patch).length > 0);

  constructor(readonly link: Link) {
    this.#before = formOf(link);
    this.form = structuredClone(this.#before);
  }

  /** What is wrong at a field, or "". */
  wrongAt(field: string): string {
    return this.wrong?.field === field ? this.wrong.words : "";
  }

  /** Takes what the API said to the field that it said it about. */
  refused(error: unknown): void {
    if (!(error instanceof Problem)) this.wrong = { field: "", words: String(error) };
    else {
      const field = error.field || (error.status === 409 ? "code" : "");
      const own = field && error.detail.startsWith(`${field}: `);
      const words = own ? error.detail.slice(field.length + 2) : error.message;
      this.wrong = { field: shownField(field), words };
    }
  }
}
