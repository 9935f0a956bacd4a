import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { emptyTiles } from "./basemap/empty-tiles.ts";
import { vendored } from "./scripts/vendored.ts";

const API = process.env.CLICKATLAS_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/static/",
  plugins: [svelte(), appAddress(), vendored(), emptyTiles()],
  build: {
    outDir: fileURLToPath(new URL("../clickatlas/static", import.meta.url)),
    emptyOutDir: true,
    manifest: true,
    assetsDir: "assets",
    target: "es2022",
    chunkSizeWarningLimit: 1200,
    modulePreload: false,
    // Few letters tell versions of a file apart; every chunk's name is a part of the first load.
    rolldownOptions: {
      output: {
        // Small files that the first look needs anyway are one: each apart costs a hundred bytes of names.
        codeSplitting: {
          groups: [
            {
              name: "base",
              test: /src\/(state\/(address|resource|first)|words\/dates|api\/question|map\/(ramp|layers)|basemap\/style|parts\/(Icon|Mark|Flag|Popover))/,
            },
          ],
        },
        entryFileNames: "assets/[name]-[hash:7].js",
        chunkFileNames: "assets/[name]-[hash:7].js",
        assetFileNames: "assets/[name]-[hash:6][extname]",
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/health", "/docs", "/app/sign-in"].map((path) => [path, { target: API }]),
    ),
  },
  test: { include: ["src/**/*.test.ts", "scripts/**/*.test.ts"] },
});

/** In development too the page is at /app, where a sign-in leads. */
function appAddress(): Plugin {
  return {
    name: "clickatlas-app-address",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const { pathname, search } = new URL(request.url ?? "/", "http://vite");
        if (pathname === "/" || (/^\/app(\/|$)/.test(pathname) && pathname !== "/app/sign-in"))
          request.url = `/static/index.html${search}`;
        next();
      });
    },
  };
}
