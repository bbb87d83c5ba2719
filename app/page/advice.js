// What went wrong, and what to do next: for each error code of docs/errors.md that a person can help, a name short
// enough for a table and a sentence, both in English and Chinese.

import { column, say } from "./words.js";

const TOKEN = [
  "log in at chatglm.cn, press F12, Application > Cookies, copy chatglm_refresh_token.",
  "登录 chatglm.cn，按 F12，打开 Application > Cookies，复制 chatglm_refresh_token。",
];
const KNOWN = {
  account_expired: [["token expired", "token 已失效"], [`The token is expired or was revoked. Get a new one: ${TOKEN[0]}`, `token 已过期或被撤销。重新获取：${TOKEN[1]}`]],
  invalid_api_key: [["unknown key", "密钥无效"], [`The gateway does not know this key. Check that all of it was copied, or use a token: ${TOKEN[0]}`, `网关不认识这个密钥。请确认复制完整，或使用 token：${TOKEN[1]}`]],
  account_blocked: [["kept out by risk control", "被风控"], ["The web chat keeps this account out for now. Open chatglm.cn with it, solve what it asks, and ask less often.", "该账号暂被网页端风控拦截。请用它打开 chatglm.cn 完成验证，并降低频率。"]],
  account_answering: [["answering elsewhere", "正在别处回答"], ["This account is answering elsewhere, in a browser perhaps. Wait for that, or add another account.", "该账号正在别处回答（可能是浏览器）。请等待，或添加其他账号。"]],
  accounts_busy: [["all accounts busy", "账号都在忙"], ["All your accounts are answering. Wait, or join several tokens with commas.", "你的账号都在回答中。请等待，或用逗号添加多个 token。"]],
  rate_limit_exceeded: [["key used too often", "密钥使用过频"], ["This key is used too often. Wait a moment.", "该密钥使用过于频繁，请稍候。"]],
  upstream_throttled: [["asked to slow down", "被限流"], ["The web chat asks for a pause. Accounts shows when it is over.", "网页端要求暂停。“账号”里可以看到何时恢复。"]],
  upstream_busy: [["web chat overloaded", "网页端繁忙"], ["The web chat is overloaded. Try again in a minute.", "网页端繁忙，请一分钟后再试。"]],
  upstream_unreachable: [["web chat unreachable", "连不上网页端"], ["The gateway cannot reach the web chat. Check the network of the machine it runs on.", "网关无法连接网页端，请检查其所在机器的网络。"]],
  upstream_timeout: [["web chat too slow", "网页端超时"], ["The web chat took too long. Try again.", "网页端响应过慢，请重试。"]],
  upstream_error: [["refused by the web chat", "网页端拒绝"], ["The web chat said no; its words are below.", "网页端拒绝了，原话见下。"]],
  upstream_invalid: [["no answer one can read", "网页端答非所问"], ["The web chat sent something else than an answer. Try again; if it stays so, it may have changed.", "网页端返回的不是回答。请重试；若一直如此，它可能已经改版。"]],
  answer_cut: [["answer cut off", "回答中断"], ["The answer broke off. Ask again.", "回答中断，请重新提问。"]],
  empty_answer: [["empty answer", "回答为空"], ["No words came. Ask again.", "没有收到文字，请重新提问。"]],
  no_picture: [["no picture", "没有图片"], ["No picture came. Try again, or describe it differently.", "没有画出图片。请重试或换个说法。"]],
  content_policy_violation: [["content filter", "内容审核"], ["The content filter refuses this. Ask for something else.", "内容审核未通过，请换个内容。"]],
  shutting_down: [["gateway restarting", "网关重启"], ["The gateway is being restarted. Try again shortly.", "网关正在重启，请稍后再试。"]],
  too_many_streams: [["gateway full", "网关已满"], ["The gateway has as many answers open as it may. Wait a moment.", "网关打开的回答已达上限，请稍候。"]],
  conversation_not_found: [["conversation over", "对话已结束"], ["This conversation is over. Try again: it begins a new one.", "该对话已结束。再试一次会开始新对话。"]],
  model_not_found: [["unknown assistant", "智能体不存在"], ["No account knows this assistant. Check its id: the last part of its address at chatglm.cn.", "没有账号认识这个智能体。请检查 ID：它在 chatglm.cn 地址的最后一段。"]],
  context_length_exceeded: [["too much text", "文本过长"], ["This is too much text. Begin a new chat, or shorten it.", "文本过长。请开始新对话或缩短内容。"]],
  request_too_large: [["too much at once", "内容过大"], ["The attachments are too large together. Send less.", "附件总量过大，请减少。"]],
  invalid_file: [["unreadable file", "文件无法识别"], ["This file cannot be read. Send another kind: a picture, PDF, Office or text.", "这个文件无法识别。请换成图片、PDF、Office 或文本。"]],
  forbidden: [["not allowed", "没有权限"], ["Only a key with the mark admin may see the accounts. Ask the operator.", "只有标记为 admin 的密钥可以查看账号，请联系管理员。"]],
  not_found: [["not offered", "不提供"], ["This gateway does not offer that.", "该网关不提供此功能。"]],
  network: [["no connection", "没有连接"], ["The gateway does not answer. Is it running?", "网关没有响应，它在运行吗？"]],
  client_gone: [["stopped by you", "已主动停止"], ["", ""]],
};
const NEEDS_TOKEN = new Set(["account_expired", "invalid_api_key"]);
const FUTILE = /^(invalid_|unsupported_|context_length|request_too_large|file_|content_policy|forbidden$|not_found$|model_not_found)/;

/** A sentence on what to do about an error code, or "" when its message must do. */
export const advise = (code) => KNOWN[code]?.[1][column] ?? "";

/** A code in words short enough for a table. */
export const nameError = (code) => (code ? KNOWN[code.replaceAll(" ", "_")]?.[0][column] ?? code.replaceAll("_", " ") : say("none"));

/** Whether other credentials would help. */
export const needsToken = (code) => NEEDS_TOKEN.has(code);

/** Whether the same request may succeed later. */
export const mayRetry = (code) => !NEEDS_TOKEN.has(code) && !FUTILE.test(code ?? "");
