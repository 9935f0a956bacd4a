import { ask, get, Problem } from "../api/client";
import type { Schemas } from "../api/types";

export type Import = Schemas["ImportOut"];
export type Preview = Schemas["PreviewOut"];
export type Service = Schemas["ServiceOut"];

/** Of a text file its beginning tells enough; Parquet has its table of contents at the end. */
const BEGINNING = 256 << 10;

const at = encodeURIComponent;

export const services = async () =>
  (await get<Schemas["ServicesOut"]>("/api/imports/services")).services;
export const importOf = (id: string) => get<Import>(`/api/imports/${at(id)}`);
export const stopImport = (id: string) => ask<void>("DELETE", `/api/imports/${at(id)}`);
export const refusedOf = (id: string) => `/api/imports/${at(id)}/refused.csv`;
export const fromService = (service: string, given: Schemas["FromService"]) =>
  ask<Import>("POST", `/api/imports/services/${at(service)}`, given);

/** Roles and their columns, as the address has them. A role that was guessed and taken away is said to be none. */
export function told(mapping: Record<string, string>): string[] {
  return Object.entries(mapping).map(([role, column]) => `${role}=${column}`);
}

function query(file: File, mapping: Record<string, string>, more: Record<string, string> = {}) {
  const asked = new URLSearchParams({ name: file.name, ...more });
  for (const pair of told(mapping)) asked.append("map", pair);
  return asked.toString();
}

export async function preview(file: File, mapping: Record<string, string>): Promise<Preview> {
  const whole = /\.(parquet|json)$/i.test(file.name);
  return send<Preview>(
    `/api/imports/preview?${query(file, mapping)}`,
    whole ? file : file.slice(0, BEGINNING),
  );
}

export interface Choices {
  dry: boolean;
  again: boolean;
  zone: string;
  dates: string;
  /** "": the installation's own host. */
  domain: string;
}

export function importFile(
  file: File,
  mapping: Record<string, string>,
  { dry, again, zone, dates, domain }: Choices,
  onpart: (part: number) => void,
  signal: AbortSignal,
): Promise<Import> {
  const more: Record<string, string> = { size: String(file.size), zone };
  if (dry) more.dry_run = "true";
  if (again) more.again = "true";
  if (dates) more.dates = dates;
  if (domain) more.domain = domain;
  return send<Import>(`/api/imports?${query(file, mapping, more)}`, file, onpart, signal);
}

/** Sent by the older way of asking: the only one that tells how much was sent. */
function send<T>(
  path: string,
  body: Blob,
  onpart?: (part: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => onpart?.(event.loaded / Math.max(1, event.total));
    request.onload = () => {
      const said = request.response as (T & Record<string, string>) | null;
      if (request.status < 300 && said) resolve(said);
      else
        reject(
          new Problem(
            request.status,
            said?.title ?? `The server answered ${request.status}`,
            said?.detail,
            said?.remedy,
          ),
        );
    };
    request.onerror = () =>
      reject(new Problem(0, "The upload broke off", "The server did not answer.", "Try again."));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** Ask until an import has ended; half a second between two looks. */
export async function ended(
  first: Import,
  onlook: (found: Import) => void,
  signal: AbortSignal,
): Promise<Import> {
  let found = first;
  while (found.state === "running") {
    onlook(found);
    await new Promise((after) => setTimeout(after, 500));
    if (signal.aborted) {
      await stopImport(found.id);
      throw new DOMException("stopped", "AbortError");
    }
    found = await importOf(found.id);
  }
  return found;
}
