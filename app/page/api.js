// Talking to the gateway. The credentials live in this tab's sessionStorage and travel in a header alone.

const STORED = "glm-api credentials";

/** Where the gateway is, without a slash at the end: by where this file is, as a proxy may put a path before it all. */
export const ROOT = new URL("..", import.meta.url).href.slice(0, -1);

export const credentials = {
  get: () => sessionStorage.getItem(STORED) ?? "",
  set: (value) => sessionStorage.setItem(STORED, value),
  forget: () => sessionStorage.removeItem(STORED),
};

const IN_COOKIES = /chatglm_refresh_token["'\s]{0,4}[=:\s]["'\s]{0,4}([^\s;,，；、"'&{}]+)/g;

const AROUND = "[\\s\"'`“”‘’「」\\ufeff\\u200b-\\u200d\\u2060]+";
const EDGES = new RegExp(`^${AROUND}|${AROUND}$`, "g");

/** Tokens or a key as people paste them, joined with commas as a header wants them: out of a cookie line, off lines, without
 * remarks. As the gateway's own reader does it, app/pasted_token.py. */
export function readPasted(text) {
  const lines = text.split(/[\r\n]+|%0[ad]/i).filter((line) => !/^\s*#/.test(line));
  const values = lines.flatMap((line) => [...line.matchAll(IN_COOKIES)].map((found) => found[1]));
  const words = values.length ? values : lines.flatMap(readWords);
  return [...new Set(words.map((word) => word.replace(EDGES, "")).filter(Boolean))].join(",");
}

const readWords = (line) =>
  line.replace(/#.*/, "").replace(/\b(?:(?:authorization|cookie)\s*:|bearer(?:\s|:|$))/gi, " ").split(/[\s,，、;；]+|%2c|%3b/i);

/** A failure that the gateway told, or `network` when it told nothing. */
export class ApiError extends Error {
  constructor(code, message, retryAfter = null, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Send a request and return the Response of a success. Raises ApiError, or AbortError when `signal` says so. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { Authorization: `Bearer ${credentials.get()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(ROOT + path, {
      method, headers, signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit", cache: "no-store", redirect: "error",
    });
  } catch (error) {
    throw isAbort(error) ? error : new ApiError("network", String(error.message ?? error));
  }
  if (!response.ok) throw await readError(response);
  return response;
}

export const askJson = async (path, options) => (await ask(path, options)).json();

/** The JSON documents of a stream of server-sent events, as they come. Raises ApiError for one that is an error. */
export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await read(reader);
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (data === "[DONE]") return;
      if (data) yield parseEvent(data);
    }
  }
}

export const isAbort = (error) => error?.name === "AbortError";

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw isAbort(error) ? error : new ApiError("network", String(error.message ?? error));
  }
}

function parseEvent(data) {
  const event = JSON.parse(data);
  if (event.error) throw new ApiError(event.error.code, event.error.message, event.error.retry_after);
  return event;
}

async function readError(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  try {
    const { error } = await response.json();
    return new ApiError(error.code, error.message, retryAfter, response.status);
  } catch {
    return new ApiError(`http_${response.status}`, `HTTP ${response.status}`, retryAfter, response.status);
  }
}
