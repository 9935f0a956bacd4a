/** An SVG path over `days` in a box of width × height px, `inset` px below its top; zero lies on the floor. */
export function sparkPath(days: number[], width: number, height: number, inset: number): string {
  const most = Math.max(1, ...days);
  const step = days.length > 1 ? width / (days.length - 1) : 0;
  return days
    .map((n, i) => `${i ? "L" : "M"}${round(i * step)} ${round(inset + height * (1 - n / most))}`)
    .join("");
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
