import { describe, expect, it } from "vitest";
import { areaOf, boxText, corners, polygonText, simplified, type Point } from "./shape";

describe("a drawn area's text", () => {
  it("comes back as the corners it was made from", () => {
    expect(boxText([-71, 42.4], [-71.2, 42.30001])).toBe("-71.2,42.3,-71,42.4");
    expect(corners("-71.2,42.3,-71,42.4")).toHaveLength(4);
    const triangle: Point[] = [
      [0, 0],
      [10, 0.5],
      [3.25, 8],
    ];
    expect(corners(polygonText(triangle))).toEqual(triangle);
  });

  it.each(["", "1,2,3", "1,2", "a,b,c,d", "1,2,3,4,5", "1,2,3,Infinity"])("is not %j", (text) => {
    expect(corners(text)).toBeNull();
  });
});

describe("a simplified line", () => {
  const circle = Array.from({ length: 2000 }, (_, i): Point => {
    const angle = (i / 2000) * 2 * Math.PI;
    return [200 * Math.cos(angle), 200 * Math.sin(angle)];
  });

  it("is short and keeps the area to a hundredth", () => {
    const few = simplified(circle);
    expect(few.length).toBeLessThan(121);
    expect(areaOf(few) / areaOf(circle)).toBeCloseTo(1, 1);
  });

  it("drops what lies on a straight line", () => {
    const line: Point[] = [
      [0, 0],
      [1, 0],
      [2, 0],
      [2, 5],
    ];
    expect(simplified(line)).toEqual([
      [0, 0],
      [2, 0],
      [2, 5],
    ]);
  });

  it("stays short however wildly it was drawn", () => {
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const wild = Array.from({ length: 3000 }, (): Point => [random() * 900, random() * 900]);
    expect(simplified(wild).length).toBeLessThan(121);
  });
});
