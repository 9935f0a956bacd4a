import { api } from "../api/client";
import { question } from "../api/question";
import type { AreaRow, AreaTable, FilterChoices, TileJson } from "../api/types";
import { readerZone, type Dates } from "../words/dates";
import { DEFAULT_DATES, DEFAULT_SORT, formatAddress, LISTS, parseAddress } from "./address";
import type { DrawnArea } from "../map/areas";
import type { Streets } from "../basemap/style";
import type { ClickMap } from "../map/clickmap";
import type { Address, Camera, Filter, Level, ListName, Measure, Mode, Tab } from "./address";
import { Resource } from "./resource.svelte";
import { signIn } from "./session.svelte";

const POLL_MS = 2_500;
const RETRY_MS = 4_000;
export const FIRST_ROWS = 100;

/** What the map does for the rest of the page. */
export interface MapHandle {
  flyTo(area: Pick<AreaRow, "lat" | "lon" | "bbox">): void;
  fit(): void;
  reset(): void;
  zoom(by: 1 | -1): void;
}

/** One open explorer: its address, the questions that follow from it, and their answers. */
export class Explorer {
  readonly zone = readerZone();
  #address = $state.raw<Address>(parseAddress(location.search));
  rowLimit = $state(FIRST_ROWS);
  tiles = new Resource<TileJson>();
  table = new Resource<AreaTable & { level: Level }>();
  choices = $state.raw<FilterChoices | null>(null);
  /** The row under the pointer or focus, to be lit on the map. */
  row = $state.raw<AreaRow | null>(null);
  /** The id of the area under the map's pointer, to be lit in the table. */
  lit = $state<string | null>(null);
  /** The areas drawn on the map by their ids, while the mode is areas. */
  areas = $state.raw<Map<string, DrawnArea> | null>(null);
  /** Names of the areas in the filter, for their chips. */
  areaNames = $state<Record<string, { name: string; flag: string | null; country: string | null }>>(
    {},
  );
  /** Counts the links made on this page, so that lists know to look again. */
  made = $state(0);
  map: MapHandle | null = null;
  /** The drawn map, once it is there: for the parts that draw on it. */
  chart = $state.raw<ClickMap | null>(null);
  /** The operator's own map under the clicks, once it is known. */
  streets = $state.raw<Streets | null>(null);
  /** Whom to thank for it. */
  streetsBy = $state("");
  /** The second side of a comparison: an explorer whose filter is the address's other one. */
  second = $state.raw<Explorer | null>(null);
  /** What a drawer at the right and the time dock at the bottom take from the map, in px. */
  reserved = $state({ right: 0, bottom: innerWidth > 720 ? 142 : 0 });
  /** How high the legend is, in px: on a phone the time's button stands above it. */
  legend = $state(62);
  /** The dialog that is open. */
  dialog = $state<"search" | "shortcuts" | "views" | "export" | "share" | null>(null);
  /** How the reader is drawing an area on the map just now. */
  drawing = $state<"lasso" | "box" | null>(null);

  #now = $state(fiveMinutes());
  readonly query = $derived(question(this.address.filter, new Date(this.#now), this.zone));
  readonly otherQuery = $derived(question(this.address.other, new Date(this.#now), this.zone));
  /** How the table is sorted: a measure that it does not show is no column to sort by. */
  readonly sorted = $derived.by(() => {
    const { sort, measure } = this.address;
    return ["name", "clicks", measure].includes(sort.by) ? sort : DEFAULT_SORT;
  });
  /** The query of the table's rows, but for how many. */
  readonly rowQuery = $derived.by(() => {
    const { find } = this.address;
    const query = new URLSearchParams();
    const { by, asc } = this.sorted;
    if (by !== "clicks" || asc) {
      query.set("sort", by);
      query.set("order", asc ? "asc" : "desc");
    }
    if (find) query.set("search", find);
    return [this.query, query.toString()].filter(Boolean).join("&");
  });
  readonly snapshot = $derived(this.tiles.value?.snapshot ?? null);
  readonly unreachable = $derived(
    [this.tiles.problem, this.table.problem].some((problem) => problem?.unreachable),
  );
  readonly totals = $derived(this.table.value ?? this.tiles.value);

  get address(): Address {
    return this.#address;
  }

  get filter(): Filter {
    return this.address.filter;
  }

  show(change: Partial<Omit<Address, "filter" | "camera">>): void {
    if (change.level && change.level !== this.address.level) {
      this.rowLimit = FIRST_ROWS;
      change = { find: "", ...change };
    }
    this.goTo({ ...this.address, ...change }, "push");
  }

  tab = (tab: Tab) => this.show({ tab });
  level = (level: Level) => this.show({ level });
  mode = (mode: Mode) => this.show({ mode });
  measure = (measure: Measure) => this.show({ measure });

  /** Opens the drawer of an area, or (null) closes it. */
  open(area: string | null): void {
    if (area !== this.address.open) this.show({ open: area });
  }

  /** Opens the drawer of an area and flies there. */
  async go(id: string): Promise<void> {
    this.open(id);
    const row = this.table.value?.rows.find((row) => row.id === id);
    const area = row ?? (await api.area(id).catch(() => null));
    if (area) this.map?.flyTo(area);
  }

  /** Narrows the table to rows whose name holds `find`; typing makes no steps back. */
  find(find: string): void {
    this.rowLimit = FIRST_ROWS;
    this.goTo({ ...this.address, find }, "replace");
  }

  /** Changes the filter, and with it what else is shown where given, as one step back. */
  narrow(
    change: Partial<Filter>,
    shown: Partial<Pick<Address, "tab" | "level" | "open" | "find">> = {},
  ): void {
    this.rowLimit = FIRST_ROWS;
    this.goTo({ ...this.address, ...shown, filter: { ...this.filter, ...change } }, "push");
  }

  /** Changes the second filter of a comparison. */
  narrowOther(change: Partial<Filter>): void {
    this.show({ other: { ...this.address.other, ...change } });
  }

  dates = (dates: Dates) => this.narrow({ dates });

  /** Adds a value to one of the filter's lists, or takes it out. */
  toggle(name: ListName, value: string): void {
    const list = this.filter[name];
    this.narrow({
      [name]: list.includes(value) ? list.filter((other) => other !== value) : [...list, value],
    });
  }

  clear(): void {
    const none = Object.fromEntries(LISTS.map((name) => [name, []])) as unknown as Filter;
    this.narrow({ ...none, dates: DEFAULT_DATES });
  }

  /** Goes to an address kept elsewhere: a saved view, a search result. */
  visit(address: Address): void {
    this.rowLimit = FIRST_ROWS;
    this.goTo(address, "push");
  }

  /** Into a country: fly there, show its cities, open its drawer. */
  enter(country: Pick<AreaRow, "id" | "name" | "flag" | "country" | "lat" | "lon" | "bbox">): void {
    this.areaNames[country.id] = country;
    const shown = { level: "cities", tab: "places", open: country.id, find: "" } as const;
    this.narrow({ area: [country.id] }, shown);
    this.map?.flyTo(country);
  }

  /** Where the camera came to rest after the reader or a flight moved it. Not a step back of its own. */
  settle(camera: Camera): void {
    this.goTo({ ...this.address, camera }, "replace");
  }

  /** Starts asking: now, every few seconds while the page is in sight, and on back and forward. */
  start(): () => void {
    let timer: ReturnType<typeof setTimeout>;
    const beat = async () => {
      if (!document.hidden) {
        this.#now = fiveMinutes();
        await this.loadTiles(true);
        if (signIn.state === "out") return;
      }
      timer = setTimeout(() => void beat(), this.unreachable ? RETRY_MS : POLL_MS);
    };
    const wake = () => {
      if (document.hidden) return;
      clearTimeout(timer);
      void beat();
    };
    const travel = () => {
      this.#address = parseAddress(location.search);
    };
    timer = setTimeout(() => void beat(), POLL_MS);
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("popstate", travel);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("popstate", travel);
    };
  }

  async loadTiles(quiet = false): Promise<void> {
    // A poll must not drop the answer to a question the reader is waiting for.
    if (quiet && this.tiles.pending) return;
    const query = this.query;
    await this.tiles.load((signal) => api.tilejson(query, signal), { quiet });
    this.#checkSignIn();
    if (this.table.problem?.unreachable && !this.tiles.problem) await this.loadTable(true);
  }

  async loadTable(quiet = false): Promise<void> {
    const { level } = this.address;
    const query = [this.rowQuery, `limit=${this.rowLimit}`].filter(Boolean).join("&");
    const ask = async (signal: AbortSignal) => ({
      ...(await api.table(level, query, signal)),
      level,
    });
    await this.table.load(ask, { quiet });
    this.#checkSignIn();
  }

  async loadChoices(): Promise<void> {
    this.choices = await api.choices().catch(() => this.choices);
  }

  /** Learns the names of areas that came with the URL rather than from a click. */
  async nameAreas(): Promise<void> {
    const unnamed = this.filter.area.filter((id) => !this.areaNames[id]);
    const areas = await Promise.all(unnamed.map((id) => api.area(id).catch(() => null)));
    for (const area of areas) if (area) this.areaNames[area.id] = area;
  }

  /** Shows an address, and writes it into the browser's. */
  goTo(address: Address, how: "push" | "replace"): void {
    this.#address = address;
    const url = `${location.pathname}?${formatAddress(address)}`.replace(/\?$/, "");
    if (url === location.pathname + location.search) return;
    history[how === "push" ? "pushState" : "replaceState"](null, "", url);
  }

  #checkSignIn(): void {
    if (this.tiles.problem?.status === 401 || this.table.problem?.status === 401) signIn.lost();
  }
}

// The last 24 hours move in steps, so that the server's caches and the page's requests can be shared.
function fiveMinutes(): number {
  return Math.floor(Date.now() / 300_000) * 300_000;
}
