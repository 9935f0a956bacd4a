import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

/** A named address of the page, shared by the workspace. */
export type View = Schemas["ViewOut"];

export const views = {
  all: async () => (await get<Schemas["ViewList"]>("/api/views")).rows,
  save: (name: string, address: string) => ask<View>("POST", "/api/views", { name, address }),
  change: (id: number, change: Partial<Pick<View, "name" | "address">>) =>
    ask<View>("PATCH", `/api/views/${id}`, change),
  remove: (id: number) => ask<void>("DELETE", `/api/views/${id}`),
};
