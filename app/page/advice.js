// What went wrong, and what to do next: one sentence for each error code of docs/errors.md that a person can help.

import { language, say } from "./words.js";

const ADVICE = {
  account_expired: [
    "The token is expired or was revoked. Get a new one: log in at chatglm.cn, press F12, Application > Cookies > chatglm_refresh_token, and paste it above.",
    "token 已过期或被撤销。请重新获取：登录 chatglm.cn，按 F12，Application > Cookies > chatglm_refresh_token，粘贴到上方。",
  ],
  invalid_api_key: [
    "The gateway does not know this key. Check that all of it was copied, or get a token: chatglm.cn, F12, Application > Cookies > chatglm_refresh_token.",
    "网关不认识这个密钥。请确认复制完整，或获取 token：chatglm.cn，F12，Application > Cookies > chatglm_refresh_token。",
  ],
  account_blocked: ["The web chat keeps this account out for now. Open chatglm.cn with it, solve what it asks, and ask less often.", "该账号暂被网页端风控拦截。请用它打开 chatglm.cn 完成验证，并降低频率。"],
  account_answering: ["This account is answering elsewhere, in a browser perhaps. Wait for that, or add another account.", "该账号正在别处回答（可能是浏览器）。请等待，或添加其他账号。"],
  accounts_busy: ["All your accounts are answering. Wait, or join several tokens with commas.", "你的账号都在回答中。请等待，或用逗号添加多个 token。"],
  rate_limit_exceeded: ["This key is used too often. Wait a moment.", "该密钥使用过于频繁，请稍候。"],
  upstream_throttled: ["The web chat asks for a pause. Look at Accounts to see when it is over.", "网页端要求暂停。可在“账号”中查看何时恢复。"],
  upstream_busy: ["The web chat is overloaded. Try again in a minute.", "网页端繁忙，请一分钟后再试。"],
  upstream_unreachable: ["The gateway cannot reach the web chat. Check the network of the machine it runs on.", "网关无法连接网页端，请检查其所在机器的网络。"],
  upstream_timeout: ["The web chat took too long. Try again.", "网页端响应过慢，请重试。"],
  answer_cut: ["The answer broke off. Ask again.", "回答中断，请重新提问。"],
  shutting_down: ["The gateway is being restarted. Try again shortly.", "网关正在重启，请稍后再试。"],
  conversation_not_found: ["This conversation is over. Begin a new chat.", "该对话已结束，请开始新对话。"],
  context_length_exceeded: ["This is too much text. Begin a new chat, or shorten it.", "文本过长。请开始新对话或缩短内容。"],
  request_too_large: ["The attachments are too large together. Send less.", "附件总量过大，请减少。"],
  forbidden: ["Only a key marked `admin` may see the accounts. Ask the operator.", "只有标记为 admin 的密钥可以查看账号，请联系管理员。"],
  not_found: ["This gateway does not offer that (yet).", "该网关（尚）不提供此功能。"],
  network: ["The gateway does not answer. Is it running?", "网关没有响应，它在运行吗？"],
};

/** A sentence on what to do about an error code, or "" when its message must do. */
export function advise(code) {
  return ADVICE[code]?.[language === "zh" ? 1 : 0] ?? "";
}

/** A code in words short enough for a table. */
export function nameError(code) {
  return code ? code.replaceAll("_", " ") : say("none");
}
