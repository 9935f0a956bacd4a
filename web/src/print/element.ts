/** An element of the page as an image, with the looks that it has just now. Null where the browser can't. */
export async function elementImage(element: HTMLElement): Promise<HTMLImageElement | null> {
  const { width, height } = element.getBoundingClientRect();
  const copy = element.cloneNode(true) as HTMLElement;
  copyLooks(element, copy);
  // Where it stood on the page is not where it stands in the image.
  Object.assign(copy.style, { position: "static", margin: "0", inset: "auto", translate: "none" });
  copy.setAttribute("xmlns", "http://www.w3.org/1999/xhtml");
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<style>${await fonts()}</style>` +
    `<foreignObject width="100%" height="100%">${new XMLSerializer().serializeToString(copy)}` +
    `</foreignObject></svg>`;
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return image.decode().then(
    () => image,
    () => null,
  );
}

// Style sheets do not reach into an image, so every element takes its own looks along.
function copyLooks(from: Element, to: HTMLElement): void {
  const looks = getComputedStyle(from);
  for (const name of looks) to.style.setProperty(name, looks.getPropertyValue(name));
  Array.from(from.children).forEach((child, i) => copyLooks(child, to.children[i] as HTMLElement));
}

/** The page's font with its letters in it: an image fetches nothing, and would be in another one. */
async function fonts(): Promise<string> {
  const faces = Array.from(document.styleSheets)
    .flatMap((sheet) => Array.from(sheet.cssRules, (rule) => ({ rule, base: sheet.href })))
    .flatMap(({ rule, base }) => (rule instanceof CSSFontFaceRule ? [{ rule, base }] : []));
  const texts = await Promise.all(
    faces.map(async ({ rule, base }) => {
      const [, url] = /url\("?([^")]+)/.exec(rule.style.getPropertyValue("src")) ?? [];
      const file = url && (await fetch(new URL(url, base ?? location.href)).catch(() => null));
      if (!file || !file.ok) return "";
      return rule.cssText.replace(/url\([^)]+\)/, `url("${await asData(await file.blob())}")`);
    }),
  );
  return texts.join("");
}

function asData(blob: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result as string);
    reader.onerror = () => failed(new Error("The font could not be read."));
    reader.readAsDataURL(blob);
  });
}
