import { describe, expect, it } from "vitest";
// @ts-expect-error: a plain script, also run by `npm run size`
import { BUDGET, firstLoad } from "./size.mjs";

const sizes = firstLoad() as Record<string, number> | null;

describe.skipIf(!sizes)("the first load (skipped where the page is not built)", () => {
  it("stays within its budget, map and worker included", () => {
    const total = Object.values(sizes!).reduce((sum, size) => sum + size, 0);
    expect(total).toBeLessThanOrEqual(BUDGET);
  });

  it("counts the worker, the map and the style sheets", () => {
    const names = Object.keys(sizes!).join(" ");
    expect(names).toMatch(/maplibre-gl-worker/);
    expect(names).toMatch(/Explorer-.*\.js/);
    expect(names).toMatch(/\.css/);
  });
});
