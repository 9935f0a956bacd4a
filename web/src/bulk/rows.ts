/** What was pasted as the CSV that the API takes: a list of addresses, one a line, gets its header. */
export function asCsv(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.split(/\r?\n/, 1)[0]!;
  const header = first
    .toLowerCase()
    .split(/[,;\t]/)
    .map((name) => name.trim());
  if (!trimmed || header.includes("url")) return trimmed;
  const alone = trimmed.split(/\r?\n/).every((line) => !/[;\t]/.test(line) && !/,\s/.test(line));
  // An address may have commas of its own: quoted, each line is one cell.
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim());
  return alone
    ? ["url", ...lines.map((line) => `"${line.trim().replaceAll('"', '""')}"`)].join("\n")
    : trimmed;
}
