import type { Explorer } from "../state/explorer.svelte";

export interface Shortcut {
  keys: string[];
  does: string;
  run?: (explorer: Explorer) => void;
}

/** Every key that the page answers to; the list under "?" is made from this table. */
export const SHORTCUTS: Shortcut[] = [
  { keys: ["/"], does: "Find a place, link or campaign", run: (on) => (on.dialog = "search") },
  { keys: ["?"], does: "Show these shortcuts", run: (on) => (on.dialog = "shortcuts") },
  { keys: ["v"], does: "Saved views", run: (on) => (on.dialog = "views") },
  { keys: ["1"], does: "Heat", run: (on) => on.mode("heat") },
  { keys: ["2"], does: "Clusters", run: (on) => on.mode("clusters") },
  { keys: ["3"], does: "Areas", run: (on) => on.mode("areas") },
  { keys: ["f"], does: "Fit the map to the clicks", run: (on) => on.map?.fit() },
  { keys: ["0"], does: "Show the whole world", run: (on) => on.map?.reset() },
  { keys: ["l"], does: "Draw an area with the pointer", run: (on) => (on.drawing = "lasso") },
  { keys: ["b"], does: "Draw a box", run: (on) => (on.drawing = "box") },
  { keys: ["x"], does: "Clear all filters", run: (on) => on.clear() },
  { keys: ["Esc"], does: "Close what is open" },
  { keys: ["←", "→", "↑", "↓"], does: "Move the map, while it has the focus" },
  { keys: ["+", "−"], does: "Zoom, while the map has the focus" },
];

/** The shortcut that a key press means; null while the reader types, or holds a modifier. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const { target } = event;
  if (target instanceof Element && target.closest("input, textarea, select, dialog")) return null;
  return SHORTCUTS.find(({ keys, run }) => run && keys.includes(event.key)) ?? null;
}
