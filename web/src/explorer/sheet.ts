export type Height = "peek" | "half" | "full";

const PEEK_PX = 118;

/**
 * Lets a phone's bottom sheet be dragged by its grip; on release it settles at the nearest of three heights.
 * A press without a drag stays a click. `most` is the full height in px.
 */
export function sheetDrag(
  sheet: () => HTMLElement | undefined,
  most: () => number,
  settle: (height: Height) => void,
) {
  return (grip: HTMLElement) => {
    let start: { y: number; height: number } | null = null;
    let moved = false;

    const down = (event: PointerEvent) => {
      start = { y: event.clientY, height: sheet()?.offsetHeight ?? 0 };
      moved = false;
      grip.setPointerCapture(event.pointerId);
    };
    const move = (event: PointerEvent) => {
      const panel = sheet();
      if (!start || !panel) return;
      const by = start.y - event.clientY;
      moved ||= Math.abs(by) > 6;
      if (!moved) return;
      panel.style.transition = "none";
      panel.style.height = `${Math.min(most(), Math.max(PEEK_PX, start.height + by))}px`;
    };
    const up = () => {
      const panel = sheet();
      if (start && moved && panel) settle(nearest(panel.offsetHeight, most()));
      if (panel) panel.style.height = panel.style.transition = "";
      start = null;
    };
    const click = (event: MouseEvent) => {
      if (moved) event.stopImmediatePropagation();
    };

    grip.addEventListener("pointerdown", down);
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", up);
    grip.addEventListener("pointercancel", up);
    grip.addEventListener("click", click, { capture: true });
    return () => {
      grip.removeEventListener("pointerdown", down);
      grip.removeEventListener("pointermove", move);
      grip.removeEventListener("pointerup", up);
      grip.removeEventListener("pointercancel", up);
      grip.removeEventListener("click", click, { capture: true });
    };
  };
}

function nearest(height: number, most: number): Height {
  const stops: [Height, number][] = [
    ["peek", PEEK_PX],
    ["half", innerHeight * 0.44],
    ["full", most],
  ];
  stops.sort((a, b) => Math.abs(a[1] - height) - Math.abs(b[1] - height));
  return stops[0]![0];
}
