import { expect, it } from "vitest";
import { codeAt, PLAIN, wrongLook } from "./look";

it("asks for what is seen", () => {
  expect(codeAt("a b", PLAIN, "png")).toBe(
    "/api/links/a%20b/qr?format=png&size=1024&margin=4&dark=000000&light=ffffff",
  );
  const look = { ...PLAIN, dark: "#1d3557", clear: true, logo: true };
  expect(codeAt("x", look, "svg", 2)).toMatch(/dark=1d3557&light=transparent&logo=true&v=2$/);
});

it("refuses what scanners miss, in words", () => {
  expect(wrongLook(PLAIN)).toBeNull();
  expect(wrongLook({ ...PLAIN, dark: "#1d3557", light: "#f1faee" })).toBeNull();
  expect(wrongLook({ ...PLAIN, dark: "#bbbbbb" })?.words).toContain("too alike");
  const inverted = { ...PLAIN, dark: "#ffffff", light: "#000000" };
  expect(wrongLook(inverted)?.words).toContain("lighter than its background (contrast 21.0)");
  expect(wrongLook({ ...inverted, clear: true })?.words).toContain("too alike");
  expect(wrongLook({ ...PLAIN, size: 20 })?.field).toBe("size");
  expect(wrongLook({ ...PLAIN, size: null })?.field).toBe("size");
});
