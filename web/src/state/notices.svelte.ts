import { Problem } from "../api/client";

export interface Notice {
  id: number;
  kind: "problem" | "done";
  text: string;
}

/** Short messages at the page's foot; a problem stays twice as long as good news. */
class Notices {
  list = $state<Notice[]>([]);
  #last = 0;

  say(text: string): void {
    this.#add("done", text, 5_000);
  }

  problem(error: unknown): void {
    this.#add("problem", error instanceof Problem ? error.message : String(error), 10_000);
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(kind: Notice["kind"], text: string, milliseconds: number): void {
    if (this.list.some((notice) => notice.text === text)) return;
    const id = ++this.#last;
    this.list = [...this.list.slice(-2), { id, kind, text }];
    setTimeout(() => this.close(id), milliseconds);
  }
}

export const notices = new Notices();
