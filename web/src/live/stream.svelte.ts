import { Tally } from "./tally";

/** One click as the stream tells it. */
export interface LiveClick {
  time: number;
  code: string | null;
  channel: string | null;
  place: {
    name: string;
    country: string | null;
    region: string | null;
    postal_code: string | null;
    lat: number | null;
    lon: number | null;
  } | null;
  device: string;
  referrer: string | null;
  origin: { group: string; name: string };
}
/** A click in the feed. */
export interface Entry extends LiveClick {
  id: number;
}

const FEED = 40;
/** A connection that is lost and made again within this is nothing to tell of: a stream ends every five minutes. */
const PATIENCE_MS = 3_000;
const RETRY_MS = [2_000, 4_000, 8_000, 15_000, 30_000];

/** The clicks of one filter as they come. Counts all of them; tells of some. */
export class Stream {
  state = $state<"joining" | "on" | "away">("joining");
  /** Why not, where the server said. */
  why = $state("");
  paused = $state(false);
  entries = $state.raw<Entry[]>([]);
  /** All clicks since it was opened. */
  total = $state(0);
  /** Clicks that came while it was paused. */
  missed = $state(0);
  tally = new Tally();
  #source: EventSource | null = null;
  #late: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #next = 0;

  constructor(
    private readonly query: string,
    private readonly ondots: (clicks: LiveClick[]) => void,
  ) {}

  open(): () => void {
    this.#connect();
    return () => this.#close();
  }

  #connect(): void {
    const source = (this.#source = new EventSource(`/api/analytics/live?${this.query}`));
    source.onopen = () => {
      clearTimeout(this.#late);
      this.#late = undefined;
      [this.#tries, this.state, this.why] = [0, "on", ""];
    };
    source.addEventListener("clicks", (event: MessageEvent<string>) => {
      const { count, clicks } = JSON.parse(event.data) as { count: number; clicks: LiveClick[] };
      this.take(count, clicks);
    });
    source.onerror = () => {
      this.#late ??= setTimeout(() => (this.state = "away"), PATIENCE_MS);
      // Closed: the server refused, and the browser will not try again by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]!;
      this.#again = setTimeout(() => this.#connect(), wait);
    };
  }

  /** What one event tells: how many clicks, and some of them. */
  take(count: number, clicks: LiveClick[]): void {
    this.total += count;
    this.tally.add(count, Date.now());
    if (this.paused) {
      this.missed += count;
      return;
    }
    this.ondots(clicks);
    const fresh = clicks.slice(-FEED).map((click) => ({ ...click, id: this.#next++ }));
    this.entries = [...fresh.reverse(), ...this.entries].slice(0, FEED);
  }

  pause(): void {
    this.paused = !this.paused;
    this.missed = 0;
  }

  #close(): void {
    clearTimeout(this.#late);
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }
}
