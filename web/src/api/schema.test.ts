import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { format, resolveConfig } from "prettier";
import { expect, it } from "vitest";

it("is made from the API's own document (else: make docs)", async () => {
  const file = new URL("./schema.ts", import.meta.url);
  const made = astToString(await openapiTS(new URL("../../../docs/openapi.json", import.meta.url)));
  const head = readFileSync(file, "utf8").split("\n\n")[0];
  const options = { ...(await resolveConfig(file)), parser: "typescript" };
  expect(await format(`${head}\n\n${made}`, options)).toBe(readFileSync(file, "utf8"));
}, 60_000); // 3 s for a whole processor
