import { ask, Problem } from "../api/client";

const LOGO = "/api/workspace/logo";
/** What the API takes, in bytes, and what it keeps, in pixels each way. */
const MOST = 100_000;
const KEPT = 512;

/** A picture that is too large for the API, drawn anew as small as it would be kept; one that can't be read, as it is. */
async function small(file: Blob): Promise<Blob> {
  if (file.size <= MOST) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, KEPT / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((take) =>
      canvas.toBlob((drawn) => take(drawn ?? file), "image/webp", 0.85),
    );
  } catch {
    return file;
  }
}

/** Makes a picture the logo in all the workspace's codes. */
export async function sendLogo(file: Blob): Promise<void> {
  const answer = await fetch(LOGO, {
    method: "PUT",
    headers: { "Content-Type": "application/octet-stream" },
    body: await small(file),
  });
  if (answer.ok) return;
  const {
    title = `The server answered ${answer.status}`,
    detail,
    remedy,
  } = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, title, detail, remedy);
}

/** Takes the logo out of all the workspace's codes. */
export const removeLogo = () => ask<void>("DELETE", LOGO);
