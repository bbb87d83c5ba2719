// Filming: a video is ordered, and looked after until it is there.

import { askJson } from "./api.js";
import { element } from "./dom.js";
import { link } from "./markdown.js";
import { loadPicture } from "./picture.js";
import { say } from "./words.js";

export const VIDEO_PATH = "/v1/videos/generations";
const LOOK_MILLISECONDS = 4000;

/** Order a video and wait for it: its figure. Raises ApiError, or AbortError when `signal` says so. */
export async function film(body, signal) {
  let video = await askJson(VIDEO_PATH, { method: "POST", body: { ...body, async: true }, signal });
  while (!video.data.length) {
    await pause(LOOK_MILLISECONDS, signal);
    video = await askJson(`/v1/videos/${encodeURIComponent(video.id)}`, { signal });
  }
  return buildVideo(video.data[0], body.prompt);
}

async function buildVideo({ video_url: address, cover_url: cover, video_duration: duration }, words) {
  return element("figure", {}, cover ? await loadPicture(cover, words, () => null) : null, // the video is what counts
    element("figcaption", {}, words, " ", link(address, duration ? say("openVideo", duration) : say("open"))));
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
