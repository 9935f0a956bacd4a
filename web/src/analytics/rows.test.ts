import { expect, it } from "vitest";
import { grouped } from "./rows";

it("puts origins under their groups, the largest group first", () => {
  const row = (value: string, clicks: number, group: string | null) => ({
    value,
    name: value,
    clicks,
    share: clicks / 100,
    group,
  });
  const rows = [
    row("direct", 40, null),
    row("Instagram", 30, "social"),
    row("Google", 15, "search"),
    row("Facebook", 15, "social"),
  ];
  expect(
    grouped({ rows, total: 100 }).map(({ name, clicks, inner }) => [name, clicks, inner]),
  ).toEqual([
    ["Social", 45, false],
    ["Instagram", 30, true],
    ["Facebook", 15, true],
    ["Direct", 40, false],
    ["Search", 15, false],
    ["Google", 15, true],
  ]);
});
