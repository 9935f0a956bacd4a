// Builds the offline basemap where its generator is present; a page without it still draws clicks.
import { existsSync } from "node:fs";

const generator = new URL("../basemap/build.mjs", import.meta.url);
if (existsSync(generator)) await import(generator.href);
else
  console.warn(
    "no basemap generator at web/basemap/build.mjs: building the page without a basemap",
  );
