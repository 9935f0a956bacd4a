/** A file from the server, written as it comes: how far it is, and where it goes. */

import { Problem } from "../api/client";

export const FORMATS = [
  { kind: "csv", name: "CSV", hint: "For spreadsheets" },
  { kind: "ndjson", name: "NDJSON", hint: "A JSON document per line" },
  { kind: "parquet", name: "Parquet", hint: "For DuckDB, pandas, Spark" },
  { kind: "geojson", name: "GeoJSON", hint: "For maps: QGIS, GDAL" },
] as const;
export type Kind = (typeof FORMATS)[number]["kind"];

/** Bytes that are here, and about how many there will be. */
export type Progress = (here: number, about: number) => void;

/** Larger files go to the disk as they come, where the browser lets a page write one. */
const LARGE = 200_000_000;
/** By this mark Excel knows UTF-8. */
const MARK = new Uint8Array([0xef, 0xbb, 0xbf]);

interface Sink {
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}
type Picker = (options: { suggestedName: string }) => Promise<{ createWritable(): Promise<Sink> }>;

/** Fetch `path` and save it as `name`; returns how many rows there are. */
export async function save(
  path: string,
  name: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const response = await fetch(path, { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new Problem(0, "clickatlas can’t be reached", "The server did not answer.");
  });
  if (!response.ok || !response.body) throw await refused(response);
  const about = Number(response.headers.get("bytes-about"));
  const sink = await opened(name, about);
  try {
    if (name.endsWith(".csv")) await sink.write(MARK);
    const reader = response.body.getReader();
    for (let here = 0; ;) {
      const { done, value } = await reader.read();
      if (done) break;
      await sink.write(value);
      progress((here += value.length), Math.max(about, here));
    }
  } catch (error) {
    await sink.abort();
    if (signal.aborted) throw error;
    throw new Problem(0, "The export broke off", "Not all of it came.", "Try again.");
  }
  await sink.close();
  return Number(response.headers.get("rows-total"));
}

async function refused(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => ({}))) as Record<string, string | undefined>;
  const title = said.title ?? `The server answered ${response.status}`;
  return new Problem(response.status, title, said.detail, said.remedy);
}

async function opened(name: string, about: number): Promise<Sink> {
  const pick = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (about > LARGE && pick) return (await pick({ suggestedName: name })).createWritable();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  return {
    async write(piece) {
      pieces.push(piece);
    },
    async close() {
      const url = URL.createObjectURL(new Blob(pieces));
      Object.assign(document.createElement("a"), { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
    async abort() {
      pieces.length = 0;
    },
  };
}
