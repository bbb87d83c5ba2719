// What went wrong, and what to do next: a name short enough for a table and sentences. The gateway's own words for each
// code come from its catalogue (/page/errors.js); here is what only a page can meet.

import { ERRORS } from "./errors.js";
import { column, say } from "./words.js";

const OWN = {
  network: [["no connection", "没有连接"], ["The gateway does not answer. Is it running?", "网关没有响应，它在运行吗？"]],
  // What is wrong differs each time, and only the message says it.
  invalid_value: [["wrong request", "请求有误"], ["", ""]],
  unsupported_value: [["not possible here", "不支持"], ["", ""]],
  client_gone: [["stopped by you", "已主动停止"], ["", ""]],
  // Where the page tries again it begins a new one by itself.
  conversation_not_found: [["conversation over", "对话已结束"], ["This conversation is over. Try again: it begins a new one.", "该对话已结束。再试一次会开始新对话。"]],
};
const NEEDS_TOKEN = new Set(["account_expired", "invalid_api_key"]);
const FUTILE = /^(invalid_|unsupported_|context_length|request_too_large|file_|content_policy|forbidden$|not_found$|model_not_found)/;

const find = (code) => OWN[code] ?? ERRORS[code];

/** Sentences on what to do about an error code, or "" when its message must do. */
export const advise = (code) => find(code)?.[1][column] ?? "";

/** A code in words short enough for a table. */
export const nameError = (code) => (code ? find(code.replaceAll(" ", "_"))?.[0][column] ?? code.replaceAll("_", " ") : say("none"));

/** Whether other credentials would help. */
export const needsToken = (code) => NEEDS_TOKEN.has(code);

/** Whether the same request may succeed later. */
export const mayRetry = (code) => !NEEDS_TOKEN.has(code) && !FUTILE.test(code ?? "");
