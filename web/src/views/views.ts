import { ask, get } from "../api/client";

/** A named address of the page, shared by the workspace. */
export interface View {
  id: number;
  name: string;
  address: string;
  created_at: string;
  created_by: string | null;
}

export const views = {
  all: async () => (await get<{ rows: View[] }>("/api/views")).rows,
  save: (name: string, address: string) => ask<View>("POST", "/api/views", { name, address }),
  change: (id: number, change: Partial<Pick<View, "name" | "address">>) =>
    ask<View>("PATCH", `/api/views/${id}`, change),
  remove: (id: number) => ask<void>("DELETE", `/api/views/${id}`),
};
