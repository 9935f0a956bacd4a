import type {
  Area,
  AreaTable,
  AtlasFacts,
  FilterChoices,
  Link,
  LinkPage,
  NewLink,
  Session,
  TileJson,
} from "./types";

/** An answer that is not a success: the problem document's own words (RFC 9457), or that nobody answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail = "",
    readonly remedy = "",
    readonly field = "",
  ) {
    super([detail || title, remedy].filter(Boolean).join(" "));
  }

  /** True when no answer came at all: the server is down or the network is. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

type Ask = { signal?: AbortSignal };

export async function ask<T>(
  method: string,
  path: string,
  body?: unknown,
  { signal }: Ask = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "clickatlas can’t be reached", "The server did not answer.");
  }
  // A gateway's 502-504 means the same to the reader as no answer.
  if (response.status >= 502 && response.status <= 504)
    throw new Problem(0, "clickatlas can’t be reached", "The server is starting or stopped.");
  if (!response.ok) throw await problem(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function problem(response: Response): Promise<Problem> {
  const document = (await response.json().catch(() => ({}))) as {
    title?: string;
    detail?: string;
    remedy?: string;
    field?: string;
  };
  return new Problem(
    response.status,
    document.title ?? `The server answered ${response.status}`,
    document.detail,
    document.remedy,
    document.field,
  );
}

export const get = <T>(path: string, signal?: AbortSignal) =>
  ask<T>("GET", path, undefined, { signal });
const at = encodeURIComponent;

export const api = {
  session: () => get<Session>("/api/session"),
  signOut: () => ask<void>("DELETE", "/api/session"),
  removeSample: () => ask<{ links: number; clicks: number }>("DELETE", "/api/sample"),
  createLink: (link: NewLink) => ask<Link>("POST", "/api/links", link),
  links: (query: string, signal?: AbortSignal) => get<LinkPage>(`/api/links?${query}`, signal),
  link: (code: string) => get<Link>(`/api/links/${at(code)}`),
  table: (level: string, query: string, signal?: AbortSignal) =>
    get<AreaTable>(`/api/analytics/geo/${level}?${query}`, signal),
  tilejson: (query: string, signal?: AbortSignal) =>
    get<TileJson>(`/api/heat/tilejson?${query}`, signal),
  choices: () => get<FilterChoices>("/api/filters"),
  atlas: () => get<AtlasFacts>("/api/atlas"),
  area: (id: string) => get<Area>(`/api/areas/${at(id)}`),
};
